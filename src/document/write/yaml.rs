//! YAML: blocks, with text in double quotes unless it can be nothing else.

use std::fmt::Write as _;

use serde_json::Value;

use super::order::{keys, tables};

pub(super) fn text(root: &Value) -> String {
    let mut text = Text(String::new());
    match root {
        Value::Object(map) if !map.is_empty() => text.table(&tables(map), 0, false),
        _ => text.0.push_str("{}\n"),
    }
    text.0
}

struct Text(String);

impl Text {
    /// The entries of a table, each on a line of its own; the first goes on where the line is.
    fn table(&mut self, entries: &[(&str, &Value)], indent: usize, begun: bool) {
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 || !begun {
                self.indent(indent);
            }
            self.scalar_text(key);
            self.0.push(':');
            self.value(value, indent);
        }
    }

    /// What follows a key, to the end of its lines.
    fn value(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.0.push('\n');
                self.table(&keys(map), indent + 1, false);
            }
            Value::Array(list) if list.iter().any(is_block) => {
                self.0.push('\n');
                for value in list {
                    self.indent(indent + 1);
                    self.0.push('-');
                    self.item(value, indent + 2);
                }
            }
            value => {
                self.0.push(' ');
                self.flow(value);
                self.0.push('\n');
            }
        }
    }

    /// What follows the dash of an element.
    fn item(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                self.0.push(' ');
                self.table(&keys(map), indent, true);
            }
            value => self.value(value, indent),
        }
    }

    /// A value that stays in its line.
    fn flow(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push_str("null"),
            Value::Bool(truth) => self.0.push_str(if *truth { "true" } else { "false" }),
            Value::Number(number) => self.0.push_str(&number.to_string()),
            Value::String(text) => self.scalar_text(text),
            Value::Array(list) => {
                self.0.push('[');
                for (index, value) in list.iter().enumerate() {
                    self.0.push_str(if index == 0 { "" } else { ", " });
                    self.flow(value);
                }
                self.0.push(']');
            }
            // Tables with something in them are blocks.
            Value::Object(_) => self.0.push_str("{}"),
        }
    }

    fn indent(&mut self, indent: usize) {
        self.0.extend(std::iter::repeat_n("  ", indent));
    }

    fn scalar_text(&mut self, text: &str) {
        if is_plain(text) {
            self.0.push_str(text);
            return;
        }
        self.0.push('"');
        for c in text.chars() {
            match c {
                '"' => self.0.push_str("\\\""),
                '\\' => self.0.push_str("\\\\"),
                '\n' => self.0.push_str("\\n"),
                '\t' => self.0.push_str("\\t"),
                '\r' => self.0.push_str("\\r"),
                c if is_shown(c) => self.0.push(c),
                c => {
                    // Writing to a text never fails.
                    let _ = write!(self.0, "\\U{:08X}", u32::from(c));
                }
            }
        }
        self.0.push('"');
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => list.iter().any(is_block),
        _ => false,
    }
}

/// Whether a character may stand in quotes as it is: what is printable, and breaks no line anywhere.
fn is_shown(c: char) -> bool {
    match c {
        '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        c => matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'),
    }
}

/// Whether text needs no quotes: a word that is neither null nor a truth value to any reader of YAML.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    let inner =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '/'))
        && text.bytes().all(inner)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}
