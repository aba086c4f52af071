//! OpenAPI descriptions, read and written.

mod faults;
mod generated;
mod pets;
mod registry;
mod validated;

use backhaul::document::{Format, InvalidDocument};
use backhaul::openapi::{Import, Imported};
use serde_json::Value;

fn read(value: &Value) -> Result<Imported, InvalidDocument> {
    Import::new("shop").service("orders").read(&value.to_string(), Format::Json)
}

/// What is told, each in a line.
fn lines<'f>(faults: impl IntoIterator<Item = &'f backhaul::document::Fault>) -> String {
    faults.into_iter().map(|fault| format!("{fault}\n")).collect()
}
