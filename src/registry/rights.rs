//! What operators see of applications, authorizations and settings.

use std::sync::Arc;

use super::Registry;
use crate::model::{
    ApiName, Environment, Grant, InvalidName, RegistrySettings, Resource, ResourceName, Sort, Stamp,
};

/// What is true of a resource at one revision.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ResourceView {
    /// Its name.
    pub name: ResourceName,
    /// What it is.
    pub resource: Resource,
    /// Who made it so.
    pub stamp: Arc<Stamp>,
}

/// That an application may call an API in an environment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GrantView {
    /// The API.
    pub api: ApiName,
    /// Where.
    pub environment: Environment,
    /// Until when.
    pub grant: Grant,
    /// Who granted it.
    pub stamp: Arc<Stamp>,
}

impl Registry {
    /// What is true of a resource. `None`: there is none of this sort and name.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ResourceName`].
    pub fn resource(&self, sort: Sort, name: &str) -> Result<Option<ResourceView>, InvalidName> {
        let name: ResourceName = name.parse()?;
        let state = self.state();
        let record =
            state.resource_id(sort, name.as_str()).and_then(|id| state.resource(id)).cloned();
        Ok(record.map(|record| ResourceView {
            name: record.name.clone(),
            resource: record.resource.clone(),
            stamp: Arc::clone(&record.stamp),
        }))
    }

    /// The names of all resources of a sort.
    #[must_use]
    pub fn resources(&self, sort: Sort) -> Vec<ResourceName> {
        let state = self.state();
        let of_sort = state.resources().filter(|(_, record)| record.resource.sort() == sort);
        of_sort.map(|(_, record)| record.name.clone()).collect()
    }

    /// What an application was granted. Empty too if there is no such application.
    ///
    /// # Errors
    ///
    /// When the name breaks the rules of [`ResourceName`].
    pub fn grants(&self, app: &str) -> Result<Vec<GrantView>, InvalidName> {
        let name: ResourceName = app.parse()?;
        let state = self.state();
        let Some(app) = state.resource_id(Sort::App, name.as_str()) else {
            return Ok(Vec::new());
        };
        let views = state.grants().of_app(app).filter_map(|record| {
            Some(GrantView {
                api: state.api_name(record.api)?,
                environment: state.environment(record.environment)?.name.clone(),
                grant: record.grant,
                stamp: Arc::clone(&record.stamp),
            })
        });
        Ok(views.collect())
    }

    /// How the registry is set, where a change set it.
    #[must_use]
    pub fn settings(&self) -> Option<RegistrySettings> {
        self.state().settings().cloned()
    }
}
