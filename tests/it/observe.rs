//! What observers are told, and what is made of it.

mod ended;
mod recorder;
