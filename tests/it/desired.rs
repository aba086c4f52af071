//! Registries that are made what a document says.

use backhaul::Registry;
use backhaul::document::{Document, DocumentError, Format};
use backhaul::publish::Receipt;

mod applying;
mod arbitrary;
mod faults;
mod properties;
mod pruning;
mod renaming;

pub(crate) const SHOP: &str = r#"
[[backend_service]]
name = "orders"
kind = "http"
description = "the order service"

[backend_service.definition.TEST]
url = "http://10.0.0.1:9101"

[backend_service.definition.RELEASE]
url = "http://10.0.0.1:9102/base"
timeout = "2s"
host = "orders.internal"

[[group]]
name = "shop"
hosts = ["shop.example.com"]
base_path = "/shop"

[[app]]
name = "mobile"
key = "203753385"
secret = "sampleSecret1"
code = "sampleAppCode1"

[[api]]
name = "get_order"
group = "shop"
method = "GET"
path = "/orders/[id]"
publish = ["TEST", "RELEASE"]
backend = { service = "orders", path = "/v1/orders/[id]", timeout = "5s" }

[[api]]
name = "create_order"
group = "shop"
method = "POST"
path = "/orders"
auth = "app"
publish = ["TEST"]
backend = { service = "orders", path = "/v1/orders" }

[[grant]]
app = "mobile"
api = "shop/create_order"
environment = "TEST"
"#;

pub(crate) fn read(text: &str) -> Document {
    Document::parse(text, Format::Toml).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

pub(crate) async fn applied(registry: &Registry, text: &str) -> Option<Receipt> {
    let made = registry.publisher("file").apply_document(&read(text)).await;
    made.unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Applies a document that must be refused, checks that it left no trace, and says why it was.
pub(crate) async fn refused(registry: &Registry, text: &str) -> Vec<String> {
    let before = (registry.revision(), registry.export_document());
    let error = match Document::parse(text, Format::Toml) {
        Ok(document) => registry.publisher("file").apply_document(&document).await.unwrap_err(),
        Err(invalid) => registry.publisher("file").all_faults(invalid).await.unwrap().into(),
    };
    assert_eq!((registry.revision(), registry.export_document()), before);
    let DocumentError::Invalid(invalid) = error else { panic!("{error}") };
    assert!(!invalid.to_string().contains('\n'), "one line: {invalid}");
    invalid.faults().iter().map(ToString::to_string).collect()
}

async fn shop() -> Registry {
    let registry = Registry::in_memory().await.unwrap();
    applied(&registry, SHOP).await.unwrap();
    registry
}

/// A registry that is as the export of another one says.
async fn copy_of(registry: &Registry) -> Registry {
    let copy = Registry::in_memory().await.unwrap();
    let document = registry.export_document();
    copy.publisher("copy").apply_document(&document).await.unwrap();
    copy
}
