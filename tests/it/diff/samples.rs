//! A value of every noun and of every kind of definition, with every field in it.

use serde_json::{Value, json};

use super::Noun;

/// What a value is written as, and which noun it is.
pub(super) fn samples() -> Vec<(Noun, Value)> {
    let mut samples = vec![
        (Noun::SERVICE, json!({"kind": "http", "description": "what orders go to"})),
        (Noun::DECLARATION, json!({"description": "before it is live"})),
        (Noun::GROUP, group()),
        (Noun::API, api()),
        (Noun::GRANT, json!({"expires": "2030-01-01T00:00:00.000Z"})),
    ];
    samples.extend(resources().map(|resource| (Noun::RESOURCE, resource)));
    samples.extend(definitions().map(|definition| (Noun::DEFINITION, definition)));
    samples
}

fn group() -> Value {
    json!({
        "hosts": ["shop.example.com", "shop.example.org"],
        "stage_hosts": {"test.example.com": "TEST", "": "PRE"},
        "base_path": "/shop",
        "description": "all of the shop",
        "passthrough_headers": ["host", "x-trace"],
        "app_code_to_backend": true,
        "app_code_header": "X-App-Code",
        "debug": true,
        "variables": {"TEST": {"zone": "a", "port": "1"}, "RELEASE": {"zone": "b"}},
    })
}

fn api() -> Value {
    json!({
        "method": "GET",
        "path": "/orders/[id]",
        "backend": {
            "service": "orders",
            "inline": mock(),
            "path": "/v1/orders/[id]",
            "method": "POST",
            "timeout": "2500ms",
            "content_type": "text/plain",
            "oss": {"action": "GetObject", "key": "/pictures/[id]"},
            "function": {"path": "/[id]"},
            "event": {"type": "made", "subject": "order"},
        },
        "description": "one order",
        "visibility": "private",
        "protocol": ["https", "websocket"],
        "mode": "mapping",
        "auth": "app",
        "app_code": "header_query",
        "signature": ["HmacSHA1", "HmacSHA256"],
        "force_nonce": true,
        "escape_path_param": true,
        "max_body": 1024,
        "parameter": [{
            "name": "id",
            "in": "path",
            "type": "array",
            "required": true,
            "default": "1",
            "min": 1,
            "max": 2.5,
            "min_length": 1,
            "max_length": 9,
            "pattern": "^[0-9]+$",
            "enum": ["1", "2"],
            "schema": {"type": "string"},
            "items": "int",
            "description": "which order",
            "to": {"name": "order", "in": "query"},
        }],
        "constant": [{"name": "source", "value": "gateway", "in": "query", "description": "who"}],
        "system": [{
            "name": "CaClientIp",
            "to": {"name": "X-Real-Ip", "in": "body"},
            "description": "from where",
        }],
        "response": {
            "type": "xml",
            "sample": "<order/>",
            "error_sample": "<error/>",
            "errors": [{"code": "404", "message": "no order", "description": "look again"}],
        },
    })
}

fn resources() -> [Value; 6] {
    let keys =
        json!([{"key": "203753385", "secret": "hunter2-"}, {"key": "2", "secret": "swordfish"}]);
    [
        json!({"app": {"description": "phones", "keys": keys, "codes": ["swordfish", "hunter2"]}}),
        json!({"vpc_access": {
            "vpc_id": "vpc-1",
            "instance": "10.0.0.7",
            "port": 8080,
            "host": "orders.internal",
            "connector": {"socks5": "user:hunter2@10.0.0.1:1080"},
        }}),
        json!({"object_grant": {"bucket": "pictures", "read": false, "write": true}}),
        json!({"credential": {"access_key": "id", "secret_key": "hunter2", "token": "swordfish", "provider": "env"}}),
        json!({"registry": {
            "region": "cn-hangzhou",
            "blast_radius": {"apis": 5, "traffic_share": 0.5},
            "history": {"revisions": 10, "days": 3},
            "signature_mode": "strict",
        }}),
        json!({"registry": {
            "region": "cn-hangzhou",
            "blast_radius": 5,
            "history": {"revisions": 10, "days": 3},
            "signature_mode": "strict",
        }}),
    ]
}

fn definitions() -> [Value; 11] {
    [
        http(),
        json!({"kind": "vpc", "timeout": "3s", "access": "orders", "use_https": true, "host": "a"}),
        function_compute(),
        json!({
            "kind": "oss",
            "timeout": "3s",
            "bucket": "orders",
            "region": "cn-hangzhou",
            "endpoint": "https://oss.example.com",
            "addressing": "path",
            "grant": "orders",
            "credentials": "deploy",
        }),
        json!({
            "kind": "event_bridge",
            "timeout": "3s",
            "endpoint": "https://bus.example.com",
            "region": "cn-hangzhou",
            "account": "42",
            "bus": "orders",
            "source": "shop",
            "type": "made",
            "subject": "order",
            "format": "cloudevents_binary",
            "credentials": "deploy",
        }),
        discovery(),
        json!({"kind": "mixed", "timeout": "4s", "concrete": mock()}),
        json!({"kind": "mixed", "timeout": "4s", "concrete": discovery()}),
        json!({
            "kind": "mixed",
            "timeout": "4s",
            "legs": [{"name": "one", "weight": 9}, {"name": "two", "when": ["a", {"b.c": null}], "secret_key": "hunter2"}],
            "sticky": "x-user",
        }),
        mock(),
        json!({
            "kind": "greeter",
            "timeout": "3s",
            "greeting": "hi",
            "odd key": [[], {}, [1, -1, 1.5, true, null]],
            "a.b": {"c": "in a.b", "": "without a name"},
            "a": {"b": {"c": "in a"}},
            "password": {"old": "hunter2", "new": [[], 1, "swordfish"]},
        }),
    ]
}

fn mock() -> Value {
    json!({
        "kind": "mock",
        "timeout": "5s",
        "status": 203,
        "headers": {"x-banner": "1", "x-other": "2"},
        "body": "hello",
        "delay": "50ms",
    })
}

fn discovery() -> Value {
    json!({
        "kind": "discovery",
        "timeout": "3s",
        "registry": "consul",
        "server": "nacos.internal:8848",
        "namespace": "shop",
        "group": "ORDERS",
        "service": "orders",
        "clusters": ["one", "two"],
        "username": "gateway",
        "password": "hunter2",
        "access_key": "key",
        "secret_key": "swordfish",
        "scheme": "https",
        "path": "/base",
        "min_endpoints": 2,
        "max_shrink": 50,
    })
}

fn http() -> Value {
    json!({
        "kind": "http",
        "timeout": "3s",
        "url": "http://10.0.0.7:8080/base",
        "endpoints": [
            {"url": "http://10.0.0.7", "weight": 3, "zone": "a"},
            {"url": "http://10.0.0.8", "weight": 1, "zone": "b"},
        ],
        "balance": "round_robin",
        "host": "orders.internal",
        "tls": {
            "ca": "ca.pem",
            "client_cert": "client.pem",
            "client_key": "client.key",
            "server_name": "orders.internal",
            "min_version": "1.2",
        },
        "protocol": "http1",
    })
}

fn function_compute() -> Value {
    json!({
        "kind": "function_compute",
        "timeout": "3s",
        "function_type": "http",
        "version": "3.0",
        "region": "cn-hangzhou",
        "account": "42",
        "service": "orders",
        "function": "get",
        "qualifier": "LATEST",
        "endpoint": "https://42.example.com",
        "trigger_url": "https://trigger.example.com",
        "path": "/get",
        "only_business_path": true,
        "invocation": "async",
        "credentials": "deploy",
    })
}
