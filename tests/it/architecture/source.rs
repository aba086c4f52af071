//! Rust sources as tokens: enough to see which paths they name.

/// A word, `::`, or one sign of punctuation. Comments and literals of text are left out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) line: usize,
}

/// A path with the line it stands on: `["crate", "model", "Api"]`. Trees of `use` are spread out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Path {
    pub(super) segments: Vec<String>,
    pub(super) line: usize,
    /// How many `mod name { … }` it stands in, within its file.
    pub(super) depth: usize,
}

/// The tokens of a source, without what only tests see.
pub(super) fn without_tests(source: &str) -> Vec<Token> {
    let all = tokens(source);
    let mut kept = Vec::new();
    let mut at = 0;
    while at < all.len() {
        match test_attribute(&all[at..]) {
            Some(length) => at = end_of_item(&all, at + length),
            None => {
                kept.push(all[at].clone());
                at += 1;
            }
        }
    }
    kept
}

fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let end = end_of_token(&chars, at);
        let text: String = chars[at..end].iter().collect();
        let first = chars[at];
        if first.is_alphanumeric() && !text.contains('"') || first == '_' || text == "::" {
            found.push(Token { text, line });
        } else if end == at + 1 && !first.is_whitespace() {
            let text = first.to_string();
            found.push(Token { text, line });
        }
        line += chars[at..end].iter().filter(|c| **c == '\n').count();
        at = end;
    }
    found
}

fn end_of_token(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or(' ');
    let word = |from: usize| {
        let more = chars[from..].iter();
        from + more.take_while(|c| c.is_alphanumeric() || **c == '_').count()
    };
    match chars[at] {
        '/' if next(1) == '/' => at + chars[at..].iter().take_while(|c| **c != '\n').count(),
        '/' if next(1) == '*' => end_of_comment(chars, at),
        ':' if next(1) == ':' => at + 2,
        '"' => end_of_text(chars, at + 1),
        '\'' if next(1) == '\\' => end_of_character(chars, at + 3),
        '\'' if next(2) == '\'' => at + 3,
        '\'' => word(at + 1).max(at + 1),
        c if c.is_alphanumeric() || c == '_' => {
            let end = word(at);
            let prefix: String = chars[at..end].iter().collect();
            match (prefix.as_str(), chars.get(end)) {
                ("b" | "c", Some('"')) => end_of_text(chars, end + 1),
                ("r" | "br" | "cr", Some('"' | '#')) => end_of_raw_text(chars, end),
                _ => end,
            }
        }
        _ => at + 1,
    }
}

fn end_of_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (at, depth) = (at + 2, depth + 1),
            ('*', Some('/')) => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_text(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

fn end_of_character(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '\'' {
        at += 1;
    }
    (at + 1).min(chars.len())
}

fn end_of_raw_text(chars: &[char], start: usize) -> usize {
    let hashes = chars[start..].iter().take_while(|c| **c == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        return start; // a raw identifier
    }
    let mut close = vec!['"'];
    close.extend(vec!['#'; hashes]);
    let body = start + hashes + 1;
    (body..chars.len())
        .find(|at| chars[*at..].starts_with(&close))
        .map_or(chars.len(), |at| at + close.len())
}

/// How many tokens `#[cfg(test)]` or `#[cfg(all(test, …))]` takes, if it stands here.
fn test_attribute(tokens: &[Token]) -> Option<usize> {
    let starts = |with: &[&str]| {
        tokens.len() >= with.len()
            && tokens.iter().zip(with).all(|(token, text)| token.text == *text)
    };
    let outer = starts(&["#", "[", "cfg", "(", "test"])
        || starts(&["#", "[", "cfg", "(", "all", "(", "test"]);
    outer.then(|| closing(tokens, 1) + 1)
}

/// The place of the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_i32;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        depth += match token.text.as_str() {
            "(" | "[" | "{" => 1,
            ")" | "]" | "}" => -1,
            _ => 0,
        };
        if depth == 0 {
            return at;
        }
    }
    tokens.len() - 1
}

fn end_of_item(tokens: &[Token], mut at: usize) -> usize {
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            ";" => return at + 1,
            "{" => return closing(tokens, at) + 1,
            "(" | "[" => at = closing(tokens, at) + 1,
            ")" | "]" | "}" => return at,
            _ => at += 1,
        }
    }
    at
}

/// Every path with at least two segments.
pub(super) fn paths(tokens: &[Token]) -> Vec<Path> {
    let mut found = Vec::new();
    let mut modules = Vec::new();
    let (mut at, mut braces) = (0, 0);
    while at < tokens.len() {
        let text = tokens[at].text.as_str();
        if text == "mod" && tokens.get(at + 2).is_some_and(|token| token.text == "{") {
            modules.push(braces);
        }
        braces += usize::from(text == "{");
        if text == "}" {
            braces = braces.saturating_sub(1);
            modules.retain(|opened| *opened < braces);
        }
        let use_tree = text == "use";
        if use_tree || is_word(text) && follows(tokens, at, "::") {
            let start = at + usize::from(use_tree);
            let mut leaves = Vec::new();
            at = tree(tokens, start, &[], &mut leaves).max(at + 1);
            found.extend(
                leaves
                    .into_iter()
                    .filter(|(path, _)| path.len() > 1)
                    .map(|(segments, line)| Path { segments, line, depth: modules.len() }),
            );
        } else {
            at += 1;
        }
    }
    found
}

/// Reads `a::b::{c, d::e}` at `at`, and returns the place after it.
fn tree(
    tokens: &[Token],
    mut at: usize,
    before: &[String],
    leaves: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut path = before.to_vec();
    let line = tokens.get(at).map_or(0, |token| token.line);
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "::" => at += 1,
            "{" if follows_path(tokens, at, &path) => {
                at += 1;
                while tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = tree(tokens, at, &path, leaves).max(at + 1);
                    at += usize::from(tokens.get(at).is_some_and(|token| token.text == ","));
                }
                return at + 1;
            }
            "*" if follows_path(tokens, at, &path) => {
                path.push("*".to_owned());
                at += 1;
                break;
            }
            word if is_word(word) => {
                path.push(word.to_owned());
                at += 1;
                if !follows(tokens, at - 1, "::") {
                    break;
                }
            }
            _ => break,
        }
    }
    if tokens.get(at).is_some_and(|token| token.text == "as") {
        at += 2;
    }
    leaves.push((path, line));
    at
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

fn follows(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at + 1).is_some_and(|token| token.text == text)
}

fn follows_path(tokens: &[Token], at: usize, path: &[String]) -> bool {
    path.is_empty() || tokens.get(at.wrapping_sub(1)).is_some_and(|token| token.text == "::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str) -> Vec<String> {
        let paths = paths(&without_tests(source));
        paths.iter().map(|path| path.segments.join("::")).collect()
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let source = r##"
            use crate::{error::Error, model::{self, Api as A, path::*}};
            fn f(x: &crate::gateway::Peer) -> Option<super::Y> { hyper::client::conn::http1::handshake(x) }
            impl<'a> crate::A::B for T<'a> where T: ::std::fmt::Debug { fn g() { let c = '"'; S::new('\'') } }
        "##;
        assert_eq!(
            names(source),
            [
                "crate::error::Error",
                "crate::model::self",
                "crate::model::Api",
                "crate::model::path::*",
                "crate::gateway::Peer",
                "super::Y",
                "hyper::client::conn::http1::handshake",
                "crate::A::B",
                "std::fmt::Debug",
                "S::new",
            ]
        );
    }

    #[test]
    fn comments_texts_and_tests_name_nothing() {
        let source = r###"
            //! crate::a::b
            /* crate::a /* nested */ ::b */
            const T: &str = "crate::a::b \" crate::c::d"; const R: &str = r#"crate::"a"::b"#;
            const B: &[u8] = b"crate::a::b";
            #[cfg(test)] mod tests { use crate::a::b; fn f() { if x { crate::c::d() } } }
            #[cfg(all(test, feature = "x"))] fn f(_: crate::a::b) {}
            #[cfg(test)] use crate::a::{b, c};
            #[cfg(feature = "y")] use crate::seen::y;
        "###;
        assert_eq!(names(source), ["crate::seen::y"]);
    }

    #[test]
    fn modules_within_a_file_are_counted() {
        let paths = paths(&without_tests(
            "use super::a; mod inner { use super::b; mod deeper { fn f() { super::c() } } } use super::d;",
        ));
        let depths: Vec<_> = paths.iter().map(|path| path.depth).collect();
        assert_eq!(depths, [0, 1, 2, 0]);
    }
}
