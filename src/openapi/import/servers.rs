//! Where a description says it is served.

use std::collections::HashMap;

use crate::document::foreign::{Node, Path};
use crate::model::id::GroupId;
use crate::model::limits::MAX_PATH;
use crate::model::{Group, Host};
use crate::openapi::reference::{entries, key, place};
use crate::registry::site::AcceptedGroup;

use super::reading::Reading;

/// The group that serves what the servers say: the base path of the first, and the hosts of all that
/// have it.
pub(super) fn group<'n>(reading: &mut Reading<'n>, root: &'n Node<'n>) -> Group {
    let path = &Path::Key(&Path::Root, "servers");
    let mut group = Group::new();
    for (index, server) in reading.list(root, &Path::Root, "servers").iter().enumerate() {
        let path = &Path::Index(path, index);
        if !reading.is_table(server, path) {
            continue;
        }
        let Some(url) = reading.text(server, path, "url") else {
            continue;
        };
        if url.len() > MAX_PATH {
            reading.fault(server.at, Path::Key(path, "url"), "is too long for a URL");
            continue;
        }
        let url = filled(reading, server, url, path);
        let (host, base) = taken_apart(&url);
        let at = &Path::Key(path, "url");
        if index == 0 {
            base.clone_into(&mut group.base_path);
        } else if base != group.base_path {
            let reason = format!("has another base path than the first server, {:?}", shown(base));
            reading.warn(place(server, "url"), at, reason);
            continue;
        }
        match host.map(|host| (host, host.parse::<Host>())) {
            None => {}
            Some((_, Ok(host))) if group.hosts.iter().any(|known| known == host.as_str()) => {}
            Some((_, Ok(host))) => group.hosts.push(host.to_string()),
            Some((_, Err(error))) => reading.warn(place(server, "url"), at, error.to_string()),
        }
    }
    check(reading, root, &group);
    group
}

fn check<'n>(reading: &mut Reading<'n>, root: &'n Node<'n>, group: &Group) {
    let at = key(root, "servers").map_or(root.at, |node| node.at);
    let path = Path::Key(&Path::Root, "servers");
    if let Err(error) = AcceptedGroup::accept(GroupId::new(0), group) {
        reading.fault(at, path, format!("{}: {}", error.field, error.reason));
    } else if let Some(wanted) = &reading.settings.base_path
        && without_slash(wanted) != group.base_path
    {
        let reason = format!(
            "the base path is {:?}, and {:?} is the group's",
            shown(&group.base_path),
            shown(wanted)
        );
        reading.fault(at, path, reason);
    }
}

/// A URL with its variables as they are by default.
fn filled<'n>(
    reading: &mut Reading<'n>,
    server: &'n Node<'n>,
    url: &str,
    path: &Path<'_>,
) -> String {
    let variables: HashMap<_, _> = entries(reading.table(server, path, "variables")).collect();
    let path = &Path::Key(path, "variables");
    let mut pieces = url.split('{');
    let mut filled = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}').unwrap_or((piece, ""));
        let path = &Path::Key(path, name);
        match variables.get(name) {
            Some(variable) if reading.is_table(variable, path) => {
                filled.push_str(reading.text(variable, path, "default").unwrap_or_default());
            }
            Some(_) => {}
            None => reading.fault(server.at, path, "is in the URL and not among the variables"),
        }
        filled.push_str(rest);
        if filled.len() > MAX_PATH {
            break;
        }
    }
    filled
}

/// The host, without user and port, and the base path, without its last slash.
fn taken_apart(url: &str) -> (Option<&str>, &str) {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let rest = url.split_once("://").map(|(_, rest)| rest).or_else(|| url.strip_prefix("//"));
    let Some(rest) = rest else {
        // Relative to where the description stands: that has no host we know.
        return (None, without_slash(url));
    };
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, base) = rest.split_at_checked(slash).unwrap_or((rest, ""));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port =
        host.rfind(':').filter(|colon| !host.get(*colon..).unwrap_or_default().contains(']'));
    (Some(host.get(..port.unwrap_or(host.len())).unwrap_or(host)), without_slash(base))
}

fn without_slash(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" | "." => "/",
        other => other,
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_a_base_path() {
        for (url, host, base) in [
            ("https://a.example.com", Some("a.example.com"), "/"),
            ("https://a.example.com:8443/v1/", Some("a.example.com"), "/v1"),
            ("http://user@[::1]:80/x/y?z#w", Some("[::1]"), "/x/y"),
            ("http://[::1]", Some("[::1]"), "/"),
            ("/v1", None, "/v1"),
            ("/", None, "/"),
            ("", None, "/"),
            ("//a/b", Some("a"), "/b"),
        ] {
            assert_eq!(taken_apart(url), (host, base), "{url}");
        }
    }
}
