//! Clients and servers of others on both sides of the gateway: gRPC, WebSocket, HTTP/2.

#![allow(clippy::print_stdout, reason = "that something was skipped is told")]

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use backhaul::model::api::Protocol;
use backhaul::model::definition::WireProtocol;
use backhaul::serve::Server;
use backhaul::{Api, Change, Gateway, Group, Http, Kind, Registry};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::gateway::harness::{LIVE, apply};

/// A missing client or server is a failure.
const REQUIRED: &str = "BACKHAUL_REQUIRE_SERVERS";
const PATIENCE: Duration = Duration::from_secs(60);

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/real").join(name)
}

/// Says why a test does nothing, or fails where it must not.
fn skipped(what: &str) {
    assert!(std::env::var_os(REQUIRED).is_none(), "{what} is not installed");
    println!("skipped: {what} is not installed, and {REQUIRED} is not set");
}

async fn has_python(module: &str) -> bool {
    let command = format!("import {module}");
    let tried = Command::new("python3").args(["-c", &command]).stderr(Stdio::null()).status().await;
    tried.is_ok_and(|status| status.success())
}

async fn has(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
    command.status().await.is_ok()
}

/// A server written in Python, and the port that it says. It ends with its handle.
async fn python_server(name: &str) -> (Child, u16) {
    let mut command = Command::new("python3");
    command.arg(script(name)).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("does not start");
    (child, line.unwrap().expect("ended").trim().parse().unwrap())
}

async fn run(command: &mut Command) -> String {
    let command = command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("hangs").unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    text
}

/// A gateway on a socket, with one API on host `a` that goes to `http`.
async fn front(http: Http, api: Api, host: &str) -> (Registry, SocketAddr) {
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let setup = Change::new()
        .service("real", Kind::HTTP)
        .define("real", LIVE, http)
        .group("group", Group::host(host))
        .api("group/real", api.service_same_path("real"))
        .publish("group/real", LIVE);
    apply(&registry, setup).await;
    let server = Server::new(Gateway::new(&registry));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { server.serve(listener).await });
    (registry, address)
}

fn http2(port: u16) -> Http {
    let mut http = Http::to(format!("http://127.0.0.1:{port}"));
    http.protocol = Some(WireProtocol::Http2);
    http
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grpc_calls_go_through() {
    if !has_python("grpc").await {
        return skipped("python3 with grpcio");
    }
    let (_server, port) = python_server("grpc_server.py").await;
    let (_registry, address) = front(http2(port), Api::post("/test.Words/*"), "a").await;
    let mut client = Command::new("python3");
    let told = run(client.arg(script("grpc_client.py")).arg(address.to_string())).await;
    let expected = [
        "unary b'cba' 1 yes b'\\x00\\xff'",
        "large True",
        "refuse FAILED_PRECONDITION not like this: 猫",
        "slow DEADLINE_EXCEEDED",
        "count [b'0', b'1', b'2', b'3']",
        "gather b'a,b,c'",
        "echo [b'A', b'B']",
        "turns [b'ONE', b'TWO', b'THREE'] []",
        "nothing UNIMPLEMENTED",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn websockets_go_through() {
    if !has_python("websockets").await {
        return skipped("python3 with websockets");
    }
    let (_server, port) = python_server("websocket_server.py").await;
    let mut api = Api::get("/chat");
    api.protocol = vec![Protocol::Websocket];
    let http = Http::to(format!("http://127.0.0.1:{port}"));
    let (_registry, address) = front(http, api, "127.0.0.1").await;
    let mut client = Command::new("python3");
    let told = run(client.arg(script("websocket_client.py")).arg(address.to_string())).await;
    let expected = [
        "open chat.v1 True",
        "text café",
        "large True",
        "ping",
        "left 4001 as asked",
        "refused 404",
    ];
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

/// `nghttpd` on a free port, serving a folder.
async fn nghttpd(folder: &Path, arguments: &[&str], files: &[&Path]) -> (Child, u16) {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let mut command = Command::new("nghttpd");
    command.args(["--address=127.0.0.1", "--htdocs"]).arg(folder).args(arguments);
    command.arg(free.to_string()).args(files);
    let child = command.stdout(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    for _ in 0..1_000 {
        if TcpStream::connect(("127.0.0.1", free)).await.is_ok() {
            return (child, free);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nghttpd did not start");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_is_spoken_with_nghttpd_and_h2load() {
    for program in ["nghttpd", "h2load"] {
        if !has(program).await {
            return skipped(program);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "x".repeat(100_000)).unwrap();
    let arguments = ["--no-tls", "--trailer=x-end: 1", "--max-concurrent-streams=7"];
    let (_server, port) = nghttpd(folder.path(), &arguments, &[]).await;
    let (_registry, address) = front(http2(port), Api::get("/file"), "127.0.0.1").await;
    for protocol in ["--h1", "--no-tls-proto=h2c"] {
        let mut load = Command::new("h2load");
        load.args([protocol, "-n2000", "-c8", "-m10"]).arg(format!("http://{address}/file"));
        let told = run(&mut load).await;
        assert!(told.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), "{told}");
        assert!(told.contains("status codes: 2000 2xx"), "{told}");
    }
    let mut client = Command::new("nghttp");
    let told = run(client.arg("-nv").arg(format!("http://{address}/file"))).await;
    assert!(told.contains("x-end: 1"), "trailers are lost: {told}");
}

#[cfg(feature = "tls-aws-lc")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http2_over_tls_is_what_nghttpd_chooses() {
    if !has("nghttpd").await {
        return skipped("nghttpd");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "secret").unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (key, cert) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&cert, made.cert.pem()).unwrap();
    let (_server, port) = nghttpd(folder.path(), &[], &[&key, &cert]).await;
    let definition = serde_json::json!({
        "url": format!("https://localhost:{port}"), "tls": { "ca": cert },
    });
    let http: Http = serde_json::from_value(definition).unwrap();
    let (_registry, address) = front(http, Api::get("/file"), "127.0.0.1").await;
    let told = crate::gateway::harness::ask(address, "GET /file", &["Host: 127.0.0.1"]).await;
    // nghttpd speaks nothing else.
    assert_eq!((told.status(), told.body()), (200, "secret"), "{told:?}");
}
