//! Anything at all in every setter.

use std::time::Duration;

use backhaul::model::definition::{Discovery, EventBridge, FunctionCompute, Oss, Vpc};
use backhaul::model::{Definition, ResponseDefinition};
use backhaul::{
    Api, BackendService, Change, CommitError, Group, Http, Kind, Mock, Registry, Revision,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRunner};

use super::{LIVE, TEST, everything, seen, serves};

/// Changes that are tried.
const CASES: u32 = 4_000;

/// Texts of every sort: unicode, path-like, and what is valid somewhere.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,24}",
        "/?[a-z/%.*0-9\\[\\]{}\\\\?#]{0,40}",
        "(https?|ftp)://[a-z0-9.:@\\[\\]%/]{0,24}",
        Just("orders".to_owned()),
        Just("shop/get_order".to_owned()),
        Just("shop".to_owned()),
        Just("/orders/[id]".to_owned()),
        Just("GET".to_owned()),
        "x{0,300}",
        any::<char>().prop_map(|c| c.to_string().repeat(9_000)),
    ]
}

type Drawn = (u8, [String; 4], [u64; 2]);

fn drawn() -> impl Strategy<Value = Drawn> {
    let numbers = [any::<u64>(), any::<u64>()];
    (any::<u8>(), [text(), text(), text(), text()], numbers)
}

fn definition(drawn: &Drawn) -> (&'static str, Definition) {
    let (choice, [one, two, three, _], [number, _]) = drawn;
    let (one, two, three) = (one.clone(), two.clone(), three.clone());
    let (service, mut definition) = match choice % 8 {
        0 => ("orders", Http::to(one).host(two).into()),
        1 => ("mock", {
            let status = u16::try_from(number % 1_000).unwrap();
            let delay = Duration::from_nanos(*number);
            Mock::new().status(status).header(one, two).body(three).delay(delay).into()
        }),
        2 => ("vpc", Vpc::through(one).into()),
        3 => ("function_compute", FunctionCompute::event(one, two).into()),
        4 => ("oss", Oss::bucket(one, two).into()),
        5 => ("event_bridge", EventBridge::bus(one, two).into()),
        6 => ("discovery", Discovery::of(Default::default(), one).into()),
        _ => ("mock", Definition::from(Mock::new().header(one, two))),
    };
    if number % 3 == 0 {
        definition = definition.timeout(Duration::from_nanos(*number));
    }
    (service, definition)
}

fn api(drawn: &Drawn) -> Api {
    let (choice, [one, two, three, four], [first, second]) = drawn;
    let api = match choice % 5 {
        0 => Api::new(one, two),
        1 => Api::get(one).backend_method(two),
        _ => Api::get(one),
    };
    let api = match choice % 4 {
        0 => api.service(three, four),
        1 => api.inline(definition(drawn).1),
        2 => api.service("orders", two),
        _ => api.service_same_path("orders"),
    };
    let response = ResponseDefinition::new(Default::default()).sample(one).error("x", three);
    api.escape_path_param(choice & 64 != 0)
        .max_body(*first)
        .timeout(Duration::from_millis(second % 200_000))
        .description(four)
        .response(response)
}

fn change(drawn: &Drawn) -> Change {
    let (choice, [one, two, three, _], [number, _]) = drawn;
    let new = Change::new;
    let change = match choice % 24 {
        0 => new().service(one, BackendService::new(Kind::HTTP).description(two)),
        1 => new().describe_service(one, two),
        2 => new().rename_service("orders", one),
        3 => new().rename_service(one, two),
        4 => new().delete_service(one),
        5 => new().define(one, TEST, Mock::new()),
        6 => new().delete_definition(one, LIVE),
        7 => new().group(one, Group::new()),
        8 => new().group("shop", Group::host(one).and_host(two).base_path(three)),
        9 => new().group("new", Group::host(one).stage_host(two, three)),
        10 => new().group("new", Group::new().passthrough_header(one).description(two)),
        11 => new().rename_group("shop", one),
        12 => new().delete_group(one),
        13 => new().api(one, api(drawn)),
        14 => new().rename_api("shop/get_order", one),
        15 => new().delete_api(one),
        16 => new().publish(one, TEST),
        17 => new().unpublish(one, LIVE),
        18 => new().environment(LIVE, one),
        19..=21 => {
            let (service, definition) = definition(drawn);
            new().define(service, TEST, definition)
        }
        _ => new().api("shop/new_api", api(drawn)).publish("shop/new_api", LIVE),
    };
    if number % 7 == 0 { change.if_revision(Revision::new(*number)) } else { change }
}

/// Never a panic; what is refused changed nothing; what is accepted can be read again; and requests are
/// served as before wherever nobody touched them.
#[test]
fn anything_is_refused_or_made() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        rng_algorithm: RngAlgorithm::XorShift,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&drawn(), |drawn| runtime.block_on(try_one(&drawn)))
        .unwrap_or_else(|failure| panic!("{failure}"));
}

async fn try_one(drawn: &Drawn) -> Result<(), TestCaseError> {
    let registry = Registry::in_memory().await.unwrap();
    let publisher = registry.publisher("test");
    publisher.apply(everything()).await.unwrap();
    let before = seen(&registry);
    match publisher.apply(change(drawn)).await {
        Ok(receipt) => {
            prop_assert_eq!(receipt.revision(), registry.revision());
            drop(seen_whatever_it_is_called(&registry));
        }
        Err(CommitError::Rejected(rejected)) => {
            let text = rejected.to_string();
            prop_assert!(!text.contains(char::is_control), "more than a line: {:?}", text);
            prop_assert_eq!(seen(&registry), before);
            prop_assert!(serves(&registry));
            publisher.apply(Change::new().describe_service("orders", "good")).await.unwrap();
        }
        Err(other) => return Err(TestCaseError::fail(other.to_string())),
    }
    Ok(())
}

/// Reads every service; one of them may have another name now.
fn seen_whatever_it_is_called(registry: &Registry) -> String {
    let names = registry.services();
    let views = names.iter().map(|name| registry.service(name.as_str()).unwrap().unwrap());
    let addresses = views.map(|view| {
        let rows: Vec<_> = view.addresses(&LIVE).map(|row| row.address).collect();
        format!("{:?}{:?}{rows:?}", view.definitions(), view.drafts().collect::<Vec<_>>())
    });
    addresses.collect()
}
