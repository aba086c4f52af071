//! The official Node client, running.

#![allow(clippy::print_stdout, reason = "that it was skipped is told")]

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::Origin;
use super::process::Process;

/// The client's package and its version; CI installs it into the folder that `clients` looks in.
const PACKAGE: &str = "aliyun-api-gateway";
/// A missing client is a failure.
const REQUIRED: &str = "BACKHAUL_REQUIRE_SERVERS";
const KEY: &str = "203753385";
const SECRET: &str = "sampleSecret1";
const CODE: &str = "sampleAppCode1";

/// Where the packages of clients are; `None` says what is missing.
fn clients() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let folder = cache?.join("backhaul/clients");
    let node = Command::new("node").arg("--version").output();
    if node.is_ok_and(|node| node.status.success())
        && folder.join("node_modules").join(PACKAGE).is_dir()
    {
        return Some(folder);
    }
    assert!(std::env::var_os(REQUIRED).is_none(), "node or its package {PACKAGE} is missing");
    None
}

fn document(origin: &Origin) -> String {
    format!(
        r#"
        [[backend_service]]
        name = "echo"
        kind = "http"
        [backend_service.definition.TEST]
        url = "http://{address}"
        [backend_service.definition.PRE]
        url = "http://{address}"
        [backend_service.definition.RELEASE]
        url = "http://{address}"
        [[group]]
        name = "group"
        hosts = ["127.0.0.1"]
        base_path = "/api"
        [[api]]
        name = "everything"
        group = "group"
        method = "ANY"
        path = "/*"
        auth = "app"
        publish = ["TEST", "PRE", "RELEASE"]
        backend = {{ service = "echo" }}
        [[app]]
        name = "client"
        key = "{KEY}"
        secret = "{SECRET}"
        code = "{CODE}"
        [[grant]]
        app = "client"
        api = "group/everything"
        environment = "PRE"
        expires = "2020-01-01T00:00:00Z"
        [[grant]]
        app = "client"
        api = "group/everything"
        environment = "TEST"
        [[grant]]
        app = "client"
        api = "group/everything"
        environment = "RELEASE"
        "#,
        address = origin.address,
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_node_client_works_unchanged() {
    let Some(folder) = clients() else {
        println!("skipped: node or its package {PACKAGE} is missing");
        return;
    };
    let origin = Origin::named("echo").await;
    let process = Process::start(&document(&origin), &[]);
    let base = format!("http://{}/api", process.address);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/acceptance/clients.js");
    let mut node = Command::new("node");
    node.arg(script).arg(folder).args([&base, KEY, SECRET, CODE]);
    let output = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let line = |name: &str| lines.iter().find(|line| line["name"] == name).unwrap();
    for name in
        ["get", "signHeaders", "form", "json", "text", "put", "delete", "simpleGet", "simplePost"]
    {
        assert_eq!(line(name)["answer"], "echo", "{name}: {}", line(name));
    }
    for (name, status, code) in [
        ("wrong", 400, "I400IS"),
        ("unknown", 400, "A400IK"),
        ("expired", 403, "A403EP"),
        ("simpleWrong", 400, "A400AC"),
    ] {
        assert_eq!((&line(name)["status"], &line(name)["code"]), (&status.into(), &code.into()));
    }
    assert!(!printed.contains(SECRET), "{printed}");
    let targets: Vec<String> = origin.heads().iter().map(|head| first(head)).collect();
    assert!(targets.contains(&"GET /get?b=2&a=1&name=rex%20dog&empty=&tag=x&tag=y".to_owned()));
    assert!(targets.contains(&"POST /form?page=2".to_owned()), "{targets:?}");
    assert!(origin.heads().iter().all(|head| !head.contains(CODE)));
}

fn first(head: &str) -> String {
    head.lines().next().unwrap_or_default().trim_end_matches(" HTTP/1.1").to_owned()
}
