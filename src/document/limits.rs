//! How large a document may be. What exceeds one of these is refused with an error that names it.

/// Bytes of a document's text: ten times what a hundred thousand APIs need, and few enough for the
/// tree made of them, some ten times as large, to fit into memory.
pub const MAX_DOCUMENT: usize = 256 * 1024 * 1024;
/// Levels of tables and lists within each other: reading goes a level deeper on the stack for each.
pub const MAX_DEPTH: usize = 32;
/// Faults that are told one by one: more than anybody mends before looking again.
pub const MAX_FAULTS: usize = 100;
