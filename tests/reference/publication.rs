//! The part of the model that is about APIs: who holds which route.

use super::edit::{Api, ApiName, Backend, Edit, Refusal};
use super::model::Work;
use super::router::{canonical, same_paths};
use super::world::{Draft, Goes, Group, Id, Key, Place, Publication, Thing, Version, place};

impl Work<'_> {
    /// Edits of groups, APIs and publications.
    pub(super) fn edit_api(&mut self, edit: Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Group { name, host, base_path } => {
                let known = self.now.group_named(&name);
                self.ids.group += u32::from(known.is_none());
                let id = known.unwrap_or(self.ids.group - 1);
                self.put_new(Key::Group(id), Thing::Group(Group { name, host, base_path }));
            }
            Edit::DeleteGroup { name } => {
                let id = self.now.group_named(&name).ok_or(Refusal::UnknownGroup)?;
                self.group_empty(id)?;
                self.take(Key::Group(id));
            }
            Edit::Api { name, api } => self.api(name, api)?,
            Edit::DeleteApi { name } => self.delete_api(&name)?,
            Edit::Publish { api, environment } => {
                let id = self.drafted(&api)?;
                let draft = self.now.draft(id).expect("drafted").clone();
                self.publish(id, place(&environment), draft.group, draft.version)?;
            }
            Edit::Switch { api, environment, version } => {
                let (id, at) = (self.drafted(&api)?, place(&environment));
                let old = self.model.version(id, at, version).ok_or(Refusal::NoVersion)?.clone();
                self.publish(id, at, old.group, old.version)?;
            }
            Edit::Unpublish { api, environment } => {
                let key = Key::Publication(self.drafted(&api)?, place(&environment));
                if !self.take(key) {
                    return Err(Refusal::NotPublished);
                }
            }
            other => unreachable!("{other:?}"),
        }
        Ok(())
    }

    fn drafted(&self, name: &ApiName) -> Result<Id, Refusal> {
        self.now.draft_named(name).ok_or(Refusal::UnknownApi)
    }

    pub(super) fn group_empty(&self, id: Id) -> Result<(), Refusal> {
        let used = self.now.drafts().any(|(_, draft)| draft.group == id);
        if used { Err(Refusal::InUse) } else { Ok(()) }
    }

    /// It is live nowhere.
    pub(super) fn unpublished(&self, id: Id) -> Result<(), Refusal> {
        let live =
            self.now.publications().any(|((api, at), _)| api == id && self.now.is_live(api, at));
        if live { Err(Refusal::InUse) } else { Ok(()) }
    }

    fn api(&mut self, name: ApiName, api: Api) -> Result<(), Refusal> {
        let group = self.now.group_named(&name.0).ok_or(Refusal::UnknownGroup)?;
        let goes = match api.backend {
            Backend::Service(service) => Goes::Service(self.known(&service)?),
            Backend::Inline(to) => Goes::Inline(to),
        };
        let path = canonical(&api.path).expect("a good path");
        let version = Version { method: api.method, path, goes };
        let known = self.now.draft_named(&name);
        self.ids.api += u32::from(known.is_none());
        let id = known.unwrap_or(self.ids.api - 1);
        self.put_new(Key::Draft(id), Thing::Draft(Draft { group, name: name.1, version }));
        Ok(())
    }

    /// Its dormant publications are given up with it.
    fn delete_api(&mut self, name: &ApiName) -> Result<(), Refusal> {
        let id = self.drafted(name)?;
        self.unpublished(id)?;
        self.take_all(|_, key| match key {
            Key::Publication(api, _) | Key::Draft(api) => api == id,
            _ => false,
        });
        Ok(())
    }

    fn publish(&mut self, id: Id, at: Place, group: Id, version: Version) -> Result<(), Refusal> {
        let epoch = match version.goes {
            Goes::Inline(_) => None,
            Goes::Service(service) => {
                self.now.service(service).ok_or(Refusal::Missing)?;
                let definition = self.now.definition(service, at);
                Some(definition.ok_or(Refusal::NoDefinition)?.epoch)
            }
        };
        self.published.push((id, at));
        let publication = Publication { group, version, epoch };
        self.put(Key::Publication(id, at), Thing::Publication(publication));
        Ok(())
    }

    /// What is dormant and was brought back gives way to whoever has its route. Then what is dormant
    /// gives way to what the change published on the same route, whatever came of that; of two that it
    /// published there the later one stays.
    pub(super) fn displace(&mut self) {
        for key in self.restored.clone() {
            if let Key::Publication(api, at) = key
                && !self.now.is_live(api, at)
                && self.rivals((api, at)).next().is_some()
            {
                self.take(key);
            }
        }
        for key in self.published.clone().into_iter().rev() {
            let losers: Vec<_> =
                self.rivals(key).filter(|(api, at)| !self.now.is_live(*api, *at)).collect();
            for (api, at) in losers {
                self.take(Key::Publication(api, at));
            }
        }
    }

    /// Other publications on the route of one.
    fn rivals(&self, (api, at): (Id, Place)) -> impl Iterator<Item = (Id, Place)> {
        let own = self.now.publication(api, at);
        let others = self.now.publications().filter(move |((other, place), publication)| {
            let near = *other != api && *place == at;
            near && own.is_some_and(|own| {
                own.group == publication.group && same_route(&own.version, &publication.version)
            })
        });
        others.map(|(key, _)| key)
    }

    /// No two groups have the same host and base path, no two drafts of a group the same route. What is
    /// live has its route for itself, and so has what the change published even if it is not live any
    /// more: an undo could bring it back.
    pub(super) fn unique(&self) -> Result<(), Refusal> {
        let groups: Vec<_> =
            self.now.groups().map(|(_, group)| (&group.host, &group.base_path)).collect();
        if pairs(&groups).any(|(one, other)| one == other) {
            return Err(Refusal::HostTaken);
        }
        // What lost its draft or group is refused for that.
        let at_home = |draft: &Draft| self.now.group(draft.group).is_some();
        let named = |(api, _): &(Id, Place)| self.now.draft(*api).is_some_and(at_home);
        let drafts = self.now.drafts().map(|(_, draft)| draft).filter(|draft| at_home(draft));
        let drafts: Vec<_> = drafts.collect();
        let clash = pairs(&drafts).any(|(one, other)| {
            one.group == other.group && same_route(&one.version, &other.version)
        });
        let live = |key: &(Id, Place)| self.now.is_live(key.0, key.1) && named(key);
        let alone = self.now.publications().map(|(key, _)| key).filter(live);
        let mut alone = alone.chain(self.published.iter().copied());
        if clash || alone.any(|key| self.rivals(key).any(|rival| live(&rival))) {
            return Err(Refusal::RouteTaken);
        }
        Ok(())
    }
}

fn same_route(one: &Version, other: &Version) -> bool {
    one.method == other.method && same_paths(&one.path, &other.path)
}

fn pairs<T>(all: &[T]) -> impl Iterator<Item = (&T, &T)> {
    all.iter()
        .enumerate()
        .flat_map(|(place, one)| all[place + 1..].iter().map(move |other| (one, other)))
}
