//! How each proxy is told to move, and when it says that it did. In this process wherever the proxy
//! listens, so that nobody's time holds the start of a client.
//!
//! | way | done when |
//! |---|---|
//! | `run COMMAND…` | the command ended well |
//! | `say tcp\|unix ADDRESS LINE WANTED` | a line with the wanted text came back |
//! | `post ADDRESS PATH FILE` | answered 200 |
//! | `replace FROM TO ADDRESS PATH WANTED` | after `FROM` was renamed to `TO`: a GET of the path has the wanted text |

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::process::Command;
use tokio::time::sleep;

use crate::AnyError;

/// How often is asked whether a file was read.
const POLL: Duration = Duration::from_millis(2);

/// Returns what the proxy said.
pub(crate) async fn tell(way: &[String]) -> Result<String, AnyError> {
    let way: Vec<&str> = way.iter().map(String::as_str).collect();
    match way[..] {
        ["run", program, ref arguments @ ..] => run(program, arguments).await,
        ["say", "tcp", address, line, wanted] => {
            say(TcpStream::connect(address).await?, line, wanted).await
        }
        ["say", "unix", path, line, wanted] => {
            say(UnixStream::connect(path).await?, line, wanted).await
        }
        ["post", address, path, file] => {
            let body = std::fs::read(file)?;
            let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/json\r\n");
            let answer = http(address, &head, &body).await?;
            if answer.starts_with("HTTP/1.1 200") { Ok(answer) } else { Err(answer.into()) }
        }
        ["replace", from, to, address, path, wanted] => {
            std::fs::rename(from, to)?;
            let head = format!("GET {path} HTTP/1.1\r\n");
            while !http(address, &head, b"").await?.contains(wanted) {
                sleep(POLL).await;
            }
            Ok(format!("{path} has {wanted}"))
        }
        _ => Err(format!("there is no such way: {way:?}").into()),
    }
}

async fn run(program: &str, arguments: &[&str]) -> Result<String, AnyError> {
    let status = Command::new(program).args(arguments).status().await?;
    if status.success() { Ok(status.to_string()) } else { Err(status.to_string().into()) }
}

async fn say<S>(mut stream: S, line: &str, wanted: &str) -> Result<String, AnyError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(format!("{line}\n").as_bytes()).await?;
    let mut reply = Vec::new();
    loop {
        if String::from_utf8_lossy(&reply).contains(wanted) {
            return Ok(String::from_utf8_lossy(&reply).into_owned());
        }
        if stream.read_buf(&mut reply).await? == 0 {
            return Err(format!("refused: {}", String::from_utf8_lossy(&reply)).into());
        }
    }
}

async fn http(address: &str, head: &str, body: &[u8]) -> Result<String, AnyError> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let rest = format!("Host: {address}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{head}{rest}").as_bytes()).await?;
    stream.write_all(body).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
