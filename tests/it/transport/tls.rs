//! HTTPS to an upstream whose authority is made here.

use std::net::SocketAddr;
use std::path::Path;

use backhaul::model::definition::Tls;
use backhaul::transport::{Origin, PoolError};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion, crypto, version,
};

use super::*;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut parameters = CertificateParams::new(vec![]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn acceptor(authority: &Authority, names: &[&str], alpn: &[&str]) -> TlsAcceptor {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let parameters = CertificateParams::new(names).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let mut config = showing(&certificate, &key);
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// A server with this certificate.
pub(super) fn showing(certificate: &Certificate, key: &KeyPair) -> ServerConfig {
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// What the client said in its handshake: server name and protocol agreed on.
pub(crate) type Seen = Arc<std::sync::Mutex<Vec<(Option<String>, Option<Vec<u8>>)>>>;

pub(crate) async fn upstream(acceptor: TlsAcceptor) -> (FakeUpstream, Seen) {
    let seen = Seen::default();
    let own = Arc::clone(&seen);
    let upstream = FakeUpstream::start_behind(
        move |stream| {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&own));
            async move {
                let stream = acceptor.accept(stream).await?;
                let session = stream.get_ref().1;
                let name = session.server_name().map(str::to_owned);
                let protocol = session.alpn_protocol().map(<[u8]>::to_vec);
                seen.lock().unwrap().push((name, protocol));
                Ok(stream)
            }
        },
        |_| Script::ok("secret"),
    )
    .await
    .unwrap();
    (upstream, seen)
}

#[tokio::test]
async fn s_14_a_trusted_authority_is_believed_and_the_name_is_sent() {
    let authority = authority();
    let (upstream, seen) = upstream(acceptor(&authority, &["localhost"], &["http/1.1"])).await;
    let url = format!("https://localhost:{}", upstream.address().port());
    let (pool, _) = pool_for(local().trust(authority.pem()), &url);
    for _ in 0..2 {
        assert_eq!(get_text(&pool, "/").await, "secret");
    }
    assert_eq!(upstream.accepted(), 1);
    let expected = (Some("localhost".to_owned()), Some(b"http/1.1".to_vec()));
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[tokio::test]
async fn s_14_an_address_must_stand_in_the_certificate_and_is_not_sent_as_name() {
    let authority = authority();
    let (upstream, seen) = upstream(acceptor(&authority, &["127.0.0.1"], &[])).await;
    let url = format!("https://{}", upstream.address());
    let (pool, _) = pool_for(local().trust(authority.pem()), &url);
    assert_eq!(get_text(&pool, "/").await, "secret");
    assert_eq!(*seen.lock().unwrap(), [(None, None)]);
}

#[tokio::test]
async fn a_wrong_name_and_an_unknown_authority_are_connect_errors() {
    let (known, unknown) = (authority(), authority());
    for (authority, names) in [
        (&known, &["other.example"][..]),
        (&known, &["127.0.0.1"]),
        (&known, &["*.localhost"]),
        (&unknown, &["localhost"]),
    ] {
        let (upstream, _) = upstream(acceptor(authority, names, &[])).await;
        let url = format!("https://localhost:{}", upstream.address().port());
        let (pool, _) = pool_for(local().trust(known.pem()), &url);
        let error = send(&pool, get("/")).await.unwrap_err();
        assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
        assert_eq!(error.context(), "TLS handshake failed", "{names:?}");
        assert!(upstream.received().is_empty(), "{names:?}");
    }
}

#[tokio::test]
async fn a_plain_upstream_behind_https_is_a_connect_error() {
    let plain = FakeUpstream::start(|_| Script::ok("plain")).await.unwrap();
    let url = format!("https://localhost:{}", plain.address().port());
    let limit = Duration::from_millis(300);
    let (pool, _) = pool_for(local().connect_timeout(limit).trust(authority().pem()), &url);
    let error = send(&pool, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
}

#[tokio::test]
async fn s_17_a_body_cut_without_goodbye_is_an_error() {
    let authority = authority();
    let acceptor = acceptor(&authority, &["localhost"], &[]);
    let upstream = FakeUpstream::start_behind(
        move |stream| {
            let acceptor = acceptor.clone();
            async move { acceptor.accept(stream).await }
        },
        |_| Script::raw("HTTP/1.1 200 OK\r\n\r\nno length").then(Step::Drop),
    )
    .await
    .unwrap();
    let url = format!("https://localhost:{}", upstream.address().port());
    let (pool, _) = pool_for(local().trust(authority.pem()), &url);
    let response = send(&pool, get("/")).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadResponse);
}

#[test]
fn roots_that_cannot_be_read_are_refused_when_the_transport_is_made() {
    for pem in ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error = Transport::builder().trust(pem).build().unwrap_err();
        assert!(error.to_string().starts_with("trusted certificates: "), "{pem}");
    }
}

/// A server that takes a certificate of `clients`, signed by `authority`.
pub(crate) fn asking_for(
    authority: &Authority,
    clients: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(clients.der().clone()).unwrap();
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// The same, which tells what it was shown on each connection and answers one request there.
pub(super) async fn asking(
    authority: &Authority,
    clients: &Authority,
    versions: &[&'static SupportedProtocolVersion],
) -> (SocketAddr, Shown) {
    let acceptor = asking_for(authority, clients, versions);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, shown) = (listener.local_addr().unwrap(), Shown::default());
    let log = Arc::clone(&shown);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, log) = (acceptor.clone(), Arc::clone(&log));
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let session = stream.get_ref().1;
                let shown = session.peer_certificates().map(|chain| chain[0].to_vec());
                let name = session.server_name().map(str::to_owned);
                log.lock().unwrap().push((name, shown));
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
                stream.write_all(answer).await.unwrap();
                stream.shutdown().await.unwrap();
                let _ = stream.read_to_end(&mut Vec::new()).await;
            });
        }
    });
    (address, shown)
}

pub(super) type Shown = Arc<std::sync::Mutex<Vec<(Option<String>, Option<Vec<u8>>)>>>;

/// A certificate of a client's and its key, in files.
pub(crate) fn identity(folder: &Path, authority: &Authority) -> Vec<u8> {
    let key = KeyPair::generate().unwrap();
    let parameters = CertificateParams::new(vec!["client".to_owned()]).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    certificate.der().to_vec()
}

pub(super) fn pool_with(address: SocketAddr, tls: &Tls) -> Result<Pool, PoolError> {
    let url: Url = format!("https://localhost:{}", address.port()).parse().unwrap();
    let origin = Origin::new(&url).tls(Some(tls));
    Pool::new(&local().max_idle(0).build().unwrap(), origin, Arc::new(lease().0))
}

pub(super) fn settings(set: impl FnOnce(&mut Tls)) -> Tls {
    let mut tls = Tls::default();
    set(&mut tls);
    tls
}

pub(crate) fn path(folder: &Path, name: &str) -> Option<String> {
    Some(folder.join(name).to_str().unwrap().to_owned())
}

pub(crate) const BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS12, &version::TLS13];

#[tokio::test]
async fn a_definitions_own_authorities_are_the_only_ones() {
    let (own, other) = (authority(), authority());
    let (address, _) = asking(&own, &own, &BOTH).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.pem"), own.pem()).unwrap();
    std::fs::write(folder.path().join("other.pem"), other.pem()).unwrap();
    let tls = settings(|tls| tls.ca = path(folder.path(), "own.pem"));
    assert_eq!(get_text(&pool_with(address, &tls).unwrap(), "/").await, "ok");
    let tls = settings(|tls| tls.ca = path(folder.path(), "other.pem"));
    let url: Url = format!("https://localhost:{}", address.port()).parse().unwrap();
    // What the transport trusts beside does not help.
    let transport = local().trust(own.pem()).build().unwrap();
    let origin = Origin::new(&url).tls(Some(&tls));
    let pool = Pool::new(&transport, origin, Arc::new(lease().0)).unwrap();
    assert_eq!(send(&pool, get("/")).await.unwrap_err().kind(), ErrorKind::Connect);
}

#[tokio::test]
async fn s_18_certificates_are_shown_and_can_be_replaced_while_running() {
    let authority = authority();
    let (address, shown) = asking(&authority, &authority, &BOTH).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let first = identity(folder, &authority);
    let tls = settings(|tls| {
        tls.ca = path(folder, "ca.pem");
        tls.client_cert = path(folder, "cert.pem");
        tls.client_key = path(folder, "key.pem");
    });
    let pool = pool_with(address, &tls).unwrap();
    assert_eq!(get_text(&pool, "/").await, "ok");
    // Half of a new one, then nonsense: the first goes on being used.
    let before = std::fs::read(folder.join("key.pem")).unwrap();
    identity(folder, &authority);
    std::fs::write(folder.join("key.pem"), before).unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(get_text(&pool, "/").await, "ok");
    std::fs::write(folder.join("cert.pem"), "nonsense").unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(get_text(&pool, "/").await, "ok");
    let last = identity(folder, &authority);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(get_text(&pool, "/").await, "ok");
    let shown: Vec<_> = shown.lock().unwrap().iter().map(|(_, shown)| shown.clone()).collect();
    assert_eq!(shown, [Some(first.clone()), Some(first.clone()), Some(first), Some(last)]);
}

#[tokio::test]
async fn s_14_another_name_is_asked_for_and_verified() {
    let authority = authority();
    let (address, shown) = asking(&authority, &authority, &BOTH).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let url: Url = format!("https://{address}").parse().unwrap();
    let pool = |name: &str| {
        let tls = settings(|tls| {
            tls.ca = path(folder.path(), "ca.pem");
            tls.server_name = Some(name.to_owned());
        });
        let origin = Origin::new(&url).tls(Some(&tls));
        Pool::new(&local().build().unwrap(), origin, Arc::new(lease().0))
    };
    assert_eq!(get_text(&pool("localhost").unwrap(), "/").await, "ok");
    assert_eq!(shown.lock().unwrap()[0].0.as_deref(), Some("localhost"));
    let wrong = pool("other.example").unwrap();
    assert_eq!(send(&wrong, get("/")).await.unwrap_err().context(), "TLS handshake failed");
    let error = pool("not a name").unwrap_err();
    assert!(matches!(error, PoolError::Invalid { field: "tls.server_name", .. }), "{error}");
}

#[tokio::test]
async fn an_older_version_is_refused_where_the_definition_says_so() {
    let authority = authority();
    let (address, _) = asking(&authority, &authority, &[&version::TLS12]).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    for (least, fine) in [(None, true), (Some("1.2"), true), (Some("1.3"), false)] {
        let tls = settings(|tls| {
            tls.ca = path(folder.path(), "ca.pem");
            tls.min_version = least.map(str::to_owned);
        });
        let answered = send(&pool_with(address, &tls).unwrap(), get("/")).await;
        assert_eq!(answered.is_ok(), fine, "{least:?}");
    }
}

#[test]
fn settings_that_cannot_be_followed_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (authority, address) = (authority(), "127.0.0.1:1".parse().unwrap());
    identity(folder, &authority);
    std::fs::write(folder.join("nonsense.pem"), "nonsense").unwrap();
    std::fs::write(folder.join("other.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let file = |name: &str| path(folder, name);
    for (ca, cert, key, expected) in [
        (file("none.pem"), None, None, "tls.ca"),
        (file("nonsense.pem"), None, None, "tls.ca"),
        (None, file("cert.pem"), None, "tls.client_key"),
        (None, None, file("key.pem"), "tls.client_cert"),
        (None, file("nonsense.pem"), file("key.pem"), "tls.client_cert"),
        (None, file("cert.pem"), file("nonsense.pem"), "tls.client_key"),
        (None, file("cert.pem"), file("other.pem"), "tls.client_key"),
        (None, file("none.pem"), file("key.pem"), "tls.client_cert"),
    ] {
        let tls = settings(|tls| (tls.ca, tls.client_cert, tls.client_key) = (ca, cert, key));
        match pool_with(address, &tls) {
            Err(PoolError::Invalid { field, reason }) => {
                assert_eq!(field, expected, "{reason}");
                assert!(!reason.contains("PRIVATE"), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
}
