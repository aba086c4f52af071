//! Where in a document an edit comes from, and what is told of its refusal.

use std::collections::BTreeSet;

use super::super::{Document, Fault};
use crate::model::{ApiName, Environment, GroupName, ResourceName, ServiceName, Sort};
use crate::registry::{Reason, Rejected};

/// Where in a document an edit comes from.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in super::super) enum Place {
    Registry,
    Environment(usize),
    Resource(Sort, usize),
    Service(usize),
    Definition(usize, Environment),
    Group(usize),
    App(usize),
    Api(usize),
    Version(usize, Environment),
    Publish(usize, usize),
    Grant(usize),
    /// The document no longer has it.
    Gone(String),
}

impl Place {
    /// The path of a key of the place; of the place itself if it is empty.
    pub(super) fn path(&self, document: &Document, key: &str) -> String {
        let of =
            |table: &str, at: &usize| format!("{table}[{}]", document.written_index(table, *at));
        let place = match self {
            Self::Registry => "registry".to_owned(),
            Self::Environment(at) => of("environment", at),
            Self::Resource(sort, at) => of(table(*sort), at),
            Self::Service(at) => of("backend_service", at),
            Self::Definition(at, environment) => {
                format!("{}.definition.{environment}", of("backend_service", at))
            }
            Self::Group(at) => of("group", at),
            Self::App(at) => of("app", at),
            Self::Api(at) => of("api", at),
            Self::Version(at, environment) => format!("{}.version.{environment}", of("api", at)),
            Self::Publish(at, index) => format!("{}.publish[{index}]", of("api", at)),
            Self::Grant(at) => of("grant", at),
            Self::Gone(_) => return String::new(),
        };
        if key.is_empty() { place } else { format!("{place}.{key}") }
    }

    /// The element of the document it belongs to.
    fn element(&self) -> Self {
        match self {
            Self::Version(at, _) | Self::Publish(at, _) => Self::Api(*at),
            other => other.clone(),
        }
    }
}

fn table(sort: Sort) -> &'static str {
    match sort {
        Sort::App => "app",
        Sort::VpcAccess => "vpc_access",
        Sort::ObjectGrant => "object_grant",
        Sort::Credential => "credential",
        Sort::Registry => "registry",
    }
}

/// What is refused of a change, as faults of the document it was made for. What is refused only
/// because something else is, is not told.
pub(in super::super) fn told(
    document: &Document,
    places: &[Place],
    refused: &[Rejected],
) -> Vec<Fault> {
    let place = |index: usize| places.get(index).cloned();
    let broken = refused.iter().filter_map(|refused| Some(place(refused.index)?.element()));
    let broken = broken.collect();
    let broken = Broken { document, broken };
    let mut faults = Vec::new();
    for Rejected { index, reason, .. } in refused {
        let Some(place) = place(*index) else { continue };
        if broken.caused(reason) {
            continue;
        }
        let (key, reason) = match (&place, reason) {
            (Place::Gone(what), reason) => ("", format!("{what}: {reason}")),
            (_, Reason::Invalid { field, reason }) => (field.as_str(), reason.clone()),
            (_, reason) => {
                let (key, text) = (about(&place, reason), reason.to_string());
                // Some reasons begin with the key, which stands in the path already.
                let rest = text.strip_prefix(&format!("{key}: ")).map(str::to_owned);
                (key, rest.unwrap_or(text))
            }
        };
        faults.push(Fault::new(place.path(document, key), reason));
    }
    faults
}

/// The key that a reason is about.
fn about(place: &Place, reason: &Reason) -> &'static str {
    match (place, reason) {
        (Place::Api(_) | Place::Version(..), Reason::UnknownService(_)) => "backend.service",
        (Place::Api(_), Reason::UnknownGroup(_)) => "group",
        (Place::Api(_) | Place::Version(..), Reason::RouteTaken { .. }) => "path",
        (Place::Api(_) | Place::Version(..), Reason::UnknownKind(_)) => "backend.kind",
        (Place::Api(_) | Place::Version(..), Reason::NotUpgradable { .. }) => "protocol",
        (Place::Api(_), Reason::NameTaken(_) | Reason::OtherGroup { .. }) => "renamed_from",
        (Place::Service(_) | Place::Group(_) | Place::App(_), Reason::NameTaken(_)) => {
            "renamed_from"
        }
        (Place::Service(_), Reason::KindImmutable { .. } | Reason::UnknownKind(_)) => "kind",
        (Place::Group(_), Reason::HostTaken { .. }) => "hosts",
        (Place::Grant(_), Reason::UnknownResource { .. }) => "app",
        (Place::Grant(_), Reason::UnknownApi(_)) => "api",
        (Place::Grant(_), Reason::UnknownEnvironment(_)) => "environment",
        _ => "",
    }
}

/// What of a document is refused.
struct Broken<'a> {
    document: &'a Document,
    broken: BTreeSet<Place>,
}

impl Broken<'_> {
    /// Whether an edit is refused only because something else is.
    fn caused(&self, reason: &Reason) -> bool {
        match reason {
            Reason::UnknownService(name) => self.service(name),
            Reason::UnknownGroup(name) => self.group(name),
            Reason::UnknownApi(name) => self.api(name),
            Reason::UnknownResource { sort: Sort::App, name } => self.app(name),
            Reason::UnknownEnvironment(name) => self.environment(name),
            Reason::NoDefinition { service, environment } => {
                let at = self.document.services.iter().position(|entry| entry.name == *service);
                let defined = |at: usize| {
                    self.broken.contains(&Place::Service(at))
                        || self.broken.contains(&Place::Definition(at, environment.clone()))
                };
                let key = format!(".definition.{environment}");
                at.is_some_and(defined)
                    || self.document.is_broken("backend_service", service.as_str(), &key)
            }
            _ => false,
        }
    }

    fn is(&self, table: &str, name: &str, at: Option<Place>) -> bool {
        at.is_some_and(|place| self.broken.contains(&place))
            || self.document.is_broken(table, name, "")
    }

    fn service(&self, name: &ServiceName) -> bool {
        let at = self.document.services.iter().position(|entry| entry.name == *name);
        self.is("backend_service", name.as_str(), at.map(Place::Service))
    }

    fn group(&self, name: &GroupName) -> bool {
        let at = self.document.groups.iter().position(|entry| entry.name == *name);
        self.is("group", name.as_str(), at.map(Place::Group))
    }

    /// An API is not there either if its group or its service is not.
    fn api(&self, name: &ApiName) -> bool {
        let at = self.document.apis.iter().position(|entry| entry.name == *name);
        let entry = at.and_then(|at| self.document.apis.get(at));
        let service = entry.and_then(|entry| entry.api.backend.service.as_deref()?.parse().ok());
        self.is("api", &name.to_string(), at.map(Place::Api))
            || self.group(name.group())
            || service.is_some_and(|service| self.service(&service))
    }

    fn app(&self, name: &ResourceName) -> bool {
        let at = self.document.apps.iter().position(|entry| entry.name == *name);
        self.is("app", name.as_str(), at.map(Place::App))
    }

    fn environment(&self, name: &Environment) -> bool {
        let at = self.document.environments.iter().position(|entry| entry.name == *name);
        self.is("environment", name.as_str(), at.map(Place::Environment))
    }
}
