//! The part of the model that is about services and what they mean.

use super::edit::{Edit, Refusal};
use super::model::Work;
use super::world::{Definition, Id, Key, Place, Service, Thing, place};

impl Work<'_> {
    pub(super) fn edit_service(&mut self, edit: Edit) -> Result<(), Refusal> {
        match edit {
            Edit::Service { name, kind } => self.service(name, kind),
            Edit::RenameService { from, to } => self.rename_service(&from, to),
            Edit::DeleteService { name } => self.delete_service(&name),
            Edit::Define { service, environment, kind, to } => {
                self.define(&service, place(&environment), &kind, to, true)
            }
            Edit::Update { service, environment, kind, to } => {
                self.define(&service, place(&environment), &kind, to, false)
            }
            Edit::Promote { service, from, to } => {
                let id = self.known(&service)?;
                let definition = self.now.definition(id, place(&from));
                let target = definition.ok_or(Refusal::NoDefinition)?.to.clone();
                let kind = self.now.service(id).expect("known").kind.clone();
                self.define(&service, place(&to), &kind, target, true)
            }
            Edit::DeleteDefinition { service, environment } => {
                let (service, at) = (self.known(&service)?, place(&environment));
                self.delete_definition(service, at)
            }
            other => unreachable!("{other:?}"),
        }
    }

    pub(super) fn known(&self, service: &str) -> Result<Id, Refusal> {
        self.now.service_named(service).ok_or(Refusal::UnknownService)
    }

    fn service(&mut self, name: String, kind: String) -> Result<(), Refusal> {
        if let Some(id) = self.now.service_named(&name) {
            let same = self.now.service(id).expect("named").kind == kind;
            return if same { Ok(()) } else { Err(Refusal::KindImmutable) };
        }
        self.put(Key::Service(self.ids.service), Thing::Service(Service { name, kind }));
        self.ids.service += 1;
        Ok(())
    }

    fn rename_service(&mut self, from: &str, to: String) -> Result<(), Refusal> {
        let id = self.known(from)?;
        if from == to {
            return Ok(());
        }
        if self.known(&to).is_ok() {
            return Err(Refusal::NameTaken);
        }
        let kind = self.now.service(id).expect("known").kind.clone();
        self.put(Key::Service(id), Thing::Service(Service { name: to, kind }));
        Ok(())
    }

    fn delete_service(&mut self, name: &str) -> Result<(), Refusal> {
        let id = self.known(name)?;
        self.service_unused(id)?;
        self.take_all(|now, key| match key {
            Key::Publication(api, at) => {
                now.publication(api, at).is_some_and(|published| published.version.goes_to(id))
            }
            Key::Definition(service, _) | Key::Service(service) => service == id,
            _ => false,
        });
        Ok(())
    }

    /// No draft goes to it, and nothing is live through it.
    pub(super) fn service_unused(&self, id: Id) -> Result<(), Refusal> {
        let drafted = self.now.drafts().any(|(_, draft)| draft.version.goes_to(id));
        let live = self.now.publications().any(|((api, at), published)| {
            published.version.goes_to(id) && self.now.is_live(api, at)
        });
        if drafted || live { Err(Refusal::InUse) } else { Ok(()) }
    }

    fn define(
        &mut self,
        service: &str,
        at: Place,
        kind: &str,
        to: String,
        anew: bool,
    ) -> Result<(), Refusal> {
        let id = self.known(service)?;
        if self.now.service(id).expect("known").kind != kind {
            return Err(Refusal::KindMismatch);
        }
        let definition = match self.now.definition(id, at) {
            Some(before) => Definition { to, ..before.clone() },
            None if anew => Definition { epoch: self.revision, accepted: Vec::new(), to },
            None => return Err(Refusal::NoDefinition),
        };
        self.put_new(Key::Definition(id, at), Thing::Definition(definition));
        Ok(())
    }

    /// What was published through it stays, dormant. What this very change published against a
    /// definition that it made itself goes: the change may make another, of the same epoch.
    fn delete_definition(&mut self, service: Id, at: Place) -> Result<(), Refusal> {
        let removed = self.now.definition(service, at).ok_or(Refusal::NoDefinition)?.clone();
        self.take(Key::Definition(service, at));
        if removed.epoch == self.revision {
            self.take_all(|now, key| match key {
                Key::Publication(api, place) if place == at => {
                    let published = now.publication(api, at).expect("there");
                    published.version.goes_to(service) && published.epoch == Some(removed.epoch)
                }
                _ => false,
            });
        }
        Ok(())
    }
}
