//! What observers are told of a request: that it came, and once how it ended.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body::Body as _;
use tokio::time::Instant;

use super::Inner;
use super::admit::Origin;
use super::debug::{self, redact};
use super::route::Selected;
use super::upload::Upload;
use crate::body::{Body, Watch};
use crate::error::{Error, ErrorKind, Place, Stage};
use crate::model::{ApiName, ResourceName};
use crate::observe::limits::MAX_FIELD;
use crate::observe::{Observers, Outcome, RequestBegun, RequestEnded, RequestText};
use crate::registry::snapshot::Snapshot;

/// Tells of one request; of none, where nobody asks.
#[derive(Debug, Default)]
pub(super) struct Told(Option<Box<Telling>>);

/// Dropped, it tells of the end: whatever way a request takes, it is told exactly once.
#[derive(Debug)]
struct Telling {
    observers: Observers,
    id: HeaderValue,
    came: Instant,
    has_begun: bool,
    place: Option<Arc<Place>>,
    superseded: Option<Arc<AtomicBool>>,
    api: Option<ApiName>,
    stage: Stage,
    called: Option<Instant>,
    answered: Option<Instant>,
    outcome: Option<Outcome>,
    status: Option<StatusCode>,
    upload: Option<Upload>,
    /// Of a tunnel; of a body its upload knows.
    received: u64,
    sent: u64,
    /// How long the answer's body says it is.
    length: Option<u64>,
    debug: bool,
    text: Option<Box<RequestText>>,
}

impl Told {
    /// A request came, with this head.
    pub(super) fn came(gateway: &Inner, parts: &Parts, id: &HeaderValue, debug: bool) -> Self {
        let observers = gateway.reader.observers();
        if observers.is_empty() {
            return Self(None);
        }
        let mut telling = Telling::new(observers, id);
        telling.debug = debug;
        if observers.want_text() {
            let headers = observers.want_headers();
            telling.text = Some(Box::new(text(gateway, parts, headers)));
        }
        Self(Some(Box::new(telling)))
    }

    /// A request failed of which nothing but this was read.
    #[cfg(feature = "server")]
    pub(super) fn failed(
        gateway: &Inner,
        method: &http::Method,
        version: http::Version,
        id: &HeaderValue,
        error: &Error,
    ) -> Self {
        let observers = gateway.reader.observers();
        if observers.is_empty() {
            return Self(None);
        }
        let mut telling = Telling::new(observers, id);
        if observers.want_text() {
            let at = gateway.reader.clock().now();
            let method = method.clone();
            let text = RequestText { at, method, version, ..RequestText::default() };
            telling.text = Some(Box::new(text));
        }
        let mut told = Self(Some(Box::new(telling)));
        told.refused(error);
        told
    }

    /// It is known which API it is for, and what serves it.
    pub(super) fn selected(&mut self, selected: &Selected<'_, '_>, snapshot: &Snapshot) {
        if let Some(telling) = &mut self.0 {
            let target = &selected.route.target;
            telling.place = Some(Arc::clone(target.place()));
            telling.superseded = Some(Arc::clone(target.superseding()));
            telling.api = snapshot.state().api_name(selected.route.publication.api);
            telling.stage = Stage::Admit;
            telling.begin();
            telling.hide(selected.group.app_code_header.as_ref());
        }
    }

    /// It may, and this application calls.
    pub(super) fn admitted(&mut self, app: Option<&ResourceName>) {
        if let Some(telling) = &mut self.0
            && let Some(text) = &mut telling.text
        {
            text.app = app.cloned();
        }
    }

    /// It is handed to its backend, with this body.
    pub(super) fn called(&mut self, upload: Option<&Upload>) {
        if let Some(telling) = &mut self.0 {
            telling.stage = Stage::Call;
            telling.called = Some(Instant::now());
            telling.upload = upload.cloned();
        }
    }

    /// Its backend answered.
    pub(super) fn answered(&mut self) {
        if let Some(telling) = &mut self.0 {
            telling.stage = Stage::Response;
            telling.answered = Some(Instant::now());
        }
    }

    /// It goes no further, or got no answer.
    pub(super) fn refused(&mut self, error: &Error) {
        if let Some(telling) = &mut self.0 {
            telling.fail(error);
        }
    }

    /// The head of its answer is handed out; what becomes of it is told by other means.
    pub(super) fn head(&mut self, status: StatusCode) {
        if let Some(telling) = &mut self.0 {
            telling.status = Some(status);
        }
    }

    /// So many bytes went from its client and to it, past any body.
    pub(super) fn moved(&mut self, received: usize, sent: usize) {
        if let Some(telling) = &mut self.0 {
            let bytes = |count| u64::try_from(count).unwrap_or(u64::MAX);
            telling.received += bytes(received);
            telling.sent += bytes(sent);
        }
    }

    /// It came to its end.
    pub(super) fn over(&mut self) {
        if let Some(telling) = &mut self.0 {
            telling.outcome = Some(Outcome::Answered);
        }
    }

    /// Follows its answer to the last byte.
    pub(super) fn end(self, response: &mut Response<Body>) {
        if let Some(mut telling) = self.0 {
            telling.begin();
            telling.status = Some(response.status());
            telling.outcome.get_or_insert(Outcome::Aborted { stage: Stage::Response });
            let said = |response: &Response<Body>| {
                response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
            };
            // Looked up only where the body does not know.
            let length = response.body().size_hint().exact();
            telling.length = length.or_else(|| said(response));
            response.body_mut().watch(telling);
        }
    }
}

impl Telling {
    fn new(observers: &Observers, id: &HeaderValue) -> Self {
        Self {
            observers: observers.clone(),
            id: id.clone(),
            came: Instant::now(),
            has_begun: false,
            place: None,
            superseded: None,
            api: None,
            stage: Stage::Route,
            called: None,
            answered: None,
            outcome: None,
            status: None,
            upload: None,
            received: 0,
            sent: 0,
            length: None,
            debug: false,
            text: None,
        }
    }

    fn begin(&mut self) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        let (id, place, api) = (id(&self.id), self.place.as_ref(), self.api.as_ref());
        let begun = RequestBegun { id, place, api };
        self.observers.tell(|one| one.request_begun(&begun));
    }

    /// Keeps AppCodes out of what is shown, where they have a header of their own.
    fn hide(&mut self, code: Option<&HeaderName>) {
        let headers = self.text.as_mut().and_then(|text| text.headers.as_mut());
        if let (Some(headers), Some(code)) = (headers, code)
            && headers.contains_key(code)
        {
            headers.insert(code.clone(), redact::REDACTED);
        }
    }

    fn fail(&mut self, error: &Error) {
        let (kind, party, stage) = (error.kind(), error.party(), error.stage());
        self.outcome = Some(match kind {
            ErrorKind::ClientGone => Outcome::Aborted { stage },
            _ => Outcome::Failed { kind, party, stage },
        });
        if let Some(text) = &mut self.text {
            text.message = Some(cut(debug::refusal(error)));
            text.exception = exception(error);
        }
    }

    /// What became of it, if nobody said: its future was dropped, by its server or by a panic.
    fn outcome(&self) -> Outcome {
        let stage = self.stage;
        match self.outcome {
            // Whoever has all that was announced does not ask whether there is more.
            Some(Outcome::Aborted { .. }) if self.length == Some(self.sent) => Outcome::Answered,
            None | Some(Outcome::Aborted { .. }) if std::thread::panicking() => {
                let kind = ErrorKind::Internal;
                Outcome::Failed { kind, party: kind.party(), stage }
            }
            Some(outcome) => outcome,
            None => Outcome::Aborted { stage },
        }
    }
}

impl Watch for Telling {
    fn passed(&mut self, bytes: usize) {
        self.sent += u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    fn ended(&mut self, how: Result<(), &Error>) {
        match (how, self.outcome) {
            // Why there is no other answer was told already.
            (_, Some(Outcome::Failed { .. })) => {}
            (Ok(()), _) => self.outcome = Some(Outcome::Answered),
            (Err(error), _) => self.fail(error),
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        self.begin();
        let outcome = self.outcome();
        let after = |moment: Instant| moment.saturating_duration_since(self.came);
        if let Some(text) = &mut self.text {
            text.called = self.called.map(after);
            text.answered = self.answered.map(after);
        }
        let backend = self.called.zip(self.answered);
        let ended = RequestEnded {
            id: id(&self.id),
            place: self.place.as_ref(),
            api: self.api.as_ref(),
            superseded: self.superseded.as_ref().is_some_and(|it| it.load(Ordering::Relaxed)),
            outcome,
            status: self.status,
            took: self.came.elapsed(),
            backend: backend.map(|(from, to)| to.saturating_duration_since(from)),
            received: self.upload.as_ref().map_or(self.received, Upload::passed),
            sent: self.sent,
            debug: self.debug,
            text: self.text.as_deref(),
        };
        self.observers.tell(|one| one.request_ended(&ended));
    }
}

fn id(id: &HeaderValue) -> &str {
    // Looks at words, where `to_str` looks at each byte.
    std::str::from_utf8(id.as_bytes()).unwrap_or_default()
}

/// What a request says, without its secrets.
fn text(gateway: &Inner, parts: &Parts, with_headers: bool) -> RequestText {
    let said = |name: &str| parts.headers.get(name).map(lossy);
    let peer = gateway.known_peer(parts);
    let uri = gateway.full_uri(parts);
    let authority = uri.authority().map(|authority| authority.as_str().to_owned());
    let secret = |_: &str| false;
    let query = uri.query().map(|query| redact::query(query, secret));
    RequestText {
        at: gateway.reader.clock().now(),
        method: parts.method.clone(),
        version: parts.version,
        host: said("host").or(authority).map(cut),
        path: cut(uri.path().to_owned()),
        query: query.map(cut),
        headers: with_headers.then(|| headers(&parts.headers)),
        client: Origin::of(peer.as_deref(), &gateway.trusted, &parts.headers).address,
        nonce: said("x-ca-nonce").map(cut),
        key: said("x-ca-key").map(cut),
        ..RequestText::default()
    }
}

fn headers(all: &HeaderMap) -> HeaderMap {
    let mut shown = HeaderMap::with_capacity(all.keys_len());
    for (name, value) in all {
        shown.append(name, redact::header(name, value));
    }
    shown
}

fn lossy(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

/// As much of a text as a log shows, and a little more, so that it can be seen that there is more.
fn cut(mut text: String) -> String {
    if text.len() > MAX_FIELD {
        let end = (0..=MAX_FIELD + 1).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
    }
    text
}

/// What lies behind a failure, the cause of each after it.
fn exception(error: &Error) -> Option<String> {
    let mut behind = error.source()?;
    let mut text = behind.to_string();
    while let Some(cause) = behind.source() {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {cause}");
        behind = cause;
    }
    Some(cut(text))
}
