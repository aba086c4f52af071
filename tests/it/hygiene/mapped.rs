//! Rows about parameters that become parts of another request, and about whose address counts.

use backhaul::gateway::Scheme;
use backhaul::model::{Access, App, Location, Mode, Parameter, Visibility};
use backhaul::{Api, Change, CommitError};

use crate::admission::{Guarded, get_uri, peer};

async fn mapping(parameters: impl IntoIterator<Item = Parameter>) -> Guarded {
    let api = |api: Api| {
        let api = api.access(Access::Anonymous).mode(Mode::Mapping);
        parameters.into_iter().fold(api, Api::parameter)
    };
    Guarded::of(api, |group| group, App::new()).await
}

/// Why an API with this parameter is refused.
async fn refused(parameter: Parameter) -> String {
    let guarded = Guarded::open().await;
    let api = Api::get("/").service_same_path("recorder").mode(Mode::Mapping).parameter(parameter);
    let change = Change::new().api("group/another", api);
    let error = guarded.registry.publisher("test").apply(change).await.unwrap_err();
    assert!(matches!(error, CommitError::Rejected(_)), "{error}");
    error.to_string()
}

#[tokio::test]
async fn h_09_the_address_is_the_peers_or_what_a_trusted_proxy_added() {
    let private = |api: Api| api.access(Access::Anonymous).visibility(Visibility::Private);
    let mut guarded = Guarded::of(private, |group| group, App::new()).await;
    for (address, said, expected) in [
        ("203.0.113.9:1", "10.0.0.7", "A403IN"),
        ("10.0.0.1:1", "192.168.1.1, 203.0.113.9", "A403IN"),
        ("10.0.0.1:1", "203.0.113.9, 10.0.0.2", "A403IN"),
        ("10.0.0.1:1", "203.0.113.9, 192.168.1.1", "ok"),
        ("10.0.0.1:1", "nobody", "A403IN"),
    ] {
        guarded.change_gateway(|gateway| {
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            gateway.trusted_proxies(trusted).peer(peer(address, Scheme::Http))
        });
        let request = get_uri("/", &[("x-forwarded-for", said)]);
        assert_eq!(guarded.code(request).await, expected, "{address} {said}");
    }
}

#[tokio::test]
async fn h_10_a_value_ends_no_header() {
    let header = Parameter::new("h", Location::Query).to("X-Value", Location::Head);
    let guarded = mapping([header]).await;
    for bad in ["a%0d%0aX:%20y", "a%0a", "a%0d", "a%00", "%C3%A9", "%FF", "%20a", "a%7F"] {
        assert_eq!(guarded.code(get_uri(&format!("/?h={bad}"), &[])).await, "I400IP", "{bad}");
    }
    assert_eq!(guarded.code(get_uri("/?h=a%20b", &[])).await, "ok");
    assert_eq!(guarded.last().0.headers["x-value"], "a b");
}

#[tokio::test]
async fn h_11_names_of_headers_come_from_the_definition_alone() {
    let guarded =
        mapping([Parameter::new("h", Location::Query).to("X-Value", Location::Head)]).await;
    let request = get_uri("/?h=1&X-Evil=1&transfer-encoding=chunked", &[("x-evil", "1")]);
    assert_eq!(guarded.code(request).await, "ok");
    let (parts, _) = guarded.last();
    assert!(
        !parts.headers.contains_key("x-evil") && !parts.headers.contains_key("transfer-encoding")
    );
    let error = refused(Parameter::new("transfer-encoding", Location::Head)).await;
    assert!(error.contains("parameter[0]"), "{error}");
}

#[tokio::test]
async fn h_12_nothing_is_mapped_to_what_frames_or_routes_a_message() {
    for name in [
        "content-length",
        "transfer-encoding",
        "connection",
        "host",
        "te",
        "upgrade",
        "via",
        "x-forwarded-for",
        "x-ca-request-id",
        "Content-Length",
        "not a header",
    ] {
        let parameter = Parameter::new("value", Location::Query).to(name, Location::Head);
        let error = refused(parameter).await;
        assert!(error.contains("parameter[0].to"), "{name}: {error}");
    }
}

#[tokio::test]
async fn h_14_a_value_stays_one_parameter() {
    let guarded = mapping([Parameter::new("q", Location::Query).to("one", Location::Query)]).await;
    for (sent, received) in [
        ("/?q=1%26admin%3Dtrue", "/?one=1%26admin%3Dtrue"),
        ("/?q=%23+%2B%25", "/?one=%23%20%2B%25"),
        ("/?q=1&admin=true&%71=2", "/?one=1"),
    ] {
        assert_eq!(guarded.code(get_uri(sent, &[])).await, "ok", "{sent}");
        assert_eq!(guarded.last().0.uri, received);
    }
}

#[tokio::test]
async fn h_15_a_query_that_cannot_be_read_is_refused_where_it_is_mapped() {
    let guarded = mapping([Parameter::new("b", Location::Query)]).await;
    for bad in ["/?a=%x&b=ok", "/?b=%", "/?%4=1", "/?b=1&a=%zz"] {
        assert_eq!(guarded.code(get_uri(bad, &[])).await, "I400RU", "{bad}");
    }
    assert_eq!(guarded.code(get_uri("/?b=1;c=2", &[])).await, "ok");
    assert_eq!(guarded.last().0.uri, "/?b=1%3Bc%3D2");
}

#[cfg(feature = "schema")]
#[tokio::test]
async fn r_14_json_says_one_thing_and_is_not_too_deep() {
    let mut json = Parameter::new("value", Location::Query);
    json.schema = Some(serde_json::json!({ "properties": { "a": { "type": "integer" } } }));
    let guarded = mapping([json]).await;
    let levels = |count: usize| format!("{}{}", "[".repeat(count), "]".repeat(count));
    for (value, code) in [
        ("{%22a%22:1}".to_owned(), "ok"),
        (levels(128), "ok"),
        ("{%22a%22:1,%22a%22:2}".to_owned(), "I400JP"),
        ("{%22a%22:1,%22%5Cu0061%22:2}".to_owned(), "I400JP"),
        ("{%22b%22:[{%22c%22:1,%22c%22:1}]}".to_owned(), "I400JP"),
        (levels(129), "I400JP"),
        ("[".repeat(5_000), "I400JP"),
        ("{a:1}".to_owned(), "I400JP"),
        ("{%22a%22:%22secret%22}".to_owned(), "I400IP"),
    ] {
        let uri = format!("/?value={}", value.replace('{', "%7B").replace('}', "%7D"));
        let (found, message) = guarded.answer(get_uri(&uri, &[])).await;
        assert_eq!(found, code, "{value}");
        assert!(!message.contains("secret") && (code == "ok" || message.contains("`value`")));
    }
}

/// Where a schema refers to, somebody listens, and hears nothing.
#[cfg(feature = "schema")]
#[tokio::test]
async fn r_15_a_schema_fetches_nothing_and_its_patterns_are_linear() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let elsewhere = format!("http://{}/schema", listener.local_addr().unwrap());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{}").unwrap();
    for schema in [
        serde_json::json!({ "$ref": elsewhere }),
        serde_json::json!({ "$schema": elsewhere }),
        serde_json::json!({ "$id": elsewhere, "$ref": "other" }),
        serde_json::json!({ "$defs": { "a": { "items": { "$ref": elsewhere } } } }),
        serde_json::json!({ "$ref": format!("file://{}", file.path().display()) }),
        serde_json::json!({ "$ref": "http://169.254.169.254/" }),
        serde_json::json!({ "pattern": "(?=a)" }),
        serde_json::json!({ "pattern": "a{1000000}" }),
        serde_json::json!({ "patternProperties": { "(a)\\1": {} } }),
    ] {
        let mut parameter = Parameter::new("value", Location::Query);
        parameter.schema = Some(schema.clone());
        let error = refused(parameter).await;
        assert!(error.contains("parameter[0].schema"), "{schema}: {error}");
    }
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

/// A pattern that backtracking engines need longer for than the test may take.
#[tokio::test]
async fn r_16_patterns_are_matched_in_linear_time_and_bounded() {
    let mut slow = Parameter::new("value", Location::Query);
    slow.pattern = Some("^(a+)+$".to_owned());
    let guarded = mapping([slow]).await;
    let long = "a".repeat(7_000);
    assert_eq!(guarded.code(get_uri(&format!("/?value={long}!"), &[])).await, "I400IP");
    assert_eq!(guarded.code(get_uri(&format!("/?value={long}"), &[])).await, "ok");
    for pattern in ["(", "(?=a)", "a{1000000}", "((((((a{100}){100}){100}){100}){100}){100})"] {
        let mut bad = Parameter::new("value", Location::Query);
        bad.pattern = Some(pattern.to_owned());
        let error = refused(bad).await;
        assert!(error.contains("parameter[0].pattern"), "{pattern}: {error}");
    }
}
