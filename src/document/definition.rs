//! Reads definitions.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::element;
use super::fault::Faults;
use super::reader::{REQUIRED, Reader, Wrong};
use super::row::{Row, parse};
use super::tree::{Node, Path};
use crate::model::definition::{
    Custom, Definition, Leg, Mixed, RESILIENCE, Settings, check_timeout,
};
use crate::model::{Kind, duration};

/// Reads a definition of a service of this kind, or one that says its kind itself.
pub(super) fn read(
    node: Node<'_>,
    kind: Option<&Kind>,
    path: &Path<'_>,
    faults: &mut Faults<'_>,
) -> Option<Definition> {
    let mut row = Row::of(node, path, faults)?;
    let timeout = timeout(&mut row, faults);
    let resilience = resilience(&mut row);
    let own = row.has("kind").then(|| own_kind(&mut row, faults));
    let kind = match (kind, own) {
        (None, None) => {
            faults.tell(row.at, Path::Key(path, "kind"), REQUIRED);
            return None;
        }
        (None, Some(own)) => own?.1,
        (Some(kind), None) => kind.clone(),
        // In each environment a mixed service may be of another kind.
        (Some(kind), Some(own)) if *kind == Kind::MIXED => {
            let own = own?.1;
            if own != Kind::MIXED {
                let inner = Definition::new(settings(row, &own, faults)?);
                return Some(Definition { timeout, resilience, ..Mixed::concrete(inner).into() });
            }
            own
        }
        (Some(kind), Some(own)) => {
            if let Some((at, _)) = own.filter(|(_, own)| own != kind) {
                faults.tell(at, Path::Key(path, "kind"), format!("is not the service's, {kind}"));
            }
            kind.clone()
        }
    };
    let settings = settings(row, &kind, faults)?;
    Some(Definition { timeout, resilience, ..Definition::new(settings) })
}

fn own_kind(row: &mut Row<'_, '_>, faults: &mut Faults<'_>) -> Option<(u32, Kind)> {
    let (at, text) = row.text("kind", faults)?;
    Some((at, parse(at, &text, &Path::Key(row.path, "kind"), faults)?))
}

fn timeout(row: &mut Row<'_, '_>, faults: &mut Faults<'_>) -> Option<std::time::Duration> {
    let (at, text) = row.text("timeout", faults)?;
    let parsed = duration::parse(&text);
    let checked = parsed.and_then(|timeout| match check_timeout("timeout", timeout) {
        Ok(()) => Ok(timeout),
        Err(error) => Err(error.reason),
    });
    checked.map_err(|reason| faults.tell(at, Path::Key(row.path, "timeout"), reason)).ok()
}

/// What is kept as it is written.
fn resilience(row: &mut Row<'_, '_>) -> Map<String, Value> {
    let taken = RESILIENCE.into_iter().filter_map(|key| {
        let node = row.take(key)?;
        Some((key.to_owned(), Value::deserialize(Reader(&node)).ok()?))
    });
    taken.collect()
}

fn settings(mut row: Row<'_, '_>, kind: &Kind, faults: &mut Faults<'_>) -> Option<Settings> {
    if *kind == Kind::MIXED
        && let Some(inner) = row.take("concrete")
    {
        let path = Path::Key(row.path, "concrete");
        let inner = read(inner, None, &path, faults)?;
        if inner.kind() == Kind::MIXED {
            faults.tell(row.at, Path::Key(&path, "kind"), "is mixed again");
        }
        row.end(faults);
        return Some(Settings::Mixed(Mixed::concrete(inner)));
    }
    let path = row.path;
    element::read(&mut row.node(), path, faults, |node| {
        let definition = Definition::new(of_kind(node, kind)?);
        definition.check_own().map_err(|error| Wrong::checked(node, error))?;
        Ok(definition.settings)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Legs {
    legs: Vec<Leg>,
    #[serde(default)]
    sticky: Option<String>,
}

/// As the model reads them, but with the place of what is wrong.
fn of_kind(node: &Node<'_>, kind: &Kind) -> Result<Settings, Wrong> {
    let reader = Reader(node);
    Ok(match kind.as_str() {
        "http" => Settings::Http(Deserialize::deserialize(reader)?),
        "vpc" => Settings::Vpc(Deserialize::deserialize(reader)?),
        "function_compute" => Settings::FunctionCompute(Deserialize::deserialize(reader)?),
        "oss" => Settings::Oss(Deserialize::deserialize(reader)?),
        "event_bridge" => Settings::EventBridge(Deserialize::deserialize(reader)?),
        "discovery" => Settings::Discovery(Deserialize::deserialize(reader)?),
        "mixed" => {
            let Legs { legs, sticky } = Legs::deserialize(reader)?;
            Settings::Mixed(Mixed::Legs { legs, sticky })
        }
        "mock" => Settings::Mock(Deserialize::deserialize(reader)?),
        _ => {
            let settings = Deserialize::deserialize(reader)?;
            Settings::Custom(Custom { kind: kind.clone(), settings })
        }
    })
}
