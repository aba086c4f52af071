//! Hosts, base paths, and what else a group has.

use backhaul::{Change, Group};

use super::Case;

pub(super) fn cases() -> Vec<Case> {
    [hosts(), base_paths(), others()].concat()
}

fn group(group: Group) -> Change {
    Change::new().group("new", group)
}

fn hosts() -> Vec<Case> {
    let texts = [
        "",
        " ",
        ".",
        "a b",
        "a.example.com:80",
        "a.example.com.",
        ".example.com",
        "a..example.com",
        "*.example.com",
        "a/b",
        "http://a.example.com",
        "user@a.example.com",
        "bücher.example",
        "a.example.com\r\nx: y",
        "a\0",
        "::1",
        "[::1",
        "::1]",
        "[]",
        "[0::1]",
        "[::1]:80",
        "[fe80::1%eth0]",
        "1.2.3",
        "1.2.3.256",
        "0x7f.0.0.1:1",
        "1.2.3.4.5",
        "127.1",
        "010.0.0.1",
    ];
    let long = [
        "x".repeat(64),
        ["x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(62)].join("."),
    ];
    let texts = texts.into_iter().map(str::to_owned).chain(long);
    let named = texts.flat_map(|text| {
        let shown = text.chars().take(80).collect::<String>();
        let why =
            format!("host {shown:?} is not a host in lower case without port and trailing dot");
        [
            (group(Group::host(&text)), format!("hosts: {why}")),
            (group(Group::new().stage_host(&text, "TEST")), format!("stage_hosts: {why}")),
        ]
    });
    named.collect()
}

fn base_paths() -> Vec<Case> {
    let texts = [
        ("", "does not start with '/'"),
        ("shop", "does not start with '/'"),
        ("/*", "ends in '*'"),
        ("/shop/*", "ends in '*'"),
        ("/sh*op", "has a '*' that is not the whole last segment"),
        ("/shop?x", "contains '?'"),
        ("/sh op", "contains ' '"),
        ("/shop\n", "contains '\\n'"),
        ("/shop\\", "contains a backslash"),
        ("/shop/..", "contains a dot segment"),
        ("/%2e", "contains a dot segment"),
        ("/%2F", "contains an encoded slash"),
        ("/%zz", "contains a malformed '%'"),
    ];
    let long = [
        ("/s".repeat(33), "has more than 32 segments"),
        (format!("/{}", "x".repeat(8 * 1024)), "is longer than 8192 bytes"),
    ];
    let texts = texts.into_iter().map(|(text, why)| (text.to_owned(), why)).chain(long);
    let named = texts.map(|(text, why)| {
        let host = Group::host("new.example.com");
        (group(host.base_path(text)), format!("base_path: {why}"))
    });
    named.collect()
}

fn others() -> Vec<Case> {
    let environments = ["", "test", "T", "TOO_LONG", "Release"].map(|name| {
        let bound = Group::new().stage_host("a.example.com", name);
        (group(bound), format!("stage_hosts: environment {name:?} is not 2 to 10 "))
    });
    let headers = ["", "a b", "a:b", "ä", "a\r\nb"].map(|name| {
        let passing = Group::new().passthrough_header(name);
        (group(passing), "passthrough_headers: ".to_owned())
    });
    let many = (0..1_001).map(|number| format!("h{number}.example.com"));
    let cases = [
        (group(Group::new().description("x".repeat(181))), "description: is longer".to_owned()),
        (group(many.fold(Group::new(), Group::and_host)), "hosts: are more than 1000".to_owned()),
        (
            group(Group::host("a.example.com").and_host("A.EXAMPLE.COM")),
            "hosts: \"a.example.com\" stands there twice".to_owned(),
        ),
        (
            group(Group::host("shop.example.com")),
            "host \"shop.example.com\" with base path \"/\" is taken by group \"shop\"".to_owned(),
        ),
        (Change::new().delete_group("shop"), "it is in use by 1: shop/get_order".to_owned()),
    ];
    environments.into_iter().chain(headers).chain(cases).collect()
}
