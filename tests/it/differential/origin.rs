//! An origin that answers everything with 200 and records what it read, byte by byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What every request is marked with: the number of its conversation, a dot, and its own name.
pub(super) const MARK: &str = "x-case";

/// A request as it was read.
#[derive(Clone, Debug)]
pub(super) struct Heard {
    pub(super) mark: String,
    pub(super) method: String,
    pub(super) target: String,
    pub(super) hosts: Vec<String>,
    /// The lines that say where it ends.
    pub(super) framing: Vec<String>,
    pub(super) body: Vec<u8>,
    pub(super) raw: Vec<u8>,
    /// Why it is none, if it is none.
    pub(super) broken: Option<&'static str>,
}

impl Heard {
    /// The conversation it belongs to, if it says.
    pub(super) fn number(&self) -> Option<usize> {
        self.mark.split('.').next()?.parse().ok()
    }

    /// What everybody must agree on: method, path and query, host, body.
    ///
    /// A target in absolute form is its path, and a host is written in lower case, without the port
    /// nobody has to write and without the final dot: these are the same to whoever reads them.
    pub(super) fn view(&self) -> (&str, &str, String, &[u8]) {
        let host = self.hosts.join(" and ").to_ascii_lowercase();
        let host = host.strip_suffix(":80").unwrap_or(&host).trim_end_matches(':');
        let host = host.trim_end_matches('.').to_owned();
        (&self.method, path(&self.target), host, &self.body)
    }

    /// What is wrong with its framing, which a gateway writes itself.
    pub(super) fn badly_framed(&self) -> Option<String> {
        let many = self.framing.len() > 1 || self.hosts.len() != 1;
        (self.broken.is_some() || many).then(|| format!("{self:?}"))
    }
}

fn path(target: &str) -> &str {
    let Some((_, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else {
        return target;
    };
    match rest.find(['/', '?']) {
        Some(at) => &rest[at..],
        None => "/",
    }
}

/// Listens until it is dropped with its runtime.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Origin {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Mutex<Vec<Heard>>>::default();
        let kept = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(record(stream, Arc::clone(&kept)));
            }
        });
        Self { address, heard }
    }

    /// All requests that came as a whole, or that are none, in the order of their ends.
    pub(super) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }
}

async fn record(mut stream: TcpStream, kept: Arc<Mutex<Vec<Heard>>>) {
    let mut input = Vec::new();
    loop {
        while let Some(heard) = read(&input) {
            let broken = heard.broken.is_some();
            input.drain(..heard.raw.len());
            kept.lock().unwrap().push(heard);
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            if broken || stream.write_all(answer).await.is_err() {
                return;
            }
        }
        if !matches!(stream.read_buf(&mut input).await, Ok(1..)) {
            return;
        }
    }
}

/// The first request, once it is whole. Reads strictly: what is in doubt is no request.
fn read(input: &[u8]) -> Option<Heard> {
    let head = find(input, b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&input[..head - 4]).into_owned();
    let mut lines = text.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let (method, target, version) = (word(), word(), word());
    let fields: Vec<_> = lines.map(|line| line.split_once(':').unwrap_or((line, ""))).collect();
    let all = |name: &str| {
        let named = fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim().to_owned()).collect::<Vec<_>>()
    };
    let (lengths, codings) = (all("content-length"), all("transfer-encoding"));
    let mut heard = Heard {
        mark: all(MARK).join(" and "),
        method,
        target,
        hosts: all("host"),
        framing: lengths.iter().chain(&codings).cloned().collect(),
        body: Vec::new(),
        raw: input.to_vec(),
        broken: None,
    };
    let after = &input[head..];
    let body = match (&lengths[..], &codings[..]) {
        _ if !version.starts_with("HTTP/1.") || !plain(&text) => Err("its head is none"),
        ([], []) => Ok(Some((Vec::new(), 0))),
        ([length], []) => of_length(after, length),
        ([], [coding]) if coding.eq_ignore_ascii_case("chunked") => chunks(after),
        _ => Err("its end is in doubt"),
    };
    match body {
        Ok(None) => return None,
        Ok(Some((body, length))) => {
            heard.body = body;
            heard.raw.truncate(head + length);
        }
        Err(why) => heard.broken = Some(why),
    }
    Some(heard)
}

/// Whether every line feed ends a line, and there is no zero.
fn plain(text: &str) -> bool {
    !text.replace("\r\n", "").contains(['\r', '\n', '\0'])
}

type Body = Result<Option<(Vec<u8>, usize)>, &'static str>;

fn of_length(input: &[u8], length: &str) -> Body {
    let length: usize = match length.bytes().all(|byte| byte.is_ascii_digit()) {
        true => length.parse().map_err(|_| "its length is too large")?,
        false => return Err("its length is none"),
    };
    Ok(input.get(..length).map(|body| (body.to_vec(), length)))
}

fn chunks(input: &[u8]) -> Body {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let Some(line) = find(&input[at..], b"\r\n") else {
            return Ok(None);
        };
        let size = String::from_utf8_lossy(&input[at..at + line]).into_owned();
        let digits = size.split(';').next().unwrap_or_default();
        let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(digits, 16).ok().filter(|_| hexadecimal);
        let size = size.filter(|size| *size < 1 << 30).ok_or("a chunk's size is none")?;
        at += line + 2;
        if size == 0 {
            return Ok(end_of_trailers(&input[at..]).map(|length| (body, at + length)));
        }
        let Some(chunk) = input.get(at..at + size + 2) else {
            return Ok(None);
        };
        body.extend_from_slice(chunk.strip_suffix(b"\r\n").ok_or("a chunk's end is none")?);
        at += size + 2;
    }
}

fn end_of_trailers(input: &[u8]) -> Option<usize> {
    match input.starts_with(b"\r\n") {
        true => Some(2),
        false => find(input, b"\r\n\r\n").map(|at| at + 4),
    }
}

fn find(input: &[u8], what: &[u8]) -> Option<usize> {
    input.windows(what.len()).position(|window| window == what)
}
