//! Spans and events.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use backhaul::observe::{Tracing, names};
use backhaul::{Body, Error, ErrorKind, Registry, Retry};
use http::{Request, Response};
use http_body_util::BodyExt;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::gateway::harness::{answered_with, call};

/// Keeps spans and events as lines, with what they say.
#[derive(Clone, Debug, Default)]
struct Kept {
    lines: Arc<Mutex<Vec<String>>>,
    spans: Arc<AtomicU64>,
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!(" {field}={value:?}"));
    }
}

impl Subscriber for Kept {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == names::TARGET
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut line = Line(format!("span {}", span.metadata().name()));
        span.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
        Id::from_u64(self.spans.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{}", event.metadata().level()));
        event.record(&mut line);
        self.lines.lock().unwrap().push(line.0);
    }

    fn enter(&self, id: &Id) {
        self.lines.lock().unwrap().push(format!("enter {}", id.into_u64()));
    }

    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn a_request_has_a_span_and_an_end() {
    let kept = Kept::default();
    // With only one, what is enabled is asked of whichever thread comes by first.
    let _other = tracing::Dispatch::new(kept.clone());
    let _default = tracing::subscriber::set_default(kept.clone());
    let builder = Registry::builder().observer(Tracing::new());
    let (_registry, gateway) = answered_with(builder, |request: Request<Body>| async move {
        tracing::event!(target: names::TARGET, Level::INFO, "the backend");
        match request.uri().path() {
            "/fails" => Err(Error::new(ErrorKind::Connect, Retry::Never, "refused")),
            _ => Ok(Response::new(Body::from("hello"))),
        }
    })
    .await;
    for uri in ["/", "/fails", "//.."] {
        let request = Request::get(uri).header("host", "a").body(Body::empty()).unwrap();
        call(&gateway, request).await.into_body().collect().await.unwrap();
    }
    let lines = kept.lines.lock().unwrap().clone();
    let at = |start: &str| {
        let found = lines.iter().position(|line| line.starts_with(start));
        found.unwrap_or_else(|| panic!("{start}: {lines:#?}"))
    };
    let span = &lines[at("span backhaul.request")];
    assert!(span.contains("service=\"inside\" environment=\"RELEASE\" generation="), "{span}");
    assert!(at("enter 1") < at("INFO message=the backend"));
    let ended: Vec<_> = lines.iter().filter(|line| line.contains(names::REQUEST_ENDED)).collect();
    assert_eq!(ended.len(), 3, "{lines:#?}");
    assert!(ended[0].starts_with("DEBUG") && ended[0].contains("outcome=\"answered\""));
    assert!(ended[1].starts_with("WARN") && ended[1].contains("code=\"D504CO\""), "{}", ended[1]);
    assert!(ended[2].starts_with("DEBUG") && ended[2].contains("party=\"client\""));
    assert_eq!(kept.spans.load(Ordering::SeqCst), 2, "what is refused calls nobody");
}
