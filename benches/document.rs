//! What a desired-state document of a hundred thousand APIs costs.
//!
//! Figures: `document.parse_100k`, and to explain it `document.parse_100k_json`,
//! `document.parse_100k_yaml`, `document.write_100k`; `document.plan_100k`, and to explain it
//! `document.read_and_plan_100k`; `document.swap_p999`, and the latencies it is made of.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use backhaul::Registry;
use backhaul::document::{Document, Format};

#[path = "document/clients.rs"]
mod clients;
#[path = "document/desired.rs"]
mod desired;
mod support;
#[path = "document/swap.rs"]
mod swap;

use support::{Limit, figure, median, runtime};

const APIS: usize = 100_000;
const GROUPS: usize = 1_000;
const ROUNDS: usize = 5;

/// All of it, or what is named: `cargo bench … --bench document -- planning`.
fn main() {
    let named: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let sections: [(&str, fn()); 3] =
        [("parsing", parsing), ("planning", planning), ("swap", swap::run)];
    for (name, section) in sections {
        if named.is_empty() || named.iter().any(|word| word == name) {
            section();
        }
    }
}

fn parsing() {
    let text = text();
    let document = Document::parse(&text, Format::Toml).expect("it is right");
    assert_eq!(document.apis.len(), APIS);
    parse("document.parse_100k", &text, Format::Toml);
    for (name, format) in
        [("document.parse_100k_json", Format::Json), ("document.parse_100k_yaml", Format::Yaml)]
    {
        parse(name, &document.text(format).expect("it can be written"), format);
    }
    let written = seconds(|| document.text(Format::Toml).expect("it can be written").len());
    figure("document.write_100k", written, "s", Limit::Open, "text() of the same as TOML");
}

fn parse(name: &str, text: &str, format: Format) {
    let time = seconds(|| Document::parse(text, format).expect("it is right").apis.len());
    let size = text.len() as f64 / 1e6;
    let method = format!(
        "median of {ROUNDS}: Document::parse of {size:.0} MB of {format:?} with {APIS} APIs in \
         {GROUPS} groups",
    );
    figure(name, time, "s", Limit::Open, &method);
}

/// A document that a registry is as already: everything is compared, nothing is to be done.
fn planning() {
    let text = desired::text(0);
    let runtime = runtime(2);
    let registry = runtime.block_on(Registry::in_memory()).expect("it opens");
    let publisher = registry.publisher("benchmark");
    let read = || Document::parse(&text, Format::Toml).expect("it is right");
    let document = Arc::new(read());
    assert!(
        runtime
            .block_on(publisher.apply_document(Arc::clone(&document)))
            .expect("it fits")
            .is_some()
    );
    let unchanged = |document: Arc<Document>| {
        let plan = runtime.block_on(publisher.plan_document(document)).expect("it fits");
        assert!(plan.is_none(), "nothing has to change");
        0
    };
    let what = format!(
        "a document of {} APIs in {} groups through {} services, all published in RELEASE, that a \
         registry in memory has applied",
        desired::APIS,
        desired::GROUPS,
        desired::SERVICES,
    );
    let planned = seconds(|| unchanged(Arc::clone(&document)));
    let method = format!("median of {ROUNDS}: from the parsed Document to the answer that {what}");
    figure("document.plan_100k", planned, "s", Limit::AtMost(1.0), &method);
    let planned = seconds(|| unchanged(Arc::new(read())));
    let method = format!("the same from the text, {:.0} MB of TOML", text.len() as f64 / 1e6);
    figure("document.read_and_plan_100k", planned, "s", Limit::Open, &method);
}

/// Seconds a call takes, dropping what it made included.
fn seconds(call: impl Fn() -> usize) -> f64 {
    let mut samples: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            #[expect(clippy::disallowed_methods, reason = "wall time is what is measured")]
            let start = Instant::now();
            black_box(call());
            start.elapsed().as_secs_f64()
        })
        .collect();
    median(&mut samples)
}

/// As an operator writes it down.
fn text() -> String {
    let mut text = String::from(
        "[[backend_service]]\nname = \"orders\"\nkind = \"http\"\n\n\
         [backend_service.definition.TEST]\nurl = \"http://10.0.0.7:8080\"\n\n\
         [backend_service.definition.RELEASE]\nurl = \"http://10.0.0.8:8080\"\n\n",
    );
    for group in 0..GROUPS {
        write!(text, "[[group]]\nname = \"group{group}\"\nhosts = [\"h{group}.example.com\"]\n\n")
            .expect("a text takes it");
    }
    for api in 0..APIS {
        write!(
            text,
            "[[api]]\nname = \"api_{api}\"\ngroup = \"group{}\"\nmethod = \"GET\"\n\
             path = \"/items/i{api}/[part]\"\nmode = \"passthrough\"\nauth = \"anonymous\"\n\
             publish = [\"TEST\", \"RELEASE\"]\nbackend = {{ service = \"orders\", \
             path = \"/v1/items/i{api}/[part]\", method = \"GET\", timeout = \"5s\" }}\n\n",
            api % GROUPS,
        )
        .expect("a text takes it");
    }
    text
}
