//! What the gateway knows of a request that backends can be told: the system parameters.

use http::HeaderValue;

use super::admit::Origin;
use super::map::Facts;
use super::peer::Scheme;
use super::via::Via;
use crate::model::ResourceName;
use crate::model::mapping::Rules;
use crate::model::parameter::System;
use crate::time::Timestamp;

/// What an API's backend is to be told, written out.
#[derive(Debug, Default)]
pub(super) struct Known {
    client_ip: Option<String>,
    domain: Option<String>,
    handle_time: Option<String>,
    app_id: Option<ResourceName>,
    request_id: Option<HeaderValue>,
    scheme: Option<Scheme>,
    proxy: Option<String>,
}

/// What is known of a request.
pub(super) struct Knowing<'a> {
    pub(super) origin: Origin,
    pub(super) host: &'a str,
    pub(super) now: Timestamp,
    pub(super) app: Option<ResourceName>,
    pub(super) id: &'a HeaderValue,
    pub(super) via: &'a Via,
}

impl Known {
    /// Writes out what the rules tell a backend, and nothing else.
    pub(super) fn of(rules: &Rules, knowing: Knowing<'_>) -> Self {
        let told = |name: System| rules.tells(name);
        let Knowing { origin, host, now, app, id, via } = knowing;
        Self {
            client_ip: told(System::CaClientIp)
                .then(|| origin.address.map(|address| address.to_string()))
                .flatten(),
            domain: told(System::CaDomain).then(|| host.to_owned()),
            handle_time: told(System::CaRequestHandleTime).then(|| seconds(now)),
            app_id: app.filter(|_| told(System::CaAppId)),
            request_id: told(System::CaRequestId).then(|| id.clone()),
            scheme: origin.scheme.filter(|_| told(System::CaHttpSchema)),
            proxy: told(System::CaProxy).then(|| via.name().to_owned()),
        }
    }

    /// As the rules want them.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            client_ip: self.client_ip.as_deref(),
            domain: self.domain.as_deref(),
            handle_time: self.handle_time.as_deref(),
            app_id: self.app_id.as_ref().map(ResourceName::as_str),
            request_id: self.request_id.as_ref().and_then(|id| id.to_str().ok()),
            http_schema: self.scheme.map(|scheme| match scheme {
                Scheme::Http => "http",
                Scheme::Https => "https",
            }),
            proxy: self.proxy.as_deref(),
        }
    }
}

/// RFC 3339 without parts of a second, as the modelled system writes times.
fn seconds(now: Timestamp) -> String {
    let mut text = now.to_string();
    text.truncate("2026-11-23T06:00:00".len());
    text.push('Z');
    text
}
