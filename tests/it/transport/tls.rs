//! HTTPS to an upstream whose authority is made here.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto};

use super::*;

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority() -> Authority {
    let mut parameters = CertificateParams::new(vec![]).unwrap();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn acceptor(authority: &Authority, names: &[&str], alpn: &[&str]) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let parameters = CertificateParams::new(names).unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
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
async fn a_trusted_authority_is_believed_and_the_name_is_sent() {
    let authority = authority();
    let (upstream, seen) =
        upstream(acceptor(&authority, &["localhost"], &["h2", "http/1.1"])).await;
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
async fn an_address_must_stand_in_the_certificate_and_is_not_sent_as_name() {
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
async fn a_body_cut_without_goodbye_is_an_error() {
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
