//! Rows of the catalogue about applications that no test decides, and why.

/// The row, and who decides it.
pub(crate) const REASONS: &[(&str, &str)] = &[
    (
        "A-01",
        "no test measures time: signatures are compared by `hmac`'s `verify_slice`, and AppCodes and keys are \
         found by a keyed hash",
    ),
    (
        "A-02",
        "the contract tells them apart, `A400IK` and `I400IS`: a key is sent in clear text and is no secret",
    ),
    (
        "A-14",
        "a header's value cannot hold the line's end by its type; the properties of A-16 and A-17 put every \
         delimiter everywhere else",
    ),
    (
        "A-23",
        "the contract has the server's text in every answer to a wrong signature; it holds no secret",
    ),
    (
        "A-24",
        "the contract has no answer for it; codes of 8 to 128 letters are not found by trying, and limits on \
         callers stand before a gateway",
    ),
];
