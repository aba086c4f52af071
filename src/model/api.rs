//! What callers call.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::definition::Definition;
use super::duration;
use super::parameter::{Constant, Parameter, SystemParameter};
use super::size;

/// An API as an operator writes it down: a draft.
///
/// Editing a draft changes nothing that is published.
///
/// ```
/// use backhaul::Api;
/// let api = Api::get("/orders/[id]").service("orders", "/v1/orders/[id]");
/// assert_eq!(api.path, "/orders/[id]");
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Api {
    /// The request's method, or `ANY` (which leaves out TRACE and CONNECT).
    pub method: String,
    /// The request's path below the group's base path: literal segments, `[parameter]` segments, and
    /// at the end perhaps `/*`.
    pub path: String,
    /// Where requests go.
    pub backend: ApiBackend,
    /// At most 180 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// From where it may be called.
    #[serde(default, skip_serializing_if = "is_default")]
    pub visibility: Visibility,
    /// By which protocols it may be called.
    #[serde(default = "default_protocols", skip_serializing_if = "is_default_protocols")]
    pub protocol: Vec<Protocol>,
    /// How parameters reach the backend.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mode: Mode,
    /// Who may call it.
    #[serde(default, rename = "auth", skip_serializing_if = "is_default")]
    pub access: Access,
    /// Where callers may show an AppCode instead of signing.
    #[serde(default, skip_serializing_if = "is_default")]
    pub app_code: AppCode,
    /// By which methods callers may sign.
    #[serde(default = "default_signature", skip_serializing_if = "is_default_signature")]
    pub signature: Vec<SignatureMethod>,
    /// Whether every signed request needs a nonce.
    #[serde(default, skip_serializing_if = "is_default")]
    pub force_nonce: bool,
    /// Whether `[x]` in the path is literal text.
    #[serde(default, skip_serializing_if = "is_default")]
    pub escape_path_param: bool,
    /// Largest request body in bytes, or as text, `"32 MiB"`; absent: the gateway's limit.
    #[serde(default, with = "size::optional", skip_serializing_if = "Option::is_none")]
    pub max_body: Option<u64>,
    /// What callers send.
    #[serde(default, rename = "parameter", skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What every request has at the backend.
    #[serde(default, rename = "constant", skip_serializing_if = "Vec::is_empty")]
    pub constants: Vec<Constant>,
    /// What the backend is told of a request.
    #[serde(default, rename = "system", skip_serializing_if = "Vec::is_empty")]
    pub system: Vec<SystemParameter>,
    /// What callers are told about answers. Documentation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Box<ResponseDefinition>>,
}

/// Where the requests of an API go: to a service, or to a definition of its own.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ApiBackend {
    /// The name of the backend service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The API's own definition, instead of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline: Option<Box<Definition>>,
    /// The path at the backend: literal text, `[parameter]` of the request's path, `*` for its tail.
    /// Absent: the request's path below the group's base path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The method at the backend. Absent or `ANY`: the request's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// From the request fully sent to the response head. Absent: the definition's.
    #[serde(with = "duration::optional", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// The Content-Type sent to the backend: `client` or absent for the client's, `default` for the
    /// gateway's, anything else as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// What is done with an object store.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oss: Option<ObjectAction>,
    /// What of a function is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<FunctionCall>,
    /// What the events on a bus look like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<EventShape>,
}

/// What is done with an object store.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ObjectAction {
    /// `GetObject`, `PutObject`, … (domain §6).
    pub action: String,
    /// The object's key, with `[parameter]` of the request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What of a function is called.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct FunctionCall {
    /// The path behind its trigger, with `[parameter]` of the request's path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// What the events on a bus look like, where it differs from the definition.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct EventShape {
    /// Their type.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    /// Their subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
}

impl Api {
    /// An API for requests of `method` (`ANY` for all but TRACE and CONNECT) to `path`.
    ///
    /// It has no backend yet: follow with [`service`](Self::service) or [`inline`](Self::inline).
    #[must_use]
    pub fn new(method: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            backend: ApiBackend::default(),
            description: String::new(),
            visibility: Visibility::default(),
            protocol: default_protocols(),
            mode: Mode::default(),
            access: Access::default(),
            app_code: AppCode::default(),
            signature: default_signature(),
            force_nonce: false,
            escape_path_param: false,
            max_body: None,
            parameters: Vec::new(),
            constants: Vec::new(),
            system: Vec::new(),
            response: None,
        }
    }

    /// An API for GET requests.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// An API for POST requests.
    #[must_use]
    pub fn post(path: impl Into<String>) -> Self {
        Self::new("POST", path)
    }

    /// An API for PUT requests.
    #[must_use]
    pub fn put(path: impl Into<String>) -> Self {
        Self::new("PUT", path)
    }

    /// An API for DELETE requests.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new("DELETE", path)
    }

    /// An API for requests of every method but TRACE and CONNECT.
    #[must_use]
    pub fn any(path: impl Into<String>) -> Self {
        Self::new("ANY", path)
    }

    /// The same with its requests going to `path` at a backend service.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.backend.path = Some(path.into());
        self.service_same_path(name)
    }

    /// The same with its requests going to a backend service, at the path they came with below the
    /// group's base path.
    #[must_use]
    pub fn service_same_path(mut self, name: impl Into<String>) -> Self {
        self.backend.service = Some(name.into());
        self.backend.inline = None;
        self
    }

    /// The same with a definition of its own instead of a service.
    ///
    /// Such an API is published without an epoch: it is live until it is unpublished.
    #[must_use]
    pub fn inline(mut self, definition: impl Into<Definition>) -> Self {
        self.backend.inline = Some(Box::new(definition.into()));
        self.backend.service = None;
        self
    }

    /// The same with this path at the backend.
    #[must_use]
    pub fn backend_path(mut self, path: impl Into<String>) -> Self {
        self.backend.path = Some(path.into());
        self
    }

    /// The same with this method at the backend.
    #[must_use]
    pub fn backend_method(mut self, method: impl Into<String>) -> Self {
        self.backend.method = Some(method.into());
        self
    }

    /// The same with a timeout (1 ms to 120 s) that goes before the definition's.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.backend.timeout = Some(timeout);
        self
    }

    /// The same with a description of at most 180 characters.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// The same, callable from here.
    #[must_use]
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// The same, callable by these protocols.
    #[must_use]
    pub fn protocol(mut self, protocols: impl IntoIterator<Item = Protocol>) -> Self {
        self.protocol = protocols.into_iter().collect();
        self
    }

    /// The same with parameters handled like this.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// The same, callable by these.
    #[must_use]
    pub fn access(mut self, access: Access) -> Self {
        self.access = access;
        self
    }

    /// The same, letting callers show an AppCode at these places.
    #[must_use]
    pub fn app_code(mut self, places: AppCode) -> Self {
        self.app_code = places;
        self
    }

    /// The same, letting callers sign by these methods.
    #[must_use]
    pub fn signature(mut self, methods: impl IntoIterator<Item = SignatureMethod>) -> Self {
        self.signature = methods.into_iter().collect();
        self
    }

    /// The same with one more parameter.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// The same with one more constant.
    #[must_use]
    pub fn constant(mut self, constant: Constant) -> Self {
        self.constants.push(constant);
        self
    }

    /// The same, telling the backend one more thing of a request.
    #[must_use]
    pub fn system(mut self, parameter: SystemParameter) -> Self {
        self.system.push(parameter);
        self
    }

    /// The same with `[x]` in the path as literal text.
    #[must_use]
    pub fn escape_path_param(mut self, escape: bool) -> Self {
        self.escape_path_param = escape;
        self
    }

    /// The same with a limit of its own for request bodies, in bytes.
    #[must_use]
    pub fn max_body(mut self, bytes: u64) -> Self {
        self.max_body = Some(bytes);
        self
    }

    /// The same with a description of its answers.
    #[must_use]
    pub fn response(mut self, response: ResponseDefinition) -> Self {
        self.response = Some(Box::new(response));
        self
    }
}

/// From where an API may be called.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Visibility {
    /// From everywhere.
    #[default]
    Public,
    /// From inside only.
    Private,
}

/// A protocol an API may be called by.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Protocol {
    /// HTTP in clear text.
    Http,
    /// HTTP over TLS.
    Https,
    /// WebSocket.
    Websocket,
}

/// How parameters reach the backend.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// Only path parameters are mapped; everything else goes through as it came.
    #[default]
    Passthrough,
    /// Only what is declared reaches the backend.
    Mapping,
    /// What is declared is mapped, the rest goes through.
    MappingPassthrough,
}

/// Who may call an API.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Access {
    /// Everybody.
    #[default]
    Anonymous,
    /// Applications with a grant.
    App,
}

/// Where callers may show an AppCode.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AppCode {
    /// Nowhere.
    Disable,
    /// In a header.
    #[default]
    Header,
    /// In a header or in the query.
    HeaderQuery,
}

/// A method of signing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SignatureMethod {
    /// HMAC with SHA-256.
    HmacSHA256,
    /// HMAC with SHA-1, for old clients.
    HmacSHA1,
}

/// What callers are told about answers. Documentation only: nothing acts on it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ResponseDefinition {
    /// The content's type.
    #[serde(rename = "type")]
    pub content: ResponseType,
    /// A successful answer, at most 32 KiB.
    pub sample: String,
    /// A failed one, at most 16 KiB.
    pub error_sample: String,
    /// The codes a caller may meet.
    pub errors: Vec<ResponseError>,
}

impl ResponseDefinition {
    /// A description with nothing said yet.
    #[must_use]
    pub fn new(content: ResponseType) -> Self {
        Self { content, ..Self::default() }
    }

    /// The same with a sample of at most 32 KiB.
    #[must_use]
    pub fn sample(mut self, text: impl Into<String>) -> Self {
        self.sample = text.into();
        self
    }

    /// The same with a sample of a failure of at most 16 KiB.
    #[must_use]
    pub fn error_sample(mut self, text: impl Into<String>) -> Self {
        self.error_sample = text.into();
        self
    }

    /// The same with one more code.
    #[must_use]
    pub fn error(mut self, code: impl Into<String>, message: impl Into<String>) -> Self {
        let (code, message) = (code.into(), message.into());
        self.errors.push(ResponseError { code, message, description: String::new() });
        self
    }
}

/// One code a caller may meet.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ResponseError {
    /// The code.
    pub code: String,
    /// Its message.
    pub message: String,
    /// What to do about it.
    pub description: String,
}

/// The type of an answer's content.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ResponseType {
    /// JSON.
    #[default]
    Json,
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// XML.
    Xml,
    /// HTML.
    Html,
    /// Whatever the backend says.
    Passthrough,
}

fn default_protocols() -> Vec<Protocol> {
    vec![Protocol::Http, Protocol::Https]
}

fn is_default_protocols(protocols: &[Protocol]) -> bool {
    protocols == [Protocol::Http, Protocol::Https]
}

fn default_signature() -> Vec<SignatureMethod> {
    vec![SignatureMethod::HmacSHA256]
}

fn is_default_signature(methods: &[SignatureMethod]) -> bool {
    methods == [SignatureMethod::HmacSHA256]
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
