//! How large a description may be. What exceeds one of these is refused with an error that names it,
//! or told as a warning.

/// Bytes of a description's text: several times what the largest published ones have, and few enough
/// for the tree made of them to fit into memory.
pub const MAX_TEXT: usize = 64 * 1024 * 1024;
/// References that lead to each other: one or two are usual, and a circle has no end.
pub const MAX_REFERENCES: usize = 8;
/// Values and bytes that are read because something refers to them, each time anew: a few bytes can
/// refer to a large component, and many of them would take more time and memory than their text.
pub const MAX_REFERRED: usize = 256 * 1024 * 1024;
/// Warnings that are told one by one: more than anybody reads.
pub const MAX_WARNINGS: usize = 100;
