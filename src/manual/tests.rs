//! The manual's tables say what the code does.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::backend::probe::PROBE_TIMEOUT;
use crate::error::{Answer, ErrorKind};
use crate::gateway::limits as gateway;
use crate::model::definition::{MAX_TIMEOUT, MIN_TIMEOUT};
use crate::model::limits as model;
use crate::observe::limits as observe;
use crate::registry::target::DEFAULT_TIMEOUT;
#[cfg(feature = "server")]
use crate::serve::limits as serve;
use crate::transport::{self, dns};

const CHAPTERS: [&str; 16] = [
    include_str!("concepts.md"),
    include_str!("publishing.md"),
    include_str!("life_of_a_request.md"),
    include_str!("admission.md"),
    include_str!("mapping.md"),
    include_str!("names.md"),
    FAILURES,
    DEFAULTS,
    include_str!("planning.md"),
    include_str!("document.md"),
    include_str!("desired_state.md"),
    include_str!("observing.md"),
    include_str!("durability.md"),
    include_str!("openapi.md"),
    include_str!("write_a_backend.md"),
    include_str!("limits.md"),
];
const FAILURES: &str = include_str!("failures.md");
const DEFAULTS: &str = include_str!("defaults.md");

/// The rows of a chapter's tables, each as its cells.
fn rows(chapter: &str) -> impl Iterator<Item = Vec<&str>> {
    let lines = chapter.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
    lines.map(|line| line.split('|').map(|cell| cell.trim().trim_matches('`')).collect())
}

/// The table of failures as the manual shows it, made of the one in the code.
fn failures() -> String {
    let mut table = String::from(
        "| code | status | message | whose side | stage | `Proxy-Status` error | what it means | what to do |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for kind in ErrorKind::ALL {
        let Answer { status, code, message } = kind.answer();
        let party = format!("{:?}", kind.party()).to_lowercase();
        let stage = format!("{:?}", kind.usual_stage()).to_lowercase();
        let proxy_error =
            kind.proxy_error().map_or_else(|| "none".to_owned(), |name| format!("`{name}`"));
        let (meaning, remedy) = (kind.meaning(), kind.remedy());
        table.push_str(&format!(
            "| `{code}` | {} | {message} | {party} | {stage} | {proxy_error} | {meaning} | {remedy} |\n",
            status.as_str()
        ));
    }
    table
}

/// The chapter with its table made anew: what stands from the table's first line to its last is
/// replaced.
fn chapter_on_failures() -> String {
    let (before, rest) = FAILURES.split_once("| code |").unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    format!("{before}{}\n{after}", failures())
}

#[test]
fn the_chapter_on_failures_is_made_of_the_codes_table() {
    let expected = chapter_on_failures();
    if std::env::var_os("BACKHAUL_WRITE_MANUAL").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/manual/failures.md");
        std::fs::write(path, &expected).unwrap();
        return;
    }
    assert!(
        FAILURES == expected,
        "src/manual/failures.md differs from the table of ErrorKind; CONTRIBUTING.md says how it is written anew"
    );
    for row in rows(&failures()) {
        assert_eq!(row.len(), 8, "a bar within a cell: {row:?}");
    }
}

fn bytes(count: usize) -> String {
    match count {
        0 => "0".to_owned(),
        _ if count.is_multiple_of(1 << 40) => format!("{} TiB", count >> 40),
        _ if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        _ if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        _ => count.to_string(),
    }
}

fn time(length: Duration) -> String {
    if length.subsec_millis() > 0 {
        format!("{} ms", length.as_millis())
    } else {
        format!("{} s", length.as_secs())
    }
}

fn whole(count: u64) -> String {
    bytes(usize::try_from(count).unwrap())
}

/// Every public limit with its value.
fn limits() -> Vec<(&'static str, String)> {
    let mut limits = always();
    limits.extend(served());
    limits.extend(documented());
    limits.extend(told());
    limits.extend(reached());
    limits
}

#[cfg(not(feature = "document"))]
fn documented() -> Vec<(&'static str, String)> {
    Vec::new()
}

#[cfg(feature = "document")]
fn documented() -> Vec<(&'static str, String)> {
    use crate::document::limits;
    vec![
        ("document::limits::MAX_DOCUMENT", bytes(limits::MAX_DOCUMENT)),
        ("document::limits::MAX_DEPTH", limits::MAX_DEPTH.to_string()),
        ("document::limits::MAX_FAULTS", limits::MAX_FAULTS.to_string()),
    ]
}

#[cfg(not(feature = "server"))]
fn served() -> Vec<(&'static str, String)> {
    Vec::new()
}

#[cfg(feature = "server")]
fn served() -> Vec<(&'static str, String)> {
    vec![
        ("serve::limits::FIRST_BYTE", time(serve::FIRST_BYTE)),
        ("serve::limits::HEAD", time(serve::HEAD)),
        ("serve::limits::KEEP_ALIVE", time(serve::KEEP_ALIVE)),
        ("serve::limits::BODY_GRACE", time(serve::BODY_GRACE)),
        ("serve::limits::BODY_RATE", whole(serve::BODY_RATE)),
        ("serve::limits::BODY_TOTAL", time(serve::BODY_TOTAL)),
        ("serve::limits::WRITE_STALL", time(serve::WRITE_STALL)),
        ("serve::limits::WRITE_RATE", whole(serve::WRITE_RATE)),
        ("serve::limits::MAX_REQUESTS", serve::MAX_REQUESTS.to_string()),
        ("serve::limits::MAX_AGE", time(serve::MAX_AGE)),
        ("serve::limits::MAX_CONNECTIONS", serve::MAX_CONNECTIONS.to_string()),
        ("serve::limits::MAX_BUFFER", bytes(serve::MAX_BUFFER)),
        ("serve::limits::MAX_CHUNK_EXTENSIONS", bytes(serve::MAX_CHUNK_EXTENSIONS)),
        ("serve::limits::MAX_STREAMS", serve::MAX_STREAMS.to_string()),
        ("serve::limits::STREAM_WINDOW", whole(serve::STREAM_WINDOW.into())),
        ("serve::limits::CONNECTION_WINDOW", whole(serve::CONNECTION_WINDOW.into())),
        ("serve::limits::PING", time(serve::PING)),
        ("serve::limits::MAX_IDLE_FRAMES", serve::MAX_IDLE_FRAMES.to_string()),
    ]
}

fn told() -> Vec<(&'static str, String)> {
    vec![
        ("observe::limits::MAX_TARGETS", observe::MAX_TARGETS.to_string()),
        ("observe::limits::MAX_APIS", observe::MAX_APIS.to_string()),
        ("observe::limits::MAX_FIELD", bytes(observe::MAX_FIELD)),
        ("observe::limits::MAX_QUEUE", observe::MAX_QUEUE.to_string()),
        ("observe::limits::MAX_LINES", observe::MAX_LINES.to_string()),
        ("observe::limits::MAX_DRAINS", observe::MAX_DRAINS.to_string()),
    ]
}

fn reached() -> Vec<(&'static str, String)> {
    vec![
        ("transport::CONNECT_TIMEOUT", time(transport::CONNECT_TIMEOUT)),
        ("transport::MAX_CONNECTIONS", transport::MAX_CONNECTIONS.to_string()),
        ("transport::MAX_WAITING", transport::MAX_WAITING.to_string()),
        ("transport::MAX_STREAMS", transport::MAX_STREAMS.to_string()),
        ("transport::MAX_AGE", time(transport::MAX_AGE)),
        ("transport::MAX_IDLE", transport::MAX_IDLE.to_string()),
        ("transport::IDLE_LIMIT", time(transport::IDLE_LIMIT)),
        ("transport::dns::DEFAULT_TTL", time(dns::DEFAULT_TTL)),
        ("transport::dns::MIN_TTL", time(dns::MIN_TTL)),
        ("transport::dns::MAX_TTL", time(dns::MAX_TTL)),
        ("transport::dns::NEGATIVE_TTL", time(dns::NEGATIVE_TTL)),
        ("transport::dns::MAX_STALE", time(dns::MAX_STALE)),
        ("transport::dns::LOOKUP_TIMEOUT", time(dns::LOOKUP_TIMEOUT)),
        ("transport::dns::MAX_NAMES", dns::MAX_NAMES.to_string()),
        ("transport::dns::MAX_ADDRESSES", dns::MAX_ADDRESSES.to_string()),
    ]
}

fn always() -> Vec<(&'static str, String)> {
    vec![
        ("gateway::limits::MAX_URI", bytes(gateway::MAX_URI)),
        ("gateway::limits::MAX_HEADER_BYTES", bytes(gateway::MAX_HEADER_BYTES)),
        ("gateway::limits::MAX_HEADERS", bytes(gateway::MAX_HEADERS)),
        ("gateway::limits::MAX_BODY", whole(gateway::MAX_BODY)),
        ("gateway::limits::MAX_PAIRS", gateway::MAX_PAIRS.to_string()),
        ("gateway::limits::MAX_PART_HEAD", bytes(gateway::MAX_PART_HEAD)),
        ("gateway::limits::MAX_MAPPED_URI", bytes(gateway::MAX_MAPPED_URI)),
        ("gateway::limits::TUNNEL_IDLE", time(gateway::TUNNEL_IDLE)),
        ("gateway::limits::BODY_IDLE", time(gateway::BODY_IDLE)),
        ("gateway::limits::TIMEOUT", time(gateway::TIMEOUT)),
        ("gateway::limits::MAX_MESSAGE", bytes(gateway::MAX_MESSAGE)),
        ("gateway::limits::MAX_FORM", whole(gateway::MAX_FORM)),
        ("gateway::limits::MAX_NONCE", gateway::MAX_NONCE.to_string()),
        ("gateway::limits::TIMESTAMP_WINDOW", time(gateway::TIMESTAMP_WINDOW)),
        ("model::definition::MIN_TIMEOUT", time(MIN_TIMEOUT)),
        ("model::definition::MAX_TIMEOUT", time(MAX_TIMEOUT)),
        ("backend::probe::PROBE_TIMEOUT", time(PROBE_TIMEOUT)),
        ("model::limits::MAX_DESCRIPTION", bytes(model::MAX_DESCRIPTION)),
        ("model::limits::MAX_ENVIRONMENT_DESCRIPTION", bytes(model::MAX_ENVIRONMENT_DESCRIPTION)),
        ("model::limits::MAX_PATH", bytes(model::MAX_PATH)),
        ("model::limits::MAX_SEGMENTS", bytes(model::MAX_SEGMENTS)),
        ("model::limits::MAX_SHAPES", bytes(model::MAX_SHAPES)),
        ("model::limits::MAX_HOSTS", bytes(model::MAX_HOSTS)),
        ("model::limits::MAX_SAMPLE", bytes(model::MAX_SAMPLE)),
        ("model::limits::MAX_ERROR_SAMPLE", bytes(model::MAX_ERROR_SAMPLE)),
        ("model::limits::MAX_MOCK_BODY", bytes(model::MAX_MOCK_BODY)),
        ("model::limits::MAX_MOCK_HEADERS", bytes(model::MAX_MOCK_HEADERS)),
        ("model::limits::MAX_CUSTOM_DEFINITION", bytes(model::MAX_CUSTOM_DEFINITION)),
        ("model::limits::MAX_ENVIRONMENTS", bytes(model::MAX_ENVIRONMENTS)),
        ("model::limits::MAX_ACCEPTED_EPOCHS", bytes(model::MAX_ACCEPTED_EPOCHS)),
        ("model::limits::HISTORY_REVISIONS", model::HISTORY_REVISIONS.to_string()),
        ("model::limits::HISTORY_AGE", time(model::HISTORY_AGE)),
        ("model::limits::MAX_BODY_LIMIT", whole(model::MAX_BODY_LIMIT)),
        ("model::limits::MAX_REASON", bytes(model::MAX_REASON)),
        ("model::limits::CREDENTIAL_LENGTH", format!("{:?}", model::CREDENTIAL_LENGTH)),
        ("model::limits::MAX_APP_CREDENTIALS", bytes(model::MAX_APP_CREDENTIALS)),
        ("model::limits::MAX_PARAMETERS", bytes(model::MAX_PARAMETERS)),
        ("model::limits::MAX_PATTERN", bytes(model::MAX_PATTERN)),
        ("model::limits::MAX_PATTERN_SIZE", bytes(model::MAX_PATTERN_SIZE)),
        ("model::limits::MAX_SCHEMA", bytes(model::MAX_SCHEMA)),
        ("model::limits::MAX_SCHEMA_DEPTH", bytes(model::MAX_SCHEMA_DEPTH)),
        ("model::limits::MAX_SCHEMA_CHAIN", bytes(model::MAX_SCHEMA_CHAIN)),
        ("model::limits::MAX_JSON_DEPTH", bytes(model::MAX_JSON_DEPTH)),
        ("model::limits::MAX_VARIABLES", bytes(model::MAX_VARIABLES)),
        ("model::limits::MAX_VARIABLE_NAME", bytes(model::MAX_VARIABLE_NAME)),
        ("model::limits::MAX_VARIABLE", bytes(model::MAX_VARIABLE)),
        ("model::limits::MAX_REFUSALS", bytes(model::MAX_REFUSALS)),
    ]
}

#[test]
fn the_defaults_are_those_of_the_code() {
    let there = |name: &str| {
        (cfg!(feature = "server") || !name.starts_with("serve::"))
            && (cfg!(feature = "document") || !name.starts_with("document::"))
    };
    let told: BTreeSet<_> = rows(DEFAULTS)
        .filter(|row| row[0].contains("::") && there(row[0]))
        .map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect();
    let expected: BTreeSet<_> =
        limits().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(told, expected);
    assert_eq!(gateway::TIMEOUT, DEFAULT_TIMEOUT);
}

#[test]
fn no_public_limit_is_left_out() {
    let sources = [
        ("gateway::limits", include_str!("../gateway/limits.rs")),
        ("model::limits", include_str!("../model/limits.rs")),
        ("model::definition", include_str!("../model/definition/mod.rs")),
        ("observe::limits", include_str!("../observe/limits.rs")),
        ("backend::probe", include_str!("../backend/probe.rs")),
        ("transport", include_str!("../transport/mod.rs")),
        ("transport::dns", include_str!("../transport/dns/mod.rs")),
        #[cfg(feature = "server")]
        ("serve::limits", include_str!("../serve/limits.rs")),
        #[cfg(feature = "document")]
        ("document::limits", include_str!("../document/limits.rs")),
    ];
    let written: BTreeSet<_> = sources
        .iter()
        .flat_map(|(module, text)| {
            let constants = text.lines().filter_map(|line| line.strip_prefix("pub const "));
            constants.map(move |rest| format!("{module}::{}", rest.split(':').next().unwrap()))
        })
        .collect();
    let listed: BTreeSet<_> = limits().into_iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(written, listed);
}

#[test]
fn every_row_says_why_and_what_else() {
    for row in rows(DEFAULTS).filter(|row| row[0].contains("::")) {
        assert!(row.len() == 4 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
    }
}

#[test]
fn chapters_are_short() {
    for chapter in CHAPTERS {
        // Who reads a table looks for one row.
        let lines = chapter.lines().filter(|line| !line.starts_with('|')).count();
        assert!(lines < 120, "{lines} lines: {}", chapter.lines().next().unwrap());
    }
}
