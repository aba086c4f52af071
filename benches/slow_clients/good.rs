//! Clients that behave: each asks at a steady pace on a kept connection.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::support;

pub(crate) const CLIENTS: u32 = 8;
/// Of each client: together about a tenth of what one core serves.
pub(crate) const A_SECOND: u32 = 100;
pub(crate) const ANSWER: &[u8] = b"<a good answer>";

/// When each request was answered, and how long it took.
#[derive(Debug)]
pub(crate) struct Traffic {
    begun: Instant,
    lasted: Duration,
    answers: Vec<(Instant, Duration)>,
}

impl Traffic {
    /// Good traffic for as long as `other` lasts.
    pub(crate) async fn during(address: SocketAddr, other: impl Future<Output = ()>) -> Self {
        let answers = Arc::<Mutex<Vec<_>>>::default();
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(ask(address, Arc::clone(&answers)));
        }
        let begun = Instant::now();
        other.await;
        let lasted = begun.elapsed();
        clients.shutdown().await;
        let answers = std::mem::take(&mut *answers.lock().expect("no client panics"));
        Self { begun, lasted, answers }
    }

    /// Answers in a second, the median of all whole seconds.
    pub(crate) fn rate(&self) -> f64 {
        let whole = usize::try_from(self.lasted.as_secs()).expect("some seconds");
        let mut seconds = vec![0.0; whole];
        for (at, _) in &self.answers {
            let second = at.duration_since(self.begun).as_secs();
            let place = usize::try_from(second).ok().and_then(|second| seconds.get_mut(second));
            if let Some(count) = place {
                *count += 1.0;
            }
        }
        support::median(&mut seconds)
    }

    /// In milliseconds.
    pub(crate) fn p99(&self) -> f64 {
        let mut took: Vec<_> = self.answers.iter().map(|(_, took)| took.as_secs_f64()).collect();
        support::percentile(&mut took, 0.99) * 1_000.0
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (rate, p99, lasted) = (self.rate(), self.p99(), self.lasted.as_secs());
        write!(f, "{rate} good requests a second, p99 {p99:.2} ms, for {lasted} s")
    }
}

async fn ask(address: SocketAddr, answers: Arc<Mutex<Vec<(Instant, Duration)>>>) {
    let mut ticks = interval(Duration::from_secs(1) / A_SECOND);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let Ok(mut stream) = TcpStream::connect(address).await else { continue };
        let request = format!("GET /good HTTP/1.1\r\nHost: {address}\r\n\r\n");
        let mut text = Vec::new();
        loop {
            ticks.tick().await;
            let asked = Instant::now();
            if stream.write_all(request.as_bytes()).await.is_err() {
                break;
            }
            text.clear();
            while !text.ends_with(ANSWER) && stream.read_buf(&mut text).await.unwrap_or(0) > 0 {}
            // A server that closes for its own reasons says so in an answer.
            if !text.ends_with(ANSWER) || !text.starts_with(b"HTTP/1.1 200 ") {
                break;
            }
            let now = Instant::now();
            answers.lock().expect("no client panics").push((now, now - asked));
            if text.windows(17).any(|window| window == b"connection: close") {
                break;
            }
        }
    }
}
