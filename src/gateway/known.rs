//! What the gateway knows of a request that backends can be told: the system parameters.

use http::HeaderValue;

use super::admit::Origin;
use super::map::Facts;
use super::peer::{Peer, Scheme};
use super::via::Via;
use crate::model::ResourceName;
use crate::model::mapping::Rules;
use crate::model::parameter::System;
use crate::time::{Clock, Timestamp};

/// What an API's backend is to be told, written out.
#[derive(Debug, Default)]
pub(super) struct Known {
    client_ip: Option<HeaderValue>,
    domain: Option<String>,
    handle_time: Option<String>,
    app_id: Option<ResourceName>,
    request_id: Option<HeaderValue>,
    scheme: Option<Scheme>,
    proxy: Option<String>,
}

/// What is known of a request.
pub(super) struct Knowing<'a> {
    pub(super) peer: Option<&'a Peer>,
    pub(super) origin: Origin,
    pub(super) host: &'a str,
    pub(super) clock: &'a dyn Clock,
    pub(super) app: Option<ResourceName>,
    pub(super) id: &'a HeaderValue,
    pub(super) via: &'a Via,
}

impl Known {
    /// Writes out what the rules tell a backend, and nothing else.
    pub(super) fn of(rules: &Rules, knowing: Knowing<'_>) -> Self {
        let told = |name: System| rules.tells(name);
        let Knowing { peer, origin, host, clock, app, id, via } = knowing;
        Self {
            client_ip: told(System::CaClientIp).then(|| address(peer, origin)).flatten(),
            domain: told(System::CaDomain).then(|| host.to_owned()),
            handle_time: told(System::CaRequestHandleTime).then(|| seconds(clock.now())),
            app_id: app.filter(|_| told(System::CaAppId)),
            request_id: told(System::CaRequestId).then(|| id.clone()),
            scheme: origin.scheme.filter(|_| told(System::CaHttpSchema)),
            proxy: told(System::CaProxy).then(|| via.name().to_owned()),
        }
    }

    /// As the rules want them.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            client_ip: self.client_ip.as_ref(),
            domain: self.domain.as_deref(),
            handle_time: self.handle_time.as_deref(),
            app_id: self.app_id.as_ref().map(ResourceName::as_str),
            request_id: self.request_id.as_ref(),
            http_schema: self.scheme.map(|scheme| match scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            }),
            proxy: self.proxy.as_deref(),
        }
    }
}

/// The client's address. Most are their connection's, which was written out when that was made.
fn address(peer: Option<&Peer>, origin: Origin) -> Option<HeaderValue> {
    let address = origin.address?;
    match peer.filter(|peer| peer.addr().ip().to_canonical() == address) {
        Some(peer) => Some(peer.text().clone()),
        None => HeaderValue::try_from(address.to_string()).ok(),
    }
}

/// RFC 3339 without parts of a second, as the modelled system writes times.
fn seconds(now: Timestamp) -> String {
    let mut text = now.to_string();
    text.truncate("2026-11-23T06:00:00".len());
    text.push('Z');
    text
}
