//! Cases that are not decided at the server's sockets, and why.

/// Row, and the reason.
pub(super) const REASONS: &[(&str, &str)] = &[
    ("F-39", "the connection to the backend is the transport's; the server sees one answer"),
    ("F-49", "what a backend receives is written by the transport; see the gateway's tests"),
    ("F-50", "other programs read what the transport writes, not what the server reads"),
    ("T-08", "frames of a backend: the transport speaks HTTP/1.1 to backends, and no HTTP/2"),
    (
        "R-08",
        "decided in `src/serve/accept.rs`, where a listener can be made to fail as often as needed; \
         a test that used up this process's descriptors would fail its neighbours",
    ),
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
        "R-24",
        "handshakes happen before `Server::connection` is given anything; whoever accepts TLS limits \
         them. A handshake that ends in silence is R-01",
    ),
];

#[test]
fn every_reason_is_one() {
    let mut rows: Vec<_> = REASONS.iter().map(|(row, _)| *row).collect();
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), REASONS.len());
    for (row, reason) in REASONS {
        assert!(row.len() == 4 && reason.len() > 20, "{row}");
    }
}
