//! Whether what a plan leads to answers.

use std::fmt;

use tokio::task::JoinSet;

use super::plan::Plan;
use crate::backend::{Probe, Probed};
use crate::model::{Definition, Environment, ServiceName};
use crate::store::Key;

/// Endpoints tried at the same time.
const AT_ONCE: usize = 16;

/// Whether the endpoint of a planned definition can be reached from this process.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reachable {
    /// The service; absent for an API with a definition of its own.
    pub service: Option<ServiceName>,
    /// The environment.
    pub environment: Environment,
    /// What was tried, and how it went; or what is missing to try anything.
    pub probed: Result<Probed, String>,
}

impl Plan {
    /// Tries the endpoints of the definitions it would make or replace, from this process: name,
    /// connection, TLS, and one GET if a path is given. Each as requests would reach it, at most
    /// sixteen at once, none for longer than the probe allows. Nothing is refused because of what is
    /// found.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    ///
    /// # Cancellation
    ///
    /// Dropping the future ends what is being tried.
    pub async fn probe(&self, probe: &Probe) -> Vec<Reachable> {
        let mut tried = JoinSet::new();
        let mut found = Vec::new();
        for (index, candidate) in self.candidates().into_iter().enumerate() {
            if tried.len() >= AT_ONCE {
                found.extend(tried.join_next().await.and_then(Result::ok));
            }
            let (service, environment, definition) = candidate;
            let (backend, probe) = (self.registry.candidate(&definition), probe.clone());
            tried.spawn(async move {
                let probed = match backend {
                    Ok(backend) => Ok(backend.probe(&probe).await),
                    Err(missing) => Err(missing),
                };
                (index, Reachable { service, environment, probed })
            });
        }
        while let Some(one) = tried.join_next().await {
            found.extend(one.ok());
        }
        found.sort_by_key(|(index, _)| *index);
        found.into_iter().map(|(_, reachable)| reachable).collect()
    }

    /// The definitions it would make or replace.
    fn candidates(&self) -> Vec<(Option<ServiceName>, Environment, Definition)> {
        let (before, after) = (&self.outcomes.before, &self.outcomes.after);
        let written: Vec<_> = self.outcomes.entry.written().map(|(key, _)| key).collect();
        // What stage variables move, nothing was written of.
        let moved = written.iter().flat_map(|key| match key {
            Key::Group(group) => after.moved_in(*group, before),
            _ => Vec::new(),
        });
        let moved: Vec<_> = moved.filter(|key| !written.contains(key)).collect();
        let found = written.into_iter().chain(moved).filter_map(|key| match key {
            Key::Definition(service, at) => {
                let definition = after.stage(at)?.definition(service)?.definition.clone();
                let was = before.stage(at).and_then(|stage| stage.definition(service));
                if was.is_some_and(|was| was.definition == definition) {
                    return None;
                }
                let name = after.service(service)?.name.clone();
                Some((Some(name), self.outcomes.environment(at)?, definition))
            }
            Key::Publication(api, at) => {
                let stage = after.stage(at)?;
                let definition = stage.version(stage.publication(api)?).inline()?.clone();
                Some((None, self.outcomes.environment(at)?, definition))
            }
            _ => None,
        });
        found.collect()
    }
}

impl fmt::Display for Reachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Some(service) => write!(f, "{service} in {}: ", self.environment)?,
            None => write!(f, "a definition of its own in {}: ", self.environment)?,
        }
        match &self.probed {
            Ok(probed) => write!(f, "{probed}"),
            Err(missing) => write!(f, "{missing}"),
        }
    }
}
