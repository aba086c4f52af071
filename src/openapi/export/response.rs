//! What callers are told about answers.

use serde_json::{Map, Value, json};

use super::put;
use crate::model::Api;
use crate::model::api::ResponseType;

/// The answers of an API. There must be one: where nothing is known, it is whatever comes.
pub(super) fn describe(api: &Api) -> Value {
    let Some(response) = &api.response else {
        return json!({ "default": { "description": "Whatever the backend answers." } });
    };
    let mut all = Map::new();
    let content = content(response.content, &response.sample);
    all.insert("200".to_owned(), json!({ "description": "Success.", "content": content }));
    for error in response.errors.iter().filter(|error| is_failure(&error.code)) {
        all.insert(error.code.clone(), json!({ "description": error.message }));
    }
    if !response.error_sample.is_empty() {
        let content = self::content(response.content, &response.error_sample);
        let first = response.errors.iter().map(|error| &error.code).find(|code| is_failure(code));
        let code = first.map_or("default", String::as_str);
        let answer = all.entry(code).or_insert_with(|| json!({ "description": "Failure." }));
        put(answer, "content", content);
    }
    Value::Object(all)
}

/// Whether it is a status of a failure.
fn is_failure(code: &str) -> bool {
    code.len() == 3
        && code.starts_with(['4', '5'])
        && code.bytes().all(|byte| byte.is_ascii_digit())
}

fn content(kind: ResponseType, sample: &str) -> Value {
    let media = match kind {
        ResponseType::Json => "application/json",
        ResponseType::Text => "text/plain",
        ResponseType::Binary => "application/octet-stream",
        ResponseType::Xml => "application/xml",
        ResponseType::Html => "text/html",
        ResponseType::Passthrough => "*/*",
    };
    if sample.is_empty() {
        return json!({ media: {} });
    }
    // JSON as such where it is read as the same text again.
    let json = serde_json::from_str::<Value>(sample).ok();
    let same = |value: &Value| {
        !value.is_string()
            && !value.is_null()
            && serde_json::to_string_pretty(value).is_ok_and(|text| text == sample)
    };
    let example = json.filter(|value| kind == ResponseType::Json && same(value));
    json!({ media: { "example": example.unwrap_or_else(|| sample.into()) } })
}
