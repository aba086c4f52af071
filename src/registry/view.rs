//! What operators see: plain values of one revision.

use std::fmt;
use std::sync::Arc;

use super::Registry;
use super::state::State;
use crate::model::definition::Settings;
use crate::model::id::{ApiId, EnvironmentId, ServiceId};
use crate::model::{
    Api, ApiName, Definition, Environment, Group, GroupName, InvalidName, Kind, Revision,
    ServiceName, Stamp, Version,
};

/// What is true of a service at one revision.
#[derive(Clone, Debug)]
pub struct ServiceView {
    state: Arc<State>,
    id: ServiceId,
    name: ServiceName,
    kind: Kind,
    description: String,
    stamp: Arc<Stamp>,
    definitions: Vec<DefinitionView>,
}

/// What a service means in one environment, and who is published there through it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DefinitionView {
    /// The environment.
    pub environment: Environment,
    /// The definition.
    pub definition: Definition,
    /// The revision that first defined it.
    pub epoch: Revision,
    /// Who made it what it is.
    pub stamp: Arc<Stamp>,
    /// How many APIs are published there through it.
    pub published: usize,
    /// What its requests lack, so that they are answered with `X503BZ`; absent: nothing.
    pub missing: Option<String>,
    id: EnvironmentId,
}

/// An API of a service, and where its requests go.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Address {
    /// The API.
    pub api: ApiName,
    /// Where its requests go, with `[parameter]` where the request decides.
    pub address: String,
}

/// What is true of an API in one environment at one revision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PublicationView {
    /// Whether requests reach it.
    pub status: Status,
    /// The revision by which it became what it is: its publication's or its service's definition's,
    /// whichever is later.
    pub effective: Arc<Stamp>,
    /// Who published it.
    pub published: Arc<Stamp>,
    /// The service its requests go to, unless it has a definition of its own.
    pub service: Option<ServiceName>,
    /// The frozen version.
    pub api: Api,
}

/// Whether requests reach an API in an environment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Status {
    /// They do.
    Online,
    /// They do not: the definition it was published against was deleted.
    Offline,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Online => "online",
            Self::Offline => "offline",
        })
    }
}

impl Registry {
    /// What is true of a service: its draft, every environment's definition, and where each API's
    /// requests go. `None`: there is none of this name.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ServiceName`].
    pub fn service(&self, name: &str) -> Result<Option<ServiceView>, InvalidName> {
        let name: ServiceName = name.parse()?;
        let snapshot = self.0.snapshot.current();
        let state = Arc::clone(snapshot.state());
        let Some((id, record)) =
            state.service_id(&name).and_then(|id| Some((id, state.service(id)?)))
        else {
            return Ok(None);
        };
        let definitions = state.environments().filter_map(|(environment, at)| {
            let stage = state.stage(environment)?;
            let record = stage.definition(id)?;
            let target = snapshot.service_target(id, environment)?;
            Some(DefinitionView {
                environment: at.name.clone(),
                definition: record.definition.clone(),
                epoch: record.epoch,
                stamp: Arc::clone(&record.stamp),
                published: stage.live_count(id),
                missing: target.backend().err().map(str::to_owned),
                id: environment,
            })
        });
        let definitions = definitions.collect();
        let (kind, description) = (record.service.kind.clone(), record.service.description.clone());
        let stamp = Arc::clone(&record.stamp);
        Ok(Some(ServiceView { id, name, kind, description, stamp, definitions, state }))
    }

    /// The names of all services.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceName> {
        let state = Arc::clone(self.0.snapshot.current().state());
        state.services().map(|(_, record)| record.name.clone()).collect()
    }

    /// What is true of an API in an environment. `None`: it is not published there.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ApiName`].
    pub fn publication(
        &self,
        api: &str,
        environment: &Environment,
    ) -> Result<Option<PublicationView>, InvalidName> {
        let name: ApiName = api.parse()?;
        let state = Arc::clone(self.0.snapshot.current().state());
        let found = state.api_id(&name).zip(state.environment_id(environment.as_str()));
        Ok(found.and_then(|(api, at)| {
            let stage = state.stage(at)?;
            let publication = stage.publication(api)?;
            let service = state.service_name(&publication.version);
            let live = stage.is_live(publication);
            Some(PublicationView {
                status: if live { Status::Online } else { Status::Offline },
                effective: Arc::clone(state.effective(publication, at)),
                published: Arc::clone(&publication.stamp),
                api: publication.version.api(service.as_ref().map(ServiceName::as_str)),
                service,
            })
        }))
    }

    /// The draft of an API, and the revision that made it so.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ApiName`].
    pub fn api(&self, name: &str) -> Result<Option<(Api, Revision)>, InvalidName> {
        let name: ApiName = name.parse()?;
        let state = Arc::clone(self.0.snapshot.current().state());
        Ok(state.api_id(&name).and_then(|id| {
            let record = state.api(id)?;
            let service = state.service_name(&record.version);
            let api = record.version.api(service.as_ref().map(ServiceName::as_str));
            Some((api, record.stamp.revision))
        }))
    }

    /// A group, and the revision that made it so.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`GroupName`].
    pub fn group(&self, name: &str) -> Result<Option<(Group, Revision)>, InvalidName> {
        let name: GroupName = name.parse()?;
        let state = Arc::clone(self.0.snapshot.current().state());
        Ok(state.group_id(&name).and_then(|id| {
            let record = &state.group(id)?.record;
            Some((record.group.clone(), record.stamp.revision))
        }))
    }
}

impl ServiceView {
    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &ServiceName {
        &self.name
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Its description.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// Who made it what it is.
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The environments it is defined in, in the order they were declared.
    #[must_use]
    pub fn definitions(&self) -> &[DefinitionView] {
        &self.definitions
    }

    /// What it means in an environment.
    #[must_use]
    pub fn definition(&self, environment: &Environment) -> Option<&DefinitionView> {
        self.definitions.iter().find(|definition| definition.environment == *environment)
    }

    /// How many drafts refer to it.
    #[must_use]
    pub fn draft_count(&self) -> usize {
        self.state.drafts_of(self.id).map_or(0, |drafts| drafts.len())
    }

    /// The drafts that refer to it.
    pub fn drafts(&self) -> impl Iterator<Item = ApiName> + '_ {
        let drafts = self.state.drafts_of(self.id).into_iter().flat_map(|drafts| drafts.iter());
        drafts.filter_map(|id| self.state.api_name(ApiId::new(id)))
    }

    /// The APIs published through it in an environment, and where their requests go.
    pub fn addresses(&self, environment: &Environment) -> impl Iterator<Item = Address> + '_ {
        self.definition(environment).into_iter().flat_map(|definition| {
            let stage = self.state.stage(definition.id);
            stage
                .into_iter()
                .flat_map(|stage| stage.live_through(self.id).map(move |apis| (stage, apis)))
                .flat_map(|(stage, apis)| apis.iter().map(move |id| (stage, id)))
                .filter_map(|(stage, id)| {
                    let publication = stage.publication(ApiId::new(id))?;
                    let api = self.state.api_name(ApiId::new(id))?;
                    let address = address(&definition.definition, stage.version(publication));
                    Some(Address { api, address })
                })
        })
    }
}

/// Where the requests of a version go by a definition.
fn address(definition: &Definition, version: &Version) -> String {
    let path = match version.backend_path() {
        Some(path) => path.as_str(),
        None => version.pattern().as_str(),
    };
    match &definition.settings {
        Settings::Http(http) => match (&http.url, http.endpoints.first()) {
            (Some(url), _) => format!("{}{path}", url.trim_end_matches('/')),
            (None, Some(first)) => {
                let url = first.url.trim_end_matches('/');
                format!("{url}{path} and {} more", http.endpoints.len().saturating_sub(1))
            }
            (None, None) => path.to_owned(),
        },
        Settings::Mock(mock) => format!("mock {}", mock.status),
        Settings::Vpc(vpc) => format!("vpc {}{path}", vpc.access),
        Settings::FunctionCompute(function) => format!("function {}", function.function),
        Settings::Oss(oss) => format!("oss {}", oss.bucket),
        Settings::EventBridge(bus) => format!("event bus {}", bus.bus),
        Settings::Discovery(discovery) => format!("service {}{path}", discovery.service),
        Settings::Mixed(_) => format!("mixed{path}"),
        Settings::Custom(custom) => format!("{}{path}", custom.kind),
    }
}
