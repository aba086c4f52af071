//! Writes down what is decided about a request, where somebody asked for it.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderName, Response, StatusCode};
use tokio::time::Instant;

use super::{Sent, Step, info, redact};
use crate::body::Body;
use crate::error::{Error, Stage};
use crate::gateway::told::Told;
use crate::model::mapping::{Rule, Rules, Target};

/// What is written down of a request; of most requests nothing.
#[derive(Debug, Default)]
pub(in crate::gateway) struct Trace {
    recorder: Option<Box<Recorder>>,
    /// Goes along, for who observes.
    pub(in crate::gateway) told: Told,
}

#[derive(Debug)]
struct Recorder {
    started: Instant,
    last: Instant,
    called: Duration,
    /// Whether it is for who called [`Gateway::debug`](super::Gateway::debug), not for the client.
    is_kept: bool,
    steps: Vec<Step>,
    sent: Option<Sent>,
}

/// What was written down, on its way in a response's extensions.
#[derive(Clone, Debug, Default)]
pub(super) struct Recording {
    pub(super) steps: Vec<Step>,
    pub(super) sent: Option<Sent>,
    pub(super) took: Duration,
    /// How long the backend took.
    pub(super) called: Duration,
}

impl Trace {
    /// One that its caller reads.
    pub(super) fn kept() -> Self {
        Self { recorder: Some(Box::new(Recorder::new(true))), told: Told::default() }
    }

    /// Begins one that the client is told, unless there is one.
    pub(in crate::gateway) fn tell(&mut self) {
        self.recorder.get_or_insert_with(|| Box::new(Recorder::new(false)));
    }

    /// Whether it is for who called [`Gateway::debug`](super::Gateway::debug).
    pub(in crate::gateway) fn is_kept(&self) -> bool {
        self.recorder.as_ref().is_some_and(|recorder| recorder.is_kept)
    }

    /// Takes down what was decided since the last step.
    pub(in crate::gateway) fn step(&mut self, stage: Stage, decision: impl FnOnce() -> String) {
        if let Some(recorder) = &mut self.recorder {
            recorder.step(stage, decision(), None);
        }
    }

    /// Takes down why the request goes no further.
    pub(in crate::gateway) fn refused(&mut self, error: &Error) {
        self.told.refused(error);
        if let Some(recorder) = &mut self.recorder {
            recorder.step(error.stage(), info::refusal(error), Some(error));
        }
    }

    /// Takes down what the backend is sent; `code` is a header for AppCodes, and `rules` say what was called
    /// otherwise before.
    pub(in crate::gateway) fn sent(
        &mut self,
        parts: &Parts,
        code: Option<&HeaderName>,
        rules: Option<&Rules>,
    ) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let rules = rules.into_iter().flat_map(|rules| &rules.parameters);
        let secrets = || rules.clone().filter(|rule| redact::is_secret(&rule.name));
        let mut headers = HeaderMap::with_capacity(parts.headers.len());
        for (name, value) in &parts.headers {
            let goes_here = |rule: &Rule| matches!(&rule.target, Target::Header(to) if to == name);
            let is_secret = code == Some(name) || secrets().any(goes_here);
            let value = if is_secret { redact::REDACTED } else { redact::header(name, value) };
            headers.append(name, value);
        }
        let was_secret = |name: &str| {
            secrets().any(|rule| matches!(&rule.target, Target::Query(to) if *to.name == *name))
        };
        let uri = redact::uri(&parts.uri, was_secret);
        recorder.sent = Some(Sent { method: parts.method.clone(), uri, headers });
    }

    /// Takes down what the backend answered.
    pub(in crate::gateway) fn answered(&mut self, result: Result<StatusCode, &Error>) {
        match result {
            Ok(_) => self.told.answered(),
            Err(error) => self.told.refused(error),
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.called = recorder.last.elapsed();
            match result {
                Ok(status) => recorder.step(Stage::Call, format!("answered {status}"), None),
                Err(error) => recorder.step(error.stage(), info::refusal(error), Some(error)),
            }
        }
    }

    /// Hands out what was written down: in the response's head, or behind it.
    pub(in crate::gateway) fn end(self, response: &mut Response<Body>) {
        let Self { recorder, told } = self;
        told.end(response);
        let Some(recorder) = recorder else {
            return;
        };
        let Recorder { started, called, is_kept, steps, sent, .. } = *recorder;
        let recording = Recording { steps, sent, took: started.elapsed(), called };
        if is_kept {
            response.extensions_mut().insert(recording);
        } else {
            response.headers_mut().insert(&info::DEBUG_INFO, info::value(&recording));
        }
    }
}

impl Recorder {
    fn new(is_kept: bool) -> Self {
        let now = Instant::now();
        let (steps, sent) = (Vec::new(), None);
        Self { started: now, last: now, called: Duration::ZERO, is_kept, steps, sent }
    }

    fn step(&mut self, stage: Stage, decision: String, error: Option<&Error>) {
        let now = Instant::now();
        let took = now.duration_since(self.last);
        self.last = now;
        self.steps.push(Step { stage, decision, took, refused: error.map(Error::kind) });
    }
}
