//! Rows that no test decides at the server's sockets or elsewhere, and why.

/// Row, and the reason.
pub(crate) const REASONS: &[(&str, &str)] = &[
    (
        "R-19",
        "the server sheds connections, see R-07; shedding requests is the gateway's to decide",
    ),
    (
        "R-20",
        "the server has no queue: connections are counted, see R-07, streams refused, see T-10, \
         and bodies not read ahead, see R-11",
    ),
    (
        "R-23",
        "no rate is limited yet; connections are counted by the peer's address before a header of \
         theirs is read, see R-07",
    ),
    (
        "R-24",
        "handshakes happen before `Server::connection` is given anything; whoever accepts TLS limits \
         them. A handshake that ends in silence is R-01",
    ),
];
