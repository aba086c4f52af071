//! What a registry is after a sequence of changes, and which changes it refuses: the rules of the
//! product on plain maps.

use std::collections::BTreeMap;

use super::edit::{Api, ApiName, Backend, Edit, Refusal};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Definition {
    /// The revision that began it; updates keep it.
    pub(crate) epoch: u64,
    pub(crate) to: String,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Publication {
    pub(crate) api: Api,
    /// Of the definition it was published against; absent for an inline one.
    pub(crate) epoch: Option<u64>,
}

/// Everything that is true after some changes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Model {
    pub(crate) revision: u64,
    /// Kinds by name.
    pub(crate) services: BTreeMap<String, String>,
    /// By service and environment.
    pub(crate) definitions: BTreeMap<(String, String), Definition>,
    /// Host and base path by name.
    pub(crate) groups: BTreeMap<String, (String, String)>,
    pub(crate) drafts: BTreeMap<ApiName, Api>,
    /// By API and environment, the dormant ones included.
    pub(crate) publications: BTreeMap<(ApiName, String), Publication>,
    /// What the change at work published, in order. Empty between changes.
    pub(super) published: Vec<(ApiName, String)>,
}

impl Model {
    /// Makes all edits, or none and says which was refused and why. Uniqueness is a matter of what
    /// they leave together: then there is no single edit to name.
    pub(crate) fn apply(&mut self, edits: &[Edit]) -> Result<(), (Option<usize>, Refusal)> {
        let mut next = self.clone();
        next.revision += 1;
        for (place, edit) in edits.iter().enumerate() {
            next.edit(edit.clone()).map_err(|refusal| (Some(place), refusal))?;
        }
        next.displace();
        next.unique().map_err(|refusal| (None, refusal))?;
        next.published.clear();
        *self = next;
        Ok(())
    }

    /// Where requests for a published API go; nothing if it is dormant or not published.
    pub(crate) fn target(&self, api: &ApiName, environment: &str) -> Option<&str> {
        let publication = self.publications.get(&(api.clone(), environment.to_owned()))?;
        match &publication.api.backend {
            Backend::Inline(to) => Some(to),
            Backend::Service(service) => {
                let definition = self.definition(service, environment)?;
                (publication.epoch == Some(definition.epoch)).then_some(&*definition.to)
            }
        }
    }

    pub(super) fn definition(&self, service: &str, environment: &str) -> Option<&Definition> {
        self.definitions.get(&(service.to_owned(), environment.to_owned()))
    }

    fn edit(&mut self, edit: Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Service { name, kind } => match self.services.get(&name) {
                Some(is) if *is != kind => return Err(Refusal::KindImmutable),
                _ => drop(self.services.insert(name, kind)),
            },
            Edit::RenameService { from, to } => self.rename_service(&from, &to)?,
            Edit::DeleteService { name } => self.delete_service(&name)?,
            Edit::Define { service, environment, kind, to } => {
                self.define(service, environment, &kind, to)?;
            }
            Edit::Update { service, environment, kind, to } => {
                if self.known(&service)? != &kind {
                    return Err(Refusal::KindMismatch);
                }
                self.definition(&service, &environment).ok_or(Refusal::NoDefinition)?;
                self.define(service, environment, &kind, to)?;
            }
            Edit::DeleteDefinition { service, environment } => {
                self.delete_definition(service, environment)?;
            }
            other => self.edit_api(other)?,
        }
        Ok(())
    }

    pub(super) fn known(&self, service: &str) -> Result<&String, Refusal> {
        self.services.get(service).ok_or(Refusal::UnknownService)
    }

    fn define(
        &mut self,
        service: String,
        environment: String,
        kind: &str,
        to: String,
    ) -> Result<(), Refusal> {
        if self.known(&service)? != kind {
            return Err(Refusal::KindMismatch);
        }
        let before = self.definition(&service, &environment);
        let epoch = before.map_or(self.revision, |definition| definition.epoch);
        self.definitions.insert((service, environment), Definition { epoch, to });
        Ok(())
    }

    /// What was published through it stays, dormant. What this very change published against a
    /// definition that it made itself goes: the change may make another, of the same epoch.
    fn delete_definition(&mut self, service: String, environment: String) -> Result<(), Refusal> {
        self.known(&service)?;
        let key = (service, environment);
        let removed = self.definitions.remove(&key).ok_or(Refusal::NoDefinition)?;
        let (service, environment) = key;
        if removed.epoch == self.revision {
            self.publications.retain(|(_, place), publication| {
                *place != environment
                    || publication.api.backend != Backend::Service(service.clone())
                    || publication.epoch != Some(removed.epoch)
            });
        }
        Ok(())
    }

    /// What refers to it goes on referring to it.
    fn rename_service(&mut self, from: &str, to: &str) -> Result<(), Refusal> {
        self.known(from)?;
        if from != to && self.services.contains_key(to) {
            return Err(Refusal::NameTaken);
        }
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        let published = self.publications.values_mut().map(|publication| &mut publication.api);
        for api in self.drafts.values_mut().chain(published) {
            if let Backend::Service(service) = &mut api.backend {
                rename(service);
            }
        }
        let services = std::mem::take(&mut self.services).into_iter();
        self.services =
            services.map(|(mut name, kind)| (rename(&mut name), (name, kind)).1).collect();
        let definitions = std::mem::take(&mut self.definitions).into_iter();
        self.definitions = definitions
            .map(|((mut name, environment), definition)| {
                rename(&mut name);
                ((name, environment), definition)
            })
            .collect();
        Ok(())
    }

    fn delete_service(&mut self, name: &str) -> Result<(), Refusal> {
        self.known(name)?;
        let uses = |api: &Api| api.backend == Backend::Service(name.to_owned());
        let live = |((api, environment), _): &(&(ApiName, String), &Publication)| {
            self.target(api, environment).is_some()
        };
        if self.drafts.values().any(uses)
            || self.publications.iter().filter(live).any(|(_, publication)| uses(&publication.api))
        {
            return Err(Refusal::InUse);
        }
        self.publications.retain(|_, publication| !uses(&publication.api));
        self.definitions.retain(|(service, _), _| service != name);
        self.services.remove(name);
        Ok(())
    }
}
