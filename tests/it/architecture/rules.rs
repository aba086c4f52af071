//! Each rule, tried on sources that keep it and on sources that break it.

use super::{File, MAX_LINES, edges, empty_folders, lengths, network, unfinished, wall_time};

const ALLOWED: &str = "
gateway/mod.rs | use crate::registry::Snapshot; use crate::error::Error;
gateway/route.rs | use super::Gateway; use crate::Error; use crate::gateway::x;
document/mod.rs | use crate::publish::Change;
transport/pool.rs | use crate::observe::Observer; use super::dns;
registry/mod.rs | use crate::store::Store; use crate::backend::Backend;
registry/builder.rs | fn f() { crate::built_in() }
backend/http/send.rs | use crate::backend::{Body, Call}; use super::super::call;
testing/mod.rs | use crate::Gateway; use crate::serve::Server;
model/x.rs | use crate::time::Timestamp; mod a { use super::super::super::error::E; }
lib.rs | use crate::backend::http::Http;
publish/mod.rs | impl Registry { fn publisher(&self) -> crate::publish::Publisher {} }
error.rs | #[cfg(test)] mod tests { use crate::gateway::Gateway; }
registry/tests.rs | use crate::gateway::Gateway;";

const REFUSED: &str = "
gateway/mod.rs | use crate::publish::Change; | gateway uses publish
publish/mod.rs | use crate::document::D; | :1: publish uses document
registry/mod.rs | use crate::{error::E, gateway}; | registry uses gateway
registry/mod.rs | fn f(_: crate::Gateway) {} | registry uses gateway
registry/mod.rs | impl Registry { fn p() -> crate::publish::P {} } | registry uses publish
registry/mod.rs | use super::gateway::x; | registry uses gateway
store/mod.rs | use crate::backend::Body; | store uses backend
observe/mod.rs | use crate::transport::x; | observe uses transport
sign/mod.rs | use crate::balance::x; | sign uses balance
model/x.rs | use crate::transport::x; | model uses transport
model/x.rs | mod a { use super::super::super::sign::S; } | model uses sign
gateway/mod.rs | use crate::backend::http::Pool; | gateway uses backend/http
backend/factory.rs | use super::http::Http; | backend uses backend/http
backend/mock/x.rs | use crate::backend::http::H; | backend/mock uses backend/http
backend/mock/x.rs | use crate::registry::R; | backend/mock uses registry
helpers/mod.rs | fn f() {} | the house has no place for it";

/// `lib.rs` and a file in each folder the examples lead to.
fn house(path: &str, text: &str) -> Vec<File> {
    let lib = "pub use crate::error::Error; pub use crate::gateway::Gateway; fn built_in() {}";
    vec![
        File::new("lib.rs", lib),
        File::new("backend/http/mod.rs", "fn f() {}"),
        File::new("backend/mock/mod.rs", "fn f() {}"),
        File::new(path, text),
    ]
}

fn rows(table: &str) -> impl Iterator<Item = Vec<&str>> {
    table.trim().lines().map(|row| row.split(" | ").collect())
}

#[test]
fn what_the_table_allows_is_allowed() {
    for row in rows(ALLOWED) {
        assert_eq!(edges(&house(row[0], row[1])), [""; 0], "{row:?}");
    }
}

#[test]
fn every_other_edge_is_refused() {
    for row in rows(REFUSED) {
        let complaints = edges(&house(row[0], row[1]));
        assert_eq!(complaints.len(), 1, "{row:?} {complaints:?}");
        assert!(complaints[0].ends_with(row[2]), "{row:?} {complaints:?}");
    }
}

#[test]
fn only_transport_names_the_network() {
    for text in [
        "use hyper::client::conn;",
        "use hyper::{body, client};",
        "fn f() { hyper_util::client::legacy::C::new() }",
        "use tokio_rustls::rustls;",
        "fn f(_: rustls::ClientConfig) {}",
    ] {
        assert_eq!(network(&house("backend/http/x.rs", text)).len(), 1, "{text}");
        assert_eq!(network(&house("transport/x.rs", text)), [""; 0], "{text}");
    }
    assert_eq!(network(&house("gateway/x.rs", "use hyper::body::Body;")), [""; 0]);
    let server = "use hyper::server::conn::http1;";
    assert_eq!(network(&house("gateway/x.rs", server)).len(), 1);
    assert_eq!(network(&house("serve/x.rs", server)), [""; 0]);
}

#[test]
fn only_one_file_asks_for_the_wall_time() {
    let text = "fn f() { std::time::SystemTime::now(); }";
    assert_eq!(wall_time(&house("gateway/mod.rs", text)).len(), 1);
    assert_eq!(wall_time(&house("time.rs", text)), [""; 0]);
}

#[test]
fn nothing_is_left_for_later() {
    for text in ["fn f() { todo!() }", "fn f() { unimplemented!() }", "// TODO: f", "// FIXME"] {
        assert_eq!(unfinished(&house("gateway/mod.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(unfinished(&house("gateway/mod.rs", "fn todo() {}")), [""; 0]);
}

#[test]
fn a_long_file_is_refused_whatever_its_tests() {
    let blank = "\n".repeat(MAX_LINES);
    let long = format!("{blank}fn f() {{}}");
    assert_eq!(lengths(&house("gateway/mod.rs", &long)).len(), 1);
    let tested = format!("fn f() {{}}\n#[cfg(test)] mod tests {{ {blank} }}");
    assert_eq!(lengths(&house("gateway/mod.rs", &tested)), [""; 0]);
}

#[test]
fn a_folder_with_nothing_in_it_is_refused() {
    for text in [
        "//! Nothing yet.",
        "mod nothing;",
        "pub mod nothing;",
        "#[cfg(test)] mod tests { fn f() {} }",
    ] {
        assert_eq!(empty_folders(&house("gateway/mod.rs", text)).len(), 1, "{text}");
    }
    assert_eq!(empty_folders(&house("gateway/mod.rs", "mod a; fn f() {}")), [""; 0]);
}
