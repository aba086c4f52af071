//! The example gateway as a process: what it prints, what it answers, and what signals do.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod clients;
mod own;
mod process;
mod signals;
mod starting;
mod table;

use self::process::Process;
use crate::gateway::harness::{Origin, Told, ask};

const HOST: &str = "Host: shop.example.com";

/// The sample document, with the ports of its origins left open.
const SHOP: &str = r#"
[[backend_service]]
name = "orders"
kind = "http"
description = "the order service"

[backend_service.definition.TEST]
url = "http://127.0.0.1:{old}"

[backend_service.definition.RELEASE]
url = "http://127.0.0.1:{new}/base"
timeout = "2s"
host = "orders.internal"

[[backend_service]]
name = "banner"
kind = "mock"

[backend_service.definition.TEST]
status = 203
headers = { "content-type" = "text/plain", "x-banner" = "1" }
body = "hello from the mock"

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
mode = "passthrough"
auth = "anonymous"
publish = ["TEST", "RELEASE"]
backend = { service = "orders", path = "/v1/orders/[id]", method = "GET", timeout = "5s" }

[[api]]
name = "create_order"
group = "shop"
method = "POST"
path = "/orders"
mode = "passthrough"
auth = "app"
app_code = "header_query"
signature = ["HmacSHA256", "HmacSHA1"]
force_nonce = false
publish = ["TEST"]
backend = { service = "orders", path = "/v1/orders", method = "ANY" }

[[api]]
name = "list_orders"
group = "shop"
method = "GET"
path = "/orders"
publish = ["RELEASE"]
backend = { service = "orders", path = "/v1/orders" }

[[api]]
name = "search"
group = "shop"
method = "GET"
path = "/search/*"
mode = "mapping"
auth = "anonymous"
publish = ["RELEASE"]
backend = { service = "orders", path = "/find", method = "GET" }

[[api.parameter]]
name = "q"
in = "query"
type = "string"
required = true
max_length = 64
pattern = "^[a-z0-9 ]+$"
to = { name = "X-Query", in = "head" }

[[api.parameter]]
name = "limit"
in = "query"
type = "int"
default = "20"
min = 1
max = 100
to = { name = "n", in = "query" }

[[api.constant]]
name = "source"
value = "gateway"
in = "query"

[[api.system]]
name = "CaClientIp"
to = { name = "X-Real-Ip", in = "head" }

[[api]]
name = "banner"
group = "shop"
method = "GET"
path = "/banner"
mode = "passthrough"
auth = "anonymous"
publish = ["TEST"]
backend = { service = "banner" }

[[grant]]
app = "mobile"
api = "shop/create_order"
environment = "TEST"
"#;

/// The sample document with its origins.
fn shop(old: &Origin, new: &Origin) -> String {
    let (old, new) = (old.address.port().to_string(), new.address.port().to_string());
    SHOP.replace("{old}", &old).replace("{new}", &new)
}

/// What asks the gateway for one thing and reads the answer to its end.
async fn get(process: &Process, path: &str, headers: &[&str]) -> Told {
    let mut all = vec![HOST];
    all.extend_from_slice(headers);
    ask(process.address, &format!("GET {path}"), &all).await
}

/// A connection that stays open between requests.
struct Client(TcpStream);

impl Client {
    async fn connect(process: &Process) -> Self {
        Self(TcpStream::connect(process.address).await.unwrap())
    }

    /// Sends a request and reads an answer of known length: status and body.
    async fn get(&mut self, path: &str) -> Option<(u16, String)> {
        let request = format!("GET {path} HTTP/1.1\r\n{HOST}\r\n\r\n");
        self.0.write_all(request.as_bytes()).await.ok()?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.ok()?);
        }
        let head = String::from_utf8(head).unwrap();
        let mut body = vec![0; crate::gateway::harness::content_length(&head)];
        self.0.read_exact(&mut body).await.ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, String::from_utf8(body).unwrap()))
    }
}

const PATIENCE: Duration = Duration::from_secs(20);

async fn post(process: &Process, path: &str, headers: &[&str]) -> Told {
    let mut all = vec![HOST, "Content-Length: 0"];
    all.extend_from_slice(headers);
    ask(process.address, &format!("POST {path}"), &all).await
}
