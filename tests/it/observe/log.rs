//! A line for each request, whatever is in the request, however slow the log is.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backhaul::gateway::{Peer, Scheme};
use backhaul::observe::names::field;
use backhaul::observe::{AccessLog, limits};
use backhaul::{Api, App, Body, Change, Error, ErrorKind, Gateway, Grant, Group, Registry, Retry};
use http::{HeaderValue, Request, Response};
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::Value;

use crate::gateway::harness::{LIVE, PATIENCE, answered_with, apply, call};

/// A file in memory.
#[derive(Clone, Default)]
struct File(Arc<Mutex<Vec<u8>>>);

impl io::Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl File {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// What stands in it once everything is written: each line an object with known fields.
    fn lines(&self, log: &AccessLog) -> Vec<Value> {
        assert!(log.flush(PATIENCE));
        let known: BTreeSet<_> = field::ALL.iter().copied().collect();
        let text = self.text();
        assert!(text.is_empty() || text.ends_with('\n'));
        let read = |line: &str| -> Value {
            let value: Value = serde_json::from_str(line).unwrap();
            for name in value.as_object().unwrap().keys() {
                assert!(known.contains(name.as_str()), "{name} is not documented");
            }
            value
        };
        text.split_terminator('\n').map(read).collect()
    }
}

/// A file that writes nothing until it is let go.
struct Stuck(Receiver<()>, File);

impl io::Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Whoever holds the other end is gone: it flows for good.
        let _ = self.0.recv();
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn logged(log: &AccessLog) -> (Registry, Gateway) {
    let builder = Registry::builder().observer(log.clone());
    answered_with(builder, |request: Request<Body>| async move {
        match request.uri().path() {
            "/fails" => Err(Error::new(ErrorKind::Connect, Retry::Never, "connection refused")
                .caused_by("10.0.0.7:80: no route")),
            _ => {
                request.into_body().collect().await?;
                Ok(Response::new(Body::from("hello")))
            }
        }
    })
    .await
}

async fn ask(gateway: &Gateway, request: http::request::Builder) {
    let request = request.header("host", "a").body(Body::from("abc")).unwrap();
    let _ = call(gateway, request).await.into_body().collect().await;
}

#[tokio::test]
async fn a_line_says_what_the_modelled_system_says() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap();
    let (registry, gateway) = logged(&log).await;
    let gateway = gateway.peer(Peer::new("192.0.2.7:1234".parse().unwrap(), Scheme::Http));
    ask(&gateway, Request::post("/x/y?q=1").header("x-ca-nonce", "n1").header("x-ca-key", "k1"))
        .await;
    ask(&gateway, Request::post("/fails")).await;
    drop(call(&gateway, Request::get("/").header("host", "b").body(Body::empty()).unwrap()).await);
    let lines = file.lines(&log);
    let generation = registry.revision().as_u64();
    for (name, value) in [
        (field::API_NAME, Value::from("everything")),
        (field::GROUP_NAME, "group".into()),
        (field::STAGE_NAME, "RELEASE".into()),
        (field::DOMAIN, "a".into()),
        (field::HTTP_METHOD, "POST".into()),
        (field::HTTP_PATH, "/x/y".into()),
        (field::REQUEST_QUERY_STRING, "q=1".into()),
        (field::REQUEST_PROTOCOL, "HTTP/1.1".into()),
        (field::REQUEST_SIZE, 3.into()),
        (field::RESPONSE_SIZE, 5.into()),
        (field::STATUS_CODE, 200.into()),
        (field::CLIENT_IP, "192.0.2.7".into()),
        (field::CLIENT_NONCE, "n1".into()),
        (field::CONSUMER_APP_KEY, "k1".into()),
        (field::BACKEND_SERVICE, "inside".into()),
        (field::GENERATION, generation.into()),
        (field::OUTCOME, "answered".into()),
    ] {
        assert_eq!(lines[0][name], value, "{name}");
    }
    for name in [
        field::REQUEST_ID,
        field::TOTAL_LATENCY,
        field::SERVICE_LATENCY,
        field::FRONT_REQUEST_START,
        field::BACKEND_REQUEST_START,
        field::BACKEND_RESPONSE_START,
        field::FRONT_RESPONSE_END,
    ] {
        assert!(!lines[0][name].is_null(), "{name}: {}", lines[0]);
    }
    assert!(lines[0].get(field::REQUEST_HEADERS).is_none(), "nobody asked for them");
    for (name, value) in [
        (field::STATUS_CODE, Value::from(504)),
        (field::ERROR_CODE, "D504CO".into()),
        (field::OUTCOME, "failed".into()),
        (field::PARTY, "backend".into()),
        (field::STAGE, "connect".into()),
        (field::EXCEPTION, "10.0.0.7:80: no route".into()),
    ] {
        assert_eq!(lines[1][name], value, "{name}");
    }
    assert!(lines[1][field::ERROR_MESSAGE].as_str().unwrap().contains("connection refused"));
    assert_eq!(lines[2][field::ERROR_CODE], "I404DO");
    assert!(lines[2].get(field::API_NAME).is_none());
    assert_eq!(lines.len(), 3);
}

#[tokio::test]
async fn a_client_that_went_away_has_the_code_of_that() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap();
    let (_registry, gateway) = logged(&log).await;
    let request = Request::get("/x").header("host", "a").body(Body::empty()).unwrap();
    drop(call(&gateway, request).await);
    let lines = file.lines(&log);
    assert_eq!(lines[0][field::ERROR_CODE], "N502RE");
    assert_eq!(lines[0][field::OUTCOME], "aborted");
    assert_eq!(lines[0][field::STATUS_CODE], 200, "its head was handed out");
    assert!(lines[0].get(field::PARTY).is_none(), "it is nobody's failure");
}

/// Hardening L-03, of L-01 what concerns the log.
#[tokio::test]
async fn secrets_stay_out() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap().headers();
    let (registry, gateway) = logged(&log).await;
    let code = |number: u32| format!("planted-secret-{number}");
    let mut own = Group::host("own");
    own.app_code_header = Some("X-Shop".to_owned());
    let api = Api::post("/*").service_same_path("inside").access(backhaul::model::Access::App);
    let change = Change::new()
        .group("own", own)
        .api("own/everything", api)
        .publish("own/everything", LIVE)
        .app("mobile", App::new().code(code(1)))
        .grant("mobile", "own/everything", LIVE, Grant::unlimited());
    apply(&registry, change).await;
    let request = |uri: String| {
        Request::post(uri)
            .header("authorization", format!("APPCODE {}", code(2)))
            .header("cookie", format!("session={}", code(3)))
            .header("x-ca-signature", code(4))
            .header("x-ca-signature-headers", "")
            .header("x-api-key", code(5))
            .header("proxy-authorization", code(6))
    };
    let uri = format!("/x?AppCode={}&password={}&plain=seen&to%6ben={}", code(7), code(8), code(9));
    ask(&gateway, request(uri)).await;
    ask(&gateway, request(format!("/fails?sig={}", code(10)))).await;
    let shown = Request::post("/x").header("host", "own").header("x-shop", code(1));
    drop(call(&gateway, shown.body(Body::from(code(11))).unwrap()).await);
    // Refused before it is known which header is the group's own, its value is still one of a secret's name.
    drop(call(&gateway, request("//..".to_owned()).body(Body::empty()).unwrap()).await);
    let lines = file.lines(&log);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[2][field::APP_NAME], "mobile", "{}", lines[2]);
    let text = file.text();
    assert!(!text.contains("planted-secret"), "{text}");
    assert!(text.contains("plain=seen") && text.contains("AppCode=[redacted]"), "{text}");
    assert!(lines[0][field::REQUEST_HEADERS].as_str().unwrap().contains("cookie: [redacted]"));
}

/// Hardening L-05.
#[tokio::test]
async fn what_is_long_is_cut() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap().headers();
    let (_registry, gateway) = logged(&log).await;
    let long = "a".repeat(30 * 1024);
    ask(&gateway, Request::post(format!("/{long}?{long}")).header("x-ca-nonce", &long)).await;
    let secret = format!("/?{}", "token=x&".repeat(500));
    ask(&gateway, Request::post(secret)).await;
    ask(&gateway, Request::post("/").header("x-long", &long).header("x-other", &long)).await;
    for line in file.lines(&log) {
        for (name, value) in line.as_object().unwrap() {
            let length = value.as_str().map_or(0, str::len);
            assert!(length <= limits::MAX_FIELD, "{name} has {length} bytes");
        }
        assert!(line.to_string().len() < 8 * 1024);
    }
}

/// Hardening L-04.
#[tokio::test]
async fn what_draws_on_a_terminal_is_escaped() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap().headers();
    let (_registry, gateway) = logged(&log).await;
    let nasty = HeaderValue::from_bytes("a\u{9b}2J\tb\u{2028}\u{202e}\"}".as_bytes()).unwrap();
    ask(&gateway, Request::post("/%1b[2J%0a?%0d%0a=1").header("x-ca-nonce", nasty)).await;
    let text = {
        file.lines(&log);
        file.text()
    };
    let line = text.strip_suffix('\n').unwrap();
    assert!(line.contains("\\u009b2J\\tb\\u2028\\u202e\\\"}"), "{line}");
    assert!(line.contains("/%1b[2J%0a"), "as received, not decoded: {line}");
    assert!(!line.contains(|it: char| it.is_control()));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_25_a_log_that_is_stuck_holds_no_request_up() {
    const FLOOD: usize = 3 * limits::MAX_QUEUE;
    let file = File::default();
    let (go_on, stuck) = channel();
    let log = AccessLog::to(Stuck(stuck, file.clone())).unwrap().lines_a_second(u32::MAX);
    let (_registry, gateway) = logged(&log).await;
    for _ in 0..FLOOD {
        let request = Request::get("//..").header("host", "a").body(Body::empty()).unwrap();
        assert_eq!(call(&gateway, request).await.status(), 400);
    }
    // What fits into the queue, a buffer, and the hands of who writes.
    let kept = limits::MAX_QUEUE + 100;
    let dropped = usize::try_from(log.dropped()).unwrap();
    assert!(dropped >= FLOOD - kept && dropped < FLOOD, "{dropped}");
    assert!(!log.flush(Duration::from_millis(20)), "it is stuck");
    drop(go_on);
    let lines = {
        let (log, file) = (log.clone(), file.clone());
        tokio::task::spawn_blocking(move || file.lines(&log)).await.unwrap()
    };
    let told: u64 = lines.iter().filter_map(|line| line[field::LINES_DROPPED].as_u64()).sum();
    assert_eq!(told, log.dropped());
    let written = lines.iter().filter(|line| line.get(field::REQUEST_ID).is_some()).count();
    assert_eq!(written + dropped, FLOOD);
}

#[tokio::test(start_paused = true)]
async fn a_second_has_only_so_many_lines() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap().lines_a_second(10);
    let (_registry, gateway) = logged(&log).await;
    for _ in 0..25 {
        ask(&gateway, Request::post("/")).await;
    }
    assert_eq!(log.dropped(), 15);
    tokio::time::advance(Duration::from_secs(1)).await;
    ask(&gateway, Request::post("/last")).await;
    let lines = file.lines(&log);
    assert_eq!(lines.last().unwrap()[field::HTTP_PATH], "/last");
    let dropped = lines.iter().filter_map(|line| line[field::LINES_DROPPED].as_u64());
    assert_eq!(dropped.sum::<u64>(), 15);
    assert_eq!(lines.iter().filter(|line| line.get(field::REQUEST_ID).is_some()).count(), 11);
}

/// A disk that is full for a while.
struct Full(Arc<Mutex<bool>>, File);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if *self.0.lock().unwrap() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.1.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_disk_that_is_full_costs_lines_only() {
    let (full, file) = (Arc::new(Mutex::new(true)), File::default());
    let log = AccessLog::to(Full(Arc::clone(&full), file.clone())).unwrap();
    let (_registry, gateway) = logged(&log).await;
    for _ in 0..200 {
        ask(&gateway, Request::post("/")).await;
    }
    assert!(log.flush(PATIENCE));
    assert!(log.dropped() > 0, "a buffer is no disk");
    *full.lock().unwrap() = false;
    ask(&gateway, Request::post("/last")).await;
    let lines = file.lines(&log);
    let written = lines.iter().filter(|line| line.get(field::REQUEST_ID).is_some()).count() as u64;
    assert_eq!(written + log.dropped(), 201);
    assert_eq!(lines.last().unwrap()[field::HTTP_PATH], "/last");
}

#[tokio::test]
async fn what_is_queued_is_written_when_everybody_is_gone() {
    let file = File::default();
    let log = AccessLog::to(file.clone()).unwrap();
    let (registry, gateway) = logged(&log).await;
    ask(&gateway, Request::post("/")).await;
    drop((log, gateway, registry));
    for _ in 0..2_000 {
        if file.text().ends_with("}\n") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("nothing is written");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes a request has, it makes one line that can be read.
    #[test]
    fn any_request_is_one_line(
        path in "/[!-~]{0,40}",
        value in proptest::collection::vec(prop_oneof![Just(9_u8), 32..=126_u8, 128..=255_u8], 0..80),
    ) {
        let Ok(uri) = path.parse::<http::Uri>() else {
            return Ok(());
        };
        let Ok(value) = HeaderValue::from_bytes(&value) else {
            return Ok(());
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let file = File::default();
            let log = AccessLog::to(file.clone()).unwrap().headers();
            let (_registry, gateway) = logged(&log).await;
            let request = Request::post(uri).header("x-ca-nonce", &value).header("x-any", &value);
            ask(&gateway, request).await;
            assert_eq!(file.lines(&log).len(), 1);
        });
    }
}
