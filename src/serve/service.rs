//! Between hyper and the gateway: refused requests are answered, panics too, and the connection ends
//! when it has to.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use http::{HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use hyper::body::Incoming;
use tower_service::Service as _;

use super::ledger::{Arrived, Ledger};
use super::pace::Pace;
use super::received::Received;
use super::sent::{Sent, Stream, panicked};
use crate::body::Body;
use crate::gateway::{Gateway, Responding};

/// Answers the requests of one connection.
pub(super) struct Service {
    gateway: Gateway,
    ledger: Arc<Ledger>,
}

/// A request on its way to its answer.
pub(super) struct Answering {
    state: State,
    gateway: Gateway,
    method: Method,
    version: Version,
    /// Whether it never got to the gateway: what follows it is not known.
    refused: bool,
    /// Absent where there is none.
    body: Option<Asked>,
    /// Both are the answer's once there is one.
    stream: Option<Stream>,
    arrived: Option<Arrived>,
}

/// The body of a request.
struct Asked {
    /// Turns true when it was read.
    read: Arc<AtomicBool>,
    /// hyper skips what it has already of an unread body, if its length is known.
    has_length: bool,
}

enum State {
    Answered(Option<Response<Body>>),
    Calling(Responding),
}

impl Service {
    pub(super) fn new(gateway: Gateway, ledger: Arc<Ledger>) -> Self {
        Self { gateway, ledger }
    }

    fn respond(&self, request: Request<Incoming>) -> (State, Option<Asked>) {
        let (method, version) = (request.method().clone(), request.version());
        let request = request.map(|body| Received::new(body, Arc::clone(self.ledger.limits())));
        let body = request.body();
        let asked = (!body.is_end_stream())
            .then(|| Asked { read: body.read(), has_length: body.size_hint().exact().is_some() });
        let mut gateway = self.gateway.clone();
        let state = match catch_unwind(AssertUnwindSafe(|| gateway.call(request))) {
            Ok(responding) => State::Calling(responding),
            Err(_) => State::Answered(Some(self.gateway.panicked(&panicked(), &method, version))),
        };
        (state, asked)
    }
}

impl hyper::service::Service<Request<Incoming>> for Service {
    type Response = Response<Sent>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let (method, version) = (request.method().clone(), request.version());
        let (arrived, refused) = self.ledger.called();
        let stream = (version == Version::HTTP_2).then(|| {
            let pace = Arc::new(Mutex::new(Pace::new(self.ledger.limits().write_rate)));
            self.ledger.opened(Arc::clone(&pace));
            Stream::new(pace)
        });
        let is_refused = refused.is_some();
        let (state, body) = match refused {
            Some(error) => {
                let answer = self.gateway.failure(&error, &method, version);
                (State::Answered(Some(answer)), None)
            }
            None => self.respond(request),
        };
        let arrived = Some(arrived);
        let gateway = self.gateway.clone();
        Answering { state, gateway, method, version, refused: is_refused, body, stream, arrived }
    }
}

impl Answering {
    /// Whether this answer is the last on its connection.
    fn is_last(&self, arrived: &Arrived) -> bool {
        let ledger = arrived.ledger();
        if arrived.number() + 1 >= ledger.limits().max_requests {
            ledger.retire();
            return true;
        }
        // What of the body is still to come would have to be read to find the next request.
        let open = |body: &Asked| {
            !(body.read.load(Ordering::Relaxed) || body.has_length && arrived.is_whole())
        };
        self.refused || self.body.as_ref().is_some_and(open)
    }

    fn answer(&mut self, response: Response<Body>) -> Poll<Result<Response<Sent>, Infallible>> {
        // Polled after its end, it has nothing more to say.
        let Some(arrived) = self.arrived.take() else {
            return Poll::Pending;
        };
        let last = self.is_last(&arrived);
        let (mut parts, body) = response.into_parts();
        let tunnel = parts.status == StatusCode::SWITCHING_PROTOCOLS;
        arrived.ledger().lifeline().answered(tunnel);
        if last && !tunnel && self.version < Version::HTTP_2 {
            parts.headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        let body = Sent::new(body, self.stream.take(), arrived);
        Poll::Ready(Ok(Response::from_parts(parts, body)))
    }
}

impl Future for Answering {
    type Output = Result<Response<Sent>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let response = match &mut this.state {
            State::Answered(response) => match response.take() {
                Some(response) => response,
                None => return Poll::Pending,
            },
            State::Calling(responding) => {
                let poll = AssertUnwindSafe(|| Pin::new(responding).poll(cx));
                match catch_unwind(poll) {
                    Ok(polled) => match ready!(polled) {
                        Ok(response) => response,
                    },
                    Err(_) => {
                        let failed = this.gateway.panicked(&panicked(), &this.method, this.version);
                        // What panicked is not to be polled again, and lets go of what it holds.
                        this.state = State::Answered(None);
                        failed
                    }
                }
            }
        };
        this.answer(response)
    }
}

impl fmt::Debug for Answering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answering")
    }
}
