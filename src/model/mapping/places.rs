//! Where parameters come from and go to.

use http::HeaderName;

use super::{Encoding, header};
use crate::model::api::{Api, Mode};
use crate::model::definition::InvalidDefinition;
use crate::model::parameter::{self, Destination, Location, Parameter, ParameterType};
use crate::model::path::{Filling, PathPattern, PathTemplate};

/// Where a parameter stands in a request.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    Query,
    Form,
    /// In a form of parts, with a name of its own.
    File,
    Header(HeaderName),
    /// The segment of this number, counted from the API's path on.
    Segment(usize),
}

/// Where something goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Query(Field),
    Form(Field),
    Header(HeaderName),
    /// In place of a name in the backend's path: the value of this number.
    Path(usize),
    /// It is a segment of the path, and goes on as it was received.
    Received,
}

/// The name of a parameter in a query or a form.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: Box<str>,
    /// The name, percent-encoded.
    pub(crate) encoded: Box<str>,
}

/// Where everything of an API stands and goes. In the order it was written down.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// `None` for what requests are not asked for.
    pub(super) parameters: Vec<Option<(Origin, Target)>>,
    pub(super) constants: Vec<Target>,
    pub(super) system: Vec<Target>,
    /// The names that the backend's path may have beside those of the request's.
    named: Vec<Named>,
    /// How many values go into the path.
    pub(super) values: usize,
}

#[derive(Debug)]
struct Named {
    name: String,
    filling: Filling,
    /// The key that says so, unless nothing does.
    field: Option<String>,
}

impl Places {
    /// Reads where everything of an API goes that has this path.
    pub(crate) fn of(api: &Api, pattern: &PathPattern) -> Result<Self, InvalidDefinition> {
        parameter::check(&api.parameters, &api.constants, &api.system)?;
        let mut places = Self::default();
        for (index, parameter) in api.parameters.iter().enumerate() {
            let place = if is_asked_for(api.mode, parameter) {
                Some(places.parameter(index, parameter, pattern)?)
            } else {
                None
            };
            places.parameters.push(place);
        }
        for (index, constant) in api.constants.iter().enumerate() {
            let key = format!("constant[{index}].name");
            let (name, location) = (constant.name.as_str(), constant.location);
            let target = places.added(name, location, key, true)?;
            places.constants.push(target);
        }
        for (index, system) in api.system.iter().enumerate() {
            let (name, location, key) = match &system.to {
                Some(Destination { name, location }) => {
                    let key = if name.is_some() { "to.name" } else { "name" };
                    (name.as_deref(), location.unwrap_or_default(), key)
                }
                None => (None, Location::Head, "name"),
            };
            let name = name.unwrap_or_else(|| system.name.as_str());
            let target = places.added(name, location, format!("system[{index}].{key}"), false)?;
            places.system.push(target);
        }
        Ok(places)
    }

    /// What a name in the backend's path stands for, if it is told.
    pub(crate) fn filling(&self, name: &str) -> Option<Filling> {
        self.named.iter().find(|named| named.name == name).map(|named| named.filling)
    }

    /// Whether the backend's path has every name that something goes to.
    pub(super) fn check_named(&self, template: &PathTemplate) -> Result<(), InvalidDefinition> {
        let lost = |named: &&Named| {
            named.field.is_some() && !template.names().any(|name| *name == *named.name)
        };
        match self.named.iter().find(lost) {
            Some(Named { name, field, .. }) => {
                let reason =
                    format!("goes to [{name}], which the path at the backend does not have");
                Err(InvalidDefinition::new(field.as_deref().unwrap_or_default(), reason))
            }
            None => Ok(()),
        }
    }

    /// Whether something is put in place of a name in the path.
    pub(super) fn fills_path(&self) -> bool {
        self.named.iter().any(|named| named.field.is_some())
    }

    /// How the form is written in which something stands, or into which something goes.
    pub(super) fn form(&self) -> Option<Encoding> {
        let comes = |is: fn(&Origin) -> bool| {
            self.parameters.iter().flatten().any(|(origin, _)| is(origin))
        };
        let goes = || self.targets().any(|target| matches!(target, Target::Form(_)));
        if comes(|origin| matches!(origin, Origin::File)) {
            Some(Encoding::Parts)
        } else if comes(|origin| matches!(origin, Origin::Form)) || goes() {
            Some(Encoding::Pairs)
        } else {
            None
        }
    }

    /// The key of the first that goes to such a place.
    pub(super) fn key(&self, is: impl Fn(&Target) -> bool) -> Option<String> {
        let parameter =
            |place: &Option<(Origin, Target)>| place.as_ref().is_some_and(|(_, target)| is(target));
        let lists = [
            ("parameter", self.parameters.iter().position(parameter)),
            ("constant", self.constants.iter().position(&is)),
            ("system", self.system.iter().position(&is)),
        ];
        lists.into_iter().find_map(|(list, index)| Some(format!("{list}[{}].name", index?)))
    }

    fn targets(&self) -> impl Iterator<Item = &Target> {
        let parameters = self.parameters.iter().flatten().map(|(_, target)| target);
        parameters.chain(&self.constants).chain(&self.system)
    }

    fn parameter(
        &mut self,
        index: usize,
        parameter: &Parameter,
        pattern: &PathPattern,
    ) -> Result<(Origin, Target), InvalidDefinition> {
        let own = format!("parameter[{index}].name");
        let origin = self.origin(parameter, pattern, &own)?;
        let (name, location, key) = match &parameter.to {
            Some(Destination { name, location }) => {
                let key = if name.is_some() { "to.name" } else { "to" };
                let key = format!("parameter[{index}].{key}");
                (name.as_deref(), location.unwrap_or(parameter.location), key)
            }
            None => (None, parameter.location, own),
        };
        let name = name.unwrap_or(&parameter.name);
        if matches!(origin, Origin::File) && location != Location::Body {
            return Err(InvalidDefinition::new(key, "is a file, which goes to a body only"));
        }
        let target = match (location, &origin) {
            (Location::Path, Origin::Segment(segment)) => {
                let field = parameter.to.is_some().then(|| key.clone());
                self.name(name, Filling::Segment(*segment), field, &key)?;
                Target::Received
            }
            (Location::Path, _) if parameter.kind == ParameterType::Array => {
                return Err(InvalidDefinition::new(key, "is an array, which no path can take"));
            }
            _ => self.added(name, location, key, false)?,
        };
        Ok((origin, target))
    }

    fn origin(
        &self,
        parameter: &Parameter,
        pattern: &PathPattern,
        key: &str,
    ) -> Result<Origin, InvalidDefinition> {
        if parameter.kind == ParameterType::File {
            return match parameter.location {
                Location::Body => Ok(Origin::File),
                _ => Err(InvalidDefinition::new(key, "is a file, which stands in a body only")),
            };
        }
        Ok(match parameter.location {
            Location::Query => Origin::Query,
            Location::Body => Origin::Form,
            Location::Path => {
                let found = pattern.parameters().find(|(name, _)| *name == parameter.name);
                let missing = || InvalidDefinition::new(key, "is not in the path of requests");
                Origin::Segment(found.map(|(_, segment)| segment).ok_or_else(missing)?)
            }
            Location::Head => {
                let name = header_name(&parameter.name, key)?;
                let same = |(origin, _): &(Origin, Target)| matches!(origin, Origin::Header(other) if *other == name);
                if self.parameters.iter().flatten().any(same) {
                    return Err(InvalidDefinition::new(key, "stands there twice"));
                }
                Origin::Header(name)
            }
        })
    }

    /// Where something goes that is not there of itself.
    fn added(
        &mut self,
        name: &str,
        location: Location,
        key: String,
        is_constant: bool,
    ) -> Result<Target, InvalidDefinition> {
        if name.is_empty() {
            return Err(InvalidDefinition::new(key, "is empty"));
        }
        let target = match location {
            Location::Query => Target::Query(Field::new(name)),
            Location::Body => Target::Form(Field::new(name)),
            Location::Head => {
                let header = header_name(name, &key)?;
                if let Some(reason) = header::refusal(&header, is_constant) {
                    let reason = format!("goes to the header `{header}`, which {reason}");
                    return Err(InvalidDefinition::new(key, reason));
                }
                Target::Header(header)
            }
            Location::Path => {
                let value = self.values;
                self.name(name, Filling::Value(value), Some(key.clone()), &key)?;
                self.values += 1;
                Target::Path(value)
            }
        };
        if self.targets().any(|other| other.is_same(&target)) {
            let reason = format!("goes where something else goes: {name:?} stands there twice");
            return Err(InvalidDefinition::new(key, reason));
        }
        Ok(target)
    }

    fn name(
        &mut self,
        name: &str,
        filling: Filling,
        field: Option<String>,
        key: &str,
    ) -> Result<(), InvalidDefinition> {
        if self.named.iter().any(|other| other.name == name) {
            let reason = format!("goes where something else goes: [{name}] stands there twice");
            return Err(InvalidDefinition::new(key, reason));
        }
        self.named.push(Named { name: name.to_owned(), filling, field });
        Ok(())
    }
}

impl Field {
    fn new(name: &str) -> Self {
        Self { name: name.into(), encoded: super::encode::encoded(name).into() }
    }
}

impl Target {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Query(one), Self::Query(other)) | (Self::Form(one), Self::Form(other)) => {
                one == other
            }
            (Self::Header(one), Self::Header(other)) => is_same_header(one, other),
            _ => false,
        }
    }
}

/// Whether a backend may read both as one header: some take `_` for `-`.
pub(crate) fn is_same_header(one: &HeaderName, other: &HeaderName) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte };
    let (one, other) = (one.as_str(), other.as_str());
    one.len() == other.len() && one.bytes().map(plain).eq(other.bytes().map(plain))
}

/// Whether requests are asked for a parameter: where they pass through, for those in the path only
/// (domain §2.5). The others are told to callers, and nothing else is done about them.
fn is_asked_for(mode: Mode, parameter: &Parameter) -> bool {
    mode != Mode::Passthrough || parameter.location == Location::Path
}

fn header_name(name: &str, key: &str) -> Result<HeaderName, InvalidDefinition> {
    name.parse().map_err(|_| {
        InvalidDefinition::new(key, format!("{name:?} is not what a header can be called"))
    })
}
