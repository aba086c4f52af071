//! HTTP and HTTPS endpoints.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use ::http::{Request, Response};

use self::request::Rewrite;
use super::{Backend, Body, Built, Call, Capability, Context, Factory, Probe, Probed};
use crate::error::Result;
use crate::model::definition::{Http, Settings, Url};
use crate::model::{Definition, InvalidDefinition, Kind};
use crate::transport::{Origin, Pool, PoolError};

mod probe;
mod request;

/// Makes backends of [`Kind::HTTP`].
///
/// A URL whose host is an address the egress policy refuses fails the definition, and so do TLS settings
/// that name a file which cannot be used. An HTTPS endpoint chooses between HTTP/2 and HTTP/1.1 unless
/// the definition does; without TLS it is HTTP/1.1 unless the definition says otherwise. Several
/// endpoints are kept but not served yet: their requests are answered with `X503BZ`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct HttpFactory;

impl Factory for HttpFactory {
    fn kind(&self) -> Kind {
        Kind::HTTP
    }

    fn capability(&self) -> Capability {
        Capability { upgrades: true, ..Capability::STREAMING }
    }

    fn build(
        &self,
        definition: &Definition,
        context: &Context,
    ) -> Result<Built, InvalidDefinition> {
        let Settings::Http(http) = &definition.settings else {
            return Err(InvalidDefinition::new("kind", "is not http"));
        };
        for (field, text) in urls(http) {
            let url = parse(&field, text)?;
            let transport = context.transport();
            let allowed = match url.socket() {
                Some(path) => transport.check_path(path).map_err(|refused| refused.to_string()),
                None => transport
                    .check_endpoint(url.host(), url.port())
                    .map_err(|refused| refused.to_string()),
            };
            allowed.map_err(|reason| InvalidDefinition::new(field, reason))?;
        }
        if let Some(missing) = missing(http) {
            return Ok(Built::Missing(missing.to_owned()));
        }
        let text =
            http.url.as_deref().ok_or_else(|| InvalidDefinition::new("url", "is required"))?;
        let url = parse("url", text)?;
        if http.tls.is_some() && !url.is_https() {
            return Err(InvalidDefinition::new("tls", "stands beside a URL that is not https"));
        }
        let rewrite = Rewrite::new(&url, http.host.as_deref())?;
        let origin = Origin::new(&url).protocol(http.protocol).tls(http.tls.as_ref());
        match Pool::new(context.transport(), origin, context.lease()) {
            Ok(pool) => Ok(Built::Ready(Arc::new(HttpBackend { pool, rewrite }))),
            Err(PoolError::Invalid { field, reason }) => Err(InvalidDefinition::new(field, reason)),
            Err(unsupported) => Ok(Built::Missing(unsupported.to_string())),
        }
    }
}

fn urls(http: &Http) -> impl Iterator<Item = (String, &str)> {
    let one = http.url.iter().map(|url| ("url".to_owned(), url.as_str()));
    let several = http.endpoints.iter().enumerate();
    one.chain(
        several.map(|(index, endpoint)| (format!("endpoints[{index}].url"), endpoint.url.as_str())),
    )
}

fn parse(field: &str, text: &str) -> Result<Url, InvalidDefinition> {
    text.parse().map_err(|error| InvalidDefinition::new(field, format!("{error}")))
}

fn missing(http: &Http) -> Option<&'static str> {
    let several = !http.endpoints.is_empty() || http.balance.is_some();
    several.then_some("several endpoints are not served yet")
}

/// One endpoint.
#[derive(Debug)]
struct HttpBackend {
    pool: Pool,
    rewrite: Rewrite,
}

// Written out, because the future that `async_trait` makes holds the request once more than needed.
impl Backend for HttpBackend {
    fn send<'s, 'c, 'f>(&'s self, mut request: Request<Body>, call: &'c Call) -> Sending<'f>
    where
        's: 'f,
        'c: 'f,
    {
        match self.rewrite.apply(&mut request) {
            Ok(()) if call.is_upgrade() => Box::pin(self.pool.upgrade(request, call.timeout())),
            Ok(()) => Box::pin(self.pool.send(request, call.timeout())),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn warm<'s, 'f>(&'s self, connections: usize) -> Pin<Box<dyn Future<Output = ()> + Send + 'f>>
    where
        's: 'f,
    {
        Box::pin(self.pool.warm(connections))
    }

    fn probe<'s, 'p, 'f>(&'s self, probe: &'p Probe) -> Probing<'f>
    where
        's: 'f,
        'p: 'f,
    {
        Box::pin(probe::probe(self.pool.trial(), &self.rewrite, probe))
    }
}

type Sending<'f> = Pin<Box<dyn Future<Output = Result<Response<Body>>> + Send + 'f>>;
type Probing<'f> = Pin<Box<dyn Future<Output = Probed> + Send + 'f>>;
