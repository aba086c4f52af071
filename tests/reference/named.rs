//! What the model shows of now, by name, as the crate does.

use std::collections::BTreeMap;

use super::edit::{Api, ApiName, Backend};
use super::model::Model;
use super::world::{Definition, Goes, Id, Version, environment, place};

/// An API in an environment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Published {
    pub(crate) api: Api,
    /// Where its requests go; absent: it is dormant.
    pub(crate) target: Option<String>,
}

impl Model {
    /// Kinds by name.
    pub(crate) fn services(&self) -> BTreeMap<String, String> {
        let services = self.now().services();
        services.map(|(_, service)| (service.name.clone(), service.kind.clone())).collect()
    }

    /// By service and environment.
    pub(crate) fn meanings(&self) -> BTreeMap<(String, String), Definition> {
        let definitions = self.now().definitions();
        definitions
            .map(|((id, at), meaning)| ((self.service_name(id), environment(at)), meaning.clone()))
            .collect()
    }

    /// Host and base path by name.
    pub(crate) fn groups(&self) -> BTreeMap<String, (String, String)> {
        let groups = self.now().groups();
        groups.map(|(_, g)| (g.name.clone(), (g.host.clone(), g.base_path.clone()))).collect()
    }

    pub(crate) fn drafts(&self) -> BTreeMap<ApiName, Api> {
        let drafts = self.now().drafts();
        drafts.map(|(id, draft)| (self.api_name(id), self.api(&draft.version))).collect()
    }

    /// By API and environment, the dormant ones included.
    pub(crate) fn publications(&self) -> BTreeMap<(ApiName, String), Published> {
        let publications = self.now().publications();
        publications
            .map(|((id, at), publication)| {
                let target = self.now().target(id, at).map(str::to_owned);
                let published = Published { api: self.api(&publication.version), target };
                ((self.api_name(id), environment(at)), published)
            })
            .collect()
    }

    /// Where requests for a published API go; nothing if it is dormant or not published.
    pub(crate) fn target(&self, api: &ApiName, environment: &str) -> Option<&str> {
        self.now().target(self.now().draft_named(api)?, place(environment))
    }

    fn service_name(&self, id: Id) -> String {
        self.now().service(id).expect("what goes to it needs it").name.clone()
    }

    pub(super) fn api_name(&self, id: Id) -> ApiName {
        let draft = self.now().draft(id).expect("what is published has a draft");
        let group = self.now().group(draft.group).expect("a draft needs its group");
        (group.name.clone(), draft.name.clone())
    }

    fn api(&self, version: &Version) -> Api {
        let backend = match &version.goes {
            Goes::Service(id) => Backend::Service(self.service_name(*id)),
            Goes::Inline(to) => Backend::Inline(to.clone()),
        };
        Api { method: version.method.clone(), path: version.path.clone(), backend }
    }
}
