//! Arguments, and what is refused at the start.

use super::process::{Process, run};
use super::{Origin, get, shop};

#[tokio::test]
async fn a_document_that_is_refused_at_the_start_is_told_in_one_line_and_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("shop.toml");
    let write = |text: &str| std::fs::write(&config, text).unwrap();
    let start = || run(&["--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    write("[[group]]\nnam = \"x\"\n[[api]]\nname = 3\n");
    let (out, _, status) = start();
    assert_eq!(status.code(), Some(2));
    assert_eq!(out.lines().count(), 1, "{out}");
    assert!(out.starts_with("refused: "), "{out}");
    assert!(out.contains("line 2: group[0].nam") && out.contains("; "), "{out}");
    // Without --allow-loopback.
    let old = Origin::named("old").await;
    write(&shop(&old, &old));
    let (out, _, status) = start();
    assert_eq!(status.code(), Some(2));
    assert!(out.starts_with("refused: line 8: backend_service[0].definition.TEST.url"), "{out}");
    assert!(out.contains("; line 11: backend_service[0].definition.RELEASE.url"), "{out}");
    let missing = folder.path().join("none.toml");
    let (out, _, status) = run(&["--config", missing.to_str().unwrap()]);
    assert_eq!(status.code(), Some(2));
    assert!(out.starts_with("refused: cannot read ") && out.lines().count() == 1, "{out}");
}

#[test]
fn arguments_that_are_not_known_are_told() {
    for arguments in [
        &["--what"][..],
        &["--listen", "nowhere"],
        &["--threads", "0"],
        &["--environment", "live"],
        &["--drain"],
        &["--drain", "-1"],
        &["--allow-loopback=yes"],
    ] {
        let (out, err, status) = run(arguments);
        assert_eq!((out.as_str(), status.code()), ("", Some(2)), "{arguments:?} {err}");
        assert!(
            err.contains(arguments[0].split('=').next().unwrap()) && err.contains("usage: "),
            "{err}"
        );
    }
}

#[tokio::test]
async fn one_environment_may_be_all_there_is() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let document = shop(&old, &new);
    let process = Process::start(&document, &["--environment", "TEST", "--threads=1"]);
    // What the request asks for is not looked at.
    let answer = get(&process, "/shop/orders/42", &["X-Ca-Stage: RELEASE"]).await;
    assert_eq!((answer.status(), answer.body()), (200, "old"));
}

#[tokio::test]
async fn documents_in_other_formats_and_declared_environments_are_served() {
    let origin = Origin::named("staged").await;
    let text = format!(
        r#"{{"environment": [{{"name": "STAGING"}}],
            "backend_service": [{{"name": "orders", "kind": "http", "definition":
                {{"STAGING": {{"url": "http://{}"}}}}}}],
            "group": [{{"name": "shop", "hosts": ["shop.example.com"],
                "stage_hosts": {{"staging.example.com": "STAGING"}}}}],
            "api": [{{"name": "everything", "group": "shop", "method": "ANY", "path": "/*",
                "publish": ["STAGING"], "backend": {{"service": "orders"}}}}]}}"#,
        origin.address
    );
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("shop.json");
    std::fs::write(&config, text).unwrap();
    let config = config.to_str().unwrap();
    let process = Process::start("", &["--config", config]);
    assert_eq!(get(&process, "/a", &["X-Ca-Stage: STAGING"]).await.body(), "staged");
    assert_eq!(get(&process, "/a", &[]).await.code(), "I404NF");
    let bound = super::ask(process.address, "GET /a", &["Host: staging.example.com"]).await;
    assert_eq!(bound.body(), "staged");
}

#[tokio::test]
async fn a_log_has_a_line_for_each_request_where_it_is_asked_for() {
    let (old, new) = (Origin::named("old").await, Origin::named("new").await);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("access.log");
    let process = Process::start(&shop(&old, &new), &["--access-log", log.to_str().unwrap()]);
    get(&process, "/shop/orders/42?AppCode=planted", &[]).await;
    get(&process, "/none", &[]).await;
    let (out, status) = process.terminate();
    assert_eq!((out.last().map(String::as_str), status.code()), (Some("drained"), Some(0)));
    assert_eq!(out.iter().filter(|line| line.contains("RequestId")).count(), 0, "{out:?}");
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].contains("\"ApiName\":\"get_order\"") && lines[0].contains("\"StatusCode\":200")
    );
    assert!(lines[1].contains("\"ErrorCode\":\"I404NF\""), "{text}");
    assert!(!text.contains("planted"), "{text}");
}
