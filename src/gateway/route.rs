//! Which API in which environment a request is for. Serving and asking take the same way.

use http::Method;

use super::receive::{Asked, refused};
use crate::error::{Error, ErrorKind, Result, Stage};
use crate::model::Environment;
use crate::model::id::EnvironmentId;
use crate::model::path::{InvalidPath, RequestPath};
use crate::registry::site::{GroupOptions, Site};
use crate::registry::snapshot::{Route, Snapshot};

/// What decides where a request goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'q, 'p> {
    pub(super) method: &'q Method,
    /// In lower case, without port and trailing dot.
    pub(super) host: &'q str,
    /// As received.
    pub(super) path: &'p str,
    /// What the gateway is mounted at: empty, or `/prefix`.
    pub(super) prefix: &'q str,
    pub(super) stage: Asked<'q>,
    /// The only environment of the gateway.
    pub(super) fixed: Option<&'q Environment>,
}

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Selected<'s, 'a> {
    pub(super) route: Route,
    pub(super) environment: EnvironmentId,
    pub(super) group: &'s GroupOptions,
    /// Below what the gateway is mounted at.
    pub(super) path: RequestPath<'a>,
}

impl<'p> Question<'_, 'p> {
    /// Answers from one snapshot, which is not needed any more then.
    pub(super) fn answer<'s>(&self, snapshot: &'s Snapshot) -> Result<Selected<'s, 'p>> {
        let sites = snapshot.sites(self.host).ok_or_else(|| self.unknown_host())?;
        let path = below(self.prefix, self.path).ok_or_else(|| self.not_found())??;
        let site = sites.site(&path);
        let environment = self.environment(snapshot, site)?;
        let site = site.ok_or_else(|| self.not_found())?;
        let route = snapshot
            .route(site, environment, self.method, &path)
            .ok_or_else(|| self.not_found())?;
        Ok(Selected { route, environment, group: &site.options, path })
    }

    /// The environments in which it could be answered.
    pub(super) fn elsewhere<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s Environment> {
        let state = snapshot.state();
        let environments = state.environments().map(|(_, record)| &record.name);
        let answers =
            |name: &&Environment| Question { fixed: Some(*name), ..*self }.answer(snapshot).is_ok();
        environments.filter(answers).collect()
    }

    /// Whether the host is served at all.
    pub(super) fn check_host(&self, snapshot: &Snapshot) -> Result<()> {
        snapshot.sites(self.host).map(drop).ok_or_else(|| self.unknown_host())
    }

    fn unknown_host(&self) -> Error {
        refused(ErrorKind::UnknownHost, format!("`{}`", self.host))
    }

    fn environment(&self, snapshot: &Snapshot, site: Option<&Site>) -> Result<EnvironmentId> {
        if let Some(fixed) = self.fixed {
            let name = fixed.as_str();
            return snapshot.environment(name).ok_or_else(|| invalid_stage(name));
        }
        if let Some(bound) = site.and_then(|site| site.environment) {
            return Ok(bound);
        }
        match self.stage {
            Asked::Nothing => Ok(Snapshot::PRODUCTION),
            Asked::One(name) => {
                let name = String::from_utf8_lossy(name);
                snapshot.environment(&name).ok_or_else(|| invalid_stage(&name))
            }
            Asked::Several => {
                let context = "`X-Ca-Stage` is there twice and differs";
                Err(refused(ErrorKind::InvalidHeader, context).at_stage(Stage::Route))
            }
        }
    }

    fn not_found(&self) -> Error {
        refused(ErrorKind::NotFound, format!("`{} {}`", self.method, self.path))
    }
}

/// A path below what the gateway is mounted at; `None`: it is not below.
pub(super) fn below<'p>(prefix: &str, path: &'p str) -> Option<Result<RequestPath<'p>>> {
    let path = match path.strip_prefix(prefix)? {
        "" if !prefix.is_empty() => "/",
        rest if rest.starts_with('/') || prefix.is_empty() => rest,
        _ => return None,
    };
    let invalid = |error: InvalidPath| refused(ErrorKind::InvalidPath, error.to_string());
    Some(RequestPath::parse(path).map_err(invalid))
}

fn invalid_stage(name: &str) -> Error {
    refused(ErrorKind::InvalidStage, format!("`{name}`"))
}
