//! Uses backhaul as an application would: from outside, by its public API alone. The proof is in
//! `tests/`; here is what it needs beside the library.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Request, State};
use axum::serve::ListenerExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An origin on a port of its own that says its name and remembers what it was asked.
#[derive(Clone, Debug)]
pub struct Origin {
    name: &'static str,
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Origin {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// No port could be opened.
    pub async fn start(name: &'static str) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let origin = Self { name, url, asked: Arc::default() };
        let app = Router::new().fallback(answer).with_state(origin.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(origin)
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path and the client of every request so far.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer(State(origin): State<Origin>, request: Request) -> &'static str {
    let client = request.headers().get("x-forwarded-for").map(|value| format!("{value:?}"));
    let asked = format!("{} for {}", request.uri(), client.unwrap_or_default());
    origin.asked.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    origin.name
}

/// Serves `app`, which is told who calls, on a port of its own.
///
/// # Errors
///
/// No port could be opened.
pub async fn serve(app: Router) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok(address)
}

/// The status and the body of the answer to a GET.
///
/// # Errors
///
/// The server cannot be reached or its answer cannot be read.
pub async fn get(server: SocketAddr, host: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(server).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
    status.zip(body).ok_or_else(|| std::io::Error::other(format!("not an answer: {answer:?}")))
}
