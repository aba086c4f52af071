//! The part of the model that is about plans: what one depends on, asked of whole revisions.

use std::collections::BTreeSet;

use super::edit::{ApiName, Edit, Refusal};
use super::model::{Ids, Model};
use super::world::{Goes, Id, Key, Place, World, place};

/// A change that was found possible at a revision.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    edits: Vec<Edit>,
    planned_at: u64,
    /// The identities that came next then: what gets one of these is meant by its name.
    ids: Ids,
    /// What it would write.
    written: Vec<Key>,
    /// What would be true.
    foreseen: World,
}

/// What a revision says of something that a plan depends on.
#[derive(Debug, Eq, PartialEq)]
enum Answer {
    Named(Option<Id>),
    /// Who wrote it last, deletions included.
    Writer(Option<u64>),
    Epochs(Option<(u64, Vec<u64>)>),
    Members(BTreeSet<Id>),
    /// How much is published in a group, in each place.
    Addressed([usize; 2]),
    /// APIs, and against which epoch.
    Published(BTreeSet<(Id, u64)>),
}

impl Model {
    pub(crate) fn plan(&self, edits: &[Edit]) -> Result<Plan, (Option<usize>, Refusal)> {
        let mut made = self.clone();
        made.apply(edits)?;
        let written = made.written(made.revision());
        let (edits, planned_at) = (edits.to_vec(), self.revision());
        Ok(Plan { edits, planned_at, ids: self.ids, written, foreseen: made.now().clone() })
    }

    /// Makes the change that was planned, unless something it depends on moved or it is not possible
    /// any more. Whether it was made.
    pub(crate) fn apply_plan(&mut self, plan: &Plan) -> bool {
        let then = self.answers(plan, plan.planned_at);
        let now = self.answers(plan, self.revision());
        then == now && self.apply(&plan.edits).is_ok()
    }

    fn answers(&self, plan: &Plan, revision: u64) -> Vec<Answer> {
        let mut asked = Asked { model: self, plan, revision, answers: Vec::new() };
        for key in &plan.written {
            asked.written(*key);
        }
        for edit in &plan.edits {
            asked.edit(edit);
        }
        asked.answers
    }
}

struct Asked<'a> {
    model: &'a Model,
    plan: &'a Plan,
    revision: u64,
    answers: Vec<Answer>,
}

impl Asked<'_> {
    fn then(&self) -> &World {
        self.model.at(self.plan.planned_at)
    }

    fn now(&self) -> &World {
        self.model.at(self.revision)
    }

    /// Everything it names.
    fn edit(&mut self, edit: &Edit) {
        match edit {
            Edit::Service { name, .. } => self.service(name),
            Edit::RenameService { from, to } => {
                self.service(from);
                self.service(to);
            }
            Edit::DeleteService { name } => {
                self.service(name);
                let Some(id) = self.then().service_named(name) else { return };
                let drafts = self.now().drafts().filter(|(_, draft)| draft.version.goes_to(id));
                let drafts = drafts.map(|(api, _)| api).collect();
                self.answers.push(Answer::Members(drafts));
                self.published(id, 0);
                self.published(id, 1);
            }
            Edit::Define { service, environment, .. }
            | Edit::Update { service, environment, .. }
            | Edit::DeleteDefinition { service, environment } => {
                self.definition(service, place(environment));
            }
            Edit::Promote { service, from, to } => {
                self.definition(service, place(to));
                if let Some(id) = self.then().service_named(service) {
                    self.writer(Key::Definition(id, place(from)));
                }
            }
            Edit::Group { name, .. } | Edit::DeleteGroup { name } => {
                self.answers.push(Answer::Named(self.now().group_named(name)));
                let Some(id) = self.then().group_named(name) else { return };
                self.writer(Key::Group(id));
                if matches!(edit, Edit::DeleteGroup { .. }) {
                    let inside = self.now().drafts().filter(|(_, draft)| draft.group == id);
                    let inside = inside.map(|(api, _)| api).collect();
                    self.answers.push(Answer::Members(inside));
                }
            }
            other => self.edit_api(other),
        }
    }

    fn edit_api(&mut self, edit: &Edit) {
        match edit {
            Edit::Api { name, api } => {
                self.api(name);
                if let super::edit::Backend::Service(service) = &api.backend {
                    self.service(service);
                }
            }
            Edit::DeleteApi { name } => self.api(name),
            Edit::Publish { api, environment } => {
                self.publication(api, place(environment));
                let draft =
                    |world: &World| world.draft_named(api).and_then(|id| world.draft(id)).cloned();
                let draft = draft(self.then()).or_else(|| draft(&self.plan.foreseen));
                if let Some(Goes::Service(service)) = draft.map(|draft| draft.version.goes) {
                    self.writer(Key::Definition(service, place(environment)));
                }
            }
            Edit::Switch { api, environment, .. } | Edit::Unpublish { api, environment } => {
                self.publication(api, place(environment));
            }
            Edit::Undo(undo) => {
                for key in self.model.written(undo.revision) {
                    self.written(key);
                }
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn is_new(&self, key: Key) -> bool {
        let ids = self.plan.ids;
        match key {
            Key::Service(id) | Key::Definition(id, _) => id >= ids.service,
            Key::Group(id) => id >= ids.group,
            Key::Draft(id) | Key::Publication(id, _) => id >= ids.api,
        }
    }

    fn written(&mut self, key: Key) {
        if self.is_new(key) {
            return;
        }
        self.writer(key);
        match key {
            Key::Definition(service, at) => self.published(service, at),
            Key::Publication(api, at) => self.epochs(api, at),
            Key::Group(group) => self.addressed(group),
            _ => {}
        }
    }

    /// What is reached by another host or base path.
    fn addressed(&mut self, id: Id) {
        let address =
            |world: &World| world.group(id).map(|g| (g.host.clone(), g.base_path.clone()));
        if address(self.then()) == address(&self.plan.foreseen) {
            return;
        }
        let inside = |at: Place| {
            let published = self.now().publications();
            published.filter(|((_, place), p)| *place == at && p.group == id).count()
        };
        let counts = [inside(0), inside(1)];
        self.answers.push(Answer::Addressed(counts));
    }

    /// What the API's publication is live by, as it was and as it would be.
    fn epochs(&mut self, api: Id, at: Place) {
        let through = |world: &World| Some(world.publication(api, at)?.version.goes.clone());
        let services = [through(self.then()), through(&self.plan.foreseen)];
        for goes in services.into_iter().flatten() {
            let Goes::Service(service) = goes else { continue };
            if self.is_new(Key::Service(service)) {
                continue;
            }
            let definition = self.now().definition(service, at);
            let epochs = definition.map(|d| (d.epoch, d.accepted.clone()));
            self.answers.push(Answer::Epochs(epochs));
        }
    }

    fn writer(&mut self, key: Key) {
        if self.is_new(key) {
            return;
        }
        let model = self.model;
        let writer = model.writers(key).filter(|by| *by <= self.revision).last();
        self.answers.push(Answer::Writer(writer));
    }

    fn service(&mut self, name: &str) {
        self.answers.push(Answer::Named(self.now().service_named(name)));
    }

    fn definition(&mut self, service: &str, at: Place) {
        self.service(service);
        if let Some(id) = self.then().service_named(service) {
            self.written(Key::Definition(id, at));
        }
    }

    fn api(&mut self, name: &ApiName) {
        self.answers.push(Answer::Named(self.now().group_named(&name.0)));
        self.answers.push(Answer::Named(self.now().draft_named(name)));
        if let Some(id) = self.then().draft_named(name) {
            self.writer(Key::Draft(id));
        }
    }

    fn publication(&mut self, name: &ApiName, at: Place) {
        self.api(name);
        let Some(id) = self.then().draft_named(name) else { return };
        self.written(Key::Publication(id, at));
    }

    /// What is published through a definition, and what would be: what it moves, ends or brings back.
    fn published(&mut self, service: Id, at: Place) {
        let definitions =
            [self.then(), &self.plan.foreseen].map(|world| world.definition(service, at));
        let accepted = |epoch: u64| definitions.iter().flatten().any(|d| d.accepts(epoch));
        let through = self.now().publications().filter(|((_, place), publication)| {
            let goes = publication.version.goes_to(service);
            *place == at && goes && publication.epoch.is_some_and(accepted)
        });
        let through = through.filter_map(|((api, _), publication)| Some((api, publication.epoch?)));
        self.answers.push(Answer::Published(through.collect()));
    }
}
