//! Any text as a document of each format: what is accepted is written as something that is read as
//! the same, and what is refused is told in one line.

#![no_main]

use backhaul::document::{Document, Format};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    for format in [Format::Toml, Format::Json, Format::Yaml] {
        match Document::parse(text, format) {
            Ok(read) => {
                let again = read.text(format).expect("the format said it before");
                let reread = Document::parse(&again, format).expect("what was just written");
                assert_eq!(reread, read, "{again}");
            }
            Err(error) => {
                assert!(!error.faults().is_empty());
                assert!(!error.to_string().contains(char::is_control));
            }
        }
    }
});
