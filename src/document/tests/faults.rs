//! What is wrong is told with its place, all of it.

use crate::document::limits::MAX_DEPTH;
use crate::document::{Document, Format};

/// All faults of a text, as they are shown.
fn faults(text: &str, format: Format) -> Vec<String> {
    let error = Document::parse(text, format).expect_err(text);
    error.faults().iter().map(ToString::to_string).collect()
}

/// A text, and all that is wrong with it.
const TOML: &[(&str, &[&str])] = &[
    // Keys nobody knows, at every level.
    ("apis = []", &["line 1: apis: unknown key"]),
    (
        "[[environment]]\nname = 'STAGE'\nx = 1\n[[group]]\nname = 'g'\n\nhost = ['a']",
        &["line 3: environment[0].x: unknown key", "line 7: group[0].host: unknown key"],
    ),
    (
        "[[backend_service]]\nname = 'a'\nkind = 'http'\nurl = ''\n[backend_service.definition.TEST]\n\
         url = 'http://a'\n'x y' = 1\n[backend_service.definition.TEST.tls]\nca_file = 'a'",
        &[
            "line 4: backend_service[0].url: unknown key",
            "line 7: backend_service[0].definition.TEST.\"x y\": unknown key",
            "line 9: backend_service[0].definition.TEST.tls.ca_file: unknown key",
        ],
    ),
    (
        "[[api]]\nname = 'abcd'\ngroup = 'g'\nmethod = 'GET'\npath = '/'\nroute = 1\n\
         backend = { service = 'a', foo = 1 }\n[[api.parameter]]\nname = 'a'\nin = 'query'\n\
         to = { nam = 'b' }\n[api.response]\nbody = ''",
        &[
            "line 6: api[0].route: unknown key",
            "line 7: api[0].backend.foo: unknown key",
            "line 11: api[0].parameter[0].to.nam: unknown key",
            "line 13: api[0].response.body: unknown key",
        ],
    ),
    (
        "[registry]\nregion = 'r'\nhistory = { months = 1 }",
        &["line 3: registry.history.months: unknown key"],
    ),
    // Wrong types.
    ("environment = 'TEST'", &["line 1: environment: is text, not a list of tables"]),
    ("app = ['a']", &["line 1: app[0]: is text, not a table"]),
    (
        "[[app]]\nname = 1\ndescription = 2\nkeys = [{ key = 1, secret = 12345678 }]",
        &[
            "line 2: app[0].name: is a number, not text",
            "line 3: app[0].description: is a number, not text",
            "line 4: app[0].keys[0].key: is a number, not text",
            "line 4: app[0].keys[0].secret: is a number, not text",
        ],
    ),
    (
        "[[vpc_access]]\nname = 'v'\nvpc_id = 'v'\ninstance = 'i'\nport = 70000\n\
         [[object_grant]]\nname = 'o'\nbucket = 'b'\nread = 'yes'",
        &[
            "line 5: vpc_access[0].port: is a number that is not a whole number up to 65535",
            "line 9: object_grant[0].read: is text, not true or false",
        ],
    ),
    // Keys that are missing.
    (
        "[[backend_service]]\n\n[[api]]\n[[grant]]\n",
        &[
            "line 1: backend_service[0].name: is required",
            "line 1: backend_service[0].kind: is required",
            "line 3: api[0].group: is required",
            "line 3: api[0].name: is required",
            "line 3: api[0].method: is required",
            "line 3: api[0].path: is required",
            "line 3: api[0].backend: is required",
            "line 4: grant[0].app: is required",
            "line 4: grant[0].api: is required",
            "line 4: grant[0].environment: is required",
        ],
    ),
    (
        "[[backend_service]]\nname = 'a'\nkind = 'http'\n[backend_service.definition.TEST]\ntimeout = '1s'",
        &["line 4: backend_service[0].definition.TEST.url: is required"],
    ),
    // What follows from a fault is not told.
    (
        "[[credential]]\nname = 'c'\naccess_key = 'a'\nsecret_key = 1",
        &["line 4: credential[0].secret_key: is a number, not text"],
    ),
    (
        "[[backend_service]]\nname = 'a'\nkind = 'function_compute'\n\
         [backend_service.definition.TEST]\nfunction_type = 'htp'\ntrigger_url = 'https://a'",
        &[
            "line 5: backend_service[0].definition.TEST.function_type: \"htp\" is none of event, http",
        ],
    ),
    // Durations and sizes.
    (
        "[[backend_service]]\nname = 'a'\nkind = 'mock'\n[backend_service.definition.TEST]\n\
         timeout = '5 s'\ndelay = '1d'\nstatus = 999",
        &[
            "line 5: backend_service[0].definition.TEST.timeout: \"5 s\" is not a duration such as \
             \"250ms\", \"3s\" or \"2m\"",
            "line 6: backend_service[0].definition.TEST.delay: \"1d\" is not a duration such as \
             \"250ms\", \"3s\" or \"2m\"",
            "line 7: backend_service[0].definition.TEST.status: 999 is not one of 200-206, 300-307, \
             400-417, 450, 451, 500-505",
        ],
    ),
    (
        "[[api]]\nname = 'abcd'\ngroup = 'g'\nmethod = 'FETCH'\npath = 'x'\nmax_body = '1 MB'\n\
         backend = { service = 'a', path = '/[b]', timeout = '200s' }",
        &[
            "line 4: api[0].method: \"FETCH\" is none of ANY GET HEAD POST PUT DELETE PATCH OPTIONS",
            "line 5: api[0].path: does not start with '/'",
            "line 6: api[0].max_body: \"1 MB\" is not a size such as \"64 KiB\" or \"32 MiB\"",
            "line 7: api[0].backend.timeout: 200s is not between 1ms and 120s",
        ],
    ),
    (
        "[[grant]]\napp = 'a'\napi = 'abcd'\nenvironment = 'live'\nexpires = 'never'",
        &[
            "line 3: grant[0].api: API name \"abcd\" is not of the form group/name",
            "line 4: grant[0].environment: environment \"live\" is not 2 to 10 upper-case letters or \
             digits, the first a letter",
            "line 5: grant[0].expires: \"never\" is not a moment such as 2030-01-01T00:00:00Z",
        ],
    ),
    // Names.
    (
        "[[group]]\nname = 'g'\nrenamed_from = '1'\n[[group]]\nname = 'g'\n[[group]]\nname = 'h'",
        &[
            "line 3: group[0].renamed_from: group name \"1\" does not start with a letter",
            "line 5: group[1].name: stands there twice, first in line 2",
        ],
    ),
    (
        "[[grant]]\napp = 'a'\napi = 'g/abcd'\nenvironment = 'TEST'\n\
         [[grant]]\napp = 'a'\napi = 'g/abcd'\nenvironment = 'TEST'\nexpires = 2030-01-01T00:00:00Z",
        &["line 5: grant[1]: stands there twice, first in line 1"],
    ),
    (
        "[[api]]\nname = 'abcd'\ngroup = 'g'\nmethod = 'GET'\npath = '/'\nbackend = {}\n\
         publish = ['TEST', 'TEST']\n[[api]]\nname = 'abcd'\ngroup = 'h'\nmethod = 'GET'\npath = '/'\n\
         backend = { service = 'a', inline = { kind = 'mock' } }",
        &[
            "line 6: api[0].backend: has neither a service nor a kind",
            "line 7: api[0].publish[1]: \"TEST\" stands there twice, first at 0",
            "line 13: api[1].backend: has both a service and a definition",
        ],
    ),
    // Backends with a definition of their own.
    (
        "[[api]]\nname = 'abcd'\ngroup = 'g'\nmethod = 'GET'\npath = '/'\n\
         backend = { kind = 'http', url = 'ftp://a', servce = 'a', path = 1 }\n\
         [api.version.TEST]\nmethod = 'GET'\npath = '/'\n\
         backend = { inline = { kind = 'http', url = 'x:' } }",
        &[
            "line 6: api[0].backend.url: its scheme is neither http nor https",
            "line 6: api[0].backend.servce: unknown key",
            "line 6: api[0].backend.path: is a number, not text",
            "line 10: api[0].version.TEST.backend.inline.url: has no scheme; write http:// or https://",
        ],
    ),
    // Kinds.
    (
        "[[backend_service]]\nname = 'a'\nkind = 'http'\n[backend_service.definition.TEST]\n\
         kind = 'mock'\nurl = 'http://a'\n[backend_service.definition.live]\nurl = 'http://a'\n\
         [[backend_service]]\nname = 'b'\nkind = 'mixed'\n[backend_service.definition.TEST]\n\
         kind = 'discovery'\nregistry = 'dns'\nservice = 's'\npassword = 12345678",
        &[
            "line 5: backend_service[0].definition.TEST.kind: is not the service's, http",
            "line 7: backend_service[0].definition.live: environment \"live\" is not 2 to 10 \
             upper-case letters or digits, the first a letter",
            "line 16: backend_service[1].definition.TEST.password: is a number, not text",
        ],
    ),
    // What is written short is told as it is written.
    (
        "[[app]]\nname = 'a'\nkey = '12345678'\nsecret = 'short'\n[[app]]\nname = 'b'\ncode = 'short'\n\
         codes = ['long-enough', 'x']\nkeys = [{ key = 'long-enough', secret = 'short' }]",
        &[
            "line 4: app[0].secret: is not 8 to 128 letters, digits, '-' and '_'",
            "line 7: app[1].code: is not 8 to 128 letters, digits, '-' and '_'",
            "line 8: app[1].codes[1]: is not 8 to 128 letters, digits, '-' and '_'",
            "line 9: app[1].keys[0].secret: is not 8 to 128 letters, digits, '-' and '_'",
        ],
    ),
    (
        "[registry]\nblast_radius = 'all'",
        &["line 2: registry.blast_radius: a number of APIs, or a table of apis and traffic_share"],
    ),
    (
        "[registry]\nblast_radius = { traffic_share = inf }",
        &["line 2: registry.blast_radius.traffic_share: is not a finite number"],
    ),
];

#[test]
fn all_is_told_with_path_and_line() {
    for (text, expected) in TOML {
        let told = faults(text, Format::Toml);
        assert_eq!(told, *expected, "{text}");
        assert!(!told.concat().contains("12345678"), "a secret may be of a wrong type");
    }
}

const JSON: &str = r#"{
  "environment": [{"name": "STAGE"},
    {"name": "STAGE", "x": 1, "x": 2}],
  "api": [
    {
      "name": "abcd", "group": "g", "method": "GET",
      "publish": [
        "TEST",
        1
      ],
      "path": "/", "backend": {"kind": "http",
        "url": "http://a",
        "timeout": "1d"},
      "parameter": [
        {"name": "a", "in": "query", "min_length": -1
        },
        {"name":
          "b", "in": "head"},
        {
          "in": "up",
          "name": "c"
        }
      ]
    }
  ]
}"#;

const YAML: &str = "environment:
- name: STAGE
- name: STAGE
  x: 1
  x: 2
api:
- name: abcd
  group: g
  method: GET
  publish:
  - TEST
  - 1
  path: /
  backend:
    kind: http
    url: http://a

    timeout: 1d
  parameter:
  - {name: a, in: query,
     min_length: -1}
  - name: b
    in: head
    description: |
      a: b
      c: d
  - in: up
    name: c
";

#[test]
fn lines_are_told_in_every_format() {
    let expected = |lines: [u32; 7]| {
        let [first, second, twice, publish, timeout, length, place] = lines;
        [
            format!(
                "line {second}: environment[1].name: stands there twice, first in line {first}"
            ),
            format!("line {twice}: environment[1].x: stands there twice"),
            format!("line {twice}: environment[1].x: unknown key"),
            format!(
                "line {publish}: api[0].publish[1]: is a number, not the name of an environment"
            ),
            format!(
                "line {timeout}: api[0].backend.timeout: \"1d\" is not a duration such as \
                     \"250ms\", \"3s\" or \"2m\""
            ),
            format!(
                "line {length}: api[0].parameter[0].min_length: is a number that is not a whole \
                     number from 0"
            ),
            format!(
                "line {place}: api[0].parameter[2].in: \"up\" is none of query, head, path, body"
            ),
        ]
    };
    let sorted = |mut told: Vec<String>| {
        told.sort();
        told
    };
    let json = sorted(expected([2, 3, 3, 9, 13, 15, 20]).to_vec());
    assert_eq!(sorted(faults(JSON, Format::Json)), json);
    let mut yaml = expected([2, 3, 5, 12, 18, 21, 27]).to_vec();
    yaml[2] = "line 4: environment[1].x: unknown key".to_owned();
    assert_eq!(sorted(faults(YAML, Format::Yaml)), sorted(yaml));
}

#[test]
fn an_error_of_syntax_has_its_line() {
    for (text, format, line) in [
        ("a = 1\n[[api]\n", Format::Toml, "line 2: "),
        ("[[api]]\nname = 'a'\nname = 'b'", Format::Toml, "line 3: "),
        ("{\n\"api\": [,]}", Format::Json, "line 2: "),
        ("{} {}", Format::Json, "line 1: "),
        ("api:\n  - a\n b: c", Format::Yaml, "line 3: "),
        ("a: 1\n---\na: 1", Format::Yaml, "line 2: a second document begins"),
        ("? [a]\n: 1", Format::Yaml, "line 1: a key is not text"),
        ("[]", Format::Json, "line 1: is a list, not a table"),
    ] {
        let told = faults(text, format);
        assert!(told[0].starts_with(line), "{text} {told:?}");
    }
    let several = faults("a = \nb = 1 2\nc = 'x", Format::Toml);
    assert!(several.len() > 1, "{several:?}");
}

#[test]
fn what_yaml_has_beyond_documents_is_refused() {
    let text = "group:\n- &a\n  name: g\n  description: !!str 1\n- *a\n- name: h\n  debug: yes\n";
    assert_eq!(
        faults(text, Format::Yaml),
        [
            "line 4: group[0].description: has a tag, which is not read",
            "line 5: group[1]: is an alias, which is not read: write the value out",
            "line 7: group[2].debug: is text, not true or false",
        ]
    );
}

#[test]
fn depth_is_bounded() {
    let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let custom = |inner: &str| {
        format!(
            "backend_service = [{{name = 'a', kind = 'own', definition = {{TEST = {{a = {inner}}}}}}}]"
        )
    };
    // Five levels lead to the key.
    assert!(Document::parse(&custom(&deep(MAX_DEPTH - 5)), Format::Toml).is_ok());
    let told = faults(&custom(&deep(MAX_DEPTH - 4)), Format::Toml);
    assert!(told[0].ends_with("is nested too deeply"), "{told:?}");
    for (text, format) in [
        (format!("a = {}", deep(100_000)), Format::Toml),
        (format!("{}a = 1", "a.".repeat(100_000)), Format::Toml),
        (format!("{{\"api\": {}}}", deep(60)), Format::Json),
        (deep(100_000), Format::Json),
        (format!("api: {}", deep(60)), Format::Yaml),
        (deep(100_000), Format::Yaml),
        ("- ".repeat(50_000), Format::Yaml),
    ] {
        assert!(Document::parse(&text, format).is_err());
    }
}

#[test]
fn what_is_too_much_is_counted() {
    let text = "[[group]]\nx = 1\n".repeat(80);
    let error = Document::parse(&text, Format::Toml).unwrap_err();
    assert_eq!((error.faults().len(), error.more()), (100, 60));
}
