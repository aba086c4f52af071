//! What callers are told about answers.

use crate::document::foreign::{self, Node, Path, Value};
use crate::model::ResponseDefinition;
use crate::model::api::ResponseType;
use crate::model::limits::{MAX_ERROR_SAMPLE, MAX_SAMPLE};
use crate::openapi::reference::{entries, key};

use super::operation::Operation;
use super::reading::Reading;

/// What an operation says of its answers, if it says more than that there are some.
pub(super) fn read<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
) -> Option<ResponseDefinition> {
    let responses = reading.table(operation.node, path, "responses")?;
    let path = &Path::Key(path, "responses");
    let mut definition = ResponseDefinition::default();
    let (mut success, mut said) = (false, false);
    let mut failure = None;
    for (status, node) in entries(Some(responses)) {
        let failed = is_failure(status);
        let path = &Path::Key(path, status);
        if status.starts_with("x-") {
            continue;
        }
        let read = reading.referred(node, path, "responses", |reading, node, path| {
            one(reading, node, path, status)
        });
        let Some(Answer { description, content }) = read else {
            continue;
        };
        if failed && status != "default" {
            definition = definition.error(status, description);
            said = true;
        }
        match content {
            Some((kind, sample)) if !failed && !success => {
                (success, said) = (true, true);
                definition.content = kind;
                definition.sample = sample;
            }
            Some((_, sample)) if failed && failure.is_none() && !sample.is_empty() => {
                said = true;
                failure = Some(sample);
            }
            _ => {}
        }
    }
    definition.error_sample = failure.unwrap_or_default();
    said.then_some(definition)
}

/// One answer: how it is described, and what it consists of.
struct Answer<'n> {
    description: &'n str,
    content: Option<(ResponseType, String)>,
}

fn is_failure(status: &str) -> bool {
    status == "default" || status.starts_with(['4', '5'])
}

fn one<'n>(
    reading: &mut Reading<'n>,
    node: &'n Node<'n>,
    path: &Path<'_>,
    status: &str,
) -> Option<Answer<'n>> {
    if let Some(links) = key(node, "links") {
        reading.warn(links.at, Path::Key(path, "links"), "are not kept");
    }
    let description = reading.text(node, path, "description").unwrap_or_default();
    let content = reading.table(node, path, "content");
    let path = &Path::Key(path, "content");
    let json = entries(content).find(|(media, _)| kind(media) == ResponseType::Json);
    let content = json.or_else(|| entries(content).next()).map(|(media, node)| {
        let path = &Path::Key(path, media);
        let sample = sample(reading, node, path).unwrap_or_default();
        let limit = if is_failure(status) { MAX_ERROR_SAMPLE } else { MAX_SAMPLE };
        if sample.len() > limit {
            let reason =
                format!("has an example of more than {} KiB, which is not kept", limit >> 10);
            reading.warn(node.at, path, reason);
            return (kind(media), String::new());
        }
        (kind(media), sample)
    });
    Some(Answer { description, content })
}

/// The first example of a content.
fn sample<'n>(reading: &mut Reading<'n>, node: &'n Node<'n>, path: &Path<'_>) -> Option<String> {
    if let Some(example) = key(node, "example") {
        return text(example);
    }
    let (name, first) = entries(key(node, "examples")).next()?;
    let path = &Path::Key(path, "examples");
    reading.referred(first, &Path::Key(path, name), "examples", |reading, node, path| {
        if let Some(outside) = key(node, "externalValue") {
            let reason = "is in another document, which is never fetched";
            reading.warn(outside.at, Path::Key(path, "externalValue"), reason);
        }
        key(node, "value").and_then(text)
    })
}

/// Text as it is, everything else as JSON.
fn text(node: &Node<'_>) -> Option<String> {
    match &node.value {
        Value::Text(text) => Some(text.to_string()),
        _ => serde_json::to_string_pretty(&foreign::value(node)?).ok(),
    }
}

fn kind(media: &str) -> ResponseType {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media.split_once('/').unwrap_or_default() {
        ("application", "json") => ResponseType::Json,
        (_, other) if other.ends_with("+json") => ResponseType::Json,
        ("text", "html") => ResponseType::Html,
        ("text" | "application", "xml") => ResponseType::Xml,
        (_, other) if other.ends_with("+xml") => ResponseType::Xml,
        ("text", _) => ResponseType::Text,
        ("application", "octet-stream" | "pdf" | "zip") | ("image" | "audio" | "video", _) => {
            ResponseType::Binary
        }
        _ => ResponseType::Passthrough,
    }
}
