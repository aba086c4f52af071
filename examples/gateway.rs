//! A whole gateway: what it serves stands in a file, and a signal makes it read the file again.
//!
//! ```sh
//! cargo run --release --features full --example gateway -- --config shop.toml --allow-loopback
//! ```
//!
//! On standard output: `listening on http://ADDR` when it serves; after SIGHUP `applied revision N`,
//! `unchanged`, or `refused: …`; on SIGTERM `drained` or `drain deadline: N left`. A document that is
//! refused at the start is told likewise and ends it with 2. Everything else goes to standard error;
//! `--access-log FILE` writes a line for each request, `--access-log -` writes it there too.

#![allow(clippy::print_stderr, reason = "it talks to whoever started it")]

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use backhaul::document::{Document, DocumentError, Format, InvalidDocument};
use backhaul::observe::AccessLog;
use backhaul::serve::Server;
use backhaul::{Gateway, Registry};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

#[path = "gateway/arguments.rs"]
mod arguments;

use arguments::{Arguments, Store};

/// The exit code where the arguments or the document are refused.
const REFUSED: u8 = 2;
/// How long the rest of the access log may take.
const LOG_FLUSH: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let arguments = match Arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(why) => {
            eprintln!("{why}\n{}", arguments::USAGE);
            return ExitCode::from(REFUSED);
        }
    };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = arguments.threads {
        builder.worker_threads(threads);
    }
    let served = builder.enable_all().build().map_err(Into::into);
    match served.and_then(|runtime| runtime.block_on(serve(arguments))) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<ExitCode, Box<dyn Error>> {
    // Before anything else: a signal that comes early is not to end the process unseen.
    let (hang_up, terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let mut builder = Registry::builder();
    if arguments.allow_loopback {
        builder = builder.allow_loopback();
    }
    let log = arguments.access_log.as_deref().map(access_log).transpose()?;
    if let Some(log) = &log {
        builder = builder.observer(log.clone());
    }
    let registry = match &arguments.store {
        Store::Memory => builder.in_memory().await?,
        Store::File(path) => builder.open(path).await?,
    };
    // Before anything is changed: who cannot listen shall not have published.
    let listener = TcpListener::bind(arguments.listen).await?;
    if let Some(config) = &arguments.config
        && let Err(refusal) = apply(&registry, config).await
    {
        say(&format!("refused: {}", one_line(&refusal.to_string())));
        return Ok(ExitCode::from(REFUSED));
    }
    let mut gateway = Gateway::new(&registry);
    if let Some(environment) = arguments.environment {
        gateway = gateway.environment(environment);
    }
    say(&format!("listening on http://{}", listener.local_addr()?));
    let reloading = tokio::spawn(reload(registry, arguments.config, hang_up));
    let shutdown = first(terminate, signal(SignalKind::interrupt())?);
    let drained = Server::new(gateway).serve_until(listener, shutdown, arguments.drain).await;
    reloading.abort();
    if let Some(log) = log
        && !tokio::task::spawn_blocking(move || log.flush(LOG_FLUSH)).await?
    {
        eprintln!("the access log was not written to its end");
    }
    match drained.left {
        0 => say("drained"),
        left => say(&format!("drain deadline: {left} left")),
    }
    Ok(ExitCode::SUCCESS)
}

/// A log that is added to.
fn access_log(path: &Path) -> Result<AccessLog, Box<dyn Error>> {
    if path == Path::new("-") {
        return Ok(AccessLog::to(std::io::stderr())?);
    }
    let file = std::fs::File::options().append(true).create(true).open(path);
    let file = file.map_err(|error| format!("cannot open {}: {error}", path.display()))?;
    Ok(AccessLog::to(file)?)
}

/// Until either of two signals.
async fn first(mut one: Signal, mut other: Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// Reads the document again whenever a signal asks for it, and tells what became of it.
async fn reload(registry: Registry, config: Option<PathBuf>, mut asked: Signal) {
    while asked.recv().await.is_some() {
        let applied = match &config {
            Some(config) => apply(&registry, config).await,
            None => Ok(None),
        };
        match applied {
            Ok(Some(revision)) => say(&format!("applied revision {revision}")),
            Ok(None) => say("unchanged"),
            Err(refusal) => say(&format!("refused: {}", one_line(&refusal.to_string()))),
        }
    }
}

/// Makes the registry what the document says: the revision, or nothing if it was so already.
async fn apply(
    registry: &Registry,
    config: &Path,
) -> Result<Option<u64>, Box<dyn Error + Send + Sync>> {
    let path = config.to_owned();
    // Reading a large document takes long enough to hold requests up.
    let read = tokio::task::spawn_blocking(move || read(&path)).await??;
    let why = format!("document {}", config.display()).chars().take(200).collect::<String>();
    let publisher = registry.publisher("gateway").because(Arc::from(why));
    let document = match read {
        Ok(document) => document,
        Err(invalid) => return Err(publisher.all_faults(invalid).await?.into()),
    };
    match publisher.apply_document(document).await {
        Ok(receipt) => Ok(receipt.map(|receipt| receipt.revision().as_u64())),
        Err(DocumentError::Invalid(invalid)) => Err(invalid.into()),
        Err(error) => Err(error.into()),
    }
}

fn read(path: &Path) -> Result<Result<Document, InvalidDocument>, Box<dyn Error + Send + Sync>> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    // A file of another name is taken for the format for people.
    Ok(Document::parse(&text, Format::of(path).unwrap_or(Format::Toml)))
}

/// Prints a line. Whoever reads it may be gone, which is no reason to stop serving.
fn say(line: &str) {
    let _reader_gone = writeln!(std::io::stdout(), "{line}");
}

/// The text without what would end the line it stands in.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
