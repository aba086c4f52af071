//! Any description: it is refused, or its drafts are described, and read from that as the same drafts.

#![no_main]

use std::collections::BTreeMap;

use backhaul::Group;
use backhaul::document::Format;
use backhaul::openapi::{Export, Import};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &str)| {
    let (yaml, text) = input;
    let format = if yaml { Format::Yaml } else { Format::Json };
    let Ok(imported) = Import::new("shop").service("orders").read(text, format) else {
        return;
    };
    let export = Export::new().with_secrets();
    // Two paths may be the same as OpenAPI writes them.
    let Ok(written) = export.apis(imported.group(), &Group::new(), imported.apis()) else {
        return;
    };
    let again = Import::new("shop").read(&written.to_string(), Format::Json);
    let again = again.unwrap_or_else(|error| panic!("{error}\n{written:#}"));
    let (first, again): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (imported.apis().iter().cloned().collect(), again.apis().iter().cloned().collect());
    assert_eq!(first, again, "{written:#}");
});
