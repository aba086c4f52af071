//! What the servers among the examples share: where to listen, and how long.

use std::error::Error;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Set in the environment, an example asks itself one question and ends.
const CHECK: &str = "BACKHAUL_EXAMPLE_CHECK";

/// The first argument, or 127.0.0.1:8080; a free port when the example checks itself.
pub(crate) fn address() -> String {
    let default = if std::env::var_os(CHECK).is_some() { "127.0.0.1:0" } else { "127.0.0.1:8080" };
    std::env::args().nth(1).unwrap_or_else(|| default.to_owned())
}

/// Waits for Ctrl-C; or, when the example checks itself, until it has answered `path` with
/// `expected`.
pub(crate) async fn run(
    address: SocketAddr,
    path: &str,
    expected: &str,
) -> Result<(), Box<dyn Error>> {
    println!("try: curl http://{address}{path}");
    if std::env::var_os(CHECK).is_none() {
        return Ok(tokio::signal::ctrl_c().await?);
    }
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    if answer.starts_with("HTTP/1.1 200 ") && answer.ends_with(expected) {
        println!("answered: {expected}");
        return Ok(());
    }
    Err(format!("answered {answer:?} instead of {expected:?}").into())
}
