//! Others read the text: PyPI's prometheus_client, where it is installed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use backhaul::observe::{Metrics, names};
use backhaul::{Body, Change, Custom, Registry};
use http::{Request, Response};

use crate::gateway::harness::{LIVE, answered_with, apply, call};

const PARSER: &str = "prometheus_client";
/// Reads the text strictly, and says of each sample its name, labels and value.
const PROGRAM: &str = r#"
import sys
from prometheus_client.parser import text_string_to_metric_families
seen = set()
for family in text_string_to_metric_families(sys.stdin.read()):
    assert family.name not in seen, family.name
    assert family.documentation and family.type != "unknown", family
    seen.add(family.name)
    for sample in family.samples:
        labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
        assert (sample.name, labels) not in seen, sample
        seen.add((sample.name, labels))
        print(sample.name, "{" + labels + "}", float(sample.value))
    if family.type == "histogram":
        groups = {}
        for sample in family.samples:
            key = tuple(sorted((n, v) for n, v in sample.labels.items() if n != "le"))
            groups.setdefault(key, []).append(sample)
        for samples in groups.values():
            counts = [s.value for s in samples if s.name.endswith("_bucket")]
            assert counts == sorted(counts) and len(counts) == 15, samples
            assert counts[-1] == next(s.value for s in samples if s.name.endswith("_count"))
"#;

fn is_there() -> bool {
    let import = Command::new("python3")
        .args(["-c", &format!("import {PARSER}")])
        .stderr(Stdio::null())
        .status();
    import.is_ok_and(|status| status.success())
}

fn read(text: &str) -> Result<String, String> {
    let mut parser = Command::new("python3")
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    parser.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let run = parser.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    let error = String::from_utf8_lossy(&run.stderr);
    if run.status.success() { Ok(said) } else { Err(format!("{error}\n{text}")) }
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "who reads the log learns what was not tried")]
async fn the_parser_of_others_reads_what_is_written() {
    if !is_there() {
        let required = std::env::var_os("BACKHAUL_REQUIRE_SERVERS").is_some();
        assert!(!required, "python3 has no {PARSER}");
        println!("skipped: python3 has no {PARSER}; `pip install prometheus_client`");
        return;
    }
    assert!(read("a{b=} 1\n").is_err(), "a parser that reads everything says nothing");
    let metrics = Metrics::new();
    let builder = Registry::builder().observer(metrics.clone());
    let (registry, gateway) = answered_with(builder, |request: Request<Body>| async move {
        match request.uri().path() {
            "/fails" => {
                Err(backhaul::Error::new(backhaul::ErrorKind::Connect, backhaul::Retry::Never, ""))
            }
            _ => Ok(Response::new(Body::from("hello"))),
        }
    })
    .await;
    for path in ["/", "/fails", "//.."] {
        let request = Request::get(path).header("host", "a").body(Body::empty()).unwrap();
        drop(call(&gateway, request).await);
    }
    let again = Custom::new("inside").unwrap().set("again", true);
    apply(&registry, Change::new().define("inside", LIVE, again)).await;
    let said = read(&metrics.text()).unwrap_or_else(|error| panic!("{error}"));
    let failures = "backhaul_failures_total {code=D504CO,environment=RELEASE,party=backend,service=inside,stage=connect} 1.0";
    assert!(said.contains(failures), "{said}");
    assert!(said.contains("backhaul_revisions_applied_total {by=self} 2.0"), "{said}");
}

#[test]
fn every_family_is_described_once_and_named_by_its_sort() {
    let text = Metrics::new().text();
    for family in names::FAMILIES {
        let described = text.lines().filter(|line| {
            line.strip_prefix("# TYPE ").is_some_and(|it| it.split(' ').next() == Some(family.name))
        });
        assert_eq!(described.count(), 1, "{}", family.name);
        let is_counter = matches!(family.sort, names::Sort::Counter);
        assert_eq!(family.name.ends_with("_total"), is_counter, "{}", family.name);
        let is_times = matches!(family.sort, names::Sort::Histogram);
        assert_eq!(family.name.ends_with("_seconds"), is_times, "{}", family.name);
        assert!(family.help.ends_with('.'), "{}", family.name);
    }
}
