//! Probes of endpoints, against real sockets.

use std::sync::Arc;
use std::time::Duration;

use backhaul::backend::http::HttpFactory;
use backhaul::backend::mock::MockFactory;
use backhaul::backend::{Backend, Built, Call, Check, Factory, Probe, Probed, Step};
use backhaul::sync::{Drained, lease};
use backhaul::testing::{FakeUpstream, Script, context};
use backhaul::transport::{Builder, Egress, Transport};
use backhaul::{Body, Environment, Http, Mock, Place, Revision};
use http::Request;
use tokio::net::TcpListener;

/// Long enough that only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a probe waits that is to wait in vain.
const SHORT: Duration = Duration::from_millis(300);

fn local() -> Builder {
    Transport::builder().egress(Egress::default().allow_loopback())
}

fn backend(transport: Builder, http: Http) -> (Arc<dyn Backend>, Drained) {
    let (lease, drained) = lease();
    let context = context(transport.build().unwrap(), Arc::new(lease));
    match HttpFactory::default().build(&http.into(), &context).unwrap() {
        Built::Ready(backend) => (backend, drained),
        other => panic!("{other:?}"),
    }
}

fn patient() -> Probe {
    Probe::new().timeout(PATIENCE)
}

async fn probe(transport: Builder, url: &str, probe: Probe) -> Probed {
    let (backend, _) = backend(transport, Http::to(url));
    tokio::time::timeout(2 * PATIENCE, backend.probe(&probe)).await.expect("hangs")
}

fn last(probed: &Probed) -> (Step, Result<&str, &str>) {
    let Check { step, outcome, .. } = probed.checks.last().unwrap();
    (*step, outcome.as_deref().map_err(String::as_str))
}

fn steps(probed: &Probed) -> Vec<Step> {
    probed.checks.iter().map(|check| check.step).collect()
}

fn answer(status: u16) -> Script {
    Script::raw(format!(
        "HTTP/1.1 {status} X\r\nContent-Length: 100000\r\n\r\nthe rest never comes"
    ))
}

#[tokio::test]
async fn an_endpoint_that_listens_is_reached_and_asked_for_nothing() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let address = upstream.address();
    let probed = probe(local(), &upstream.url(), patient()).await;
    let expected = format!("resolve {address}: {address}\nconnect {address}: connected");
    assert_eq!(probed.to_string(), expected);
    assert!(probed.is_reached());
    while upstream.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(upstream.has_open(0, PATIENCE).await, "the connection is closed");
    assert_eq!((upstream.accepted(), upstream.received().len()), (1, 0));
}

#[tokio::test]
async fn one_address_that_listens_is_enough() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let url = format!("http://localhost:{}", upstream.address().port());
    let probed = probe(local(), &url, patient().path("/")).await;
    assert!(probed.is_reached(), "{probed}");
    let listening = upstream.address().to_string();
    let good = |check: &&Check| check.target == listening && check.outcome.is_ok();
    let good: Vec<_> = probed.checks.iter().filter(good).map(|check| check.step).collect();
    assert_eq!(good, [Step::Connect, Step::Answer]);
}

#[tokio::test]
async fn a_closed_port_fails_to_connect() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let probed = probe(local(), &format!("http://{address}"), patient().path("/")).await;
    assert_eq!(steps(&probed), [Step::Resolve, Step::Connect]);
    let reason = last(&probed).1.unwrap_err();
    assert!(reason.starts_with(&format!("connection refused: {address}")), "{reason}");
    assert!(!probed.is_reached());
}

#[tokio::test]
async fn an_unknown_name_fails_to_resolve() {
    let probed = probe(local(), "http://no-such-name.invalid", patient().path("/")).await;
    assert_eq!(steps(&probed), [Step::Resolve]);
    let [check] = &probed.checks[..] else { panic!("{probed}") };
    assert_eq!(check.target, "no-such-name.invalid:80");
    assert!(check.outcome.as_ref().unwrap_err().starts_with("name not resolved: "), "{probed}");
    assert!(!probed.is_reached());
}

#[tokio::test]
async fn a_refused_address_is_not_dialled() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let url = format!("http://localhost:{}", upstream.address().port());
    let probed = probe(Transport::builder(), &url, patient().path("/")).await;
    let (resolve, connects) = probed.checks.split_first().unwrap();
    assert!(resolve.outcome.is_ok() && !connects.is_empty(), "{probed}");
    for check in connects {
        assert_eq!(check.step, Step::Connect);
        let reason = check.outcome.as_ref().unwrap_err();
        assert!(reason.starts_with("address refused by the egress policy: "), "{reason}");
        assert!(reason.contains("is a loopback address"), "{reason}");
    }
    assert!(!probed.is_reached());
    assert!(probe(local(), &upstream.url(), patient().path("/")).await.is_reached());
    assert_eq!(upstream.accepted(), 1, "by the one that may");
}

#[tokio::test]
async fn the_path_is_asked_for_as_the_gateway_would() {
    let upstream = FakeUpstream::start(|_| answer(200)).await.unwrap();
    let http = Http::to(format!("{}/base", upstream.url())).host("orders.internal");
    let (backend, _) = backend(local(), http);
    let probed = backend.probe(&patient().path("/health?deep=1")).await;
    assert_eq!(last(&probed), (Step::Answer, Ok("status 200")));
    assert!(probed.is_reached());
    let received = upstream.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].line(), "GET /base/health?deep=1 HTTP/1.1");
    assert_eq!(received[0].header("host"), ["orders.internal"]);
    assert_eq!(received[0].header("connection"), ["close"]);
    assert!(upstream.has_open(0, PATIENCE).await, "though the body has not ended");
}

#[tokio::test]
async fn every_answer_below_500_is_good() {
    for (status, good) in [(204, true), (302, true), (404, true), (500, false), (503, false)] {
        let upstream = FakeUpstream::start(move |_| answer(status)).await.unwrap();
        let probed = probe(local(), &upstream.url(), patient().path("/health")).await;
        let found = format!("status {status}");
        let outcome = if good { Ok(found.as_str()) } else { Err(found.as_str()) };
        assert_eq!(last(&probed), (Step::Answer, outcome));
        assert_eq!(probed.is_reached(), good, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_believed_is_none() {
    for raw in [
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "",
    ] {
        let script = move |_: &_| Script::raw(raw).then(backhaul::testing::Step::Close);
        let upstream = FakeUpstream::start(script).await.unwrap();
        let probed = probe(local(), &upstream.url(), patient().path("/")).await;
        let (step, outcome) = last(&probed);
        assert_eq!(step, Step::Answer);
        assert!(
            outcome.is_err_and(|reason| !reason.contains(char::is_control)),
            "{raw:?} {probed}"
        );
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_not_asked_for() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    for path in
        ["", "health", "/a b", "/a#b", "/../a", "/a\r\nx: y", "/\u{9b}", "*", "?x", "http://a/"]
    {
        let probed = probe(local(), &upstream.url(), patient().path(path)).await;
        let (step, outcome) = last(&probed);
        assert_eq!(step, Step::Answer, "{path:?}");
        assert!(outcome.is_err_and(|reason| reason.starts_with("path \"")), "{path:?} {probed}");
        assert!(!probed.to_string().replace('\n', "").contains(char::is_control), "{path:?}");
    }
    assert_eq!(upstream.received(), []);
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    let probed = probe(local(), &url, Probe::new().timeout(SHORT).path("/")).await;
    let (step, outcome) = last(&probed);
    assert_eq!(step, Step::Answer);
    assert!(outcome.unwrap_err().starts_with("no answer in time"), "{probed}");
    silent.abort();
}

#[tokio::test]
async fn a_time_too_long_to_be_added_to_another_is_cut() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let probed = probe(local(), &upstream.url(), Probe::new().timeout(Duration::MAX)).await;
    assert!(probed.is_reached(), "{probed}");
}

#[tokio::test]
async fn the_connections_of_requests_are_left_alone() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let (backend, drained) = backend(local().max_connections(1), Http::to(upstream.url()));
    let send = async || {
        let place = Place::new(None, Environment::PRODUCTION, Revision::new(1));
        let request = Request::builder().uri("/").body(Body::empty()).unwrap();
        backend.send(request, &Call::new(place, PATIENCE)).await.unwrap();
    };
    send().await;
    for _ in 0..3 {
        assert!(backend.probe(&patient().path("/")).await.is_reached());
    }
    assert!(upstream.has_open(1, PATIENCE).await, "only the request's is kept");
    send().await;
    let connections: Vec<_> = upstream.received().iter().map(|one| one.connection).collect();
    assert_eq!(connections, [1, 2, 3, 4, 1]);
    drop(backend);
    tokio::time::timeout(PATIENCE, drained).await.expect("nothing is left behind");
}

#[tokio::test]
async fn what_reaches_nothing_has_nothing_to_probe() {
    let context = context(Transport::default(), Arc::new(lease().0));
    let mock = MockFactory::default().build(&Mock::new().into(), &context).unwrap();
    let Built::Ready(mock) = mock else { panic!("{mock:?}") };
    let probed = mock.probe(&Probe::new().path("/")).await;
    assert_eq!(probed.to_string(), "nothing to probe");
    assert!(!probed.is_reached());
}

#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod tls {
    use super::*;
    use crate::transport::tls::{acceptor, authority, upstream};

    #[tokio::test]
    async fn the_certificate_must_be_for_the_host_and_by_a_known_authority() {
        let (known, unknown) = (authority(), authority());
        for (authority, name, problem) in [
            (&known, "localhost", None),
            (&known, "other.example", Some("certificate not valid for name \"localhost\"")),
            (&unknown, "localhost", Some("invalid peer certificate")),
        ] {
            let (upstream, _) = upstream(acceptor(authority, &[name], &[])).await;
            let url = format!("https://localhost:{}", upstream.address().port());
            let transport = local().trust(known.pem());
            let probed = probe(transport, &url, patient().path("/")).await;
            let tls = probed.checks.iter().find(|check| check.step == Step::Tls).unwrap();
            assert_eq!(tls.target, upstream.address().to_string());
            assert_eq!(probed.is_reached(), problem.is_none(), "{probed}");
            match (&tls.outcome, problem) {
                (Ok(found), None) => assert_eq!(found, "its certificate is for localhost"),
                (Err(reason), Some(problem)) => {
                    assert!(reason.starts_with("TLS handshake failed: "), "{reason}");
                    assert!(reason.contains(problem), "{reason}");
                }
                _ => panic!("{name} {probed}"),
            }
            assert_eq!(upstream.received().len(), usize::from(problem.is_none()), "{name}");
        }
    }

    #[tokio::test]
    async fn a_peer_that_never_shakes_hands_is_given_up() {
        let plain = FakeUpstream::start(|_| Script::ok("plain")).await.unwrap();
        let url = format!("https://127.0.0.1:{}", plain.address().port());
        let transport = local().trust(authority().pem());
        let probed = probe(transport, &url, Probe::new().timeout(SHORT).path("/")).await;
        assert_eq!(steps(&probed), [Step::Resolve, Step::Connect, Step::Tls]);
        assert!(last(&probed).1.is_err(), "{probed}");
        assert!(plain.received().is_empty());
    }
}
