use std::future::pending;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::{Instant, advance, sleep};

use super::entry::Entry;
use super::*;
use crate::error::Error;
use crate::transport::Transport;

mod answers;
mod bounds;
mod connections;
mod failures;

/// The last part of an address is its name here.
fn ip(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

/// What a scripted name server says.
#[derive(Clone, Debug)]
enum Says {
    /// These addresses, for this many seconds.
    Good(Vec<u8>, Option<u64>),
    /// There is none, for this many seconds.
    Nothing(Option<u64>),
    Failure,
    Silence,
    Panic,
}

fn good(last: u8) -> Says {
    Says::Good(vec![last], Some(10))
}

/// Says the same until it is told otherwise, after as long as it is told, and counts.
#[derive(Clone, Debug)]
struct Scripted(Arc<Script>);

#[derive(Debug)]
struct Script {
    says: Mutex<(Says, Duration)>,
    asked: AtomicUsize,
}

impl Scripted {
    fn new(says: Says) -> Self {
        let says = Mutex::new((says, Duration::ZERO));
        Self(Arc::new(Script { says, asked: AtomicUsize::new(0) }))
    }

    fn say(&self, says: Says) {
        self.0.says.lock().unwrap().0 = says;
    }

    fn take(&self, time: Duration) {
        self.0.says.lock().unwrap().1 = time;
    }

    fn asked(&self) -> usize {
        self.0.asked.load(Ordering::Relaxed)
    }
}

#[async_trait::async_trait]
impl Resolve for Scripted {
    async fn resolve(&self, _: &str, _: Duration) -> Result<Answer, Failed> {
        self.0.asked.fetch_add(1, Ordering::Relaxed);
        let (says, time) = self.0.says.lock().unwrap().clone();
        sleep(time).await;
        let valid = |answer: Answer, seconds: Option<u64>| match seconds {
            Some(seconds) => answer.valid_for(Duration::from_secs(seconds)),
            None => answer,
        };
        match says {
            Says::Good(addresses, ttl) => {
                Ok(valid(Answer::new(addresses.into_iter().map(ip)), ttl))
            }
            Says::Nothing(ttl) => Ok(valid(Answer::none(), ttl)),
            Says::Failure => Err(Failed::new("server failure")),
            Says::Silence => pending().await,
            Says::Panic => panic!("a resolver that is broken"),
        }
    }
}

/// A name, and who answers for it.
fn name(says: Says) -> (Arc<Entry>, Scripted) {
    name_with(says, Lifetimes::default())
}

fn name_with(says: Says, lifetimes: Lifetimes) -> (Arc<Entry>, Scripted) {
    let script = Scripted::new(says);
    (Arc::new(Entry::new("orders.internal", Arc::new(script.clone()), lifetimes)), script)
}

async fn ask(name: &Arc<Entry>) -> Result<Vec<IpAddr>, Error> {
    let deadline = Instant::now() + Duration::from_secs(3);
    name.addresses(deadline).await.map(|addresses| addresses.to_vec())
}

async fn asked_addresses(name: &Arc<Entry>) -> Vec<IpAddr> {
    ask(name).await.unwrap()
}

async fn refused(name: &Arc<Entry>) -> String {
    ask(name).await.unwrap_err().context().to_owned()
}

/// Lets time pass and every task run that is due meanwhile.
async fn pass(time: Duration) {
    sleep(time).await;
}

const SECOND: Duration = Duration::from_secs(1);
