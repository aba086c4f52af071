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
        "U-21",
        "a service has one endpoint: definitions of several are kept and answered X503BZ, so that there \
         is no set of which a part could be ejected; addresses of one name race, see `transport::race`",
    ),
];
