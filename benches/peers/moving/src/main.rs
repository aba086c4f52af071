//! Asks a proxy a thousand times a second while its upstream is moved, and tells who answered when.
//!
//! `peer_moving ADDRESS PATHS BEFORE AFTER WAY…`: asks for so many paths (`/r00000/x` and so on) in
//! random order for `BEFORE` seconds, has the upstream moved by one of the ways of [`tell`], and goes on
//! for `AFTER` seconds. The old origin's answers begin with `old`, the new one's with `new`. Prints one
//! line of JSON; times are counted from the moment the proxy was told, in milliseconds.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

mod load;
mod tell;

use load::{Answer, Load, Outcome};

type AnyError = Box<dyn Error + Send + Sync>;

/// No way of telling takes longer, or it is broken.
const TOLD_WITHIN: Duration = Duration::from_secs(60);

fn main() -> Result<(), AnyError> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let address: SocketAddr = next("ADDRESS")?.parse()?;
    let paths: u32 = next("PATHS")?.parse()?;
    let before = Duration::from_secs_f64(next("BEFORE")?.parse()?);
    let after = Duration::from_secs_f64(next("AFTER")?.parse()?);
    let way: Vec<String> = arguments.collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let load = Load::start(address, paths);
        sleep(before).await;
        let told = Instant::now();
        let reply = timeout(TOLD_WITHIN, tell::tell(&way)).await??;
        let done = Instant::now();
        sleep(after).await;
        let answers = load.finish().await;
        println!("{}", summary(&answers, told, done, &reply));
        Ok(())
    })
}

fn summary(answers: &[Answer], told: Instant, done: Instant, reply: &str) -> serde_json::Value {
    let count = |outcome| answers.iter().filter(|answer| answer.outcome == outcome).count();
    let new = answers.iter().filter(|answer| answer.outcome == Outcome::New);
    let first_new = new.map(|answer| milliseconds(told, answer.answered)).min_by(f64::total_cmp);
    let late = answers.iter().filter(|answer| answer.outcome == Outcome::Old && answer.sent > done);
    let (before, after): (Vec<&Answer>, _) = answers.iter().partition(|one| one.asked < told);
    serde_json::json!({
        "ack_ms": milliseconds(told, done),
        "first_new_ms": first_new,
        "old_after_ack": late.count(),
        "requests": answers.len(),
        "old": count(Outcome::Old),
        "new": count(Outcome::New),
        "failed": count(Outcome::Failed),
        "retried": answers.iter().filter(|answer| answer.retried).count(),
        "p99_before_ms": p99(&before),
        "p99_after_ms": p99(&after),
        "reply": reply.trim().chars().take(200).collect::<String>(),
    })
}

fn milliseconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64() * 1_000.0
}

fn p99(answers: &[&Answer]) -> Option<f64> {
    let mut waited: Vec<f64> =
        answers.iter().map(|one| milliseconds(one.asked, one.answered)).collect();
    waited.sort_unstable_by(f64::total_cmp);
    waited.get(waited.len() * 99 / 100).copied()
}
