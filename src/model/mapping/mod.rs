//! What is done to the parameters of an API's requests: read once, when the API is accepted, so that
//! requests are only measured by it.
//!
//! | file | question |
//! |---|---|
//! | `places` | where does everything come from, and where does it go? |
//! | `check` | what may a value be? |
//! | `schema`, `json` | and if it is JSON? |
//! | `header` | which headers may be mapped to, and which texts can stand in one? |
//! | `content` | which Content-Types fit? |
//! | `taken` | whose headers go no further? |
//! | `encode` | how does a text stay one name, one value or one segment? |

use http::HeaderValue;

use super::api::{Api, Mode};
use super::definition::InvalidDefinition;
use super::parameter::{Parameter, ParameterType, System};
use super::path::{PathPattern, PathTemplate};
use super::verb::Verb;

mod check;
mod content;
mod encode;
mod header;
#[cfg(feature = "schema")]
mod json;
mod places;
#[cfg(feature = "schema")]
mod schema;
mod taken;

pub(crate) use self::check::{Check, Unfit};
pub(crate) use self::content::{FORM, boundary, is_form, is_utf8};
use self::content::{check_content, content_type};
pub(crate) use self::encode::{encode, encoded};
pub(crate) use self::header::value as header_value;
pub(crate) use self::places::{Field, Origin, Places, Target};
pub(crate) use self::taken::Taken;

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
    /// How the body is written, where it has to be taken apart.
    pub(crate) form: Option<Encoding>,
}

/// How a form is written as a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Encoding {
    /// `application/x-www-form-urlencoded`.
    Pairs,
    /// `multipart/form-data`, which files need.
    Parts,
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
        let (values, form) = (places.values, places.form());
        let parameters = parameters(api, places.parameters)?;
        let additions = additions(api, places.constants, places.system)?;
        let nothing = parameters.is_empty() && additions.is_empty() && content_type.is_none();
        if nothing && api.mode != Mode::Mapping {
            return Ok(None);
        }
        let targets = || targets(&parameters, &additions);
        let queries = parameters.iter().any(|rule| matches!(rule.origin, Origin::Query))
            || targets().any(|target| matches!(target, Target::Query(_)));
        let asked = parameters.iter().filter_map(|rule| match &rule.origin {
            Origin::Header(name) => Some(name.clone()),
            _ => None,
        });
        let written = targets().filter_map(|target| match target {
            Target::Header(name) => Some(name.clone()),
            _ => None,
        });
        Ok(Some(Self {
            mode: api.mode,
            template,
            values,
            content_type,
            headers: written.clone().count(),
            taken: Taken::new(asked.chain(written)),
            told: api.system.iter().fold(0, |told, one| told | bit(one.name)),
            reads_query: queries,
            form,
            parameters,
            additions,
        }))
    }

    /// Whether requests' bodies are read whole, as forms.
    pub(crate) fn reads_form(&self) -> bool {
        self.form.is_some()
    }

    /// Whether the backend is told this of each request.
    pub(crate) fn tells(&self, name: System) -> bool {
        self.told & bit(name) != 0
    }

    /// Where everything goes.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &Target> {
        targets(&self.parameters, &self.additions)
    }
}

fn targets<'a>(
    parameters: &'a [Rule],
    additions: &'a [Addition],
) -> impl Iterator<Item = &'a Target> + Clone {
    let parameters = parameters.iter().map(|rule| &rule.target);
    parameters.chain(additions.iter().map(|addition| &addition.target))
}

fn bit(name: System) -> u8 {
    1 << (name as u8)
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
