//! How much is told. Beyond it less is told, never a request held up.

/// Pairs of service and environment that have metrics of their own: more than one node serves, and with
/// all families some forty thousand lines of text. The next share `(other)`, one for each environment,
/// until the process ends.
pub const MAX_TARGETS: usize = 1_000;
/// Pairs of API and environment that are counted on their own. The next share `(other)` likewise.
pub const MAX_APIS: usize = 1_000;
/// Bytes of one field of an access log's line, escapes included; what is longer is cut and ends in `…`.
/// A path may be eight times as long, and nobody reads it to its end.
pub const MAX_FIELD: usize = 1_024;
/// Lines of an access log that wait to be written: a second of a busy node, and some megabytes. The next
/// are dropped and counted.
pub const MAX_QUEUE: usize = 8_192;
/// Lines of an access log in a second, unless told otherwise: a flood of requests must not fill the disk.
/// The next are dropped and counted.
pub const MAX_LINES: u32 = 20_000;
/// Definitions that one change replaced whose drain is told. Each is waited for; of the others nothing is
/// told.
pub const MAX_DRAINS: usize = 1_000;
