//! Rows S: what a handshake offers, byte by byte, and what it does not.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::tls::{authority, showing};
use super::*;

const HANDSHAKE: u8 = 22;
const ALERT: u8 = 21;
const CLIENT_HELLO: u8 = 1;
/// Extensions (RFC 8446 section 4.2).
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
/// All with forward secrecy and authenticated encryption, and the word that renegotiation is safe
/// (RFC 5746).
const SUITES: [u16; 10] =
    [0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0x00ff];

/// The first message of a handshake (RFC 8446 section 4.1.2).
#[derive(Debug)]
struct Hello {
    suites: Vec<u16>,
    extensions: BTreeMap<u16, Vec<u8>>,
}

/// Takes bytes from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken
    }

    fn number(&mut self, width: usize) -> usize {
        self.take(width).iter().fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    /// A length in so many bytes, and that many bytes.
    fn counted(&mut self, width: usize) -> &'a [u8] {
        let count = self.number(width);
        self.take(count)
    }
}

fn pairs(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

impl Hello {
    fn of(record: &[u8]) -> Self {
        let mut bytes = Bytes(record);
        assert_eq!(bytes.take(1), [CLIENT_HELLO]);
        let mut hello = Bytes(bytes.counted(3));
        // The version of old and the random.
        hello.take(2 + 32);
        hello.counted(1);
        let suites = pairs(hello.counted(2));
        assert_eq!(hello.counted(1), [0], "it compresses");
        let mut all = Bytes(hello.counted(2));
        let mut extensions = BTreeMap::new();
        while !all.0.is_empty() {
            let sort = u16::try_from(all.number(2)).unwrap();
            extensions.insert(sort, all.counted(2).to_vec());
        }
        Self { suites, extensions }
    }

    /// Looks at it without taking it off the stream.
    async fn peek(stream: &TcpStream) -> Self {
        let mut place = vec![0; 16 * 1024];
        loop {
            let count = stream.peek(&mut place).await.unwrap();
            let mut bytes = Bytes(&place[..count]);
            if count >= 5 {
                assert_eq!(bytes.take(1), [HANDSHAKE]);
                bytes.take(2);
                let length = bytes.number(2);
                if bytes.0.len() >= length {
                    return Self::of(bytes.take(length));
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The answer of a server that chooses these: its head, a random, no session, no extension.
fn server_hello(version: u16, suite: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![HANDSHAKE];
    record.extend(version.to_be_bytes());
    record.extend([0, length + 4, 2, 0, 0, length]);
    record.extend(body);
    record
}

#[tokio::test]
async fn s_16_versions_before_1_2_and_weak_suites_are_neither_offered_nor_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let (pool, _) = pool_for(local().trust(authority().pem()), &url);
    for (version, suite) in [
        (0x0300, 0xc02f),
        (0x0301, 0xc02f),
        (0x0302, 0xc02f),
        // AES-CBC with RSA key exchange, RC4, triple DES, no encryption.
        (0x0303, 0x002f),
        (0x0303, 0x0005),
        (0x0303, 0x000a),
        (0x0303, 0x0001),
    ] {
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let hello = Hello::peek(&stream).await;
            stream.write_all(&server_hello(version, suite)).await.unwrap();
            let mut rest = Vec::new();
            // A reset is a refusal, too.
            let _ = stream.read_to_end(&mut rest).await;
            (hello, rest)
        };
        let (error, (hello, rest)) = tokio::join!(send(&pool, get("/")), server);
        let error = error.unwrap_err();
        assert_eq!(error.context(), "TLS handshake failed", "{version:x} {suite:x}");
        let versions = pairs(&hello.extensions[&SUPPORTED_VERSIONS][1..]);
        assert!(versions.iter().all(|it| [0x0303, 0x0304].contains(it)), "{versions:x?}");
        assert!(hello.suites.iter().all(|it| SUITES.contains(it)), "{:x?}", hello.suites);
        // After its own first message it says no more than that it gives up.
        let length = usize::from(u16::from_be_bytes([rest[3], rest[4]]));
        let after = &rest[5 + length..];
        assert!(after.is_empty() || after[0] == ALERT, "{version:x} {suite:x}: {after:x?}");
        assert!(after.len() <= 7, "{version:x} {suite:x}: {after:x?}");
    }
}

#[tokio::test]
async fn s_20_a_session_is_resumed_without_early_data() {
    let authority = authority();
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let mut config = showing(&parameters.signed_by(&key, &authority).unwrap(), &key);
    // It would take some.
    config.max_early_data_size = 16 * 1024;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let hellos = Arc::<Mutex<Vec<Hello>>>::default();
    let seen = Arc::clone(&hellos);
    let upstream = FakeUpstream::start_behind(
        move |stream| {
            let (acceptor, seen) = (acceptor.clone(), Arc::clone(&seen));
            async move {
                let hello = Hello::peek(&stream).await;
                seen.lock().unwrap().push(hello);
                acceptor.accept(stream).await
            }
        },
        |_| Script::ok("secret"),
    )
    .await
    .unwrap();
    let url = format!("https://localhost:{}", upstream.address().port());
    let (pool, _) = pool_for(local().max_idle(0).trust(authority.pem()), &url);
    for _ in 0..3 {
        assert_eq!(get_text(&pool, "/").await, "secret");
    }
    let hellos = hellos.lock().unwrap();
    assert_eq!(hellos.len(), 3);
    let has = |sort| hellos.iter().map(|it| it.extensions.contains_key(&sort)).collect::<Vec<_>>();
    assert_eq!(has(PRE_SHARED_KEY), [false, true, true]);
    assert_eq!(has(EARLY_DATA), [false; 3]);
}
