//! Rows U: who shares a connection, what a backend is called, and that no answer is kept.

use backhaul::testing::{FakeUpstream, Script};
use backhaul::{Api, Change, Gateway, Group, Http, Kind, Registry};

use super::front::Front;
use crate::gateway::harness::{LIVE, TEST, apply, ask, serve};

/// Services behind TLS that show certificates of their own.
#[cfg(any(feature = "tls-aws-lc", feature = "tls-ring"))]
mod certificates {
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    use backhaul::model::definition::Tls;

    use super::*;
    use crate::transport::tls::{Authority, BOTH, asking_for, authority, identity, path};

    /// What was shown on each connection, in their order.
    type Shown = Arc<Mutex<Vec<Option<Vec<u8>>>>>;

    async fn upstream(authority: &Authority) -> (FakeUpstream, Shown) {
        let acceptor = asking_for(authority, authority, &BOTH);
        let shown = Shown::default();
        let seen = Arc::clone(&shown);
        let accept = move |stream| {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            async move {
                let stream = acceptor.accept(stream).await?;
                let chain = stream.get_ref().1.peer_certificates();
                seen.lock().unwrap().push(chain.map(|chain| chain[0].to_vec()));
                Ok(stream)
            }
        };
        let upstream = FakeUpstream::start_behind(accept, |_| Script::ok("secret")).await.unwrap();
        (upstream, shown)
    }

    /// A definition, with a certificate made in the folder where one is given.
    fn defined(url: &str, ca: &Path, own: Option<(&Path, &Authority)>) -> (Http, Option<Vec<u8>>) {
        let mut tls = Tls::default();
        tls.ca = path(ca, "ca.pem");
        let certificate = own.map(|(folder, authority)| {
            std::fs::create_dir(folder).unwrap();
            tls.client_cert = path(folder, "cert.pem");
            tls.client_key = path(folder, "key.pem");
            identity(folder, authority)
        });
        let mut http = Http::to(url);
        http.tls = Some(tls);
        (http, certificate)
    }

    #[tokio::test]
    async fn u_19_services_with_certificates_of_their_own_share_no_connection() {
        const NAMES: [&str; 3] = ["one", "other", "none"];
        let authority = authority();
        let (upstream, shown) = upstream(&authority).await;
        let url = format!("https://localhost:{}", upstream.address().port());
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
        let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
        let mut change = Change::new().group("shop", Group::host("a"));
        let mut expected = Vec::new();
        for name in NAMES {
            let own = folder.path().join(name);
            let own = (name != "none").then_some((own.as_path(), &authority));
            let (http, certificate) = defined(&url, folder.path(), own);
            expected.push(certificate);
            let (api, path) = (format!("shop/get_{name}"), format!("/{name}"));
            change = change
                .service(name, Kind::HTTP)
                .define(name, LIVE, http)
                .api(&*api, Api::get(path).service_same_path(name))
                .publish(&*api, LIVE);
        }
        apply(&registry, change).await;
        let address = serve(&Gateway::new(&registry)).await;
        for name in NAMES.iter().cycle().take(9) {
            let told = ask(address, &format!("GET /{name}"), &["Host: a"]).await;
            assert_eq!(told.body(), "secret");
        }
        // One after the other, so that connections come in the order of the services.
        assert_eq!(*shown.lock().unwrap(), expected);
        for (index, request) in upstream.received().iter().enumerate() {
            assert_eq!(request.connection, index % NAMES.len() + 1);
        }
    }
}

#[tokio::test]
async fn u_20_environments_share_no_connection() {
    let upstream = FakeUpstream::start(|_| Script::ok("fine")).await.unwrap();
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    let change = Change::new()
        .service("all", Kind::HTTP)
        .define("all", TEST, Http::to(upstream.url()))
        .define("all", LIVE, Http::to(upstream.url()))
        .group("all", Group::host("a"))
        .api("all/everything", Api::any("/*").service_same_path("all"))
        .publish("all/everything", TEST)
        .publish("all/everything", LIVE);
    apply(&registry, change).await;
    let address = serve(&Gateway::new(&registry)).await;
    for number in 0..10 {
        let stage = if number % 2 == 0 { "TEST" } else { "RELEASE" };
        let headers = ["Host: a", &format!("X-Ca-Stage: {stage}")];
        assert_eq!(ask(address, &format!("GET /{stage}"), &headers).await.body(), "fine");
    }
    for request in upstream.received() {
        let expected = if request.target() == "/TEST" { 1 } else { 2 };
        assert_eq!(request.connection, expected);
    }
    assert_eq!(upstream.accepted(), 2);
}

#[tokio::test]
async fn u_24_a_backend_is_called_by_the_name_that_is_configured() {
    let front = Front::open().await;
    let authority = front.upstream.address().to_string();
    let url = front.upstream.url();
    let passing = || Group::host("a").passthrough_header("host");
    for (http, group, expected) in [
        (Http::to(&url), Group::host("a"), authority.as_str()),
        (Http::to(&url).host("orders.internal"), Group::host("a"), "orders.internal"),
        (Http::to(&url), passing(), "a"),
        (Http::to(&url).host("orders.internal"), passing(), "orders.internal"),
    ] {
        apply(&front.registry, Change::new().define("all", LIVE, http).group("all", group)).await;
        for headers in [&[][..], &["X-Forwarded-Host: evil"], &["Forwarded: host=evil"]] {
            assert_eq!(front.ask("GET /", headers).await.body(), "fine");
            assert_eq!(front.last().header("host"), [expected]);
        }
        // The host of an absolute target is the client's word, too.
        assert_eq!(front.ask("GET http://a/", &[]).await.body(), "fine");
        assert_eq!(front.last().header("host"), [expected]);
    }
}

#[tokio::test]
async fn u_25_no_answer_is_kept_for_anybody_else() {
    let fresh = "Cache-Control: public, max-age=3600\r\nETag: \"1\"\r\nExpires: Thu, 01 Jan 2099 \
                 00:00:00 GMT";
    let front = Front::before(move |request| {
        let is_conditional = !request.header("if-none-match").is_empty();
        let body = format!("{} {}", request.target(), request.header("x-who").join(","));
        let length = body.len();
        match is_conditional {
            true => Script::raw(format!("HTTP/1.1 304 Not Modified\r\n{fresh}\r\n\r\n")),
            false => Script::raw(format!(
                "HTTP/1.1 200 OK\r\n{fresh}\r\nContent-Length: {length}\r\n\r\n{body}"
            )),
        }
    })
    .await;
    let other = backhaul::Mock::new().body("of another host");
    let change = Change::new()
        .group("other", Group::host("b"))
        .api("other/everything", Api::any("/*").inline(other))
        .publish("other/everything", LIVE);
    apply(&front.registry, change).await;
    let mut asked = 0;
    for round in 0..3 {
        for who in ["alice", "bob"] {
            for path in ["/", "/?x=1", "/?x=2"] {
                let header = format!("X-Who: {who}");
                let told = front.ask(&format!("GET {path}"), &[&header]).await;
                assert_eq!(told.body(), format!("{path} {who}"), "{round}");
                let told = front.ask(&format!("GET {path}"), &["If-None-Match: \"1\""]).await;
                assert_eq!((told.status(), told.body()), (304, ""), "{round}");
                asked += 2;
                assert_eq!(front.count(), asked, "an answer was kept");
            }
        }
        let told = ask(front.address, "GET /", &["Host: b"]).await;
        assert_eq!(told.body(), "of another host");
    }
}
