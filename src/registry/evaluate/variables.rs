//! Stage variables: whatever names one is published only where its group says what it stands for.

use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft};
use crate::model::InvalidDefinition;
use crate::model::id::{EnvironmentId, GroupId, ServiceId};

impl Draft<'_> {
    /// A publication that is live can be what its stage variables make of it.
    pub(super) fn variables_of_publication(&self, at: EnvironmentId, api: ApiId) -> Checked {
        let Some(stage) = self.next.stage(at) else {
            return Ok(());
        };
        let publication = stage.publication(api).filter(|publication| stage.is_live(publication));
        let substituted = publication.and_then(|_| stage.substituted(api));
        match substituted.map(|it| &it.version) {
            Some(Err(error)) => Err(self.with_variables(error, at)),
            _ => Ok(()),
        }
    }

    /// The publications that a definition makes live can be what their stage variables make of them.
    pub(super) fn variables_through(&self, service: ServiceId, at: EnvironmentId) -> Checked {
        let Some(stage) = self.next.stage(at) else {
            return Ok(());
        };
        let through = |api: &ApiId| {
            let publication = stage.publication(*api);
            publication.is_some_and(|it| it.version.service() == Some(service))
        };
        let mut apis = stage.failed().filter(through);
        apis.try_for_each(|api| self.variables_of_publication(at, api))
    }

    /// What is live of a group can be what its stage variables make of it. What could not be before the
    /// change stands in no edit's way.
    pub(super) fn variables_of_group(&self, id: GroupId) -> Checked {
        for (at, record) in self.next.environments() {
            let Some(stage) = self.next.stage(at) else {
                continue;
            };
            let before = self.base.stage(at);
            let failed_before = |api: &ApiId| {
                let before = before.and_then(|stage| stage.substituted(*api));
                before.is_some_and(|it| it.version.is_err())
            };
            for api in stage.substituted_in(id).filter(|api| !failed_before(api)) {
                let Err(reason) = self.variables_of_publication(at, api) else {
                    continue;
                };
                let field = format!("variables.{}", record.name);
                let name = self.next.api_name(api).map(|name| name.to_string());
                let reason = format!("API {}: {reason}", name.unwrap_or_default());
                return Err(Reason::Invalid { field, reason });
            }
        }
        Ok(())
    }

    /// A draft can be what the stage variables make of it in every environment that has all of them.
    pub(super) fn variables_of_draft(&self, id: ApiId) -> Checked {
        let Some(draft) = self.next.api(id).filter(|draft| draft.version.is_open()) else {
            return Ok(());
        };
        let Some(entry) = self.next.group(draft.group) else {
            return Ok(());
        };
        for (at, record) in self.next.environments() {
            let Some(variables) = entry.record.group.variables.get(record.name.as_str()) else {
                continue;
            };
            if !draft.version.has_all(variables) {
                continue;
            }
            if let Err(error) = draft.version.with_variables(variables) {
                return Err(self.with_variables(&error, at));
            }
        }
        Ok(())
    }

    fn with_variables(&self, error: &InvalidDefinition, at: EnvironmentId) -> Reason {
        let environment = self.next.environment(at).map(|record| record.name.to_string());
        let environment = environment.unwrap_or_default();
        let reason = format!("{} (by the stage variables of {environment})", error.reason);
        Reason::Invalid { field: error.field.clone(), reason }
    }
}
