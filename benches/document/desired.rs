//! A document of a hundred thousand APIs through a hundred services, and one that differs a little.

use std::fmt::Write as _;

/// APIs of the document.
pub(crate) const APIS: usize = 100_000;
/// Groups they are spread over.
pub(crate) const GROUPS: usize = 10;
/// Services they go through; the first one is a mock, so that requests need no origin.
pub(crate) const SERVICES: usize = 100;
/// Every so many APIs one is edited from one turn to the next.
const EDITED: usize = 333;
/// Grants, all of one application.
const GRANTS: usize = 10;

/// The text, as TOML, of one turn or of the other: they differ in the definition of the mock service in
/// RELEASE, in that of another service, and in three hundred APIs.
pub(crate) fn text(turn: usize) -> String {
    let turn = turn % 2;
    let mut text = String::with_capacity(32 << 20);
    for service in 0..SERVICES {
        let moved = if service < 2 { turn } else { 0 };
        services(&mut text, service, moved);
    }
    for group in 0..GROUPS {
        append(
            &mut text,
            format_args!("[[group]]\nname = \"group{group}\"\nhosts = [\"{}\"]\n\n", host(group)),
        );
    }
    for index in 0..APIS {
        let (group, service) = (index % GROUPS, index / GROUPS % SERVICES);
        let timeout = if index % EDITED == 0 { 5 + turn } else { 5 };
        append(
            &mut text,
            format_args!(
                "[[api]]\nname = \"api_{index}\"\ngroup = \"group{group}\"\nmethod = \"GET\"\n\
                 path = \"/items/i{index}/[part]\"\npublish = [\"RELEASE\"]\nbackend = {{ service = \
                 \"service{service}\", path = \"/v1/items/i{index}/[part]\", timeout = \
                 \"{timeout}s\" }}\n\n",
            ),
        );
    }
    text.push_str(
        "[[app]]\nname = \"mobile\"\nkey = \"203753385\"\nsecret = \"sampleSecret1\"\n\n",
    );
    for index in 0..GRANTS {
        append(
            &mut text,
            format_args!(
                "[[grant]]\napp = \"mobile\"\napi = \"group{}/api_{index}\"\n\
                 environment = \"RELEASE\"\n\n",
                index % GROUPS,
            ),
        );
    }
    text
}

fn services(text: &mut String, service: usize, moved: usize) {
    let kind = if service == 0 { "mock" } else { "http" };
    append(
        text,
        format_args!("[[backend_service]]\nname = \"service{service}\"\nkind = \"{kind}\"\n"),
    );
    for (environment, moved) in [("TEST", 0), ("RELEASE", moved)] {
        append(text, format_args!("\n[backend_service.definition.{environment}]\n"));
        if service == 0 {
            append(text, format_args!("body = \"turn {moved}\"\n\n"));
        } else {
            append(text, format_args!("url = \"http://10.0.{moved}.{service}:8080\"\n\n"));
        }
    }
}

/// The host of a group.
pub(crate) fn host(group: usize) -> String {
    format!("h{group}.example.com")
}

/// The host and the path of one of the APIs of the mock service, which are a hundredth of all.
pub(crate) fn mocked(choice: usize) -> (String, String) {
    let (block, group) = (choice / GROUPS % (APIS / GROUPS / SERVICES), choice % GROUPS);
    let index = block * GROUPS * SERVICES + group;
    (host(group), format!("/items/i{index}/p7"))
}

fn append(text: &mut String, part: std::fmt::Arguments<'_>) {
    text.write_fmt(part).expect("a text takes it");
}
