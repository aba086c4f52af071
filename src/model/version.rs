//! An API as it is once accepted: parsed, small, shared between a draft and its publications.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::api::{
    Access, Api, ApiBackend, AppCode, EventShape, FunctionCall, Mode, ObjectAction, Protocol,
    ResponseDefinition, SignatureMethod, Visibility,
};
use super::definition::{Definition, InvalidDefinition, check_timeout};
use super::id::ServiceId;
use super::limits::{MAX_BODY_LIMIT, MAX_DESCRIPTION, MAX_ERROR_SAMPLE, MAX_SAMPLE};
use super::mapping::{Places, Rules};
use super::parameter::{Constant, Location, Parameter, SystemParameter};
use super::path::{PathPattern, PathTemplate};
use super::variable::{self, Variables};
use super::verb::Verb;

/// An [`Api`] once accepted. Everything in it is parsed; it never changes.
///
/// What a look-up reads comes first and together: among a million versions each line of memory that is
/// touched is one that has to be fetched.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Version {
    pattern: PathPattern,
    backing: Backing,
    verb: Verb,
    backend_verb: Option<Verb>,
    visibility: Visibility,
    mode: Mode,
    access: Access,
    protocols: Protocols,
    escape: bool,
    /// Whether the backend's path is the request's below the group's base path.
    same_path: bool,
    /// Milliseconds; definitions allow at most two minutes.
    timeout: Option<u32>,
    max_body: Option<u64>,
    backend_path: Option<PathTemplate>,
    /// What most APIs have none of.
    extras: Option<Box<Extras>>,
    description: Box<str>,
}

/// What most APIs leave as it is.
#[derive(Clone, Debug, PartialEq)]
struct Extras {
    response: Option<Box<ResponseDefinition>>,
    app_code: AppCode,
    signature: Vec<SignatureMethod>,
    force_nonce: bool,
    parameters: Vec<Parameter>,
    constants: Vec<Constant>,
    system: Vec<SystemParameter>,
    content_type: Option<String>,
    oss: Option<ObjectAction>,
    function: Option<FunctionCall>,
    event: Option<EventShape>,
    /// The path at the backend as it was written, where it names stage variables.
    open_path: Option<Box<str>>,
    mapping: Mapping,
}

/// What is done to parameters. It follows from everything else, so it is neither compared nor kept.
#[derive(Clone, Debug, Default)]
enum Mapping {
    #[default]
    Nothing,
    Rules(Arc<Rules>),
    /// That is said by each environment, once it is known what stage variables stand for.
    Open,
    /// What is kept was accepted by another version, and is not by this one.
    Refused,
}

impl PartialEq for Mapping {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What most APIs have of them.
static USUAL: LazyLock<Extras> =
    LazyLock::new(|| Extras::written(&Api::any("/"), Mapping::Nothing));

impl Extras {
    /// What of an API differs from what most have.
    fn of(api: &Api, mapping: Mapping) -> Option<Box<Self>> {
        let usual = matches!(mapping, Mapping::Nothing) && USUAL.is_of(api);
        (!usual).then(|| Box::new(Self::written(api, mapping)))
    }

    /// Whether an API has just this: copies nothing, since most of a document's APIs are usual.
    fn is_of(&self, api: &Api) -> bool {
        let Self {
            response,
            app_code,
            signature,
            force_nonce,
            parameters,
            constants,
            system,
            content_type,
            oss,
            function,
            event,
            open_path,
            mapping: _,
        } = self;
        let backend = &api.backend;
        let path = open_path.as_deref();
        *response == api.response
            && *app_code == api.app_code
            && *signature == api.signature
            && *force_nonce == api.force_nonce
            && *parameters == api.parameters
            && *constants == api.constants
            && *system == api.system
            && *content_type == backend.content_type
            && *oss == backend.oss
            && *function == backend.function
            && *event == backend.event
            && path.is_none_or(|path| backend.path.as_deref() == Some(path))
    }

    fn written(api: &Api, mapping: Mapping) -> Self {
        let backend = &api.backend;
        Self {
            response: api.response.clone(),
            app_code: api.app_code,
            signature: api.signature.clone(),
            force_nonce: api.force_nonce,
            parameters: api.parameters.clone(),
            constants: api.constants.clone(),
            system: api.system.clone(),
            content_type: backend.content_type.clone(),
            oss: backend.oss.clone(),
            function: backend.function.clone(),
            event: backend.event.clone(),
            open_path: None,
            mapping,
        }
    }

    fn write(self, api: &mut Api) {
        api.response = self.response;
        api.app_code = self.app_code;
        api.signature = self.signature;
        api.force_nonce = self.force_nonce;
        api.parameters = self.parameters;
        api.constants = self.constants;
        api.system = self.system;
        let backend = &mut api.backend;
        backend.content_type = self.content_type;
        backend.oss = self.oss;
        backend.function = self.function;
        backend.event = self.event;
        if let Some(path) = self.open_path {
            backend.path = Some(path.into());
        }
    }

    /// What of it has to be done to every request, and is not built.
    fn unserved(&self, mode: Mode) -> Option<&'static str> {
        let asked_for = |parameter: &&Parameter| {
            mode != Mode::Passthrough || parameter.location == Location::Path
        };
        let mut parameters = self.parameters.iter().filter(asked_for);
        if matches!(self.mapping, Mapping::Refused) {
            Some("this API's parameters are not what this version accepts")
        } else if matches!(self.mapping, Mapping::Open) {
            Some("this API names stage variables that its group does not define here")
        } else if cfg!(not(feature = "schema"))
            && parameters.any(|parameter| parameter.schema.is_some())
        {
            Some("this API validates a parameter by a schema, which needs the feature `schema`")
        } else {
            None
        }
    }
}

/// Where a version's requests go.
#[derive(Clone, Debug, PartialEq)]
enum Backing {
    Service(ServiceId),
    Inline(Box<Definition>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Protocols {
    http: bool,
    https: bool,
    websocket: bool,
}

/// A field of an API cannot be accepted, and why.
pub(crate) type InvalidApi = InvalidDefinition;

impl Version {
    /// Accepts an API whose service is `service`, or that has a definition of its own.
    pub(crate) fn accept(api: &Api, service: Option<ServiceId>) -> Result<Self, InvalidApi> {
        Self::read(api, service, Err)
    }

    /// Whether every variable that it names is there.
    pub(crate) fn has_all(&self, variables: &Variables) -> bool {
        variable::replace(&mut self.api(None).backend, variables).is_ok()
    }

    /// What it is in an environment, where the group says what its variables stand for: it names none
    /// any more.
    ///
    /// # Errors
    ///
    /// The key that names a variable which is not there, or that cannot be accepted with what is.
    pub(crate) fn with_variables(&self, variables: &Variables) -> Result<Self, InvalidApi> {
        let mut api = self.api(None);
        variable::replace(&mut api.backend, variables)?;
        Self::closed(&api, self.service(), Err)
    }

    /// Reads an API, which may name variables; `refused` says what is done about parameters that cannot
    /// be accepted.
    fn read(
        api: &Api,
        service: Option<ServiceId>,
        refused: impl FnOnce(InvalidApi) -> Result<Mapping, InvalidApi>,
    ) -> Result<Self, InvalidApi> {
        if !variable::are_in(&api.backend) {
            return Self::closed(api, service, refused);
        }
        let sketched = Self::closed(&variable::sketch(api), service, refused)?;
        let mut extras = Extras::written(api, Mapping::Open);
        let open_path = api.backend.path.as_deref().filter(|path| variable::is_in(path));
        extras.open_path = open_path.map(Box::from);
        let backing = match &api.backend.inline {
            Some(definition) => Backing::Inline(definition.clone()),
            None => sketched.backing,
        };
        let backend_path = sketched.backend_path.filter(|_| open_path.is_none());
        Ok(Self { backing, backend_path, extras: Some(Box::new(extras)), ..sketched })
    }

    /// Reads an API that names no variables.
    fn closed(
        api: &Api,
        service: Option<ServiceId>,
        refused: impl FnOnce(InvalidApi) -> Result<Mapping, InvalidApi>,
    ) -> Result<Self, InvalidApi> {
        let invalid = |field: &str, reason: String| InvalidApi::new(field, reason);
        let escape = api.escape_path_param;
        let pattern = PathPattern::parse(&api.path, escape)
            .map_err(|error| invalid("path", error.to_string()))?;
        let places = Places::of(api, &pattern);
        let known = places.as_ref().ok();
        let named = |name: &str| known.and_then(|places| places.filling(name));
        let path = api.backend.path.as_deref();
        let backend_path = path
            .map(|text| PathTemplate::with_names(text, &pattern, escape, named))
            .transpose()
            .map_err(|error| invalid("backend.path", error.to_string()));
        let verb = |field: &str, text: &str| text.parse().map_err(|reason| invalid(field, reason));
        let backend_verb = match &api.backend.method {
            Some(text) => Some(verb("backend.method", text)?),
            None => None,
        };
        let own_verb = verb("method", &api.method)?;
        let sent = backend_verb.filter(|verb| *verb != Verb::Any).unwrap_or(own_verb);
        let backing = accept_backing(api, service)?;
        check_texts(api)?;
        let (backend_path, mapping) = match places {
            Ok(places) => {
                let path = backend_path?;
                let rules = Rules::compile(api, places, &pattern, path.as_ref(), sent);
                (path, rules.map(Mapping::of).or_else(refused)?)
            }
            // What is wrong with the path may follow from it.
            Err(error) => {
                let mapping = refused(error)?;
                (backend_path?, mapping)
            }
        };
        let same_path = backend_path.as_ref().is_none_or(|path| path.as_str() == pattern.as_str());
        Ok(Self {
            same_path,
            verb: own_verb,
            backend_verb,
            pattern,
            backend_path,
            backing,
            description: api.description.as_str().into(),
            extras: Extras::of(api, mapping),
            max_body: api.max_body,
            timeout: accept_timeout(api.backend.timeout)?,
            visibility: api.visibility,
            mode: api.mode,
            access: api.access,
            protocols: Protocols::accept(&api.protocol)?,
            escape,
        })
    }

    /// The API again, without its service's name.
    #[must_use]
    pub(crate) fn api(&self, service: Option<&str>) -> Api {
        let mut api = Api::new(self.verb.as_str(), self.pattern.as_str());
        api.backend = ApiBackend {
            service: service.map(str::to_owned),
            inline: self.inline().map(|definition| Box::new(definition.clone())),
            path: self.backend_path.as_ref().map(|path| path.as_str().to_owned()),
            method: self.backend_verb.map(|verb| verb.as_str().to_owned()),
            timeout: self.timeout(),
            ..ApiBackend::default()
        };
        api.description = self.description.as_ref().to_owned();
        api.visibility = self.visibility;
        api.protocol = self.protocols.list();
        api.mode = self.mode;
        api.access = self.access;
        api.escape_path_param = self.escape;
        api.max_body = self.max_body;
        if let Some(extras) = &self.extras {
            Extras::clone(extras).write(&mut api);
        }
        api
    }

    /// The method it is called by.
    #[must_use]
    pub fn verb(&self) -> Verb {
        self.verb
    }

    /// The path it is called by.
    #[must_use]
    pub fn pattern(&self) -> &PathPattern {
        &self.pattern
    }

    /// Whether the backend's path is the request's below the group's base path.
    pub(crate) fn same_path(&self) -> bool {
        self.same_path
    }

    pub(crate) fn backend_path(&self) -> Option<&PathTemplate> {
        self.backend_path.as_ref()
    }

    /// The method at the backend, unless it is the request's.
    pub(crate) fn backend_verb(&self) -> Option<Verb> {
        self.backend_verb.filter(|verb| *verb != Verb::Any)
    }

    /// The service its requests go to, unless it has a definition of its own.
    #[must_use]
    pub fn service(&self) -> Option<ServiceId> {
        match &self.backing {
            Backing::Service(service) => Some(*service),
            Backing::Inline(_) => None,
        }
    }

    /// Its own definition, if it has one.
    #[must_use]
    pub fn inline(&self) -> Option<&Definition> {
        match &self.backing {
            Backing::Service(_) => None,
            Backing::Inline(definition) => Some(definition),
        }
    }

    /// How long a response head may take.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout.map(|millis| Duration::from_millis(millis.into()))
    }

    /// Largest request body in bytes.
    #[must_use]
    pub fn max_body(&self) -> Option<u64> {
        self.max_body
    }

    /// Whether it matters from where, or by which protocol, it is called.
    pub(crate) fn is_restricted(&self) -> bool {
        self.visibility != Visibility::Public || !(self.protocols.http && self.protocols.https)
    }

    /// Who may call it.
    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// From where it may be called.
    pub(crate) fn visibility(&self) -> Visibility {
        self.visibility
    }

    /// Whether it may be called over TLS, or in clear text.
    pub(crate) fn allows(&self, encrypted: Option<bool>) -> bool {
        match encrypted {
            _ if self.is_websocket_only() => true,
            Some(true) => self.protocols.https,
            Some(false) => self.protocols.http,
            None => self.protocols.http && self.protocols.https,
        }
    }

    /// Whether it may be called by WebSocket.
    pub(crate) fn allows_websocket(&self) -> bool {
        self.protocols.websocket
    }

    /// Whether it may be called in no other way.
    pub(crate) fn is_websocket_only(&self) -> bool {
        self.protocols.websocket && !self.protocols.http && !self.protocols.https
    }

    /// Where callers may show an AppCode.
    pub(crate) fn app_code(&self) -> AppCode {
        self.extras().app_code
    }

    /// Whether callers may sign by a method.
    pub(crate) fn allows_signature(&self, method: SignatureMethod) -> bool {
        self.extras().signature.contains(&method)
    }

    /// Whether every signed request needs a nonce.
    pub(crate) fn force_nonce(&self) -> bool {
        self.extras().force_nonce
    }

    fn extras(&self) -> &Extras {
        self.extras.as_deref().unwrap_or(&USUAL)
    }

    /// What is done to the parameters of its requests, unless nothing is.
    pub(crate) fn rules(&self) -> Option<&Arc<Rules>> {
        match &self.extras.as_ref()?.mapping {
            Mapping::Rules(rules) => Some(rules),
            Mapping::Nothing | Mapping::Open | Mapping::Refused => None,
        }
    }

    /// Whether it names stage variables, which each environment replaces.
    pub(crate) fn is_open(&self) -> bool {
        self.extras.as_ref().is_some_and(|extras| matches!(extras.mapping, Mapping::Open))
    }

    /// What it needs that this version of the gateway does not do: its requests are refused, never
    /// served without it.
    pub(crate) fn unserved(&self) -> Option<&'static str> {
        self.extras.as_ref().and_then(|extras| extras.unserved(self.mode))
    }
}

impl Mapping {
    fn of(rules: Option<Rules>) -> Self {
        rules.map_or(Self::Nothing, |rules| Self::Rules(Arc::new(rules)))
    }
}

impl Protocols {
    fn accept(list: &[Protocol]) -> Result<Self, InvalidApi> {
        if list.is_empty() {
            return Err(InvalidApi::new("protocol", "is empty"));
        }
        Ok(Self {
            http: list.contains(&Protocol::Http),
            https: list.contains(&Protocol::Https),
            websocket: list.contains(&Protocol::Websocket),
        })
    }

    fn list(self) -> Vec<Protocol> {
        [
            (self.http, Protocol::Http),
            (self.https, Protocol::Https),
            (self.websocket, Protocol::Websocket),
        ]
        .into_iter()
        .filter_map(|(on, protocol)| on.then_some(protocol))
        .collect()
    }
}

fn accept_backing(api: &Api, service: Option<ServiceId>) -> Result<Backing, InvalidApi> {
    match (service, &api.backend.inline) {
        (Some(service), None) => Ok(Backing::Service(service)),
        (None, Some(definition)) => {
            definition.check().map_err(|error| {
                InvalidApi::new(format!("backend.{}", error.field), error.reason)
            })?;
            Ok(Backing::Inline(definition.clone()))
        }
        (Some(_), Some(_)) => {
            Err(InvalidApi::new("backend", "has both a service and a definition"))
        }
        (None, None) => Err(InvalidApi::new("backend", "is required")),
    }
}

fn accept_timeout(timeout: Option<Duration>) -> Result<Option<u32>, InvalidApi> {
    let Some(timeout) = timeout else {
        return Ok(None);
    };
    check_timeout("backend.timeout", timeout)?;
    Ok(u32::try_from(timeout.as_millis()).ok())
}

fn check_texts(api: &Api) -> Result<(), InvalidApi> {
    check_description(&api.description)?;
    if api.signature.is_empty() {
        return Err(InvalidApi::new("signature", "is empty"));
    }
    if api.max_body.is_some_and(|limit| limit > MAX_BODY_LIMIT) {
        return Err(InvalidApi::new("max_body", "is more than 1 TiB"));
    }
    let Some(response) = &api.response else {
        return Ok(());
    };
    if response.sample.len() > MAX_SAMPLE {
        return Err(InvalidApi::new("response.sample", "is longer than 32 KiB"));
    }
    if response.error_sample.len() > MAX_ERROR_SAMPLE {
        return Err(InvalidApi::new("response.error_sample", "is longer than 16 KiB"));
    }
    Ok(())
}

/// Whether a description is short enough.
pub(crate) fn check_description(text: &str) -> Result<(), InvalidApi> {
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(InvalidApi::new("description", "is longer than 180 characters"));
    }
    Ok(())
}

/// A version as a store keeps it.
#[derive(Serialize, Deserialize)]
struct Stored {
    api: Api,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<ServiceId>,
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored { api: self.api(None), service: self.service() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Stored { api, service } = Stored::deserialize(deserializer)?;
        // What was accepted once is loaded, so that the rest serves; it is not served itself.
        Self::read(&api, service, |_| Ok(Mapping::Refused)).map_err(serde::de::Error::custom)
    }
}
