//! Where requests go, in the modelled system's words (domain §3.1).

use std::time::Duration;

use crate::document::foreign::{Node, Path, Value};
use crate::model::definition::check_timeout;
use crate::model::{Api, Mode};
use crate::openapi::extension::VENDOR;
use crate::openapi::reference::{key, place};
use crate::{Http, ServiceName};

use super::operation::Operation;
use super::reading::Reading;

/// The value of one of the modelled system's keys, with the key: the operation's, the path's, or the
/// description's.
pub(super) fn vendor<'n>(
    reading: &Reading<'n>,
    operation: &Operation<'n>,
    name: &str,
) -> Option<(String, &'n Node<'n>)> {
    let name = format!("{VENDOR}{name}");
    let found = key(operation.node, &name).or_else(|| key(operation.item, &name));
    let found = found.or_else(|| reading.defaults.get(name.as_str()).copied());
    found.map(|node| (name, node))
}

/// What these keys say of an API, its backend first.
pub(super) fn read<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
    api: &mut Api,
) {
    backend(reading, operation, path, api);
    let handling = ["parameter-handling", "paramater-handling"];
    let handling = handling.into_iter().find_map(|name| vendor(reading, operation, name));
    if let Some((name, node)) = handling {
        match &node.value {
            Value::Text(text) if text == "PASSTHROUGH" => api.mode = Mode::Passthrough,
            Value::Text(text) if text == "MAPPING" => api.mode = Mode::Mapping,
            Value::Text(text) if text == "MAPPING_PASSTHROUGH" => {
                api.mode = Mode::MappingPassthrough;
            }
            _ => {
                let reason = "is none of PASSTHROUGH, MAPPING, MAPPING_PASSTHROUGH";
                reading.fault(node.at, Path::Key(path, &name), reason);
            }
        }
    }
    if let Some((name, node)) = vendor(reading, operation, "force-nonce-check") {
        match &node.value {
            Value::Bool(force) => api.force_nonce = *force,
            Value::Text(text) if text.eq_ignore_ascii_case("true") => api.force_nonce = true,
            Value::Text(text) if text.eq_ignore_ascii_case("false") => api.force_nonce = false,
            other => {
                let reason = other.instead_of("true or false");
                reading.fault(node.at, Path::Key(path, &name), reason);
            }
        }
    }
}

fn backend<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
    api: &mut Api,
) {
    if let Some((name, node)) = vendor(reading, operation, "backend-name") {
        let path = Path::Key(path, &name);
        match &node.value {
            Value::Text(text) => match text.parse::<ServiceName>() {
                Ok(service) => api.backend.service = Some(service.to_string()),
                Err(error) => reading.fault(node.at, path, error.to_string()),
            },
            other => reading.fault(node.at, path, other.instead_of("the name of a service")),
        }
    }
    let Some((name, node)) = vendor(reading, operation, "backend") else {
        return;
    };
    let path = &Path::Key(path, &name);
    if !reading.is_table(node, path) {
        return;
    }
    match reading.text(node, path, "type") {
        Some("HTTP") => {}
        _ => return reading.fault(place(node, "type"), Path::Key(path, "type"), "is not HTTP"),
    }
    match (reading.text(node, path, "address"), &api.backend.service) {
        (Some(address), None) => {
            let definition = crate::Definition::from(Http::to(address));
            match definition.check_own() {
                Ok(()) => api.backend.inline = Some(Box::new(definition)),
                Err(error) => {
                    reading.fault(place(node, "address"), Path::Key(path, "address"), error.reason)
                }
            }
        }
        (Some(_), Some(_)) => {
            reading.warn(
                place(node, "address"),
                Path::Key(path, "address"),
                "is not kept: the service's is",
            );
        }
        (None, None) => reading.fault(node.at, Path::Key(path, "address"), "is required"),
        (None, Some(_)) => {}
    }
    api.backend.path = reading.text(node, path, "path").map(str::to_owned);
    api.backend.method = reading.text(node, path, "method").map(str::to_ascii_uppercase);
    api.backend.timeout = timeout(reading, node, path);
}

/// Milliseconds.
fn timeout<'n>(reading: &mut Reading<'n>, node: &'n Node<'n>, path: &Path<'_>) -> Option<Duration> {
    let node = key(node, "timeout")?;
    let millis = match &node.value {
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    let timeout = millis.map(Duration::from_millis);
    let checked = timeout.map(|timeout| check_timeout("timeout", timeout));
    match checked {
        Some(Ok(())) => timeout,
        Some(Err(error)) => {
            reading.fault(node.at, Path::Key(path, "timeout"), error.reason);
            None
        }
        None => {
            let reason = "is not a whole number of milliseconds";
            reading.fault(node.at, Path::Key(path, "timeout"), reason);
            None
        }
    }
}
