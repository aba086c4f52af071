//! What a document says is what is read, and what is wrong with it is told, all of it.

mod faults;
mod generated;
mod shop;
mod strategies;
