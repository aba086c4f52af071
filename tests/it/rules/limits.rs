//! Every limit, each refused with an error that names what is too large.

use backhaul::model::limits::{
    MAX_BODY_LIMIT, MAX_CUSTOM_DEFINITION, MAX_DESCRIPTION, MAX_ENVIRONMENT_DESCRIPTION,
    MAX_ENVIRONMENTS, MAX_ERROR_SAMPLE, MAX_HOSTS, MAX_MOCK_BODY, MAX_MOCK_HEADERS, MAX_PATH,
    MAX_REASON, MAX_SAMPLE, MAX_SEGMENTS, MAX_SHAPES,
};
use backhaul::model::{ResponseDefinition, definition};
use backhaul::{
    Api, Backend, BackendService, Body, Call, Change, CommitError, Custom, Environment, Group,
    Kind, Mock, Registry,
};
use http::{Request, Response};

use super::{LIVE, apply, order, refused, registry, shop};

fn long(length: usize) -> String {
    "x".repeat(length)
}

/// What is accepted at a limit is refused with one more, and the refusal says where.
async fn holds(field: &str, limit: usize, change: impl Fn(usize) -> Change) {
    let registry = registry(shop().service("mocks", Kind::MOCK)).await;
    let reason = refused(&registry, change(limit + 1)).await.to_string();
    assert!(reason.starts_with(field), "{reason}");
    apply(&registry, change(limit)).await;
}

#[tokio::test]
async fn descriptions() {
    let service = |length| {
        Change::new().service("orders", BackendService::new(Kind::HTTP).description(long(length)))
    };
    holds("description: ", MAX_DESCRIPTION, service).await;
    let described = |length| Change::new().describe_service("orders", long(length));
    holds("description: ", MAX_DESCRIPTION, described).await;
    // Characters are counted, not bytes.
    let described = |length| Change::new().describe_service("orders", "订".repeat(length));
    holds("description: ", MAX_DESCRIPTION, described).await;
    let group = |length| Change::new().group("other", Group::new().description(long(length)));
    holds("description: ", MAX_DESCRIPTION, group).await;
    let api = |length| Change::new().api("shop/long", order("/x").description(long(length)));
    holds("description: ", MAX_DESCRIPTION, api).await;
    let staging: Environment = "STAGING".parse().unwrap();
    let environment = |length| Change::new().environment(staging.clone(), long(length));
    holds("description: ", MAX_ENVIRONMENT_DESCRIPTION, environment).await;
}

#[tokio::test]
async fn paths() {
    let api = |api: Api| Change::new().api("shop/long", api);
    holds("path: ", MAX_PATH, |length| api(order(&format!("/{}", long(length - 1))))).await;
    let backend = |length: usize| order("/x").backend_path(format!("/{}", long(length - 1)));
    holds("backend.path: ", MAX_PATH, |length| api(backend(length))).await;
    holds("path: ", MAX_SEGMENTS, |count| api(order(&"/s".repeat(count)))).await;
    let backend = |count| order("/x").backend_path("/s".repeat(count));
    holds("backend.path: ", MAX_SEGMENTS, |count| api(backend(count))).await;
    let base = |count| Change::new().group("other", Group::new().base_path("/s".repeat(count)));
    holds("base_path: ", MAX_SEGMENTS, base).await;
}

#[tokio::test]
async fn hosts() {
    let group = |count: usize| {
        let all = (0..count - 1).map(|number| format!("h{number}.example.com"));
        let group = all.fold(Group::new(), Group::and_host);
        Change::new().group("other", group.stage_host("test.example.com", "TEST"))
    };
    holds("hosts: ", MAX_HOSTS, group).await;
}

#[tokio::test]
async fn samples_and_bodies() {
    let api = |response| Change::new().api("shop/long", order("/x").response(response));
    let response = || ResponseDefinition::new(Default::default());
    holds("response.sample: ", MAX_SAMPLE, |size| api(response().sample(long(size)))).await;
    let error = |size| api(response().error_sample(long(size)));
    holds("response.error_sample: ", MAX_ERROR_SAMPLE, error).await;
    let limit = usize::try_from(MAX_BODY_LIMIT).unwrap();
    let body = |size: usize| {
        Change::new().api("shop/long", order("/x").max_body(u64::try_from(size).unwrap()))
    };
    holds("max_body: ", limit, body).await;
}

#[tokio::test]
async fn mocks() {
    let mock = |mock: Mock| Change::new().define("mocks", LIVE, mock);
    holds("body: ", MAX_MOCK_BODY, |size| mock(Mock::new().body(long(size)))).await;
    let headers = |count| {
        (0..count).fold(Mock::new(), |mock, number| mock.header(format!("x-{number}"), "1"))
    };
    holds("headers: ", MAX_MOCK_HEADERS, |count| mock(headers(count))).await;
    let inline =
        |size| Change::new().api("shop/long", Api::get("/x").inline(Mock::new().body(long(size))));
    holds("backend.body: ", MAX_MOCK_BODY, inline).await;
}

#[tokio::test]
async fn timeouts() {
    let registry = registry(shop().service("mocks", Kind::MOCK)).await;
    let (least, most) = (definition::MIN_TIMEOUT, definition::MAX_TIMEOUT);
    let millisecond = least;
    for (timeout, good) in [
        (least - least, false),
        (least, true),
        (most, true),
        (most + millisecond, false),
        (most + (most - most) + millisecond / 2, false),
        // Stores keep whole milliseconds.
        (millisecond + millisecond / 2, false),
    ] {
        for (field, change) in [
            ("timeout: ", Change::new().define("mocks", LIVE, Mock::new().timeout(timeout))),
            (
                "backend.timeout: ",
                Change::new().api("shop/get_order", order("/orders/[id]").timeout(timeout)),
            ),
        ] {
            if good {
                apply(&registry, change).await;
            } else {
                let reason = refused(&registry, change).await.to_string();
                assert!(reason.starts_with(field), "{timeout:?}: {reason}");
            }
        }
    }
    for (delay, good) in [(most, true), (most + millisecond, false), (millisecond / 2, false)] {
        let change = Change::new().define("mocks", LIVE, Mock::new().delay(delay));
        if good {
            apply(&registry, change).await;
        } else {
            let reason = refused(&registry, change).await.to_string();
            assert!(reason.starts_with("delay: "), "{delay:?}: {reason}");
        }
    }
}

#[derive(Debug, serde::Deserialize)]
struct Anything {}

#[async_trait::async_trait]
impl Backend for Anything {
    async fn send(&self, _: Request<Body>, _: &Call) -> backhaul::Result<Response<Body>> {
        Ok(Response::new(Body::empty()))
    }
}

#[tokio::test]
async fn custom_definitions() {
    let builder = Registry::builder().kind("anything", |definition: Anything| Ok(definition));
    let registry = builder.in_memory().await.unwrap();
    apply(&registry, Change::new().service("any", Kind::custom("anything").unwrap())).await;
    let define = |size: usize| {
        // `{"key":"…"}` is ten bytes longer than what stands in it.
        let custom = Custom::new("anything").unwrap().set("key", long(size - 10));
        Change::new().define("any", LIVE, custom)
    };
    apply(&registry, define(MAX_CUSTOM_DEFINITION)).await;
    let reason = refused(&registry, define(MAX_CUSTOM_DEFINITION + 1)).await;
    assert_eq!(reason.to_string(), "definition: is larger than 64 KiB");
}

#[tokio::test]
async fn environments() {
    let change = |count: usize| {
        (0..count).fold(Change::new(), |change, number| {
            change.environment(format!("E{number}").parse().unwrap(), "")
        })
    };
    holds("declared environments would be more than 64", MAX_ENVIRONMENTS, change).await;
}

#[tokio::test]
async fn shapes() {
    // Nine bits: enough different shapes of nine segments.
    let path = |shape: usize| {
        let segments = (0..9).map(|bit| match shape >> bit & 1 {
            1 => format!("/[p{bit}]"),
            _ => "/s".to_owned(),
        });
        segments.collect::<String>()
    };
    let change = |count: usize| {
        (0..count).fold(Change::new(), |change, shape| {
            let name = format!("shop/shape_{shape}");
            change.api(&name, order(&path(shape))).publish(name, LIVE)
        })
    };
    holds("shapes of path in one group would be more than 256", MAX_SHAPES, change).await;
}

#[tokio::test]
async fn publishers() {
    let registry = registry(Change::new()).await;
    let publisher = |who, why| registry.publisher(long(who)).because(long(why));
    publisher(MAX_REASON, MAX_REASON).apply(Change::new()).await.unwrap();
    for (who, why, what) in
        [(MAX_REASON + 1, 1, "the publisher's name"), (1, MAX_REASON + 1, "the reason")]
    {
        let before = registry.revision();
        let error = publisher(who, why).apply(Change::new()).await.unwrap_err();
        assert!(matches!(error, CommitError::TooLong(named) if named == what));
        assert_eq!(error.to_string(), format!("{what} is longer than 200 characters"));
        assert_eq!(registry.revision(), before);
    }
}
