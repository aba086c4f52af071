//! Canned answers.

use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use async_trait::async_trait;
use bytes::Bytes;

use super::{Backend, Body, Built, Call, Capability, Context, Factory};
use crate::error::Result;
use crate::model::definition::{Mock, Settings};
use crate::model::{Definition, InvalidDefinition, Kind};

/// Makes backends of [`Kind::MOCK`]: the same answer to every request, after the same time.
///
/// HEAD, 204 and 304 are answered without the body. The request's body is not read.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MockFactory;

impl Factory for MockFactory {
    fn kind(&self) -> Kind {
        Kind::MOCK
    }

    fn capability(&self) -> Capability {
        Capability::CANNED
    }

    fn build(&self, definition: &Definition, _: &Context) -> Result<Built, InvalidDefinition> {
        let Settings::Mock(mock) = &definition.settings else {
            return Err(InvalidDefinition::new("kind", "is not mock"));
        };
        Ok(Built::Ready(Arc::new(MockBackend::new(mock)?)))
    }
}

#[derive(Debug)]
struct MockBackend {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    delay: Option<Duration>,
}

impl MockBackend {
    fn new(mock: &Mock) -> Result<Self, InvalidDefinition> {
        let status = StatusCode::from_u16(mock.status)
            .map_err(|error| InvalidDefinition::new("status", error.to_string()))?;
        let mut headers = HeaderMap::with_capacity(mock.headers.len());
        for (name, value) in &mock.headers {
            let invalid =
                |reason: String| InvalidDefinition::new(format!("headers.{name}"), reason);
            let key: HeaderName = name.parse().map_err(|error| invalid(format!("{error}")))?;
            let value: HeaderValue = value.parse().map_err(|error| invalid(format!("{error}")))?;
            headers.append(key, value);
        }
        let bodiless = matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        let body = if bodiless { Bytes::new() } else { Bytes::from(mock.body.clone()) };
        Ok(Self { status, headers, body, delay: mock.delay.filter(|delay| !delay.is_zero()) })
    }
}

#[async_trait]
impl Backend for MockBackend {
    async fn send(&self, request: Request<Body>, _: &Call) -> Result<Response<Body>> {
        if let Some(delay) = self.delay {
            tokio::time::sleep(delay).await;
        }
        let body =
            if request.method() == Method::HEAD { Body::empty() } else { self.body.clone().into() };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        response.headers_mut().clone_from(&self.headers);
        Ok(response)
    }
}
