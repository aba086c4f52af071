//! Changes drawn from so few names that they meet.

use backhaul::model::definition::Settings;
use backhaul::{Api, Change, Definition, Environment, Group, Http, Kind, Mock, Revision};

use crate::reference::against::undo;
use crate::reference::edit::{self, ApiName, Backend, Edit};

pub(super) const SERVICES: [&str; 3] = ["a", "b", "c"];
pub(super) const ENVIRONMENTS: [Environment; 2] = [Environment::TEST, Environment::PRODUCTION];
pub(super) const GROUPS: [&str; 3] = ["g", "h", "k"];
pub(super) const HOSTS: [&str; 2] = ["one.example.com", "two.example.com"];
pub(super) const APIS: [&str; 2] = ["gone", "back"];
const KINDS: [&str; 2] = ["http", "mock"];
const BASE_PATHS: [&str; 2] = ["/", "/x"];
const METHODS: [&str; 4] = ["GET", "GET", "POST", "ANY"];
const PATHS: [&str; 5] = ["/a", "/%61", "/a/[x]", "/a/[y]", "/*"];
const TARGETS: [&str; 2] = ["one", "two"];

/// What an edit is decoded from. Plain numbers are drawn, and made smaller, far faster than texts.
pub(super) type Drawn = [u8; 7];

/// A change, and how it is made.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) edits: Vec<Edit>,
    /// After so many other changes, if it is planned first.
    pub(super) planned: Option<usize>,
}

/// The changes that some numbers stand for, behind one that makes what most of them need. Two in five
/// edits join the change before; one in six changes is planned.
pub(super) fn steps(drawn: &[Drawn]) -> Vec<Step> {
    let mut steps = vec![Step { edits: beginning(), planned: None }];
    for (place, numbers) in drawn.iter().enumerate() {
        let way = numbers[6] / 5;
        match steps.last_mut() {
            Some(last) if place > 0 && numbers[6] % 5 > 2 && last.edits.len() < 8 => {
                last.edits.push(edit(numbers));
            }
            _ => steps.push(Step {
                edits: vec![edit(numbers)],
                planned: (way % 6 == 0).then_some(usize::from(way / 6 % 3)),
            }),
        }
    }
    steps
}

/// What chance hardly ever comes to: what an undo needs is gone, and an undo too many.
pub(super) fn rare() -> [Vec<Step>; 2] {
    let step = |edits: Vec<Edit>| Step { edits, planned: None };
    let [a, _, c] = SERVICES.map(str::to_owned);
    let back = |revision| Edit::Undo(edit::Undo { revision, values: false, partly: false });
    let draft = (GROUPS[0].to_owned(), APIS[1].to_owned());
    let through = edit::Api {
        method: "GET".to_owned(),
        path: "/x".to_owned(),
        backend: Backend::Service(c.clone()),
    };
    let missing = vec![
        step(beginning()),
        step(vec![Edit::Service { name: c.clone(), kind: "http".to_owned() }]),
        step(vec![Edit::Api { name: draft.clone(), api: through }]),
        step(vec![Edit::DeleteApi { name: draft }]),
        step(vec![Edit::DeleteService { name: c }]),
        step(vec![back(1)]),
    ];
    let mut limit = vec![step(beginning())];
    let environment = ENVIRONMENTS[1].to_string();
    for _ in 1..=9 {
        let (service, environment) = (a.clone(), environment.clone());
        limit.push(step(vec![Edit::DeleteDefinition { service, environment }]));
        limit.push(step(vec![define(&a, &ENVIRONMENTS[1])]));
    }
    // The deletes, the oldest first; each undo is a revision more to go back over.
    let same = || Edit::Service { name: a.clone(), kind: "http".to_owned() };
    limit.extend((1..=9).map(|delete| step(vec![back(18 - delete), same()])));
    [missing, limit]
}

/// Two services, two groups, a draft of every name, and one of them published.
fn beginning() -> Vec<Edit> {
    let service = |name: &str| Edit::Service { name: name.to_owned(), kind: "http".to_owned() };
    let group = |name: &str, host: &str| Edit::Group {
        name: name.to_owned(),
        host: host.to_owned(),
        base_path: "/".to_owned(),
    };
    let draft = |group: &str, name: &str, path: &str, service: &str| Edit::Api {
        name: (group.to_owned(), name.to_owned()),
        api: edit::Api {
            method: "GET".to_owned(),
            path: path.to_owned(),
            backend: Backend::Service(service.to_owned()),
        },
    };
    let [a, b, _] = SERVICES;
    let [g, h, _] = GROUPS;
    let [gone, back] = APIS;
    let [test, live] = ENVIRONMENTS;
    vec![
        service(a),
        service(b),
        define(a, &live),
        define(a, &test),
        define(b, &live),
        group(g, HOSTS[0]),
        group(h, HOSTS[1]),
        draft(g, gone, "/a", a),
        draft(g, back, "/a/[x]", b),
        draft(h, gone, "/a", b),
        draft(h, back, "/[p]/b", a),
        Edit::Publish { api: (g.to_owned(), gone.to_owned()), environment: live.to_string() },
    ]
}

fn define(service: &str, environment: &Environment) -> Edit {
    Edit::Define {
        service: service.to_owned(),
        environment: environment.to_string(),
        kind: "http".to_owned(),
        to: "one".to_owned(),
    }
}

/// Which edit the first number stands for, each as often as it stands here.
const KINDS_OF_EDIT: &[u8; 56] = b"sssrrxdddddduumDDDDgggGaaaaaaaaAppppppppppPPwwzzzzzzzzzz";

fn edit(drawn: &Drawn) -> Edit {
    let one =
        |texts: &[&str], place: usize| texts[usize::from(drawn[place]) % texts.len()].to_owned();
    // The first of a pool more often than the others.
    let skewed = |texts: &[&str], place: usize| match drawn[place] {
        0..=100 => texts[0].to_owned(),
        _ => one(texts, place),
    };
    let service = |place| skewed(&SERVICES, place);
    let environment = |place: usize| ENVIRONMENTS[usize::from(drawn[place] < 180)].to_string();
    let kind = |place: usize| KINDS[usize::from(drawn[place] > 240)].to_owned();
    let group = |place| skewed(&GROUPS, place);
    let api_name = || (group(1), one(&APIS, 2));
    match KINDS_OF_EDIT[usize::from(drawn[0]) % KINDS_OF_EDIT.len()] {
        b's' => Edit::Service { name: service(1), kind: kind(2) },
        b'r' => Edit::RenameService { from: service(1), to: one(&SERVICES, 2) },
        b'x' => Edit::DeleteService { name: service(1) },
        b'd' => Edit::Define {
            service: service(1),
            environment: environment(2),
            kind: kind(3),
            to: one(&TARGETS, 4),
        },
        b'u' => Edit::Update {
            service: service(1),
            environment: environment(2),
            kind: kind(3),
            to: one(&TARGETS, 4),
        },
        b'D' => Edit::DeleteDefinition { service: service(1), environment: environment(2) },
        b'g' => Edit::Group {
            name: group(1),
            host: skewed(&HOSTS, 2),
            base_path: skewed(&BASE_PATHS, 3),
        },
        b'G' => Edit::DeleteGroup { name: group(1) },
        b'a' => Edit::Api { name: api_name(), api: api(one(&METHODS, 3), one(&PATHS, 4), drawn) },
        b'A' => Edit::DeleteApi { name: api_name() },
        b'm' => Edit::Promote { service: service(1), from: environment(2), to: environment(3) },
        b'w' => Edit::Switch {
            api: api_name(),
            environment: environment(3),
            version: u64::from(drawn[4] % 4),
        },
        b'z' => Edit::Undo(edit::Undo {
            // Mostly the newest: what is older was touched since.
            revision: u64::from(drawn[1] % 8 * (drawn[2] % 3)),
            values: drawn[3].is_multiple_of(4),
            partly: drawn[4].is_multiple_of(3),
        }),
        b'p' => Edit::Publish { api: api_name(), environment: environment(3) },
        _ => Edit::Unpublish { api: api_name(), environment: environment(3) },
    }
}

fn api(method: String, path: String, drawn: &Drawn) -> edit::Api {
    let backend = match drawn[5] {
        0..=99 => Backend::Service(SERVICES[0].to_owned()),
        service @ 100..=219 => Backend::Service(SERVICES[usize::from(service) % 3].to_owned()),
        inline => Backend::Inline(TARGETS[usize::from(inline) % TARGETS.len()].to_owned()),
    };
    edit::Api { method, path, backend }
}

/// The change with one more edit.
pub(super) fn add(change: Change, edit: &Edit) -> Change {
    let at = |name: &str| name.parse::<Environment>().unwrap();
    let full = |(group, name): &ApiName| format!("{group}/{name}");
    match edit {
        Edit::Service { name, kind } => change.service(name, kind.parse::<Kind>().unwrap()),
        Edit::RenameService { from, to } => change.rename_service(from, to),
        Edit::DeleteService { name } => change.delete_service(name),
        Edit::Define { service, environment, kind, to } => {
            change.define(service, at(environment), definition(kind, to))
        }
        Edit::Update { service, environment, kind, to } => {
            change.update(service, at(environment), definition(kind, to))
        }
        Edit::DeleteDefinition { service, environment } => {
            change.delete_definition(service, at(environment))
        }
        Edit::Group { name, host, base_path } => {
            change.group(name, Group::host(host).base_path(base_path))
        }
        Edit::DeleteGroup { name } => change.delete_group(name),
        Edit::Api { name, api } => {
            let draft = Api::new(&api.method, &api.path);
            let draft = match &api.backend {
                Backend::Service(service) => draft.service_same_path(service),
                Backend::Inline(to) => draft.inline(definition("mock", to)),
            };
            change.api(full(name), draft)
        }
        Edit::DeleteApi { name } => change.delete_api(full(name)),
        Edit::Publish { api, environment } => change.publish(full(api), at(environment)),
        Edit::Unpublish { api, environment } => change.unpublish(full(api), at(environment)),
        Edit::Promote { service, from, to } => change.promote(service, at(from), at(to)),
        Edit::Switch { api, environment, version } => {
            change.switch(full(api), at(environment), Revision::new(*version))
        }
        Edit::Undo(what) => change.undo(undo(*what)),
    }
}

fn definition(kind: &str, to: &str) -> Definition {
    match kind {
        "http" => Http::to(format!("http://10.0.0.1/{to}")).into(),
        _ => Mock::new().body(to).into(),
    }
}

/// Where a definition leads: the inverse of what [`add`] writes.
pub(super) fn leads_to(definition: &Definition) -> String {
    match &definition.settings {
        Settings::Http(http) => {
            let url = http.url.as_deref().unwrap();
            url.strip_prefix("http://10.0.0.1/").unwrap().to_owned()
        }
        Settings::Mock(mock) => mock.body.clone(),
        other => panic!("{other:?}"),
    }
}
