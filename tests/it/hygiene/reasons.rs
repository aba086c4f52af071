//! Rows of the catalogue that no test decides, and why.

/// The row, and what it waits for or who decides it.
pub(crate) const REASONS: &[(&str, &str)] = &[
    (
        "H-09",
        "no rule reads a client's address yet: address lists come with access control, and will read the peer that the gateway knows",
    ),
    (
        "H-10",
        "values are not mapped to headers yet: an API with mapped parameters is answered X501NI",
    ),
    ("H-11", "names of headers come with mapped parameters, which are not served yet"),
    (
        "H-12",
        "a parameter's target is checked when mapping is served; until then such an API is answered X501NI",
    ),
    ("H-14", "the query goes through as it came; parameters of their own come with mapping"),
    (
        "H-15",
        "the query is not parsed in pass-through, so there is nothing to be unparseable; mapping will refuse it",
    ),
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
        "bodies are not parsed: JSON is read when parameters in bodies and schemas are served",
    ),
    (
        "R-15",
        "schemas are not compiled yet: an API that maps parameters with one is answered X501NI, and where requests pass through only path parameters are looked at (domain §2.5)",
    ),
    (
        "R-16",
        "no pattern is compiled yet: an API that maps parameters with one is answered X501NI, and where requests pass through only path parameters are looked at (domain §2.5)",
    ),
];
