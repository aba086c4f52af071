//! One request, from its first step to its answer.

use std::borrow::Cow;
use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Buf;
use http::request::Parts;
use http::{Extensions, HeaderName, HeaderValue, Method, Request, Response, Uri, Version};
use http_body::Body as HttpBody;
use tower_service::Service;

use super::admit::{self, Admitted, Asking, Origin, Signed};
use super::debug::{self, Run, Trace};
use super::exchange::exchange;
use super::forward::{self, Source};
use super::hop::{self, Class, Seen};
use super::known::{Knowing, Known};
use super::limits::BODY_IDLE;
use super::mapping::Mapping;
use super::peer::Peer;
use super::receive::{self, Received, refused};
use super::route::{Question, Selected};
use super::told::Told;
use super::tunnel::{Agreed, Answered};
use super::upload::{self, Upload};
use super::{Gateway, Inner, answer, id, tunnel};
use crate::backend::{Backend, Body, Call};
use crate::error::{Error, ErrorKind, Place, Result, Stage};
use crate::model::api::Access;
use crate::model::mapping::Encoding;
use crate::observe::RequestSpan;
use crate::registry::snapshot::Snapshot;
use crate::registry::target::Target;
use crate::transport::Offer;

/// A request on its way to its answer. Dropping it drops the call of the backend.
#[must_use = "futures do nothing unless polled"]
pub struct Responding(State);

enum State {
    Answered(Option<Response<Body>>),
    Calling(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

/// What is known of a request once it has been routed. The snapshot is let go by then.
pub(super) struct Routed {
    /// Kept until the last byte of the response: as long as it is there, its target is in use.
    target: Arc<Target>,
    backend: Arc<dyn Backend>,
    seen: Seen,
    /// Where it differs from the request's.
    uri: Option<Uri>,
    method: Option<Method>,
    timeout: Duration,
    pub(super) max_body: u64,
    /// Of a body that has to be read whole.
    pub(super) max_form: u64,
    keep_host: bool,
    keep_app_code: bool,
    /// The group's own header for AppCodes; it is taken out unless backends see them.
    code_header: Option<HeaderName>,
    /// After this time.
    max_forwards: Option<u32>,
    /// What is left to be seen before the backend is called.
    pub(super) signed: Option<Box<Signed>>,
    pub(super) mapping: Option<Box<Mapping>>,
    /// Where the client asks for a tunnel.
    upgrade: bool,
}

impl Routed {
    /// Whether something is left to be done before the backend is called.
    fn is_open(&self) -> bool {
        self.signed.is_some() || self.mapping.as_ref().is_some_and(|it| it.mapped.is_none())
    }
}

impl<B> Service<Request<B>> for Gateway
where
    B: HttpBody + Send + 'static,
    B::Data: Buf + Send,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Responding;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Responding {
        let (environment, trace) = (self.0.environment.as_ref(), Trace::default());
        self.respond(request, Run { environment, app: None, trace })
    }
}

impl Gateway {
    /// Answers a request that is run like this.
    pub(super) fn respond<B>(&self, request: Request<B>, mut run: Run<'_>) -> Responding
    where
        B: HttpBody + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let id = id::request_id();
        let (parts, body) = request.into_parts();
        let has_body = !body.is_end_stream();
        run.trace.told = Told::came(&self.0, &parts, &id, run.trace.is_kept());
        let routed =
            self.0.route(&parts, has_body, &id, &mut run).and_then(|routed| match routed {
                // What is known to be too large is refused before the backend is asked.
                Some(routed) if body.size_hint().lower() > routed.max_body => {
                    Err(upload::too_large(routed.max_body))
                }
                routed => Ok(routed),
            });
        let trace = run.trace;
        Responding(match routed {
            Ok(Some(routed)) if routed.is_open() => {
                let body = upload::received(body);
                let gateway = self.clone();
                let response = gateway.forward_prepared(routed, parts, body, id, trace);
                State::Calling(Box::pin(response))
            }
            Ok(Some(routed)) => State::Calling(self.forward(routed, parts, body, id, trace)),
            Ok(None) => {
                let mut answer = answer::reached(id);
                trace.end(&mut answer);
                State::Answered(Some(answer))
            }
            Err(error) => {
                let answer = self.0.refusal(&error, id, &parts.method, parts.version, trace);
                State::Answered(Some(answer))
            }
        })
    }

    /// Forwards a request that something is left to be seen of: what was signed, what a form says.
    async fn forward_prepared(
        self,
        mut routed: Routed,
        parts: Parts,
        body: Body,
        id: HeaderValue,
        mut trace: Trace,
    ) -> Response<Body> {
        let (method, version) = (parts.method.clone(), parts.version);
        match self.0.prepare(&mut routed, &parts, body).await {
            Ok(body) => {
                trace.step(Stage::Map, || "nonce, body and parameters are accepted".to_owned());
                self.forward(routed, parts, body, id, trace).await
            }
            Err(error) => self.0.refusal(&error, id, &method, version, trace),
        }
    }

    fn forward<B>(
        &self,
        mut routed: Routed,
        mut parts: Parts,
        body: B,
        id: HeaderValue,
        mut trace: Trace,
    ) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>>
    where
        B: HttpBody + Send + 'static,
        B::Data: Buf + Send,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let (method, version) = (parts.method.clone(), parts.version);
        let offer = if routed.upgrade { Offer::of(&mut parts.extensions) } else { None };
        routed.upgrade = offer.is_some();
        self.0.rewrite(&mut routed, &mut parts, &body, &id);
        let Routed { target, backend, uri, method: other, timeout, max_body, .. } = routed;
        parts.uri = uri.unwrap_or(parts.uri);
        parts.method = other.unwrap_or(parts.method);
        let rules = routed.mapping.as_ref().map(|mapping| &*mapping.rules);
        trace.sent(&parts, routed.code_header.as_ref(), rules);
        let (upload, body) = if body.is_end_stream() {
            (None, Body::empty())
        } else {
            let (upload, body) = Upload::start(body, max_body);
            (Some(upload), body)
        };
        trace.told.called(upload.as_ref());
        let request = Request::from_parts(parts, body);
        let gateway = Arc::clone(&self.0);
        let span = RequestSpan::new(&id, target.place());
        Box::pin(span.around(async move {
            let call = Call::new(Arc::clone(target.place()), timeout).upgrade(offer.is_some());
            let sending = backend.send(request, &call);
            let answered = exchange(sending, upload, timeout, &gateway.timers).await;
            let checked = answered.and_then(|response| tunnel::check(response, offer));
            trace.answered(checked.as_ref().map(Answered::status));
            let mut answer = match checked {
                Ok(Answered::Whole(response)) => gateway.success(response, id, &method, target),
                Ok(Answered::Tunnel(agreed)) => {
                    gateway.join(agreed, id, target, std::mem::take(&mut trace.told))
                }
                Err(error) => {
                    let error = error.at(Place::clone(target.place()));
                    gateway.failure(&error, id, &method, version)
                }
            };
            trace.end(&mut answer);
            answer
        }))
    }
}

impl Inner {
    /// The response by which a client's connection becomes a tunnel. The tunnel holds `target` until it
    /// ends.
    fn join(
        &self,
        agreed: Agreed,
        id: HeaderValue,
        target: Arc<Target>,
        told: Told,
    ) -> Response<Body> {
        let Agreed { mut head, offer, backend } = agreed;
        answer::clean(&mut head.headers, id, false);
        tunnel::agree(&mut head.headers);
        // It goes on where nobody waits for it.
        tokio::spawn(tunnel::join(offer, backend, target, self.tunnel_idle, told));
        Response::from_parts(head, Body::empty())
    }

    /// The response to a request, as its client gets it. It holds `target` until its last byte.
    fn success(
        &self,
        response: Response<Body>,
        id: HeaderValue,
        method: &Method,
        target: Arc<Target>,
    ) -> Response<Body> {
        let (mut parts, body) = response.into_parts();
        answer::clean(&mut parts.headers, id, body.size_hint().exact().is_none());
        let body = answer::framed(&mut parts.headers, parts.status, method, body);
        if let Some(name) = &self.proxy_name {
            name.tell_received(&mut parts.headers, parts.status);
        }
        Response::from_parts(
            parts,
            body.idle_limit(BODY_IDLE).with_trailers_changed(hop::clean_trailers).holding(target),
        )
    }

    /// The answer to a request that goes no further, and where it is traced, why.
    fn refusal(
        &self,
        error: &Error,
        id: HeaderValue,
        method: &Method,
        version: Version,
        mut trace: Trace,
    ) -> Response<Body> {
        trace.refused(error);
        let mut answer = self.failure(error, id, method, version);
        trace.end(&mut answer);
        answer
    }

    pub(super) fn failure(
        &self,
        error: &Error,
        id: HeaderValue,
        method: &Method,
        version: Version,
    ) -> Response<Body> {
        let mut response = answer::failure(error, id, method, version);
        if let Some(name) = &self.proxy_name {
            name.tell_failure(response.headers_mut(), error.kind());
        }
        response
    }

    /// Everything that can refuse a request. Nothing has been changed when it does. `None`: the request
    /// is meant for this gateway itself.
    fn route(
        &self,
        parts: &Parts,
        has_body: bool,
        id: &HeaderValue,
        run: &mut Run<'_>,
    ) -> Result<Option<Routed>> {
        let received = receive::read(parts, &self.via)?;
        run.trace.step(Stage::Receive, || format!("{} is well-formed", parts.method));
        let uri = self.full_uri(parts);
        let question = Question {
            method: &parts.method,
            host: &received.authority.host,
            path: uri.path(),
            prefix: &self.prefix,
            stage: received.stage,
            fixed: run.environment,
        };
        let last = received.max_forwards == Some(0);
        let snapshot = self.reader.current();
        if last && uri.path() == "*" {
            question.check_host(&snapshot)?;
            return Ok(None);
        }
        let selected = question.answer(&snapshot).inspect_err(|_| {
            run.trace.step(Stage::Route, || debug::elsewhere(&question, &snapshot));
        })?;
        run.trace.told.selected(&selected, &snapshot);
        run.trace.step(Stage::Route, || debug::routed(&selected, &snapshot));
        if received.seen.has(Class::RequestMode) && debug::asks(&selected, &parts.headers) {
            // What its API goes to, nobody is told.
            run.trace.tell();
        }
        let admitted = self.admit(&snapshot, &selected, parts, has_body, run.app)?;
        run.trace.told.admitted(admitted.app.as_ref());
        run.trace.step(Stage::Admit, || debug::admitted(&selected, &admitted));
        if last {
            return Ok(None);
        }
        let mapping = self.mapping(&selected, &received, &admitted, parts, id)?;
        run.trace.step(Stage::Map, || debug::mapped(mapping.as_deref()));
        let mut routed = self.routed(&selected, &received, admitted, mapping, uri)?;
        routed.upgrade = selected.route.version().allows_websocket() && tunnel::is_asked(parts);
        Ok(Some(routed))
    }

    /// Whether a request may, as far as its head tells.
    fn admit(
        &self,
        snapshot: &Snapshot,
        selected: &Selected<'_, '_>,
        parts: &Parts,
        has_body: bool,
        app: Option<&str>,
    ) -> Result<Admitted> {
        let version = selected.route.version();
        if let Some(reason) = version.unserved() {
            return Err(refused(ErrorKind::NotImplemented, reason));
        }
        if version.is_websocket_only() && !tunnel::is_asked(parts) {
            return Err(refused(ErrorKind::InvalidProtocol, ""));
        }
        if version.is_restricted() {
            self.origin(parts).check(version, &self.admission.intranet)?;
        }
        if version.access() == Access::Anonymous {
            return Ok(Admitted::default());
        }
        let asking = Asking {
            head: parts,
            uri: self.full_uri(parts),
            version,
            api: selected.route.publication.api,
            environment: selected.environment,
            state: snapshot.state(),
            app_code_header: selected.group.app_code_header.as_ref(),
            has_body,
            now: self.reader.clock().now(),
        };
        match app {
            Some(app) => admit::assume(app, &asking),
            None => self.admission.admit(&asking),
        }
    }

    /// What is to be done to the parameters; done already where nothing has to be waited for.
    fn mapping(
        &self,
        selected: &Selected<'_, '_>,
        received: &Received<'_>,
        admitted: &Admitted,
        parts: &Parts,
        id: &HeaderValue,
    ) -> Result<Option<Box<Mapping>>> {
        let Selected { route, group, path, .. } = selected;
        let version = route.version();
        let Some(rules) = version.rules() else {
            return Ok(None);
        };
        let peer = self.known_peer(parts);
        let knowing = Knowing {
            peer: peer.as_deref(),
            origin: Origin::of(peer.as_deref(), &self.trusted, &parts.headers),
            host: &received.authority.host,
            clock: self.reader.clock(),
            app: admitted.app.clone(),
            id,
            via: &self.via,
        };
        let mut mapping = Mapping {
            known: Known::of(rules, knowing),
            rules: Arc::clone(rules),
            passed_on: Arc::clone(&group.passthrough_headers),
            base: group.terms.base_segments,
            before_tail: usize::from(version.pattern().shape().length),
            keep_app_code: group.terms.app_code_to_backend,
            code_header: group.app_code_header.clone(),
            mapped: None,
        };
        if admitted.signed.is_none() && !mapping.reads_form() {
            mapping.run(parts, path, self.full_uri(parts).query(), None)?;
        }
        Ok(Some(Box::new(mapping)))
    }

    fn origin(&self, parts: &Parts) -> Origin {
        let peer = self.known_peer(parts);
        Origin::of(peer.as_deref(), &self.trusted, &parts.headers)
    }

    fn routed(
        &self,
        selected: &Selected<'_, '_>,
        received: &Received<'_>,
        admitted: Admitted,
        mapping: Option<Box<Mapping>>,
        uri: &Uri,
    ) -> Result<Routed> {
        let Selected { route, group, path, .. } = selected;
        let (version, terms) = (route.version(), group.terms);
        let backend = route.target.backend().map_err(|missing| {
            // What is missing may name the backend.
            refused(ErrorKind::AdapterMissing, "").caused_by(missing)
        })?;
        let max_body = version.max_body().unwrap_or(self.max_body);
        if received.content_length.is_some_and(|length| length > max_body) {
            return Err(upload::too_large(max_body));
        }
        // Files are as large as their API says, where it says anything.
        let takes_files = version.rules().is_some_and(|rules| rules.form == Some(Encoding::Parts));
        let own = version.max_body().filter(|_| takes_files);
        let max_form = own.unwrap_or_else(|| max_body.min(self.max_form));
        let source = Source {
            path,
            query: uri.query(),
            base: terms.base_segments,
            before_tail: usize::from(version.pattern().shape().length),
            keep_app_code: terms.app_code_to_backend,
            code_header: group.app_code_header.as_ref(),
        };
        // What is received goes on as it is where a template would only write it again.
        let template = version.backend_path().filter(|_| !version.same_path());
        route.target.traffic().count();
        let own = template.is_none()
            && self.prefix.is_empty()
            && uri.authority().is_none()
            && source.is_unchanged();
        let own = own || mapping.is_some();
        Ok(Routed {
            backend: Arc::clone(backend),
            seen: received.seen,
            uri: if own { None } else { Some(source.uri(template)?) },
            method: version.backend_verb().and_then(|verb| verb.method()),
            timeout: version.timeout().unwrap_or_else(|| route.target.timeout()),
            max_body,
            max_form,
            keep_host: terms.passthrough_host,
            keep_app_code: terms.app_code_to_backend,
            code_header: group.app_code_header.clone(),
            signed: admitted.signed,
            mapping,
            target: Arc::clone(&route.target),
            max_forwards: received.max_forwards.map(|left| left.saturating_sub(1)),
            upgrade: false,
        })
    }

    /// Makes the head what the backend receives, but for method and URI.
    fn rewrite<B: HttpBody>(
        &self,
        routed: &mut Routed,
        parts: &mut Parts,
        body: &B,
        id: &HeaderValue,
    ) {
        let peer = self.known_peer(parts).map(Cow::into_owned);
        let believed = |peer: &Peer| {
            let address = peer.addr().ip();
            self.trusted.iter().any(|network| network.contains(address))
        };
        let told = forward::Told {
            id: id.clone(),
            trusted: !self.trusted.is_empty() && peer.as_ref().is_some_and(believed),
            peer: peer.as_ref(),
            keep_host: routed.keep_host,
            keep_app_code: routed.keep_app_code,
            via: &self.via,
            max_forwards: routed.max_forwards,
            length: if body.is_end_stream() { Some(0) } else { body.size_hint().exact() },
            more: routed.mapping.as_ref().map_or(0, |mapping| mapping.rules.headers),
        };
        let handshake = routed.upgrade.then(|| tunnel::handshake(&parts.headers));
        if let Some(name) = routed.code_header.as_ref().filter(|_| !routed.keep_app_code) {
            parts.headers.remove(name);
        }
        if let Some(mapping) = &routed.mapping {
            mapping.keep(parts);
        }
        forward::head(parts, routed.seen, &told);
        if let Some(mapping) = &mut routed.mapping {
            routed.uri = mapping.write(parts);
        }
        if let Some(handshake) = handshake {
            tunnel::ask(&mut parts.headers, handshake);
        }
        // What the server put there, upgrades above all, is not for backends.
        parts.extensions = Extensions::new();
        parts.version = Version::HTTP_11;
    }

    pub(super) fn known_peer<'a>(&'a self, parts: &'a Parts) -> Option<Cow<'a, Peer>> {
        if let Some(peer) = parts.extensions.get::<Peer>().or(self.peer.as_ref()) {
            return Some(Cow::Borrowed(peer));
        }
        connect_info(parts).map(Cow::Owned)
    }

    /// The URI to route on.
    #[cfg(feature = "axum")]
    pub(super) fn full_uri<'a>(&self, parts: &'a Parts) -> &'a Uri {
        match parts.extensions.get::<axum::extract::OriginalUri>() {
            Some(original) if !self.prefix.is_empty() => &original.0,
            _ => &parts.uri,
        }
    }

    /// The URI to route on.
    #[cfg(not(feature = "axum"))]
    pub(super) fn full_uri<'a>(&self, parts: &'a Parts) -> &'a Uri {
        &parts.uri
    }
}

#[cfg(feature = "axum")]
fn connect_info(parts: &Parts) -> Option<Peer> {
    use std::net::SocketAddr;

    use super::peer::Scheme;

    let info = parts.extensions.get::<axum::extract::ConnectInfo<SocketAddr>>()?;
    // Not what the URI says: that is the client's word.
    Some(Peer::new(info.0, Scheme::Http))
}

#[cfg(not(feature = "axum"))]
fn connect_info(_: &Parts) -> Option<Peer> {
    None
}

impl Future for Responding {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Calling(calling) => Poll::Ready(Ok(ready!(calling.as_mut().poll(cx)))),
            // Polled after its end, it has nothing more to say.
            State::Answered(answer) => {
                answer.take().map_or(Poll::Pending, |it| Poll::Ready(Ok(it)))
            }
        }
    }
}

impl fmt::Debug for Responding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Responding")
    }
}
