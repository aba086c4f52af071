//! Counts, and how many of them there can be.

use backhaul::observe::{Metrics, limits, names};
use backhaul::{Api, Body, Change, Custom, Gateway, Registry};
use http::{Request, Response};
use http_body_util::BodyExt;

use crate::gateway::harness::{LIVE, answered_with, apply, call, kind};

/// The value of a series in Prometheus' text.
pub(super) fn sample(text: &str, family: &str, labels: &str) -> Option<f64> {
    let braced = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
    let start = format!("{family}{braced} ");
    text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
}

async fn shop() -> (Registry, Gateway, Metrics) {
    let metrics = Metrics::new();
    let builder = Registry::builder().observer(metrics.clone());
    let (registry, gateway) = answered_with(builder, |request: Request<Body>| async move {
        let status = request.uri().path().rsplit('/').next().unwrap().parse().unwrap_or(200);
        request.into_body().collect().await?;
        let mut response = Response::new(Body::from("12345"));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        Ok(response)
    })
    .await;
    (registry, gateway, metrics)
}

async fn ask(gateway: &Gateway, host: &str, path: &str, body: &'static str) {
    let request = Request::post(path).header("host", host).body(Body::from(body)).unwrap();
    let answer = call(gateway, request).await;
    let _ = answer.into_body().collect().await;
}

#[tokio::test]
async fn requests_are_counted_by_target_api_and_status() {
    let (_registry, gateway, metrics) = shop().await;
    for status in [200, 201, 302, 404, 503, 200] {
        ask(&gateway, "a", &format!("/x/{status}"), "abc").await;
    }
    ask(&gateway, "b", "/", "").await;
    let text = metrics.text();
    let at = "service=\"inside\",environment=\"RELEASE\"";
    let api = "api=\"group/everything\",environment=\"RELEASE\"";
    for (status, count) in [("2xx", 3.0), ("3xx", 1.0), ("4xx", 1.0), ("5xx", 1.0)] {
        let labels = format!("{at},status=\"{status}\"");
        assert_eq!(sample(&text, "backhaul_requests_total", &labels), Some(count), "{status}");
        let labels = format!("{api},status=\"{status}\"");
        assert_eq!(sample(&text, "backhaul_api_requests_total", &labels), Some(count), "{status}");
    }
    let unrouted = "service=\"(none)\",environment=\"(none)\",status=\"4xx\"";
    assert_eq!(sample(&text, "backhaul_requests_total", unrouted), Some(1.0));
    for (family, value) in [
        ("backhaul_request_duration_seconds_count", 6.0),
        ("backhaul_backend_duration_seconds_count", 6.0),
        ("backhaul_request_body_bytes_total", 18.0),
        ("backhaul_response_body_bytes_total", 30.0),
        ("backhaul_requests_in_flight", 0.0),
    ] {
        assert_eq!(sample(&text, family, at), Some(value), "{family}");
    }
    // A backend's own 404 and 503 are answers.
    let failures = text.lines().filter(|line| line.starts_with("backhaul_failures_total{"));
    assert_eq!(failures.count(), 1, "{text}");
}

#[tokio::test]
async fn a_request_is_in_flight_until_its_body_ended() {
    let (_registry, gateway, metrics) = shop().await;
    let in_flight = || {
        let at = "service=\"inside\",environment=\"RELEASE\"";
        sample(&metrics.text(), "backhaul_requests_in_flight", at)
    };
    let request = Request::get("/x").header("host", "a").body(Body::empty()).unwrap();
    let answer = call(&gateway, request).await;
    assert_eq!(in_flight(), Some(1.0));
    drop(answer);
    assert_eq!(in_flight(), Some(0.0));
}

#[tokio::test]
async fn changes_and_drains_are_counted() {
    let (registry, gateway, metrics) = shop().await;
    let request = Request::get("/x").header("host", "a").body(Body::empty()).unwrap();
    let answer = call(&gateway, request).await;
    let again = Custom::new("inside").unwrap().set("again", true);
    let revision = apply(&registry, Change::new().define("inside", LIVE, again)).await.revision();
    registry.publisher("test").apply(Change::new().delete_service("none")).await.unwrap_err();
    let says = |family: &str, labels: &str| sample(&metrics.text(), family, labels);
    until(|| says("backhaul_definitions_draining", "") == Some(1.0)).await;
    assert_eq!(says("backhaul_revision", ""), Some(revision.as_u64() as f64));
    assert_eq!(says("backhaul_revisions_applied_total", "by=\"self\""), Some(2.0));
    assert_eq!(says("backhaul_changes_refused_total", "reason=\"rejected\""), Some(1.0));
    drop(answer);
    until(|| says("backhaul_definitions_draining", "") == Some(0.0)).await;
    assert_eq!(says("backhaul_drain_duration_seconds_count", ""), Some(1.0));
    let at = "service=\"inside\",environment=\"RELEASE\"";
    assert_eq!(says("backhaul_superseded_requests_total", at), Some(1.0));
}

async fn until(is: impl Fn() -> bool) {
    for _ in 0..1_000 {
        if is() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("it is never so");
}

/// Hardening L-09.
#[tokio::test]
async fn nothing_a_client_says_makes_a_series() {
    let (_registry, gateway, metrics) = shop().await;
    let ask = async |number: u32| {
        let path = format!("/{number}/x{}?q={number}", fastrand::u64(..));
        let method = if number.is_multiple_of(2) { "GET".to_owned() } else { format!("M{number}") };
        let host = if number.is_multiple_of(3) { format!("h{number}") } else { "a".to_owned() };
        let request = Request::builder()
            .method(&*method)
            .uri(path)
            .header("host", host)
            .header("x-ca-key", number)
            .header("user-agent", number);
        drop(call(&gateway, request.body(Body::empty()).unwrap()).await);
    };
    for number in 0..6 {
        ask(number).await;
    }
    let series = metrics.series();
    for number in 6..20_000 {
        ask(number).await;
    }
    assert_eq!(metrics.series(), series);
    let text = metrics.text();
    assert!(!text.contains("h19998") && text.len() < 64 * 1024);
}

#[tokio::test]
async fn beyond_the_limit_services_and_apis_share_a_series() {
    let metrics = Metrics::new();
    let builder = Registry::builder().observer(metrics.clone());
    let (registry, gateway) =
        answered_with(builder, |_| async { Ok(Response::new(Body::empty())) }).await;
    let more = 20;
    let count = limits::MAX_TARGETS.max(limits::MAX_APIS) + more;
    let mut change = Change::new();
    for number in 0..count {
        let (service, api) = (format!("service-{number}"), format!("group/api-{number}"));
        change = change
            .service(&*service, kind("inside"))
            .define(&*service, LIVE, Custom::new("inside").unwrap())
            .api(&*api, Api::post(format!("/own/{number}")).service_same_path(&*service))
            .publish(&*api, LIVE);
    }
    apply(&registry, change).await;
    // Twice: what was shared once stays shared.
    for _ in 0..2 {
        for number in 0..count {
            ask(&gateway, "a", &format!("/own/{number}"), "").await;
        }
    }
    let text = metrics.text();
    let shared = (count - limits::MAX_TARGETS) as f64 * 2.0;
    let labels = format!("service=\"{}\",environment=\"RELEASE\",status=\"2xx\"", names::OTHER);
    assert_eq!(sample(&text, "backhaul_requests_total", &labels), Some(shared));
    let shared = (count - limits::MAX_APIS) as f64 * 2.0;
    let labels = format!("api=\"{}\",environment=\"RELEASE\",status=\"2xx\"", names::OTHER);
    assert_eq!(sample(&text, "backhaul_api_requests_total", &labels), Some(shared));
    let in_flight = text.lines().filter(|line| line.starts_with("backhaul_requests_in_flight{"));
    // Their own, the shared one, and the one of what is not routed.
    assert_eq!(in_flight.clone().count(), limits::MAX_TARGETS + 2);
    assert!(in_flight.clone().all(|line| line.ends_with("} 0")), "each ends where it begun");
}

#[tokio::test]
async fn what_is_renamed_is_counted_by_its_new_name() {
    let (registry, gateway, metrics) = shop().await;
    ask(&gateway, "a", "/200", "").await;
    let rename = Change::new()
        .rename_service("inside", "renamed")
        .rename_group("group", "renamed")
        .rename_api("renamed/everything", "renamed/all_of_it");
    apply(&registry, rename).await;
    ask(&gateway, "a", "/200", "").await;
    let text = metrics.text();
    for (family, labels) in [
        ("backhaul_requests_total", "service=\"inside\""),
        ("backhaul_requests_total", "service=\"renamed\""),
        ("backhaul_api_requests_total", "api=\"group/everything\""),
        ("backhaul_api_requests_total", "api=\"renamed/all_of_it\""),
    ] {
        let labels = format!("{labels},environment=\"RELEASE\",status=\"2xx\"");
        assert_eq!(sample(&text, family, &labels), Some(1.0), "{labels} {text}");
    }
}

#[tokio::test]
async fn two_registries_share_counts_by_name() {
    let metrics = Metrics::new();
    for _ in 0..2 {
        let builder = Registry::builder().observer(metrics.clone());
        let (_registry, gateway) =
            answered_with(builder, |_| async { Ok(Response::new(Body::empty())) }).await;
        ask(&gateway, "a", "/", "").await;
    }
    let labels = "service=\"inside\",environment=\"RELEASE\",status=\"2xx\"";
    assert_eq!(sample(&metrics.text(), "backhaul_requests_total", labels), Some(2.0));
}
