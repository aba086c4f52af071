//! Stage variables: whatever names one is published only where its group says what it stands for.

use super::super::rejected::Reason;
use super::{ApiId, Checked, Draft};
use crate::model::InvalidDefinition;
use crate::model::id::{EnvironmentId, GroupId};

impl Draft<'_> {
    /// A publication can be what its stage variables make of it.
    pub(super) fn variables_of_publication(&self, at: EnvironmentId, api: ApiId) -> Checked {
        let substituted = self.next.stage(at).and_then(|stage| stage.substituted(api));
        match substituted.map(|it| &it.version) {
            Some(Err(error)) => Err(self.with_variables(error, at)),
            _ => Ok(()),
        }
    }

    /// What is published of a group can be what its stage variables make of it, live or dormant.
    pub(super) fn variables_of_group(&self, id: GroupId) -> Checked {
        for (at, record) in self.next.environments() {
            let Some(stage) = self.next.stage(at) else {
                continue;
            };
            for api in stage.substituted_in(id) {
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
