//! Parameters in forms. Other bodies go through as they are.

use crate::document::foreign::{Node, Path};
use crate::model::Parameter;
use crate::model::limits::MAX_PARAMETERS;
use crate::openapi::reference::{entries, key};

use super::operation::Operation;
use super::parameter::of_body;
use super::reading::Reading;
use super::schema::{names, properties};

/// Media types of forms, without their parameters.
const FORMS: [&str; 2] = ["application/x-www-form-urlencoded", "multipart/form-data"];

/// The parameters of an operation's form.
pub(super) fn parameters<'n>(
    reading: &mut Reading<'n>,
    operation: &Operation<'n>,
    path: &Path<'_>,
) -> Vec<Parameter> {
    let Some(body) = key(operation.node, "requestBody") else {
        return Vec::new();
    };
    let path = &Path::Key(path, "requestBody");
    let read = reading.referred(body, path, "requestBodies", |reading, body, path| {
        let needed = reading.flag(body, path, "required").unwrap_or(false);
        let content = reading.table(body, path, "content")?;
        let path = &Path::Key(path, "content");
        let form = entries(Some(content)).find(|(media, _)| is_form(media));
        let (media, form) = form?;
        let path = &Path::Key(path, media);
        if !reading.is_table(form, path) {
            return None;
        }
        let schema = reading.table(form, path, "schema")?;
        let path = &Path::Key(path, "schema");
        reading.referred(schema, path, "schemas", |reading, schema, path| {
            Some(fields(reading, schema, path, needed))
        })
    });
    read.unwrap_or_default()
}

fn is_form(media: &str) -> bool {
    let media = media.split(';').next().unwrap_or_default().trim();
    FORMS.iter().any(|form| form.eq_ignore_ascii_case(media))
}

/// The properties of a form. Where the whole body may be missing, each of them may.
fn fields<'n>(
    reading: &mut Reading<'n>,
    schema: &'n Node<'n>,
    path: &Path<'_>,
    needed: bool,
) -> Vec<Parameter> {
    let all = properties(reading, schema, path);
    if all.len() > MAX_PARAMETERS {
        reading.fault(schema.at, path, format!("has more than {MAX_PARAMETERS} properties"));
        return Vec::new();
    }
    let required = names(reading.list(schema, path, "required"));
    let path = &Path::Key(path, "properties");
    let mut fields = Vec::new();
    for (name, node) in all {
        let path = &Path::Key(path, name);
        if name.is_empty() {
            reading.fault(node.at, path, "has no name");
            continue;
        }
        fields.extend(of_body(reading, name, node, path, needed && required.contains(name)));
    }
    fields.sort_by_key(|(position, _)| *position);
    fields.into_iter().map(|(_, field)| field).collect()
}
