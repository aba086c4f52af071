//! What else a definition must not lead to.

use super::*;

const LIVE: Environment = Environment::PRODUCTION;

/// Why a change is refused that defines an HTTP service so.
async fn refusal(registry: &Registry, url: &str) -> Option<String> {
    let change =
        Change::new().service("service", Kind::HTTP).define("service", LIVE, Http::to(url));
    registry.publisher("test").plan(change).await.err().map(|error| error.to_string())
}

fn shop(url: &str) -> Change {
    Change::new()
        .service("orders", Kind::HTTP)
        .define("orders", LIVE, Http::to(url))
        .group("shop", Group::host("shop"))
        .api("shop/everything", Api::any("/*").service_same_path("orders"))
        .publish("shop/everything", LIVE)
}

/// A gateway in front of an upstream on this machine.
async fn gateway(url: &str) -> Gateway {
    let registry = Registry::builder().allow_loopback().in_memory().await.unwrap();
    registry.publisher("test").apply(shop(url)).await.unwrap();
    Gateway::new(&registry)
}

async fn ask(gateway: &Gateway, request: http::request::Builder) -> Response<Body> {
    crate::gateway::harness::call(gateway, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn s_02_this_machine_is_refused_by_default_and_private_ranges_where_it_is_asked_for() {
    let private = ["10.0.0.7", "0xa000007", "192.168.257", "[::ffff:172.16.0.1]", "[fc00::1]"];
    let strict = Registry::builder().egress(Egress::default().deny_private());
    let strict = strict.in_memory().await.unwrap();
    let default = Registry::in_memory().await.unwrap();
    for host in ["127.1", "0", "[::]", "[::1]"] {
        for registry in [&strict, &default] {
            assert!(refusal(registry, &format!("http://{host}/")).await.is_some(), "{host}");
        }
    }
    for host in private {
        let url = format!("http://{host}/");
        assert_eq!(refusal(&default, &url).await, None);
        let reason = refusal(&strict, &url).await.unwrap();
        assert!(reason.contains("a private address"), "{reason}");
    }
    let upstream = upstream().await;
    for address in ["10.0.0.7", "100.64.0.1", "172.31.255.255", "192.168.0.1", "fd12::1"] {
        let egress = Egress::default().deny_private();
        let transport = resolving(&Told::new([address])).egress(egress).build().unwrap();
        assert_refused(get(&pool(&transport, "orders.internal", &upstream)).await, address);
        assert_eq!(transport.dialled(), 0, "{address}");
    }
}

#[tokio::test]
async fn s_04_an_address_within_an_address_is_judged_as_itself() {
    let within = |[a, b, c, d]: [u8; 4]| {
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        [
            format!("::ffff:{high:x}:{low:x}"),
            format!("::ffff:0:{high:x}:{low:x}"),
            format!("64:ff9b::{high:x}:{low:x}"),
            format!("2002:{high:x}:{low:x}::1"),
            format!("2001:db8::5efe:{high:x}:{low:x}"),
            format!("2001:db8::200:5efe:{high:x}:{low:x}"),
        ]
    };
    let upstream = upstream().await;
    for hidden in [[127, 0, 0, 1], [169, 254, 169, 254], [100, 100, 100, 200], [0, 0, 0, 0]] {
        for address in within(hidden) {
            let transport = resolving(&Told::new([address.as_str()])).build().unwrap();
            assert_refused(get(&pool(&transport, "orders.internal", &upstream)).await, &address);
            assert_eq!(transport.dialled(), 0, "{address}");
        }
    }
    for address in within([8, 8, 8, 8]) {
        assert_eq!(Egress::default().check(address.parse().unwrap()), Ok(()), "{address}");
    }
    for tunnel in ["2001::808:808", "64:ff9b:1::808:808"] {
        assert!(Egress::default().check(tunnel.parse().unwrap()).is_err(), "{tunnel}");
    }
}

#[tokio::test]
async fn s_07_a_redirect_goes_to_the_client_as_it_is() {
    for status in [301, 302, 303, 307, 308] {
        let trap = FakeUpstream::start(|_| Script::ok("followed")).await.unwrap();
        for location in
            ["http://169.254.169.254/latest/meta-data/", &trap.url(), "//localhost/", "/x"]
        {
            let head = format!(
                "HTTP/1.1 {status} Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
            );
            let upstream = FakeUpstream::start(move |_| Script::raw(head.clone())).await.unwrap();
            let gateway = gateway(&upstream.url()).await;
            let answer = ask(&gateway, Request::get("/a").header("host", "shop")).await;
            assert_eq!(answer.status().as_u16(), status);
            assert_eq!(answer.headers()["location"], location);
            assert_eq!((upstream.received().len(), trap.accepted()), (1, 0), "{location}");
        }
    }
}

#[tokio::test]
async fn s_08_a_url_of_an_endpoint_is_no_more_than_that() {
    let registry = Registry::in_memory().await.unwrap();
    for url in [
        "http://a@b.internal/",
        "http://a:b@b.internal/",
        "http://b.internal/#fragment",
        "http://b.internal/?query",
        "http://b.internal\\@c.internal/",
        "file:///etc/passwd",
        "ftp://b.internal/",
        "gopher://b.internal:6379/_FLUSHALL",
        "dict://b.internal:11211/stats",
        "jar:http://b.internal!/",
        "ldap://b.internal/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "//b.internal/",
        "b.internal",
        "http:b.internal",
        "http:///b.internal",
        "http:/b.internal",
        "http://b.internal\r\nX: y/",
        "http://b.internal/\r\nX: y",
        "http://b.internal/\u{0}",
        "http://b.internal\u{0}.c/",
        "http://b.internal\t/",
        " http://b.internal/",
        "http://b.internal/../etc",
        "http://b.internal/%2e%2e/etc",
        "http://b.internal:0/",
        "http://b.internal:99999/",
        "http://b.internal:8o/",
        "http://",
        "",
    ] {
        assert!(refusal(&registry, url).await.is_some(), "{url:?}");
    }
    assert_eq!(refusal(&registry, "http://b.internal:8080/base").await, None);
}

#[tokio::test]
async fn s_09_no_part_of_a_request_is_in_the_host() {
    let registry = Registry::in_memory().await.unwrap();
    for url in [
        "http://{tenant}.internal/",
        "http://[tenant].internal/",
        "http://#tenant#.internal/",
        "http://${tenant}.internal/",
        "http://$tenant.internal/",
        "http://<tenant>.internal/",
        "http://*.internal/",
        "http://b.internal:[port]/",
        "http://b.internal:#port#/",
    ] {
        assert!(refusal(&registry, url).await.is_some(), "{url:?}");
    }
}

#[tokio::test]
async fn s_09_whatever_a_request_says_goes_where_the_definition_says() {
    let upstream = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let trap = FakeUpstream::start(|_| Script::ok("")).await.unwrap();
    let gateway = gateway(&upstream.url()).await;
    let evil = trap.address();
    for (target, header) in [
        ("/a".to_owned(), ("x-forwarded-host", evil.to_string())),
        ("/a".to_owned(), ("forwarded", format!("host={evil}"))),
        ("/a".to_owned(), ("x-original-url", format!("http://{evil}/"))),
        ("/a".to_owned(), ("x-rewrite-url", format!("http://{evil}/"))),
        (format!("/@{evil}/"), ("accept", "*/*".to_owned())),
        (format!("/http://{evil}/"), ("accept", "*/*".to_owned())),
        (format!("//{evil}/"), ("accept", "*/*".to_owned())),
        (format!("/?url=http://{evil}/"), ("accept", "*/*".to_owned())),
    ] {
        let before = upstream.received().len();
        let request = Request::get(&target).header("host", "shop").header(header.0, header.1);
        let status = ask(&gateway, request).await.status().as_u16();
        let forwarded = upstream.received().len() - before;
        assert!(status == 200 && forwarded == 1 || status == 400 && forwarded == 0, "{target}");
        assert_eq!(trap.accepted(), 0, "{target}");
    }
    assert!(upstream.received().len() >= 5);
}

#[tokio::test]
async fn s_10_ports_can_be_refused() {
    let egress = Egress::default().deny_ports([22, 25, 2379, 6379]);
    let registry = Registry::builder().egress(egress).in_memory().await.unwrap();
    for host in ["b.internal", "10.0.0.7", "[2001:db8::1]", "0xa000007"] {
        for port in [22, 25, 2379, 6379] {
            let reason = refusal(&registry, &format!("http://{host}:{port}/")).await.unwrap();
            assert!(reason.contains(&format!("port {port} is refused")), "{reason}");
        }
        assert_eq!(refusal(&registry, &format!("http://{host}:8080/")).await, None);
    }
    let open = Registry::in_memory().await.unwrap();
    assert_eq!(refusal(&open, "http://b.internal:25/").await, None, "only where it is asked for");
}

#[tokio::test]
async fn s_10_a_refused_port_is_not_dialled() {
    let upstream = upstream().await;
    let port = upstream.address().port();
    let egress = Egress::default().allow_loopback().deny_ports([port]);
    let told = Told::new(["127.0.0.1"]);
    let transport = resolving(&told).egress(egress).build().unwrap();
    for host in ["orders.internal", "127.0.0.1"] {
        assert_refused(get(&pool(&transport, host, &upstream)).await, host);
    }
    assert_eq!((transport.dialled(), upstream.accepted()), (0, 0));
}

#[tokio::test]
async fn s_11_own_listeners_are_not_dialled() {
    let own = upstream().await;
    let port = own.address().port();
    let told = Told::new(["127.0.0.1", "127.0.0.2"]);
    for listener in [own.address(), SocketAddr::from(([0; 4], port))] {
        let egress = Egress::default().allow_loopback().deny_own(listener);
        let registry = Registry::builder().egress(egress.clone()).in_memory().await.unwrap();
        for host in ["127.0.0.1", "127.1", "[::ffff:127.0.0.1]"] {
            let reason = refusal(&registry, &format!("http://{host}:{port}/")).await.unwrap();
            assert!(reason.contains("this gateway's own"), "{reason}");
        }
        told.tell(["127.0.0.1"]);
        let transport = resolving(&told).egress(egress).build().unwrap();
        assert_refused(get(&pool(&transport, "orders.internal", &own)).await, "own");
        assert_eq!((transport.dialled(), own.accepted()), (0, 0));
    }
}

/// An address of this machine that is not loopback, if it has one.
async fn address_of_this_machine() -> Option<IpAddr> {
    let socket = tokio::net::UdpSocket::bind("0.0.0.0:0").await.ok()?;
    // Nothing is sent: the system only chooses the address it would send from.
    socket.connect((NOBODY, 9)).await.ok()?;
    let address = socket.local_addr().ok()?.ip();
    Egress::default().check(address).is_ok().then_some(address)
}

#[tokio::test]
async fn s_11_nothing_is_sent_to_an_own_listener_at_an_address_nobody_told_of() {
    let Some(address) = address_of_this_machine().await else { return };
    let own = tokio::net::TcpListener::bind((address, 0)).await.unwrap();
    let port = own.local_addr().unwrap().port();
    let egress = Egress::default().deny_own(SocketAddr::from(([0; 4], port)));
    let told = Told::new([address.to_string().as_str()]);
    let transport = resolving(&told).egress(egress).build().unwrap();
    let url = format!("http://orders.internal:{port}").parse::<Url>().unwrap();
    let pool = Pool::new(&transport, &url, Arc::new(lease().0)).unwrap();
    assert_refused(get(&pool).await, "own");
    let (mut connection, _) = own.accept().await.unwrap();
    let mut received = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut connection, &mut received).await.unwrap();
    assert_eq!(received, b"");
}

#[tokio::test]
async fn s_12_a_url_is_no_way_to_a_socket_in_the_file_system() {
    let registry = Registry::in_memory().await.unwrap();
    for url in [
        "unix:/var/run/docker.sock",
        "unix:///var/run/docker.sock",
        "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
        "http://unix:/var/run/docker.sock:/",
        "http://%2Fvar%2Frun%2Fdocker.sock/",
        "http:///var/run/docker.sock",
        "/var/run/docker.sock",
        "unix:@abstract",
        "unix:%00abstract",
    ] {
        assert!(refusal(&registry, url).await.is_some(), "{url:?}");
    }
}
