//! Rows S: which certificates prove a name, and how a client's own is replaced.

use std::sync::atomic::{AtomicBool, Ordering};

use rcgen::string::Ia5String;
use rcgen::{
    Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair,
    SanType, date_time_ymd,
};
use tokio_rustls::TlsAcceptor;

use super::tls::{
    Authority, BOTH, asking, authority, identity, path, pool_with, settings, showing, upstream,
};
use super::*;
use crate::egress::Told;

/// A certificate for these names, changed like this and signed.
fn signed(
    authority: &Authority,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (Certificate, KeyPair) {
    let mut parameters = CertificateParams::default();
    let names = names.iter().map(|name| Ia5String::try_from(*name).unwrap());
    parameters.subject_alt_names = names.map(SanType::DnsName).collect();
    change(&mut parameters);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.signed_by(&key, authority).unwrap();
    (certificate, key)
}

/// Whether a server is believed that shows this as `host`. If it is not, it hears nothing of a request.
async fn is_believed(known: &Authority, host: &str, shown: &(Certificate, KeyPair)) -> bool {
    let acceptor = TlsAcceptor::from(Arc::new(showing(&shown.0, &shown.1)));
    let (upstream, _) = upstream(acceptor).await;
    let url = format!("https://{host}:{}", upstream.address().port());
    let builder = local().trust(known.pem()).resolver(Told::new(["127.0.0.1"]));
    let (pool, _) = pool_for(builder, &url);
    match send(&pool, get("/")).await {
        Ok(answer) => text(answer).await == "secret",
        Err(error) => {
            assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
            assert_eq!(error.context(), "TLS handshake failed");
            assert!(upstream.received().is_empty());
            false
        }
    }
}

#[tokio::test]
async fn s_13_a_certificate_proves_a_name_now_and_for_a_server() {
    let (known, unknown) = (authority(), authority());
    let name = &["orders.internal"][..];
    let (past, future) = (date_time_ymd(2001, 1, 1), date_time_ymd(3001, 1, 1));
    let own = {
        let key = KeyPair::generate().unwrap();
        let parameters = CertificateParams::new(vec!["orders.internal".to_owned()]).unwrap();
        (parameters.self_signed(&key).unwrap(), key)
    };
    let client = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let server = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for (what, shown, believed) in [
        ("good", signed(&known, name, |_| ()), true),
        ("for servers", signed(&known, name, |it| it.extended_key_usages = server), true),
        ("another name", signed(&known, &["other.internal"], |_| ()), false),
        ("expired", signed(&known, name, |it| it.not_after = past), false),
        ("not yet valid", signed(&known, name, |it| it.not_before = future), false),
        ("for clients only", signed(&known, name, |it| it.extended_key_usages = client), false),
        ("of nobody known", signed(&unknown, name, |_| ()), false),
        ("its own", own, false),
    ] {
        assert_eq!(is_believed(&known, "orders.internal", &shown).await, believed, "{what}");
    }
}

#[test]
fn s_13_nothing_in_a_definition_turns_that_off() {
    for word in ["insecure", "skip_verify", "verify", "danger_accept_invalid_certs"] {
        let tls = serde_json::json!({ word: true });
        let definition =
            serde_json::json!({ "kind": "http", "url": "https://orders.internal", "tls": tls });
        let read = serde_json::from_value::<backhaul::Definition>(definition);
        assert!(read.is_err(), "{word}");
    }
}

#[tokio::test]
async fn s_15_a_name_is_all_of_a_name() {
    let known = authority();
    for (host, name, believed) in [
        ("x.a.example", "*.a.example", true),
        ("x.a.example", "x.A.Example", true),
        ("x.y.a.example", "*.a.example", false),
        ("a.example", "*.a.example", false),
        ("x.a.example", "*.example", false),
        ("foo.a.example", "f*.a.example", false),
        ("a.example", "*", false),
        ("a.example", "a.example\0.evil.example", false),
        ("a.example", "evil.example\0a.example", false),
        ("a.example", "a.example.evil.example", false),
        ("127.0.0.1", "127.0.0.1", false),
    ] {
        let shown = signed(&known, &[name], |_| ());
        assert_eq!(is_believed(&known, host, &shown).await, believed, "{host} by {name:?}");
    }
    // What stands in the subject's common name is no name.
    let shown = signed(&known, &[], |it| {
        it.distinguished_name = DistinguishedName::new();
        it.distinguished_name.push(DnType::CommonName, "a.example");
    });
    assert!(!is_believed(&known, "a.example", &shown).await);
}

#[tokio::test]
async fn s_18_a_certificate_is_replaced_again_and_again_under_load() {
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
    let pool = Arc::new(pool_with(address, &tls).unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let (pool, done) = (Arc::clone(&pool), Arc::clone(&done));
            tokio::spawn(async move {
                while !done.load(Ordering::Relaxed) {
                    assert_eq!(get_text(&pool, "/").await, "ok");
                }
            })
        })
        .collect();
    let mut last = first.clone();
    for _ in 0..15 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        last = identity(folder, &authority);
    }
    let is_shown = |certificate: &[u8]| {
        let shown = shown.lock().unwrap();
        shown.iter().any(|(_, one)| one.as_deref() == Some(certificate))
    };
    let followed = async {
        while !is_shown(&last) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, followed).await.expect("the last one is never shown");
    done.store(true, Ordering::Relaxed);
    for one in asked {
        one.await.expect("a request failed");
    }
    assert!(is_shown(&first));
    assert!(shown.lock().unwrap().iter().all(|(_, certificate)| certificate.is_some()));
}
