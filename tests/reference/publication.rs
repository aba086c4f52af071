//! The part of the model that is about APIs: who holds which route.

use super::edit::{Api, ApiName, Backend, Edit, Refusal};
use super::model::{Model, Publication};
use super::router::same_paths;

impl Model {
    /// Edits of groups, APIs and publications.
    pub(super) fn edit_api(&mut self, edit: Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Group { name, host, base_path } => {
                self.groups.insert(name, (host, base_path));
            }
            Edit::DeleteGroup { name } => {
                if self.drafts.keys().any(|(group, _)| *group == name) {
                    return Err(Refusal::InUse);
                }
                self.groups.remove(&name).ok_or(Refusal::UnknownGroup)?;
            }
            Edit::Api { name, api } => {
                if !self.groups.contains_key(&name.0) {
                    return Err(Refusal::UnknownGroup);
                }
                if let Backend::Service(service) = &api.backend {
                    self.known(service)?;
                }
                self.drafts.insert(name, api);
            }
            Edit::DeleteApi { name } => self.delete_api(&name)?,
            Edit::Publish { api, environment } => self.publish(api, environment)?,
            Edit::Unpublish { api, environment } => {
                self.drafts.get(&api).ok_or(Refusal::UnknownApi)?;
                let removed = self.publications.remove(&(api, environment));
                removed.ok_or(Refusal::NotPublished)?;
            }
            other => unreachable!("{other:?}"),
        }
        Ok(())
    }

    /// Its dormant publications are given up with it.
    fn delete_api(&mut self, name: &ApiName) -> Result<(), Refusal> {
        self.drafts.get(name).ok_or(Refusal::UnknownApi)?;
        let mut own = self.publications.keys().filter(|(api, _)| api == name);
        if own.any(|(api, environment)| self.target(api, environment).is_some()) {
            return Err(Refusal::InUse);
        }
        self.drafts.remove(name);
        self.publications.retain(|(api, _), _| api != name);
        Ok(())
    }

    fn publish(&mut self, name: ApiName, environment: String) -> Result<(), Refusal> {
        let api = self.drafts.get(&name).ok_or(Refusal::UnknownApi)?.clone();
        let epoch = match &api.backend {
            Backend::Inline(_) => None,
            Backend::Service(service) => {
                let definition = self.definition(service, &environment);
                Some(definition.ok_or(Refusal::NoDefinition)?.epoch)
            }
        };
        self.published.push((name.clone(), environment.clone()));
        self.publications.insert((name, environment), Publication { api, epoch });
        Ok(())
    }

    /// What is dormant gives way to what the change published on the same route, whatever came of
    /// that; of two that it published there the later one stays.
    pub(super) fn displace(&mut self) {
        for key in self.published.clone().into_iter().rev() {
            let losers =
                self.rivals(&key).filter(|(_, live)| !live).map(|(rival, _)| rival.clone());
            for loser in losers.collect::<Vec<_>>() {
                self.publications.remove(&loser);
            }
        }
    }

    /// Other publications on the route of one, and whether they are live.
    fn rivals(&self, key: &(ApiName, String)) -> impl Iterator<Item = (&(ApiName, String), bool)> {
        let (own, (api, environment)) = (self.publications.get(key), key.clone());
        let others = self.publications.iter().filter(move |((other, place), publication)| {
            let near = *other != api && other.0 == api.0 && *place == environment;
            near && own.is_some_and(|own| same_route(&own.api, &publication.api))
        });
        others.map(|(key, _)| (key, self.target(&key.0, &key.1).is_some()))
    }

    /// No two groups have the same host and base path, no two drafts of a group the same route. What is
    /// live has its route for itself, and so has what the change published even if it is not live any
    /// more: an undo could bring it back.
    pub(super) fn unique(&self) -> Result<(), Refusal> {
        let groups: Vec<_> = self.groups.values().collect();
        if pairs(&groups).any(|(one, other)| one == other) {
            return Err(Refusal::HostTaken);
        }
        let drafts: Vec<_> = self.drafts.iter().collect();
        let clash =
            pairs(&drafts).any(|(one, other)| one.0.0 == other.0.0 && same_route(one.1, other.1));
        let live = self.publications.keys().filter(|key| self.target(&key.0, &key.1).is_some());
        let mut alone = live.chain(&self.published);
        if clash || alone.any(|key| self.rivals(key).any(|(_, live)| live)) {
            return Err(Refusal::RouteTaken);
        }
        Ok(())
    }
}

fn same_route(one: &Api, other: &Api) -> bool {
    one.method == other.method && same_paths(&one.path, &other.path)
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter()
        .enumerate()
        .flat_map(|(place, one)| all[place + 1..].iter().map(move |other| (one, other)))
}
