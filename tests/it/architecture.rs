//! Keeps the dependency rule: who may use whom, and what stands in one place only.
//!
//! Every rule is a function from sources to complaints, tried on made-up sources that break it before
//! it is applied to `src/`.

use std::collections::BTreeMap;
use std::fs;

use self::source::{Path, Token, paths, without_tests};

mod rules;
mod source;

/// The house, top first. A row may use the rows below it.
const ROWS: [&[&str]; 7] = [
    &["admin", "cloudapi", "serve", "openapi", "testing", "manual", "fuzzing"],
    &["gateway", "publish", "document"],
    &[KIND, "registry"],
    &["backend", "store"],
    &["resilience", "discovery", "balance", "sign"],
    &["transport", "observe"],
    &["model", "error", "body", "time", "sync"],
];
/// Stands for every `backend/<kind>`; `backend` is the contract.
const KIND: &str = "backend/<kind>";
/// What may use its neighbours in the same row.
const NEIGHBOURS: [(&str, &str); 2] = [("document", "publish"), ("transport", "observe")];
/// The rows whose members may use each other: the top and the bottom.
const OPEN_ROWS: [usize; 2] = [0, ROWS.len() - 1];
/// Lines a file may have, tests left out.
const MAX_LINES: usize = 600;

/// A file below `src/`: its path there, and what it says.
#[derive(Debug)]
struct File {
    path: String,
    text: String,
    tokens: Vec<Token>,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned(), tokens: without_tests(text) }
    }

    /// The module it is: `["backend", "http", "pool"]`, nothing for `lib.rs`.
    fn module(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').filter(|name| *name != "lib").map(str::to_owned).collect()
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.contains("/tests/")
    }

    fn has(&self, words: &[&str]) -> Option<usize> {
        self.tokens
            .windows(words.len())
            .find(|window| window.iter().zip(words).all(|(token, word)| token.text == *word))
            .map(|window| window[0].line)
    }
}

/// Which module the names at the root of the crate come from.
fn root_names(files: &[File]) -> BTreeMap<String, Vec<String>> {
    let mut names = BTreeMap::new();
    for file in files.iter().filter(|file| file.path == "lib.rs") {
        for path in paths(&file.tokens) {
            let mut from = path.segments;
            if matches!(from[0].as_str(), "crate" | "self") {
                from.remove(0);
            }
            if let Some(name) = from.last().cloned() {
                names.insert(name, from);
            }
        }
        for window in file.tokens.windows(2).filter(|window| window[0].text == "fn") {
            names.insert(window[1].text.clone(), Vec::new());
        }
    }
    names
}

/// Where in the house a path inside the crate leads; `None` for `lib.rs` itself.
fn member(inside: &[String], files: &[File]) -> Option<String> {
    let first = inside.first()?;
    let kind = inside.get(1).filter(|_| first == "backend")?;
    let folder = format!("backend/{kind}/");
    let file = format!("backend/{kind}.rs");
    let contract =
        ["mod", "call", "body", "capability", "factory", "probe"].contains(&kind.as_str());
    let exists = files.iter().any(|other| other.path.starts_with(&folder) || other.path == file);
    (exists && !contract).then(|| format!("backend/{kind}"))
}

fn place(inside: &[String], files: &[File]) -> Option<String> {
    member(inside, files).or_else(|| inside.first().cloned())
}

/// The path from the root of the crate that `path` stands for in `file`, if it leads inside.
fn inside(path: &Path, file: &File, roots: &BTreeMap<String, Vec<String>>) -> Option<Vec<String>> {
    let supers = path.segments.iter().take_while(|name| *name == "super").count();
    let mut full = match path.segments[0].as_str() {
        "crate" => path.segments[1..].to_vec(),
        // Out of the modules within the file first, then out of the file.
        "super" => {
            let module = file.module();
            let up = supers.checked_sub(path.depth).filter(|up| *up > 0)?;
            let kept = module.len().checked_sub(up)?;
            [&module[..kept], &path.segments[supers..]].concat()
        }
        _ => return None,
    };
    if let Some(from) = full.first().and_then(|name| roots.get(name)) {
        full = [from, &full[1..]].concat();
    }
    Some(full)
}

fn row(member: &str) -> Option<usize> {
    let name = if member.starts_with("backend/") { KIND } else { member };
    ROWS.iter().position(|row| row.contains(&name))
}

fn may_use(from: &str, to: &str) -> bool {
    match (row(from), row(to)) {
        (Some(above), Some(below)) if above == below => {
            from == to || OPEN_ROWS.contains(&above) || NEIGHBOURS.contains(&(from, to))
        }
        (Some(above), Some(below)) => above < below,
        _ => false,
    }
}

/// Every edge is one of the table, and built-in kinds are named by `lib.rs` alone.
fn edges(files: &[File]) -> Vec<String> {
    let roots = root_names(files);
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let Some(from) = place(&file.module(), files) else {
            continue;
        };
        if row(&from).is_none() {
            complaints.push(format!("{}: the house has no place for it", file.path));
        }
        for path in paths(&file.tokens) {
            let Some(to) = inside(&path, file, &roots).and_then(|full| place(&full, files)) else {
                continue;
            };
            let kind_from_outside = to.starts_with("backend/") && from != to;
            if kind_from_outside || from != to && !may_use(&from, &to) {
                complaints.push(format!("{}:{}: {from} uses {to}", file.path, path.line));
            }
        }
    }
    complaints
}

/// Only `transport` knows how bytes travel, and only `serve` how they arrive.
fn network(files: &[File]) -> Vec<String> {
    let stacks = ["rustls", "tokio_rustls", "rustls_platform_verifier", "rustls_pki_types"];
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !file.path.starts_with("transport")) {
        for path in paths(&file.tokens) {
            let first = path.segments[0].as_str();
            let client = first.starts_with("hyper") && path.segments[1] == "client";
            let server = first == "hyper" && path.segments[1] == "server";
            let server = server && !file.path.starts_with("serve/");
            if client || server || stacks.contains(&first) {
                let name = path.segments.join("::");
                complaints.push(format!("{}:{}: names {name}", file.path, path.line));
            }
        }
    }
    complaints
}

/// Only `time.rs` asks for the wall time.
fn wall_time(files: &[File]) -> Vec<String> {
    let others = files.iter().filter(|file| file.path != "time.rs");
    others
        .filter_map(|file| {
            let line = file.has(&["SystemTime", "::", "now"])?;
            Some(format!("{}:{line}: asks for the wall time", file.path))
        })
        .collect()
}

/// Nothing is left for later.
fn unfinished(files: &[File]) -> Vec<String> {
    let macros = ["todo", "unimplemented"];
    let by_macro = files.iter().flat_map(|file| {
        macros.iter().filter_map(|name| {
            let line = file.has(&[name, "!"])?;
            Some(format!("{}:{line}: {name}!", file.path))
        })
    });
    let by_word = files
        .iter()
        .filter(|file| file.text.contains("TODO") || file.text.contains("FIXME"))
        .map(|file| format!("{}: a note of something left for later", file.path));
    by_macro.chain(by_word).collect()
}

/// No file is too long to be read at once.
fn lengths(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| !file.is_test()) {
        let code = file.tokens.last().map_or(0, |token| token.line);
        if code > MAX_LINES {
            complaints.push(format!("{}: {code} lines", file.path));
        }
    }
    complaints
}

/// Every folder has something in it besides the names of its modules.
fn empty_folders(files: &[File]) -> Vec<String> {
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for file in files {
        if let Some((folder, _)) = file.path.rsplit_once('/') {
            let modules = file.tokens.iter().filter(|token| token.text == "mod").count();
            *folders.entry(folder).or_default() += file.tokens.len().saturating_sub(4 * modules);
        }
    }
    let empty = folders.into_iter().filter(|(_, code)| *code == 0);
    empty.map(|(folder, _)| format!("{folder}: nothing in it")).collect()
}

fn sources() -> Vec<File> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    let mut files = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.push(File::new(name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    files
}

#[test]
fn the_sources_keep_the_rules() {
    let files = sources();
    let complaints = [edges, network, wall_time, unfinished, lengths, empty_folders]
        .map(|rule| rule(&files))
        .concat();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
