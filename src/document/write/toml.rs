//! TOML: a section for what has a name, everything below in a line.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::order::{keys, tables};
use super::{Unwritable, value::unwritable};

/// Keys of an element whose value is a section of its own.
const SECTIONS: [&str; 1] = ["response"];
/// Keys of an element whose entries are sections each.
const SECTIONS_BY_NAME: [&str; 2] = ["definition", "version"];
/// Keys of an element whose elements are sections each.
const LISTS_OF_SECTIONS: [&str; 3] = ["parameter", "constant", "system"];

pub(super) fn text(root: &Value) -> Result<String, Unwritable> {
    let mut text = Text(String::new());
    let Some(root) = root.as_object() else {
        return Ok(text.0);
    };
    for (name, table) in tables(root) {
        match table {
            Value::Array(elements) => {
                for (index, element) in elements.iter().filter_map(Value::as_object).enumerate() {
                    text.element(name, &format!("{name}[{index}]"), element)?;
                }
            }
            Value::Object(map) => text.section(&format!("[{}]", key(name)), name, map)?,
            _ => {}
        }
    }
    Ok(text.0)
}

/// Whether a key of an element is written as sections, after the others.
fn has_sections(key: &str, value: &Value) -> bool {
    match value {
        Value::Object(_) => SECTIONS.contains(&key) || SECTIONS_BY_NAME.contains(&key),
        Value::Array(list) => LISTS_OF_SECTIONS.contains(&key) && !list.is_empty(),
        _ => false,
    }
}

struct Text(String);

impl Text {
    fn element(
        &mut self,
        name: &str,
        path: &str,
        element: &Map<String, Value>,
    ) -> Result<(), Unwritable> {
        self.header(&format!("[[{}]]", key(name)));
        let entries = keys(element);
        for (key, value) in entries.iter().filter(|(key, value)| !has_sections(key, value)) {
            self.entry(path, key, value)?;
        }
        for (inner, value) in entries.iter().filter(|(key, value)| has_sections(key, value)) {
            let path = format!("{path}.{inner}");
            match value {
                Value::Array(list) => {
                    for (index, map) in list.iter().filter_map(Value::as_object).enumerate() {
                        let path = format!("{path}[{index}]");
                        self.section(&format!("[[{}.{}]]", key(name), key(inner)), &path, map)?;
                    }
                }
                Value::Object(map) if SECTIONS_BY_NAME.contains(inner) => {
                    for (of, map) in map.iter().filter_map(|(of, map)| Some((of, map.as_object()?)))
                    {
                        let header = format!("[{}.{}.{}]", key(name), key(inner), key(of));
                        self.section(&header, &format!("{path}.{of}"), map)?;
                    }
                }
                Value::Object(map) => {
                    self.section(&format!("[{}.{}]", key(name), key(inner)), &path, map)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn section(
        &mut self,
        header: &str,
        path: &str,
        map: &Map<String, Value>,
    ) -> Result<(), Unwritable> {
        self.header(header);
        keys(map).into_iter().try_for_each(|(key, value)| self.entry(path, key, value))
    }

    fn header(&mut self, header: &str) {
        let between = if self.0.is_empty() { "" } else { "\n" };
        self.0.extend([between, header, "\n"]);
    }

    /// A key on a line of its own.
    fn entry(&mut self, path: &str, name: &str, value: &Value) -> Result<(), Unwritable> {
        self.0.extend([&key(name), " = "]);
        match value {
            Value::String(text) if text.contains('\n') => self.lines(text),
            value => self.inline(&|| format!("{path}.{name}"), value)?,
        }
        self.0.push('\n');
        Ok(())
    }

    fn inline(&mut self, path: &dyn Fn() -> String, value: &Value) -> Result<(), Unwritable> {
        match value {
            Value::Null => return Err(unwritable(path(), &"TOML has no null")),
            Value::Bool(truth) => self.0.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => self.0.push_str(&number.to_string()),
            Value::String(text) => self.quoted(text),
            Value::Array(list) => {
                self.0.push('[');
                for (index, value) in list.iter().enumerate() {
                    self.0.push_str(if index == 0 { "" } else { ", " });
                    self.inline(&|| format!("{}[{index}]", path()), value)?;
                }
                self.0.push(']');
            }
            Value::Object(map) if map.is_empty() => self.0.push_str("{}"),
            Value::Object(map) => {
                for (index, (name, value)) in keys(map).into_iter().enumerate() {
                    self.0.push_str(if index == 0 { "{ " } else { ", " });
                    self.0.extend([&key(name), " = "]);
                    self.inline(&|| format!("{}.{name}", path()), value)?;
                }
                self.0.push_str(" }");
            }
        }
        Ok(())
    }

    fn quoted(&mut self, text: &str) {
        self.0.push('"');
        text.chars().for_each(|c| self.escaped(c));
        self.0.push('"');
    }

    /// Text of several lines. The first line break is not part of it.
    fn lines(&mut self, text: &str) {
        self.0.push_str("\"\"\"\n");
        for c in text.chars() {
            if c == '\n' {
                self.0.push(c);
            } else {
                self.escaped(c);
            }
        }
        self.0.push_str("\"\"\"");
    }

    fn escaped(&mut self, c: char) {
        match c {
            '"' => self.0.push_str("\\\""),
            '\\' => self.0.push_str("\\\\"),
            '\n' => self.0.push_str("\\n"),
            '\t' => self.0.push_str("\\t"),
            '\r' => self.0.push_str("\\r"),
            c if c.is_control() => {
                // Writing to a text never fails.
                let _ = write!(self.0, "\\u{:04X}", u32::from(c));
            }
            c => self.0.push(c),
        }
    }
}

/// A key, in quotes where it needs them.
fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !name.is_empty() && name.bytes().all(bare) {
        return name.to_owned();
    }
    let mut quoted = Text(String::new());
    quoted.quoted(name);
    quoted.0
}
