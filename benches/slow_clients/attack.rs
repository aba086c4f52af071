//! Clients that do not behave: slowhttptest, and connections that say nothing, which it has not.
//!
//! A slow reader of slowhttptest does not notice that its connection was reset; so the kernel is asked
//! which connections there are.

use std::error::Error;
use std::fmt;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use backhaul::serve::limits;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use super::good;

/// Of each kind.
pub(crate) const CONNECTIONS: u32 = 1_000;
/// New ones in a second, of each kind.
const A_SECOND: u32 = 500;
/// How long any of it may take.
const LONGEST: Duration = Duration::from_secs(90);
/// What slowhttptest tells is told once a second.
const TOLD_EACH: Duration = Duration::from_secs(1);
/// When only slow readers are left.
const OTHERS_ARE_OVER: Duration = Duration::from_secs(20);

pub(crate) struct Attack {
    pub(crate) name: &'static str,
    /// From the start of a connection.
    pub(crate) limit: Duration,
    address: SocketAddr,
    /// For slowhttptest; without them, a connection is silent.
    flags: &'static [&'static str],
    path: &'static str,
    report: PathBuf,
}

/// How an attack ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    /// Connections that were open a second after the limit.
    pub(crate) late: u32,
    /// From the first connection's start to the last one's end.
    after: Duration,
    most: u32,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (most, after, late) = (self.most, self.after.as_secs_f64(), self.late);
        write!(f, "{most} connections, the last one closed after {after:.1} s, {late} too late")
    }
}

impl Attack {
    pub(crate) fn all(address: SocketAddr, folder: &Path) -> Vec<Self> {
        let attack = |name, limit, flags, path| {
            let report = folder.join(name);
            Self { name, limit, address, flags, path, report }
        };
        // A reader that is slow, but not silent, comes to the stall by and by.
        let reader = 2 * limits::WRITE_STALL;
        vec![
            attack("silent", limits::FIRST_BYTE, &[], ""),
            attack("slow_head", limits::HEAD, &["-H", "-i", "2"], "/"),
            attack("slow_body", limits::BODY_GRACE, &["-B", "-i", "2", "-s", "8192"], "/"),
            attack(
                "slow_reader",
                reader,
                &["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32"],
                "/large",
            ),
        ]
    }

    async fn run(&self) -> Result<Ended, String> {
        let ended = match self.flags {
            [] => self.silent().await,
            ["-X", ..] => self.reader().await,
            _ => self.program().await,
        };
        ended.map_err(|error| error.to_string())
    }

    async fn silent(&self) -> Result<Ended, Box<dyn Error>> {
        let mut open = JoinSet::new();
        let mut pace = interval(Duration::from_secs(1) / A_SECOND);
        let begun = Instant::now();
        for _ in 0..CONNECTIONS {
            pace.tick().await;
            let mut stream = TcpStream::connect(self.address).await?;
            open.spawn(async move {
                let begun = Instant::now();
                // Closed or reset: over.
                let _ = timeout(LONGEST, stream.read_u8()).await;
                begun.elapsed()
            });
        }
        let most = u32::try_from(open.len())?;
        let lasted = open.join_all().await;
        let late = lasted.iter().filter(|lasted| **lasted > self.limit + Duration::from_secs(1));
        Ok(Ended { late: u32::try_from(late.count())?, after: begun.elapsed(), most })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("slowhttptest");
        command.args(["-c", &CONNECTIONS.to_string(), "-r", &A_SECOND.to_string()]);
        command.args(["-l", &LONGEST.as_secs().to_string(), "-p", "3", "-g", "-o"]);
        command.arg(&self.report).args(self.flags);
        command.args(["-u", &format!("http://{}{}", self.address, self.path)]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.kill_on_drop(true);
        command
    }

    async fn program(&self) -> Result<Ended, Box<dyn Error>> {
        let status = timeout(LONGEST + TOLD_EACH * 10, self.command().spawn()?.wait()).await??;
        let text = fs::read_to_string(self.report.with_extension("csv"))
            .map_err(|error| format!("slowhttptest ended with {status}: {error}"))?;
        self.told(&text).ok_or_else(|| format!("slowhttptest told nothing: {text}").into())
    }

    async fn reader(&self) -> Result<Ended, Box<dyn Error>> {
        let _running = self.command().spawn()?;
        let begun = Instant::now();
        let end = Self::ramp() + self.limit + Duration::from_secs(1);
        let mut pace = interval(TOLD_EACH);
        let mut most = 0;
        loop {
            pace.tick().await;
            let open = established(self.address)?;
            let after = begun.elapsed();
            if after > OTHERS_ARE_OVER {
                most = most.max(open);
                if open == 0 || after > end {
                    return Ok(Ended { late: open, after, most });
                }
            }
        }
    }

    /// How long it takes to begin.
    fn ramp() -> Duration {
        Duration::from_secs((CONNECTIONS / A_SECOND).into())
    }

    /// Reads lines of seconds, closed, pending and connected.
    fn told(&self, text: &str) -> Option<Ended> {
        let lines = text.lines().filter_map(|line| {
            let mut numbers = line.split(',').map(|word| word.trim().parse::<u32>());
            let mut number = || numbers.next()?.ok();
            let (second, _, pending, connected) = (number()?, number()?, number()?, number()?);
            Some((Duration::from_secs(second.into()), pending + connected, connected))
        });
        let lines: Vec<_> = lines.collect();
        let end = Self::ramp() + self.limit + Duration::from_secs(1) + TOLD_EACH;
        let most = lines.iter().map(|(_, _, connected)| *connected).max()?;
        let open: Vec<_> = lines.iter().filter(|(_, open, _)| *open > 0).collect();
        let late = open.iter().filter(|(second, ..)| *second > end);
        let late = late.map(|(_, open, _)| *open).max().unwrap_or(0);
        Some(Ended { late, after: open.last()?.0 + TOLD_EACH, most })
    }
}

/// Connections to the server besides those of good clients and the one that slowhttptest probes with.
fn established(address: SocketAddr) -> Result<u32, Box<dyn Error>> {
    let port = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp")?;
    let to_it = table.lines().filter(|line| {
        let mut words = line.split_whitespace().skip(2);
        words.next().is_some_and(|remote| remote.ends_with(&port)) && words.next() == Some("01")
    });
    Ok(u32::try_from(to_it.count())?.saturating_sub(good::CLIENTS + 1))
}

/// All of them at once, each until it is over.
pub(crate) async fn run(attacks: &[Attack]) -> Vec<Result<Ended, String>> {
    let [silent, head, body, reader] = attacks else {
        return Vec::new();
    };
    let ended = tokio::join!(silent.run(), head.run(), body.run(), reader.run());
    vec![ended.0, ended.1, ended.2, ended.3]
}
