//! What the gateway is started with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use backhaul::Environment;

/// How it is started.
pub(crate) const USAGE: &str = "usage: gateway [--config FILE] [--listen ADDR] [--store PATH|memory] \
     [--threads N] [--allow-loopback] [--environment NAME] [--drain SECONDS] [--access-log FILE|-]";

/// Where it listens unless told otherwise.
const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// How long requests may take to end after SIGTERM unless told otherwise.
const DRAIN: Duration = Duration::from_secs(5);

/// What the gateway is started with.
#[derive(Debug)]
pub(crate) struct Arguments {
    /// The document; without one what the store holds is served.
    pub(crate) config: Option<PathBuf>,
    pub(crate) listen: SocketAddr,
    pub(crate) store: Store,
    /// As many as there are cores, unless told otherwise.
    pub(crate) threads: Option<usize>,
    pub(crate) allow_loopback: bool,
    /// The only environment that is served.
    pub(crate) environment: Option<Environment>,
    pub(crate) drain: Duration,
    /// Where a line for each request goes, if anywhere: a file, or `-` for standard error.
    pub(crate) access_log: Option<PathBuf>,
}

/// Where the registry is kept.
#[derive(Debug)]
pub(crate) enum Store {
    Memory,
    File(PathBuf),
}

impl Arguments {
    /// Reads `--name value` and `--name=value`.
    pub(crate) fn parse(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = Self {
            config: None,
            listen: LISTEN,
            store: Store::Memory,
            threads: None,
            allow_loopback: false,
            environment: None,
            drain: DRAIN,
            access_log: None,
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let (name, value) = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (word, None),
            };
            if name == "--allow-loopback" && value.is_none() {
                arguments.allow_loopback = true;
                continue;
            }
            let value =
                || value.or_else(|| words.next()).ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--config" => arguments.config = Some(value()?.into()),
                "--listen" => arguments.listen = value_of(&name, &value()?)?,
                "--store" => {
                    arguments.store = match value()? {
                        memory if memory == "memory" => Store::Memory,
                        path => Store::File(path.into()),
                    }
                }
                "--threads" => {
                    let threads: std::num::NonZeroUsize = value_of(&name, &value()?)?;
                    arguments.threads = Some(threads.get());
                }
                "--environment" => arguments.environment = Some(value_of(&name, &value()?)?),
                "--access-log" => arguments.access_log = Some(value()?.into()),
                "--drain" => arguments.drain = Duration::from_secs(value_of(&name, &value()?)?),
                _ => return Err(format!("there is no argument {name}")),
            }
        }
        Ok(arguments)
    }
}

fn value_of<T: FromStr<Err: std::fmt::Display>>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|error| format!("{name} {text:?}: {error}"))
}
