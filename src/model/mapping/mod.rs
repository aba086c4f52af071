//! What is done to the parameters of an API's requests: read once, when the API is accepted, so that
//! requests are only measured by it.
//!
//! | file | question |
//! |---|---|
//! | `places` | where does everything come from, and where does it go? |
//! | `check` | what may a value be? |
//! | `schema`, `json` | and if it is JSON? |
//! | `header` | which headers may be mapped to, and which texts can stand in one? |
//! | `taken` | whose headers go no further? |
//! | `encode` | how does a text stay one name, one value or one segment? |

use http::HeaderValue;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName};

use super::api::{Api, Mode};
use super::definition::InvalidDefinition;
use super::parameter::{Parameter, ParameterType, System};
use super::path::{PathPattern, PathTemplate};
use super::verb::Verb;

mod check;
mod encode;
mod header;
#[cfg(feature = "schema")]
mod json;
mod places;
#[cfg(feature = "schema")]
mod schema;
mod taken;

pub(crate) use self::check::{Check, Unfit};
pub(crate) use self::encode::{encode, encoded};
pub(crate) use self::header::value as header_value;
use self::places::is_same_header;
pub(crate) use self::places::{Field, Origin, Places, Target};
pub(crate) use self::taken::Taken;

/// The Content-Type of a form, and what `content_type = "default"` stands for.
pub(crate) const FORM: HeaderValue =
    HeaderValue::from_static("application/x-www-form-urlencoded; charset=UTF-8");

/// What is done to each request of an API.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) mode: Mode,
    /// What requests are asked for, in the order it was written down.
    pub(crate) parameters: Box<[Rule]>,
    /// What the backend is told beside it: constants, then what the gateway knows.
    pub(crate) additions: Box<[Addition]>,
    /// The path at the backend; absent: the request's below the group's base path.
    pub(crate) template: Option<PathTemplate>,
    /// How many values the path takes.
    pub(crate) values: usize,
    /// The Content-Type at the backend; absent: the client's.
    pub(crate) content_type: Option<HeaderValue>,
    /// The headers that requests are asked for, or that are written.
    pub(crate) taken: Taken,
    /// How many headers are written at most.
    pub(crate) headers: usize,
    /// What the backend is told of each request: a bit for each.
    told: u8,
    /// Whether the query has to be taken apart.
    pub(crate) reads_query: bool,
    /// Whether the body has to be taken apart.
    reads_form: bool,
}

/// What is done to a parameter.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) name: Box<str>,
    pub(crate) origin: Origin,
    pub(crate) target: Target,
    pub(crate) check: Check,
    /// Whether it is all that was sent under its name, not the first of it.
    pub(crate) is_array: bool,
    pub(crate) required: bool,
    /// What it is where the request has none. Of anything but an array one value.
    pub(crate) default: Option<Box<[Box<str>]>>,
}

/// What the backend is told beside parameters.
#[derive(Debug)]
pub(crate) struct Addition {
    pub(crate) target: Target,
    pub(crate) value: Added,
}

#[derive(Debug)]
pub(crate) enum Added {
    Constant(Box<str>),
    /// The same where it is a header's value.
    Header(HeaderValue),
    Known(System),
}

impl Rules {
    /// Reads what is done to an API's requests; `None` if nothing is.
    pub(crate) fn compile(
        api: &Api,
        places: Places,
        pattern: &PathPattern,
        path: Option<&PathTemplate>,
        verb: Verb,
    ) -> Result<Option<Self>, InvalidDefinition> {
        let template = template(api, &places, pattern, path)?;
        let content_type = content_type(api)?;
        check_content(&places, content_type.as_ref(), verb)?;
        let values = places.values;
        let parameters = parameters(api, places.parameters)?;
        let additions = additions(api, places.constants, places.system)?;
        let nothing = parameters.is_empty() && additions.is_empty() && content_type.is_none();
        if nothing && api.mode != Mode::Mapping {
            return Ok(None);
        }
        let mut rules = Self {
            mode: api.mode,
            parameters,
            additions,
            template,
            values,
            content_type,
            taken: Taken::new(std::iter::empty()),
            headers: 0,
            told: 0,
            reads_query: false,
            reads_form: false,
        };
        rules.reads_query = rules.asks_for(&|origin| matches!(origin, Origin::Query))
            || rules.targets().any(|target| matches!(target, Target::Query(_)));
        rules.reads_form = rules.asks_for(&|origin| matches!(origin, Origin::Form))
            || rules.targets().any(|target| matches!(target, Target::Form(_)));
        let written = |target: &Target| match target {
            Target::Header(name) => Some(name.clone()),
            _ => None,
        };
        let asked = |rule: &Rule| match &rule.origin {
            Origin::Header(name) => Some(name.clone()),
            _ => None,
        };
        rules.headers = rules.targets().filter_map(written).count();
        let asked = rules.parameters.iter().filter_map(asked);
        rules.taken = Taken::new(asked.chain(rules.targets().filter_map(written)));
        let known = |addition: &Addition| match addition.value {
            Added::Known(name) => bit(name),
            _ => 0,
        };
        rules.told = rules.additions.iter().map(known).fold(0, |all, one| all | one);
        Ok(Some(rules))
    }

    /// Whether requests' bodies are read whole, as forms.
    pub(crate) fn reads_form(&self) -> bool {
        self.reads_form
    }

    /// Whether the backend is told this of each request.
    pub(crate) fn tells(&self, name: System) -> bool {
        self.told & bit(name) != 0
    }

    /// Where everything goes.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        let parameters = self.parameters.iter().map(|rule| &rule.target);
        parameters.chain(self.additions.iter().map(|addition| &addition.target))
    }

    fn asks_for(&self, is: &dyn Fn(&Origin) -> bool) -> bool {
        self.parameters.iter().any(|rule| is(&rule.origin))
    }
}

fn bit(name: System) -> u8 {
    1 << (name as u8)
}

/// The Content-Type at the backend, unless it is the client's.
fn content_type(api: &Api) -> Result<Option<HeaderValue>, InvalidDefinition> {
    match api.backend.content_type.as_deref() {
        None | Some("client") => Ok(None),
        Some("default") => Ok(Some(FORM)),
        Some(other) => HeaderValue::from_str(other).map(Some).map_err(|_| {
            InvalidDefinition::new("backend.content_type", "cannot stand in a header")
        }),
    }
}

/// Whether what is told of the body can be true.
fn check_content(
    places: &Places,
    content_type: Option<&HeaderValue>,
    verb: Verb,
) -> Result<(), InvalidDefinition> {
    let goes_to = |name: HeaderName| {
        places.key(|target| matches!(target, Target::Header(to) if is_same_header(to, &name)))
    };
    if content_type.is_some() && goes_to(CONTENT_TYPE).is_some() {
        let reason = "is fixed, and something is mapped to `content-type`";
        return Err(InvalidDefinition::new("backend.content_type", reason));
    }
    let form = places.key(|target| matches!(target, Target::Form(_)));
    if places.reads_form()
        && let Some(key) = goes_to(CONTENT_TYPE).or_else(|| goes_to(CONTENT_ENCODING))
    {
        let reason = "goes to a header that says how the form is written, which the gateway does";
        return Err(InvalidDefinition::new(key, reason));
    }
    let Some(form) = form else {
        return Ok(());
    };
    if matches!(verb, Verb::Get | Verb::Head) {
        let reason = format!("goes into a form, which requests of {verb} do not carry");
        return Err(InvalidDefinition::new(form, reason));
    }
    if content_type.is_some_and(|value| !is_form(value)) {
        let reason = "is not a form's, and something is mapped into a form";
        return Err(InvalidDefinition::new("backend.content_type", reason));
    }
    Ok(())
}

/// Whether a Content-Type is that of a form this gateway reads: in UTF-8, as all are unless they say
/// otherwise (domain §2.5).
pub(crate) fn is_form(content_type: &HeaderValue) -> bool {
    let mut parts = content_type.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let media = parts.next().unwrap_or_default();
    let other_charset = |parameter: &[u8]| {
        let mut sides = parameter.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let name = sides.next().unwrap_or_default();
        let value = sides.next().unwrap_or_default();
        let value =
            value.strip_prefix(b"\"").and_then(|it| it.strip_suffix(b"\"")).unwrap_or(value);
        let known: [&[u8]; 3] = [b"utf-8", b"utf8", b"us-ascii"];
        name.eq_ignore_ascii_case(b"charset")
            && !known.iter().any(|known| value.eq_ignore_ascii_case(known))
    };
    media.eq_ignore_ascii_case(b"application/x-www-form-urlencoded") && !parts.any(other_charset)
}

/// The path at the backend where it is not just the request's.
fn template(
    api: &Api,
    places: &Places,
    pattern: &PathPattern,
    path: Option<&PathTemplate>,
) -> Result<Option<PathTemplate>, InvalidDefinition> {
    if let Some(path) = path {
        places.check_named(path)?;
        let same = path.as_str() == pattern.as_str() && !places.fills_path();
        return Ok((!same).then(|| path.clone()));
    }
    if !places.fills_path() {
        return Ok(None);
    }
    let (text, escape) = (pattern.as_str(), api.escape_path_param);
    let own = PathTemplate::with_names(text, pattern, escape, |name| places.filling(name))
        .map_err(|error| InvalidDefinition::new("path", error.to_string()))?;
    places.check_named(&own)?;
    Ok(Some(own))
}

fn parameters(
    api: &Api,
    places: Vec<Option<(Origin, Target)>>,
) -> Result<Box<[Rule]>, InvalidDefinition> {
    let mut rules = Vec::new();
    for (index, (parameter, place)) in api.parameters.iter().zip(places).enumerate() {
        let Some((origin, target)) = place else {
            continue;
        };
        if matches!(target, Target::Received) && parameter.is_unchecked() {
            continue;
        }
        let rule = Rule::compile(parameter, origin, target).map_err(|(key, reason)| {
            InvalidDefinition::new(format!("parameter[{index}].{key}"), reason)
        })?;
        rules.push(rule);
    }
    Ok(rules.into())
}

impl Rule {
    fn compile(
        parameter: &Parameter,
        origin: Origin,
        target: Target,
    ) -> Result<Self, check::Wrong> {
        let check = Check::compile(parameter)?;
        let is_array = parameter.kind == ParameterType::Array;
        let default = parameter.default.as_deref().map(|text| -> Box<[Box<str>]> {
            let items =
                if is_array { text.split(',').map(str::trim).collect() } else { vec![text] };
            items.into_iter().map(Box::from).collect()
        });
        for text in default.iter().flatten() {
            let fits = check.accepts(text).map_err(|unfit| unfit.reason);
            let fits = fits.and_then(|()| target.takes(text));
            fits.map_err(|reason| ("default", reason.to_owned()))?;
        }
        let (name, required) = (parameter.name.as_str().into(), parameter.required);
        Ok(Self { name, origin, target, check, is_array, required, default })
    }
}

impl Target {
    /// Whether a text can stand there; if not, why.
    pub(crate) fn takes(&self, text: &str) -> Result<(), &'static str> {
        match self {
            Self::Header(_) if header_value(text).is_none() => Err("cannot stand in a header"),
            // One that is empty or of dots would be another path (RFC 3986 section 5.2.4).
            Self::Path(_) if matches!(text, "" | "." | "..") => Err("cannot stand in a path"),
            _ => Ok(()),
        }
    }
}

fn additions(
    api: &Api,
    constants: Vec<Target>,
    system: Vec<Target>,
) -> Result<Box<[Addition]>, InvalidDefinition> {
    let mut additions = Vec::new();
    for (index, (constant, target)) in api.constants.iter().zip(constants).enumerate() {
        let text = constant.value.as_str();
        target
            .takes(text)
            .map_err(|reason| InvalidDefinition::new(format!("constant[{index}].value"), reason))?;
        let value = match header_value(text).filter(|_| matches!(target, Target::Header(_))) {
            Some(value) => Added::Header(value),
            None => Added::Constant(text.into()),
        };
        additions.push(Addition { target, value });
    }
    for (parameter, target) in api.system.iter().zip(system) {
        additions.push(Addition { target, value: Added::Known(parameter.name) });
    }
    Ok(additions.into())
}

#[cfg(test)]
mod tests;
