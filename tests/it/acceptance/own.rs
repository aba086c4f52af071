//! Stage variables, schemas, files and how a request was handled, in a document of the example's.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::process::Process;
use super::{HOST, Origin, get, post};

/// An API on a service and one with a definition of its own, with the places of three origins left open.
const DOCUMENT: &str = r#"
[[backend_service]]
name = "orders"
kind = "http"
[backend_service.definition.RELEASE]
url = "http://{new}"
[backend_service.definition.TEST]
url = "http://{old}"

[[group]]
name = "shop"
hosts = ["shop.example.com"]
debug = true
[group.variables.TEST]
version = "v2"
[group.variables.RELEASE]
version = "v1"
place = "{place}"

[[api]]
name = "create_order"
group = "shop"
method = "POST"
path = "/orders"
mode = "mapping"
publish = ["TEST", "RELEASE"]
backend = { service = "orders", path = "/#version#/orders" }
[[api.parameter]]
name = "order"
in = "query"
schema = { type = "object", required = ["id"] }
[[api.parameter]]
name = "picture"
in = "body"
type = "file"
to = { name = "image" }

[[api]]
name = "elsewhere"
group = "shop"
method = "GET"
path = "/elsewhere"
publish = ["RELEASE"]
backend = { kind = "http", url = "http://#place#/base" }
"#;
/// An order that its schema takes.
const ORDER: &str = "/orders?order=%7B%22id%22%3A1%7D";

struct Shop {
    old: Origin,
    new: Origin,
    process: Process,
}

impl Shop {
    async fn open() -> Self {
        let (old, new) = (Origin::named("old").await, Origin::named("new").await);
        let process = Process::start(&document(&old, &new, &new.address.to_string()), &[]);
        Self { old, new, process }
    }

    fn document(&self, place: &str) -> String {
        document(&self.old, &self.new, place)
    }

    async fn post(&self, path: &str, headers: &[&str]) -> super::Told {
        post(&self.process, path, headers).await
    }
}

fn document(old: &Origin, new: &Origin, place: &str) -> String {
    let document = DOCUMENT.replace("{old}", &old.address.to_string());
    document.replace("{new}", &new.address.to_string()).replace("{place}", place)
}

/// The text without what stands between two others, the first included.
fn without(text: &str, start: &str, end: &str) -> String {
    let (before, rest) = text.split_once(start).unwrap();
    let (_, after) = rest.split_once(end).unwrap();
    format!("{before}{end}{after}")
}

#[tokio::test]
async fn an_api_is_checked_by_its_schema_and_tells_how_it_was() {
    let shop = Shop::open().await;
    let answer = shop.post(ORDER, &["X-Ca-Stage: TEST"]).await;
    assert_eq!((answer.status(), answer.body()), (200, "old"), "{answer:?}");
    assert_eq!(shop.old.last()[0], format!("POST /v2{ORDER} HTTP/1.1"));
    let answer = shop.post(ORDER, &["X-Ca-Request-Mode: debug"]).await;
    assert_eq!((answer.status(), answer.body()), (200, "new"), "{answer:?}");
    assert_eq!(shop.new.last()[0], format!("POST /v1{ORDER} HTTP/1.1"));
    let told = answer.header("x-ca-debug-info").unwrap();
    assert!(told.contains("\"TotalLatency\":"), "{told}");
    for (order, code) in
        [("%7B%7D", "I400IP"), ("%7B", "I400JP"), ("%7B%22a%22%3A1,%22a%22%3A2%7D", "I400JP")]
    {
        let answer = shop.post(&format!("/orders?order={order}"), &[]).await;
        assert_eq!((answer.status(), answer.code()), (400, code), "{order}");
    }
}

#[tokio::test]
async fn a_file_arrives() {
    let shop = Shop::open().await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"picture\"; filename=\"a.png\"\r\n\r\n\
                PNG\r\n--b--\r\n";
    let request = format!(
        "POST /orders HTTP/1.1\r\n{HOST}\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    let mut stream = TcpStream::connect(shop.process.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let typed = |line: &String| line.starts_with("content-type: multipart/form-data; boundary=");
    assert!(shop.new.last().iter().any(typed), "{:?}", shop.new.last());
}

#[tokio::test]
async fn variables_move_what_names_them_and_are_missed() {
    let shop = Shop::open().await;
    assert_eq!(get(&shop.process, "/elsewhere", &[]).await.body(), "new");
    let moved = shop.document(&shop.old.address.to_string());
    let said = shop.process.reload(&moved);
    assert!(said.starts_with("applied revision "), "{said}");
    assert_eq!(get(&shop.process, "/elsewhere", &[]).await.body(), "old");
    let said = shop.process.reload(&without(&moved, "place = ", "[[api]]"));
    assert!(said.starts_with("refused: ") && said.contains("place"), "{said}");
    assert_eq!(get(&shop.process, "/elsewhere", &[]).await.body(), "old");

    // RELEASE goes, and with it what only RELEASE needed.
    let start = "[backend_service.definition.RELEASE]";
    let test = without(&moved, start, "[backend_service.definition.TEST]");
    let test = without(&test, "[group.variables.RELEASE]", "[[api]]");
    let test = test.replace(", \"RELEASE\"]", "]").replace("[\"RELEASE\"]", "[]");
    let said = shop.process.reload(&test);
    assert!(said.starts_with("applied revision "), "{said}");
    assert_eq!(shop.post(ORDER, &[]).await.code(), "I404NF");
    assert_eq!(get(&shop.process, "/elsewhere", &[]).await.code(), "I404NF");
    assert_eq!(shop.post(ORDER, &["X-Ca-Stage: TEST"]).await.body(), "old");
}
