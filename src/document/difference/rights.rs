//! Applications and what they are granted.

use super::{Place, Work};
use crate::model::Resource;

impl Work<'_> {
    pub(super) fn apps(&mut self) {
        let document = self.document;
        for (index, entry) in document.apps.iter().enumerate() {
            let id = self.app_id(&entry.name);
            self.kept.resources.extend(id);
            let there = id.and_then(|id| self.state.resource(id));
            let resource = Resource::from(entry.app.clone());
            if there.is_none_or(|there| there.resource != resource) {
                self.edit(Place::App(index), |change| {
                    change.resource(entry.name.as_str(), resource)
                });
            }
        }
    }

    pub(super) fn grants(&mut self) {
        let document = self.document;
        for (index, entry) in document.grants.iter().enumerate() {
            let place = || {
                let (api, app) = (self.api_id(&entry.api)?, self.app_id(&entry.app)?);
                Some((api, self.environment_id(&entry.environment)?, app))
            };
            // What goes has no grants: it is refused for what it names, as it would be in an empty
            // registry.
            let stays =
                |(api, _, app): &(_, _, _)| !self.going.contains(api) && !self.resource_goes(*app);
            let there = place().filter(stays);
            let there = there.and_then(|(api, at, app)| self.state.grants().get(api, at, app));
            if there.is_none_or(|there| there.grant != entry.grant) {
                let (app, api) = (entry.app.to_string(), entry.api.to_string());
                self.edit(Place::Grant(index), |change| {
                    change.grant(app, api, entry.environment.clone(), entry.grant)
                });
            }
        }
    }
}
