//! Connections that were accepted elsewhere, behind TLS.

use std::sync::Arc;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::frames::{Http2, request};
use super::harness::{Answers, Served, peer};

async fn connect(served: &Served, protocol: &str) -> TlsStream<TcpStream> {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = signed.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()).into();
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = served.server.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = TlsAcceptor::from(Arc::new(server)).accept(stream).await.unwrap();
        serving.connection(stream, peer()).await;
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(client)).connect(name, stream).await.unwrap()
}

#[tokio::test]
async fn http_1_behind_tls_is_guarded_too() {
    let served = Served::echo().await;
    let mut client = connect(&served, "http/1.1").await;
    let fine = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let both =
        "POST /b HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n";
    client.write_all(format!("{fine}{both}{fine}").as_bytes()).await.unwrap();
    client.flush().await.unwrap();
    // The end is told, not torn off: without it this would fail.
    assert_eq!(Answers::read(&mut client).await.statuses(), [200, 400]);
}

#[tokio::test]
async fn http_2_behind_tls_is_spoken() {
    let served = Served::echo().await;
    let mut client = Http2::start(connect(&served, "h2").await).await;
    client.send(&request(1, "/a")).await;
    assert_eq!(client.answer(1).await, Some(200));
}
