//! Every possible edit as a value.

use super::resources::SETTINGS;
use super::state::State;
use crate::model::resource::{Resource, Sort};
use crate::model::{
    Api, App, BackendService, Credential, Definition, Environment, Grant, Group, ObjectGrant,
    RegistrySettings, Revision, VpcAccess,
};

/// A change that edits or takes back more is evaluated where it does not hold up other tasks: an edit
/// takes some ten microseconds.
const EVALUATED_IN_PLACE: usize = 64;

/// A set of edits that become true together: one change is one generation.
///
/// Edits act in the order they are added, each on what those before it left. Rules about uniqueness
/// (method and path, host and base path) hold for what all of them leave together, so that two APIs
/// can swap their paths. Building never fails: what cannot be accepted is refused when the change is
/// applied, naming the edit.
///
/// ```
/// use backhaul::{Api, Change, Environment, Group, Http, Kind};
/// let change = Change::new()
///     .service("orders", Kind::HTTP)
///     .define("orders", Environment::PRODUCTION, Http::to("http://10.0.0.7:8080"))
///     .group("shop", Group::host("shop.example.com"))
///     .api("shop/get_order", Api::get("/orders/[id]").service("orders", "/v1/orders/[id]"))
///     .publish("shop/get_order", Environment::PRODUCTION);
/// assert_eq!(change.len(), 5);
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Change {
    pub(crate) edits: Vec<Edit>,
    /// What it creates, a document may take away again.
    pub(crate) by_document: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) operation: Operation,
    pub(crate) expect: Option<Expect>,
}

/// The revision an edited thing must be at, before the change.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expect {
    At(Revision),
    Absent,
}

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    DeclareEnvironment { name: Environment, description: String },
    RetireEnvironment { name: Environment },
    Service { name: String, service: BackendService },
    DescribeService { name: String, description: String },
    RenameService { from: String, to: String },
    DeleteService { name: String },
    Define { service: String, environment: Environment, definition: Box<Definition> },
    Update { service: String, environment: Environment, definition: Box<Definition> },
    Promote { service: String, from: Environment, to: Environment },
    DeleteDefinition { service: String, environment: Environment },
    Group { name: String, group: Box<Group> },
    RenameGroup { from: String, to: String },
    DeleteGroup { name: String },
    Api { name: String, api: Box<Api> },
    RenameApi { from: String, to: String },
    DeleteApi { name: String },
    Publish { api: String, environment: Environment },
    Switch { api: String, environment: Environment, version: Revision },
    Unpublish { api: String, environment: Environment },
    Resource { name: String, resource: Box<Resource> },
    RenameResource { sort: Sort, from: String, to: String },
    DeleteResource { sort: Sort, name: String },
    Grant { app: String, api: String, environment: Environment, grant: Grant },
    Revoke { app: String, api: String, environment: Environment },
    Undo(Undo),
}

/// What of a change is taken back.
///
/// ```
/// use backhaul::{Change, Revision, Undo};
/// let undo = Undo::of(Revision::new(7)).partly();
/// let change = Change::new().undo(undo);
/// # assert_eq!(change.len(), 1);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub struct Undo {
    pub(crate) revision: Revision,
    pub(crate) values: bool,
    pub(crate) partly: bool,
}

impl Undo {
    /// Takes back everything the change of a revision did. Refused if a later change touched any of
    /// it, except that a definition which was deleted and then made anew keeps its newer value: what
    /// was published by the older one is published by the newer one then.
    pub const fn of(revision: Revision) -> Self {
        Self { revision, values: false, partly: false }
    }

    /// The same, giving definitions that were made anew their older values again.
    pub const fn restore_values(mut self) -> Self {
        self.values = true;
        self
    }

    /// The same, leaving out what later changes touched instead of refusing: the receipt lists it.
    pub const fn partly(mut self) -> Self {
        self.partly = true;
        self
    }
}

impl From<Revision> for Undo {
    fn from(revision: Revision) -> Self {
        Self::of(revision)
    }
}

impl Change {
    /// A change without edits.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many edits it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.edits.len()
    }

    /// Whether it has no edits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Whether evaluating it takes so little that it may hold up other tasks. An undo takes what the
    /// change wrote.
    pub(crate) fn is_small(&self, base: &State) -> bool {
        let size = |edit: &Edit| match &edit.operation {
            Operation::Undo(undo) => {
                let entry = base.log().entry(undo.revision);
                entry.map_or(1, |entry| entry.created.len() + entry.touched.len())
            }
            _ => 1,
        };
        self.edits.len() <= EVALUATED_IN_PLACE
            && self.edits.iter().map(size).sum::<usize>() <= EVALUATED_IN_PLACE
    }

    fn and(mut self, operation: Operation) -> Self {
        self.edits.push(Edit { operation, expect: None });
        self
    }

    fn expect(mut self, expect: Expect) -> Self {
        if let Some(edit) = self.edits.last_mut() {
            edit.expect = Some(expect);
        }
        self
    }

    /// The edit added last applies only if what it edits was last edited by `revision`; otherwise the
    /// whole change is refused as stale.
    ///
    /// What counts is the state before the change: a service, definition, group, API or publication
    /// and the revision its view shows.
    pub fn if_revision(self, revision: Revision) -> Self {
        self.expect(Expect::At(revision))
    }

    /// The edit added last applies only if what it edits does not exist yet.
    pub fn if_absent(self) -> Self {
        self.expect(Expect::Absent)
    }

    /// Declares an environment beside the three that are always there, or describes it anew.
    pub fn environment(self, name: Environment, description: impl Into<String>) -> Self {
        self.and(Operation::DeclareEnvironment { name, description: description.into() })
    }

    /// Takes a declared environment back. Refused while anything is defined or published there.
    pub fn retire_environment(self, name: Environment) -> Self {
        self.and(Operation::RetireEnvironment { name })
    }

    /// Creates a service, or edits its description; a kind alone leaves the description as it is. The
    /// kind of an existing service never changes.
    pub fn service(self, name: impl Into<String>, service: impl Into<BackendService>) -> Self {
        self.and(Operation::Service { name: name.into(), service: service.into() })
    }

    /// Edits the description of a service.
    pub fn describe_service(self, name: impl Into<String>, description: impl Into<String>) -> Self {
        let (name, description) = (name.into(), description.into());
        self.and(Operation::DescribeService { name, description })
    }

    /// Renames a service. What refers to it, published or not, goes on referring to it.
    pub fn rename_service(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.and(Operation::RenameService { from: from.into(), to: to.into() })
    }

    /// Deletes a service and its definitions. Refused while an API uses it, as draft or published.
    pub fn delete_service(self, name: impl Into<String>) -> Self {
        self.and(Operation::DeleteService { name: name.into() })
    }

    /// Says what a service means in an environment. If it meant something there before, every API
    /// published there through it moves at once; otherwise this begins a new epoch.
    pub fn define(
        self,
        service: impl Into<String>,
        environment: Environment,
        definition: impl Into<Definition>,
    ) -> Self {
        let (service, definition) = (service.into(), Box::new(definition.into()));
        self.and(Operation::Define { service, environment, definition })
    }

    /// Says anew what a service means in an environment; refused if it meant nothing there.
    pub fn update(
        self,
        service: impl Into<String>,
        environment: Environment,
        definition: impl Into<Definition>,
    ) -> Self {
        let (service, definition) = (service.into(), Box::new(definition.into()));
        self.and(Operation::Update { service, environment, definition })
    }

    /// Gives a service the definition in one environment that it has in another, as it is when the
    /// change is made.
    pub fn promote(self, service: impl Into<String>, from: Environment, to: Environment) -> Self {
        self.and(Operation::Promote { service: service.into(), from, to })
    }

    /// Takes back what a service means in an environment: every API published there through it is
    /// unpublished at once.
    pub fn delete_definition(self, service: impl Into<String>, environment: Environment) -> Self {
        self.and(Operation::DeleteDefinition { service: service.into(), environment })
    }

    /// Creates or edits a group. Hosts and base path act at once, on what is published too.
    pub fn group(self, name: impl Into<String>, group: impl Into<Group>) -> Self {
        self.and(Operation::Group { name: name.into(), group: Box::new(group.into()) })
    }

    /// Renames a group, and so its APIs.
    pub fn rename_group(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.and(Operation::RenameGroup { from: from.into(), to: to.into() })
    }

    /// Deletes a group. Refused while it has APIs.
    pub fn delete_group(self, name: impl Into<String>) -> Self {
        self.and(Operation::DeleteGroup { name: name.into() })
    }

    /// Creates or edits the draft of the API `group/name`. Nothing published changes.
    pub fn api(self, name: impl Into<String>, api: impl Into<Api>) -> Self {
        self.and(Operation::Api { name: name.into(), api: Box::new(api.into()) })
    }

    /// Renames an API within its group: `group/old` to `group/new`.
    pub fn rename_api(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.and(Operation::RenameApi { from: from.into(), to: to.into() })
    }

    /// Deletes the draft of an API. Refused while it is published somewhere.
    pub fn delete_api(self, name: impl Into<String>) -> Self {
        self.and(Operation::DeleteApi { name: name.into() })
    }

    /// Publishes the draft of an API as it is, in an environment where its service is defined.
    pub fn publish(self, api: impl Into<String>, environment: Environment) -> Self {
        self.and(Operation::Publish { api: api.into(), environment })
    }

    /// Publishes many APIs.
    pub fn publish_all<I>(self, apis: I, environment: &Environment) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        apis.into_iter().fold(self, |change, api| change.publish(api, environment.clone()))
    }

    /// Publishes the version of an API again that `version` published in the environment. The draft
    /// stays as it is.
    pub fn switch(
        self,
        api: impl Into<String>,
        environment: Environment,
        version: Revision,
    ) -> Self {
        self.and(Operation::Switch { api: api.into(), environment, version })
    }

    /// Takes an API offline in an environment.
    pub fn unpublish(self, api: impl Into<String>, environment: Environment) -> Self {
        self.and(Operation::Unpublish { api: api.into(), environment })
    }

    /// Takes many APIs offline.
    pub fn unpublish_all<I>(self, apis: I, environment: &Environment) -> Self
    where
        I: IntoIterator<Item: Into<String>>,
    {
        apis.into_iter().fold(self, |change, api| change.unpublish(api, environment.clone()))
    }

    /// Creates or edits an application. Its keys and codes are its own: no other may have one of them.
    pub fn app(self, name: impl Into<String>, app: impl Into<App>) -> Self {
        self.resource(name, app.into())
    }

    /// Renames an application. What it was granted, it keeps.
    pub fn rename_app(self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.and(Operation::RenameResource { sort: Sort::App, from: from.into(), to: to.into() })
    }

    /// Deletes an application, and with it what it was granted.
    pub fn delete_app(self, name: impl Into<String>) -> Self {
        self.delete_resource(Sort::App, name)
    }

    /// Lets an application call an API in an environment, or says anew until when. Neither has to be
    /// published there.
    pub fn grant(
        self,
        app: impl Into<String>,
        api: impl Into<String>,
        environment: Environment,
        grant: Grant,
    ) -> Self {
        self.and(Operation::Grant { app: app.into(), api: api.into(), environment, grant })
    }

    /// Takes back that an application may call an API in an environment.
    pub fn revoke(
        self,
        app: impl Into<String>,
        api: impl Into<String>,
        environment: Environment,
    ) -> Self {
        self.and(Operation::Revoke { app: app.into(), api: api.into(), environment })
    }

    /// Creates or edits the permission to reach an instance inside a VPC.
    pub fn vpc_access(self, name: impl Into<String>, access: impl Into<VpcAccess>) -> Self {
        self.resource(name, access.into())
    }

    /// Creates or edits rights on a bucket.
    pub fn object_grant(self, name: impl Into<String>, grant: impl Into<ObjectGrant>) -> Self {
        self.resource(name, grant.into())
    }

    /// Creates or edits who the gateway is to a cloud service.
    pub fn credential(self, name: impl Into<String>, credential: impl Into<Credential>) -> Self {
        self.resource(name, credential.into())
    }

    /// Deletes an authorization. What refers to it is refused from then on.
    pub fn delete_authorization(self, sort: Sort, name: impl Into<String>) -> Self {
        self.delete_resource(sort, name)
    }

    /// Says how the registry is set. It acts on the changes behind this one.
    pub fn settings(self, settings: RegistrySettings) -> Self {
        self.resource(SETTINGS, settings)
    }

    pub(crate) fn resource(self, name: impl Into<String>, resource: impl Into<Resource>) -> Self {
        self.and(Operation::Resource { name: name.into(), resource: Box::new(resource.into()) })
    }

    pub(crate) fn delete_resource(self, sort: Sort, name: impl Into<String>) -> Self {
        self.and(Operation::DeleteResource { sort, name: name.into() })
    }

    /// Takes back what an earlier change did. Of several, the newest goes first.
    pub fn undo(self, undo: impl Into<Undo>) -> Self {
        self.and(Operation::Undo(undo.into()))
    }
}

impl Extend<Self> for Change {
    /// Adds the edits of other changes behind its own.
    fn extend<I: IntoIterator<Item = Self>>(&mut self, changes: I) {
        self.edits.extend(changes.into_iter().flat_map(|change| change.edits));
    }
}

impl FromIterator<Self> for Change {
    /// One change with the edits of all.
    fn from_iter<I: IntoIterator<Item = Self>>(changes: I) -> Self {
        let mut all = Self::new();
        all.extend(changes);
        all
    }
}

impl Operation {
    /// What the edit does, in words, for errors.
    pub(crate) fn describe(&self) -> String {
        let quoted = |text: &str| format!("{:?}", text.chars().take(160).collect::<String>());
        match self {
            Self::DeclareEnvironment { name, .. } => format!("declare environment {name}"),
            Self::RetireEnvironment { name } => format!("retire environment {name}"),
            Self::Service { name, .. } => format!("service {}", quoted(name)),
            Self::DescribeService { name, .. } => format!("describe service {}", quoted(name)),
            Self::RenameService { from, to } => {
                format!("rename service {} to {}", quoted(from), quoted(to))
            }
            Self::DeleteService { name } => format!("delete service {}", quoted(name)),
            Self::Define { service, environment, .. } => {
                format!("define {} in {environment}", quoted(service))
            }
            Self::Update { service, environment, .. } => {
                format!("update {} in {environment}", quoted(service))
            }
            Self::DeleteDefinition { service, environment } => {
                format!("delete the definition of {} in {environment}", quoted(service))
            }
            Self::Group { name, .. } => format!("group {}", quoted(name)),
            Self::RenameGroup { from, to } => {
                format!("rename group {} to {}", quoted(from), quoted(to))
            }
            Self::DeleteGroup { name } => format!("delete group {}", quoted(name)),
            Self::Api { name, .. } => format!("API {}", quoted(name)),
            Self::RenameApi { from, to } => {
                format!("rename API {} to {}", quoted(from), quoted(to))
            }
            Self::DeleteApi { name } => format!("delete API {}", quoted(name)),
            Self::Publish { api, environment } => {
                format!("publish {} in {environment}", quoted(api))
            }
            Self::Promote { service, from, to } => {
                format!("promote {} from {from} to {to}", quoted(service))
            }
            Self::Switch { api, environment, version } => {
                format!("switch {} in {environment} to version {version}", quoted(api))
            }
            Self::Resource { name, resource } => format!("{} {}", resource.sort(), quoted(name)),
            Self::RenameResource { sort, from, to } => {
                format!("rename {sort} {} to {}", quoted(from), quoted(to))
            }
            Self::DeleteResource { sort, name } => format!("delete {sort} {}", quoted(name)),
            Self::Grant { app, api, environment, .. } => {
                format!("grant {} in {environment} to {}", quoted(api), quoted(app))
            }
            Self::Revoke { app, api, environment } => {
                format!("revoke {} in {environment} from {}", quoted(api), quoted(app))
            }
            Self::Undo(undo) => format!("undo revision {}", undo.revision),
            Self::Unpublish { api, environment } => {
                format!("unpublish {} in {environment}", quoted(api))
            }
        }
    }
}
