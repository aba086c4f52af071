//! The span of a request, where there are spans.

use std::future::Future;

use http::HeaderValue;

use crate::error::Place;

/// The span of a request; nothing without feature `tracing`.
pub(crate) struct RequestSpan {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl RequestSpan {
    pub(crate) fn new(id: &HeaderValue, place: &Place) -> Self {
        use super::names;

        let span = tracing::info_span!(
            target: names::TARGET,
            names::REQUEST_SPAN,
            id = id.to_str().unwrap_or_default(),
            service = place.service.as_ref().map_or(names::INLINE, |service| service.as_str()),
            environment = place.environment.as_str(),
            generation = place.generation.as_u64(),
        );
        Self { span }
    }

    /// The future within it.
    pub(crate) fn around<F: Future>(self, future: F) -> impl Future<Output = F::Output> + use<F> {
        tracing::Instrument::instrument(future, self.span)
    }
}

#[cfg(not(feature = "tracing"))]
impl RequestSpan {
    pub(crate) fn new(_: &HeaderValue, _: &Place) -> Self {
        Self {}
    }

    /// The future as it is.
    pub(crate) fn around<F: Future>(self, future: F) -> F {
        future
    }
}
