//! Drafts from a description.

use crate::document::foreign::{Node, Path, Places, Tree};
use crate::document::{ApiEntry, Document, Fault, Format, GroupEntry, InvalidDocument};
use crate::model::{Access, Api, ApiName, Group, GroupName, Mode, ServiceName};
use crate::registry::Change;

use super::finding::Findings;
use super::limits::MAX_TEXT;

mod access;
mod backend;
mod form;
mod operation;
mod parameter;
mod reading;
mod response;
mod root;
mod schema;
mod servers;

pub(super) use self::operation::{Operation, native};
pub(super) use self::parameter::{Names, Read, of_body, of_list};
pub(super) use self::reading::Reading;

/// Reads descriptions, knowing what they do not say: to which group and which backend service their
/// operations belong.
///
/// ```
/// use backhaul::document::Format;
/// use backhaul::openapi::Import;
/// let text = r#"
/// openapi: 3.0.3
/// info: { title: Shop, version: "1" }
/// servers: [{ url: "https://shop.example.com/shop" }]
/// paths:
///   /orders/{id}:
///     get:
///       operationId: get_order
///       parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
///       responses: { default: { description: an order } }
/// "#;
/// let imported = Import::new("shop").service("orders").read(text, Format::Yaml)?;
/// let (name, api) = &imported.apis()[0];
/// assert_eq!((name.to_string(), api.path.as_str()), ("shop/get_order".to_owned(), "/orders/[id]"));
/// assert_eq!(imported.suggestion().base_path, "/shop");
/// # Ok::<_, backhaul::document::InvalidDocument>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Import {
    group: String,
    service: Option<String>,
    base_path: Option<String>,
    mode: Mode,
    access: Option<Access>,
    overwrite: bool,
}

impl Import {
    /// Reads drafts of this group.
    pub fn new(group: impl Into<String>) -> Self {
        Self {
            group: group.into(),
            service: None,
            base_path: None,
            mode: Mode::default(),
            access: None,
            overwrite: false,
        }
    }

    /// The same, with requests of operations that say no backend going to this service, at the path
    /// they came with below the group's base path.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// The same, refusing a description whose first server has another base path: its operations
    /// would be served elsewhere than it says.
    pub fn base_path(mut self, path: impl Into<String>) -> Self {
        self.base_path = Some(path.into());
        self
    }

    /// The same, with parameters of operations that do not say how handled like this.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The same, with operations that do not say who may call them in our keys callable by these.
    /// Without it, applications with a grant may call what has security requirements, and everybody
    /// the rest.
    pub fn access(mut self, access: Access) -> Self {
        self.access = Some(access);
        self
    }

    /// The same, letting drafts of the same name be replaced. Without it, a change that would is
    /// refused when it is planned or applied.
    pub fn overwrite(mut self) -> Self {
        self.overwrite = true;
        self
    }

    /// Reads a description of OpenAPI 3.0 or 3.1 in JSON or YAML. All or nothing: what is wrong with
    /// one operation refuses the whole. It is pure; nothing is fetched.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, with its path and line: another version, operations no API can be,
    /// references that lead nowhere, two operations of one name or with the same requests. Of a text
    /// that is not in the format at all, what the parser says, and nothing else.
    pub fn read(&self, text: &str, format: Format) -> Result<Imported, InvalidDocument> {
        let whole = |reason: String| InvalidDocument::new([Fault::new("", reason)]);
        if text.len() > MAX_TEXT {
            return Err(whole(format!("is longer than {} MiB", MAX_TEXT >> 20)));
        }
        if format == Format::Toml {
            return Err(whole("OpenAPI is written in JSON or YAML".to_owned()));
        }
        let group: GroupName =
            self.group.parse().map_err(|error| whole(format!("import into a group: {error}")))?;
        if let Some(name) = &self.service
            && let Err(error) = name.parse::<ServiceName>()
        {
            return Err(whole(format!("import for a service: {error}")));
        }
        let Tree { mut root, places } = Tree::parse(text, format)?;
        let mut findings = Findings::new(places);
        root.refuse_repeated(&Path::Root, &mut findings.faults);
        self.read_tree(&root, group, findings)
    }

    fn read_tree<'n>(
        &'n self,
        root: &'n Node<'n>,
        group: GroupName,
        findings: Findings<'n>,
    ) -> Result<Imported, InvalidDocument> {
        let mut reading = Reading::new(root, self, group.clone(), findings);
        let (apis, settings) = root::read(&mut reading, root);
        let overwrite = self.overwrite;
        let ((), warnings) = reading.findings.or(())?;
        Ok(Imported { apis, group, settings, warnings, overwrite })
    }

    /// For reading what we wrote ourselves, a part at a time.
    pub(super) fn reading<'n>(&'n self, root: &'n Node<'n>, group: GroupName) -> Reading<'n> {
        Reading::new(root, self, group, Findings::new(Places::Unknown))
    }
}

/// What a description says.
#[derive(Clone, Debug)]
pub struct Imported {
    apis: Vec<(ApiName, Api)>,
    group: GroupName,
    settings: Group,
    warnings: Vec<Fault>,
    overwrite: bool,
}

impl Imported {
    /// The drafts, in the order of the description, each name and each method and path once.
    #[must_use]
    pub fn apis(&self) -> &[(ApiName, Api)] {
        &self.apis
    }

    /// The group they belong to.
    #[must_use]
    pub fn group(&self) -> &GroupName {
        &self.group
    }

    /// What the group would be by the description's servers: their hosts, without ports, and the base
    /// path of the first. No change has it unless it is put there.
    #[must_use]
    pub fn suggestion(&self) -> &Group {
        &self.settings
    }

    /// What the description says and the drafts do not keep, in the order of its lines.
    #[must_use]
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }

    /// A change with the drafts. The group must be there or be created by another change that this
    /// one [extends](Extend). Unless [overwriting](Import::overwrite) was asked for, it is refused
    /// where one of the drafts is there.
    pub fn into_change(self) -> Change {
        let mut change = Change::new();
        for (name, api) in self.apis {
            change = change.api(name.to_string(), api);
            if !self.overwrite {
                change = change.if_absent();
            }
        }
        change
    }

    /// The drafts and the suggested group as a desired-state document: to be written out and edited,
    /// or merged into a larger one.
    #[must_use]
    pub fn into_document(self) -> Document {
        let mut document = Document::new();
        document.groups.push(GroupEntry::new(self.group, self.settings));
        document.apis = self.apis.into_iter().map(|(name, api)| ApiEntry::new(name, api)).collect();
        document
    }
}
