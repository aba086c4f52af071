//! Documents with every key that there is.

use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use crate::document::{
    ApiEntry, AppEntry, Document, EnvironmentEntry, GrantEntry, GroupEntry, Named, ServiceEntry,
};
use crate::model::api::{EventShape, FunctionCall, ObjectAction, ResponseDefinition, ResponseType};
use crate::model::definition::{Leg, Mixed, Settings};
use crate::model::id::ServiceId;
use crate::model::parameter::{Destination, System};
use crate::model::settings::{Kept, Reach, ReachTable, SignatureMode};
use crate::model::{
    Access, Api, ApiBackend, ApiName, App, AppCode, Connector, Constant, Credential, Declaration,
    Definition, Environment, Grant, Group, Kind, Location, Mode, ObjectGrant, Parameter,
    ParameterType, Protocol, RegistrySettings, SignatureMethod, SystemParameter, Version,
    Visibility, VpcAccess, Way,
};
use crate::time::Timestamp;

/// Any text: with quotes, line breaks, control characters and what looks like another type.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z]{0,6}",
        "[ -~]{0,8}",
        "\\PC{0,6}",
        "[\\x00-\\x1f\"'\\\\\u{7f}-\u{a0}\u{2028}\u{feff}\u{1f600}]{0,5}",
        select(vec![
            "null",
            "true",
            "1",
            "-1.5",
            "1e3",
            "0x1f",
            "no",
            "~",
            "2030-01-01",
            "---",
            "# a"
        ])
        .prop_map(str::to_owned),
        "([a-z\"\\\\ ]{0,4}\n){1,3}",
    ]
    .boxed()
}

fn environment() -> BoxedStrategy<Environment> {
    select(vec!["TEST", "PRE", "RELEASE", "S1"]).prop_map(|name| name.parse().unwrap()).boxed()
}

fn parsed<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug + 'static>(
    pattern: &'static str,
) -> BoxedStrategy<T> {
    pattern.prop_map(|name| name.parse().unwrap()).boxed()
}

fn token() -> BoxedStrategy<String> {
    "[a-z0-9:/]{1,6}".boxed()
}

fn timeout() -> BoxedStrategy<Option<Duration>> {
    of((1_u64..=120_000).prop_map(Duration::from_millis)).boxed()
}

/// A value, without null: TOML has none.
fn value() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |number| {
            serde_json::Number::from_f64(number).map(Value::Number)
        }),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            table(inner).prop_map(Value::Object),
        ]
    })
    .boxed()
}

fn table(value: impl Strategy<Value = Value> + 'static) -> BoxedStrategy<Map<String, Value>> {
    let reserved = |key: &String| ["kind", "timeout", "name"].contains(&key.as_str());
    btree_map(text().prop_filter("not reserved", move |key| !reserved(key)), value, 0..4)
        .prop_map(|map| map.into_iter().collect())
        .boxed()
}

/// Definitions by their keys, of all built-in kinds but mixed.
fn plain_definition() -> BoxedStrategy<Definition> {
    let written = prop_oneof![
        (token(), of(token())).prop_map(|(host, base)| json!({
            "kind": "http", "url": format!("http://h.{}/{}", host.replace([':', '/'], "x"), base
                .unwrap_or_default().replace([':', '/'], "y")), "host": "h:80",
            "tls": {"ca": "a", "client_cert": "b", "client_key": "c", "server_name": "d",
                    "min_version": "1.2"}, "protocol": "http2"})),
        (1_u16.., of(text())).prop_map(|(weight, zone)| json!({
            "kind": "http", "balance": "random",
            "endpoints": [{"url": "https://a", "weight": weight, "zone": zone}, {"url": "http://b"}]})),
        any::<bool>().prop_map(|https| json!({
            "kind": "vpc", "access": "a", "use_https": https, "host": "h"})),
        select(vec!["sync", "async"]).prop_map(|how| json!({
            "kind": "function_compute", "function_type": "event", "version": "2.0", "region": "r",
            "account": "1", "service": "s", "function": "f", "qualifier": "q", "endpoint": "e",
            "invocation": how, "credentials": "c"})),
        of(text()).prop_map(|path| json!({
            "kind": "function_compute", "function_type": "http", "version": "3.0",
            "trigger_url": "https://t", "path": path, "only_business_path": true})),
        select(vec!["virtual", "path"]).prop_map(|how| json!({
            "kind": "oss", "bucket": "b", "region": "r", "endpoint": "e", "addressing": how,
            "grant": "g", "credentials": "c"})),
        of(text()).prop_map(|subject| json!({
            "kind": "event_bridge", "region": "r", "account": "1", "bus": "b", "source": "s",
            "type": "t", "subject": subject, "format": "cloudevents_batch", "credentials": "c"})),
        (select(vec!["nacos", "dns", "fixed"]), text()).prop_map(|(registry, secret)| json!({
            "kind": "discovery", "registry": registry, "server": "s", "namespace": "n",
            "group": "g", "service": "x", "clusters": ["a"], "username": "u", "password": secret,
            "access_key": "a", "secret_key": secret, "scheme": "https", "path": "/p",
            "min_endpoints": 2, "max_shrink": 50})),
        (200_u16..=206, text(), 0_u64..=120_000).prop_map(|(status, body, delay)| json!({
            "kind": "mock", "status": status, "headers": {"x-a.b": "1"}, "body": body,
            "delay": format!("{delay}ms")})),
        (table(value()), value()).prop_map(|(mut settings, path)| {
            settings.insert("kind".to_owned(), "custom".into());
            settings.insert("path".to_owned(), path);
            Value::Object(settings)
        }),
        table(value()).prop_map(|mut settings| {
            settings.insert("kind".to_owned(), "custom".into());
            Value::Object(settings)
        }),
    ];
    (written, timeout())
        .prop_map(|(mut written, timeout)| {
            written.as_object_mut().unwrap().retain(|key, value| key == "path" || !value.is_null());
            let mut definition: Definition = serde_json::from_value(written).unwrap();
            definition.timeout = timeout;
            definition
        })
        .boxed()
}

fn definition() -> BoxedStrategy<Definition> {
    let legs = (vec((text(), table(value())), 1..3), of(text())).prop_map(|(legs, sticky)| {
        let leg = |(index, (name, settings)): (usize, (String, _))| Leg {
            name: format!("{index}{name}"),
            settings,
        };
        Mixed::Legs { legs: legs.into_iter().enumerate().map(leg).collect(), sticky }
    });
    let mixed = prop_oneof![plain_definition().prop_map(Mixed::concrete), legs];
    prop_oneof![
        3 => plain_definition(),
        1 => (mixed, timeout(), of(value())).prop_map(|(mixed, timeout, retry)| {
            let mut definition = Definition::new(Settings::Mixed(mixed));
            definition.timeout = timeout;
            definition.resilience.extend(retry.map(|retry| ("retry".to_owned(), retry)));
            definition
        }),
    ]
    .boxed()
}

fn service() -> BoxedStrategy<ServiceEntry> {
    let name = || parsed("[a-c][a-z0-9._-]{0,2}");
    let definitions = (plain_definition(), vec((environment(), definition()), 0..4));
    (name(), of(name()), text(), definitions)
        .prop_map(|(name, old, description, (first, all))| {
            let mixed = all.iter().any(|(_, one)| one.kind() == Kind::MIXED);
            let kind = if mixed { Kind::MIXED } else { first.kind() };
            let fits = |one: &Definition| one.kind() == kind;
            let all: BTreeMap<_, _> = all.into_iter().filter(|(_, one)| fits(one)).collect();
            let mut entry = ServiceEntry::new(name, kind.clone());
            (entry.renamed_from, entry.description, entry.definition) = (old, description, all);
            if kind == first.kind() {
                entry.definition.insert(Environment::TEST, first);
            }
            entry
        })
        .boxed()
}

fn group() -> BoxedStrategy<GroupEntry> {
    let name = || parsed("[a-c][a-z0-9._-]{0,2}");
    let variables = btree_map("TEST|PRE", btree_map("[a-z_]{1,3}", text(), 0..3), 0..2);
    let hosts = (subsequence(vec!["a.b", "1.2.3.4", "[::1]"], 0..3), any::<bool>());
    let rest = (text(), any::<bool>(), of("[a-z-]{1,5}"), any::<bool>(), variables);
    (name(), of(name()), hosts, rest)
        .prop_map(
            |(name, old, (hosts, bound), (description, to_backend, header, debug, variables))| {
                let mut group = Group { description, debug, variables, ..Group::default() };
                group.hosts = hosts.into_iter().map(str::to_owned).collect();
                group.app_code_to_backend = to_backend;
                group.app_code_header = header;
                if bound {
                    group.stage_hosts.insert("t.b".to_owned(), "TEST".to_owned());
                    group.base_path = "/a".to_owned();
                    group.passthrough_headers.push("x-y".to_owned());
                }
                GroupEntry { renamed_from: old, ..GroupEntry::new(name, group) }
            },
        )
        .boxed()
}

fn location() -> BoxedStrategy<Location> {
    select(vec![Location::Query, Location::Head, Location::Path, Location::Body]).boxed()
}

fn destination() -> BoxedStrategy<Option<Destination>> {
    of((of(text()), of(location())).prop_map(|(name, location)| Destination { name, location }))
        .boxed()
}

fn parameters() -> BoxedStrategy<(Vec<Parameter>, Vec<Constant>, Vec<SystemParameter>)> {
    let number = || of(any::<i64>().prop_map(serde_json::Number::from));
    let values = (of(text()), number(), number(), of(any::<u32>()), of(any::<u32>()), of(text()));
    let more = (vec("[a-z1-9\"]{1,3}", 0..3), of(value()), text(), destination());
    let parameter = (text(), location(), any::<bool>(), values, more).prop_map(
        |(name, location, required, values, (choices, schema, description, to))| {
            let (default, min, max, min_length, max_length, pattern) = values;
            let new = Parameter::new(name, location).kind(ParameterType::Array);
            let items = Some(ParameterType::Int);
            Parameter {
                required,
                default,
                min,
                max,
                min_length,
                max_length,
                pattern,
                choices,
                schema,
                items,
                description,
                to,
                ..new
            }
        },
    );
    let constant =
        (text(), text(), location(), text()).prop_map(|(name, value, location, text)| Constant {
            description: text,
            ..Constant::new(format!("c{name}"), value, location)
        });
    let system = (select(vec![System::CaClientIp, System::CaProxy]), destination(), text());
    let system =
        system.prop_map(|(name, to, description)| SystemParameter { name, to, description });
    (vec(parameter, 0..3), vec(constant, 0..2), vec(system, 0..2))
        .prop_map(|(mut parameters, constants, system)| {
            for (index, parameter) in parameters.iter_mut().enumerate() {
                parameter.name = format!("{index}{}", parameter.name);
            }
            (parameters, constants, system)
        })
        .boxed()
}

fn backend() -> BoxedStrategy<ApiBackend> {
    let parts = (of(text()), of(of(text())), of((of(text()), of(text()))));
    let parts = parts.prop_map(|(key, path, event)| {
        let oss = key.map(|key| ObjectAction { action: "GetObject".to_owned(), key: Some(key) });
        let event = event.map(|(event_type, subject)| EventShape { event_type, subject });
        (oss, path.map(|path| FunctionCall { path }), event)
    });
    let own = (of(select(vec!["/x", "/x/*"])), of(select(vec!["GET", "ANY"])), timeout());
    let to = of(definition().prop_filter("not twice mixed", |_| true));
    (to, own, of("[a-z/]{1,5}"), parts)
        .prop_map(|(inline, (path, method, timeout), content_type, (oss, function, event))| {
            ApiBackend {
                service: inline.is_none().then(|| "orders".to_owned()),
                inline: inline.map(Box::new),
                path: path.map(str::to_owned),
                method: method.map(str::to_owned),
                timeout,
                content_type,
                oss,
                function,
                event,
            }
        })
        .boxed()
}

fn response() -> BoxedStrategy<ResponseDefinition> {
    (text(), text(), vec((text(), text()), 0..2))
        .prop_map(|(sample, error_sample, errors)| {
            let new = ResponseDefinition::new(ResponseType::Xml).sample(sample);
            let new = new.error_sample(error_sample);
            errors.into_iter().fold(new, |new, (code, message)| new.error(code, message))
        })
        .boxed()
}

fn own_api() -> BoxedStrategy<Api> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let rest = (of(0_u64..1 << 40), of(response()), text());
    (backend(), parameters(), flags, rest)
        .prop_map(|(backend, (parameters, constants, system), (app, mapped, escape), rest)| {
            let (max_body, response, description) = rest;
            let mut api = Api::new(if app { "GET" } else { "ANY" }, "/a/[b]/*");
            (api.backend, api.max_body, api.description) = (backend, max_body, description);
            (api.parameters, api.constants, api.system) = (parameters, constants, system);
            api.response = response.map(Box::new);
            api.escape_path_param = escape;
            if app {
                api.visibility = Visibility::Private;
                api.access = Access::App;
                api.app_code = AppCode::HeaderQuery;
                api.signature = vec![SignatureMethod::HmacSHA1, SignatureMethod::HmacSHA256];
                api.force_nonce = true;
            }
            if mapped {
                api.mode = Mode::MappingPassthrough;
                api.protocol = vec![Protocol::Websocket];
            }
            acceptable(api)
        })
        .boxed()
}

/// The API without the parameters that no API can have, or not beside those before them.
fn acceptable(mut api: Api) -> Api {
    let (parameters, constants, system) =
        (take(&mut api.parameters), take(&mut api.constants), take(&mut api.system));
    let accepted = |api: &Api| {
        let mut api = api.clone();
        api.backend.inline = None;
        Version::accept(&api, Some(ServiceId::new(0))).is_ok()
    };
    for parameter in parameters {
        api.parameters.push(parameter);
        if !accepted(&api) {
            api.parameters.pop();
        }
    }
    for constant in constants {
        api.constants.push(constant);
        if !accepted(&api) {
            api.constants.pop();
        }
    }
    for parameter in system {
        api.system.push(parameter);
        if !accepted(&api) {
            api.system.pop();
        }
    }
    api
}

fn api() -> BoxedStrategy<ApiEntry> {
    let name = || parsed::<ApiName>("[ab]/[a-c][a-z _.é-]{3}");
    let publish = subsequence(vec!["TEST", "RELEASE", "S1"], 0..=3);
    let versions = btree_map(environment(), own_api(), 0..2);
    (name(), of(name()), publish, versions, own_api())
        .prop_map(|(name, old, publish, version, api)| {
            let old = old.map(|old| ApiName::new(name.group().clone(), old.name()).unwrap());
            let publish = publish.into_iter().map(|name| name.parse().unwrap()).collect();
            ApiEntry { renamed_from: old, publish, version, ..ApiEntry::new(name, api) }
        })
        .boxed()
}

fn app() -> BoxedStrategy<AppEntry> {
    let name = || parsed("[a-cé][a-z 1]{0,3}");
    let keys = btree_map("[a-z_]{8}", "[A-Z0-9-]{8}", 0..3);
    let codes = proptest::collection::btree_set("[a-z0-9-]{8}", 0..3);
    (name(), of(name()), text(), keys, codes)
        .prop_map(|(name, old, description, keys, codes)| {
            let app = App::new().description(description);
            let app = keys.into_iter().fold(app, |app, (key, secret)| app.key(key, secret));
            let app = codes.into_iter().fold(app, App::code);
            AppEntry { renamed_from: old, ..AppEntry::new(name, app) }
        })
        .boxed()
}

fn vpc_access() -> BoxedStrategy<VpcAccess> {
    let way = select(vec![Way::Routed, Way::Device, Way::Socks5, Way::HttpConnect]);
    let connector = of((way, value()).prop_map(|(way, settings)| Connector::new(way, settings)));
    (token(), token(), 1_u16.., of(token()), connector)
        .prop_map(|(vpc_id, instance, port, host, connector)| VpcAccess {
            vpc_id,
            instance,
            port,
            host,
            connector,
        })
        .boxed()
}

fn credential() -> BoxedStrategy<Credential> {
    (token(), token(), of(text()), any::<bool>())
        .prop_map(|(key, secret, token, from_outside)| {
            if from_outside {
                return Credential::from_environment();
            }
            let token = token.map(crate::model::definition::Secret::new);
            Credential { token, ..Credential::new(key, secret) }
        })
        .boxed()
}

fn registry() -> BoxedStrategy<RegistrySettings> {
    let table = (of(any::<u64>()), of(0.0..=1.0));
    let table = table.prop_map(|(apis, traffic_share)| ReachTable { apis, traffic_share });
    let reach = prop_oneof![any::<u64>().prop_map(Reach::Apis), table.prop_map(Reach::Table)];
    let kept = (of(any::<u32>()), of(any::<u32>()));
    let kept = kept.prop_map(|(revisions, days)| Kept { revisions, days });
    let mode = select(vec![SignatureMode::Compatible, SignatureMode::Strict]);
    (of(token()), of(reach), of(kept), mode)
        .prop_map(|(region, blast_radius, history, signature_mode)| RegistrySettings {
            region,
            blast_radius,
            history,
            signature_mode,
        })
        .boxed()
}

fn grant() -> BoxedStrategy<GrantEntry> {
    // Moments that have a year of four digits.
    let until = of((0_u64..253_402_300_800_000).prop_map(Timestamp::from_millis));
    (parsed("[ab]"), parsed("[ab]/[a-c]{4}"), environment(), until)
        .prop_map(|(app, api, environment, expires)| {
            GrantEntry::new(app, api, environment, Grant { expires })
        })
        .boxed()
}

fn named<T: std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Vec<Named<T>>> {
    let entry =
        (parsed("[a-cé1][a-z ]{0,2}"), value).prop_map(|(name, value)| Named::new(name, value));
    unique(entry, |entry| entry.name.clone()).boxed()
}

/// A few elements, each name once.
fn unique<T: std::fmt::Debug + 'static, K: Ord>(
    element: impl Strategy<Value = T> + 'static,
    key: impl Fn(&T) -> K + 'static,
) -> BoxedStrategy<Vec<T>> {
    vec(element, 0..3)
        .prop_map(move |mut list| {
            let mut seen = std::collections::BTreeSet::new();
            list.retain(|element| seen.insert(key(element)));
            list
        })
        .boxed()
}

/// Any document that can be written in every format.
pub(super) fn document() -> BoxedStrategy<Document> {
    let environment = (environment(), text())
        .prop_map(|(name, description)| EnvironmentEntry::new(name, Declaration::new(description)));
    let bucket = (token(), any::<bool>(), any::<bool>());
    let bucket = bucket.prop_map(|(bucket, read, write)| ObjectGrant { bucket, read, write });
    let first = (
        of(registry()),
        unique(environment, |entry| entry.name.clone()),
        named(credential()),
        named(vpc_access()),
        named(bucket),
    );
    let second = (
        unique(service(), |entry| entry.name.clone()),
        unique(group(), |entry| entry.name.clone()),
        unique(app(), |entry| entry.name.clone()),
        unique(api(), |entry| entry.name.clone()),
        unique(grant(), |entry| (entry.app.clone(), entry.api.clone(), entry.environment.clone())),
    );
    (first, second)
        .prop_map(|(first, second)| {
            let mut document = Document::new();
            (document.registry, document.environments, document.credentials, ..) = first.clone();
            (.., document.vpc_accesses, document.object_grants) = first;
            let (services, groups, apps, apis, grants) = second;
            (document.services, document.groups, document.apps) = (services, groups, apps);
            (document.apis, document.grants) = (apis, grants);
            document
        })
        .boxed()
}
