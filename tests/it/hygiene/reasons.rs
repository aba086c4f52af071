//! Rows of the catalogue that no test decides, and why.

/// The row, and what it waits for or who decides it.
pub(crate) const REASONS: &[(&str, &str)] = &[
    (
        "P-17",
        "TLS ends before the gateway: whoever serves it compares the server name; the gateway never sees it",
    ),
    (
        "P-21",
        "keys of objects come with the OSS adapter; until then its requests are answered X503BZ",
    ),
    ("P-22", "prefixes of keys come with the OSS adapter"),
    ("P-23", "sub-resources come with the OSS adapter"),
    (
        "R-14",
        "of bodies only forms are parsed, which do not nest; JSON is read when schemas are served",
    ),
    (
        "R-15",
        "schemas are not compiled yet: an API with one on a parameter that is checked is answered X501NI",
    ),
];
