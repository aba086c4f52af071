//! A document with the usual keys.

use crate::document::{Document, Fault, Format};
use crate::model::{Api, Environment, Kind, Location, Parameter};
use crate::{Definition, Http, Mock};

pub(super) const SHOP: &str = r#"# a shop
[[backend_service]]
name = "orders"
kind = "http"
description = "the order service"

[backend_service.definition.TEST]
url = "http://127.0.0.1:9101"

[backend_service.definition.RELEASE]
url = "http://127.0.0.1:9102/base"
timeout = "2s"
host = "orders.internal"

[[backend_service]]
name = "banner"
kind = "mock"

[backend_service.definition.TEST]
status = 203
headers = { "content-type" = "text/plain", "x-banner" = "1" }
body = """
hello
from the mock"""

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
name = "create_order"
group = "shop"
method = "POST"
path = "/orders"
auth = "app"
publish = ["TEST"]
backend = { service = "orders", path = "/v1/orders", method = "ANY" }

[[api.parameter]]
name = "limit"
in = "query"
type = "int"
default = "20"
min = 1
to = { name = "n", in = "query" }

[[api]]
name = "direct"
group = "shop"
method = "GET"
path = "/direct/[id]"
backend = { kind = "http", url = "http://10.0.0.7", path = "/d/[id]", timeout = "5s" }

[api.version.RELEASE]
method = "GET"
path = "/direct/[id]"
backend = { service = "orders" }

[[grant]]
app = "mobile"
api = "shop/create_order"
environment = "TEST"
expires = 2030-01-01T00:00:00Z
"#;

fn shop() -> Document {
    Document::parse(SHOP, Format::Toml).unwrap()
}

#[test]
fn a_document_is_what_it_says() {
    let shop = shop();
    let names: Vec<_> = shop.services.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["orders", "banner"]);
    let orders = &shop.services[0];
    assert_eq!((&orders.kind, &*orders.description), (&Kind::HTTP, "the order service"));
    let live = Http::to("http://127.0.0.1:9102/base").host("orders.internal");
    let live: Definition = live.timeout(std::time::Duration::from_secs(2));
    assert_eq!(orders.definition[&Environment::PRODUCTION], live);
    let mock = Mock::new().status(203).header("content-type", "text/plain");
    let mock = mock.header("x-banner", "1").body("hello\nfrom the mock");
    assert_eq!(shop.services[1].definition[&Environment::TEST], mock.into());

    let create = &shop.apis[0];
    assert_eq!(create.name.to_string(), "shop/create_order");
    assert_eq!(create.publish, [Environment::TEST]);
    let limit = Parameter::new("limit", Location::Query).to("n", Location::Query);
    assert_eq!(create.api.parameters[0].to, limit.to);

    let direct = &shop.apis[1];
    let api = Api::get("/direct/[id]").inline(Http::to("http://10.0.0.7")).backend_path("/d/[id]");
    assert_eq!(direct.api, api.timeout(std::time::Duration::from_secs(5)));
    let version = Api::get("/direct/[id]").service_same_path("orders");
    assert_eq!(direct.version[&Environment::PRODUCTION], version);
    let until = shop.grants[0].grant.expires.unwrap();
    assert_eq!(until.to_string(), "2030-01-01T00:00:00.000Z");
    assert!(!format!("{shop:?}").contains("sampleSecret1"));
}

#[test]
fn toml_is_written_as_people_write_it() {
    let mut shop = shop();
    shop.services.remove(1);
    shop.apis.remove(0);
    let written = shop.text(Format::Toml).unwrap();
    let expected = r#"[[backend_service]]
name = "orders"
kind = "http"
description = "the order service"

[backend_service.definition.RELEASE]
url = "http://127.0.0.1:9102/base"
host = "orders.internal"
timeout = "2s"

[backend_service.definition.TEST]
url = "http://127.0.0.1:9101"

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
name = "direct"
group = "shop"
method = "GET"
path = "/direct/[id]"
backend = { kind = "http", url = "http://10.0.0.7", path = "/d/[id]", timeout = "5s" }

[api.version.RELEASE]
method = "GET"
path = "/direct/[id]"
backend = { service = "orders" }

[[grant]]
app = "mobile"
api = "shop/create_order"
environment = "TEST"
expires = "2030-01-01T00:00:00.000Z"
"#;
    assert_eq!(written, expected);
}

#[test]
fn faults_that_are_found_later_get_their_lines() {
    let paths = [
        ("api[1].backend.url", Some(59)),
        ("backend_service[0].definition.RELEASE.url", Some(11)),
        ("backend_service[1].definition.TEST.headers.x-banner", Some(21)),
        ("api[0].publish[0]", Some(43)),
        ("api[0].parameter[0].to.name", Some(52)),
        // The nearest that is there.
        ("api[0].publish[7]", Some(43)),
        ("api[0].mode", Some(37)),
        ("credential[0].name", None),
    ];
    let faults = paths.map(|(path, _)| Fault::new(path, "is refused"));
    let refused = shop().refuse(faults);
    for (path, line) in paths {
        let fault = refused.faults().iter().find(|fault| fault.path == path).unwrap();
        assert_eq!(fault.line, line, "{path}");
    }
    let unread = Document::new().refuse([Fault::new("api[0]", "x")]);
    assert_eq!(unread.to_string(), "api[0]: x");
}

#[test]
fn an_empty_text_is_an_empty_document() {
    for (text, format) in [("", Format::Toml), ("{}", Format::Json), ("", Format::Yaml)] {
        assert_eq!(Document::parse(text, format).unwrap(), Document::new());
    }
    let null = Document::parse(
        r#"{"backend_service":[{"name":"a","kind":"own","definition":
        {"TEST":{"a":[null]}}}]}"#,
        Format::Json,
    )
    .unwrap();
    let error = null.text(Format::Toml).unwrap_err();
    assert_eq!(error.to_string(), "backend_service[0].definition.TEST.a[0]: TOML has no null");
}
