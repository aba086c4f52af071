//! Nonces in a real Redis.

#![allow(clippy::print_stdout, reason = "that it was skipped is told")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use backhaul::gateway::RedisNonces;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use super::signer::Signer;
use super::{Guarded, get};

/// A missing server is a failure.
const REQUIRED: &str = "BACKHAUL_REQUIRE_SERVERS";

/// A Redis of the test's own, on a socket in a folder of its own.
struct Redis {
    child: Child,
    folder: TempDir,
}

impl Redis {
    async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        match spawn(folder.path()) {
            Some(child) => {
                let redis = Self { child, folder };
                redis.is_up().await;
                Some(redis)
            }
            None if std::env::var_os(REQUIRED).is_some() => panic!("redis-server is not installed"),
            None => {
                println!("skipped: redis-server is not installed, and {REQUIRED} is not set");
                None
            }
        }
    }

    async fn is_up(&self) {
        let socket = self.folder.path().join("socket");
        for _ in 0..1_000 {
            if UnixStream::connect(&socket).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("redis-server did not start");
    }

    fn nonces(&self) -> RedisNonces {
        let socket = self.folder.path().join("socket");
        RedisNonces::at(&format!("redis+unix://{}", socket.display())).unwrap()
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    async fn start_again(&mut self) {
        self.child = spawn(self.folder.path()).unwrap();
        self.is_up().await;
    }
}

fn spawn(folder: &Path) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]);
    command.arg(folder.join("socket")).arg("--dir").arg(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().ok()
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn gateway(redis: &Redis) -> Guarded {
    let mut guarded = Guarded::open().await;
    let nonces = redis.nonces();
    guarded.change_gateway(|gateway| gateway.nonces(nonces));
    guarded
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_07_a_fleet_accepts_a_nonce_once() {
    let Some(redis) = Redis::start().await else { return };
    let fleet = [Arc::new(gateway(&redis).await), Arc::new(gateway(&redis).await)];
    let signer = Signer::new().nonce("race");
    let mut copies = JoinSet::new();
    for number in 0..1_000 {
        let (guarded, request) = (Arc::clone(&fleet[number % 2]), signer.sign(get(&[])));
        copies.spawn(async move { guarded.answer(request).await.0 });
    }
    let answers = copies.join_all().await;
    let count = |code: &str| answers.iter().filter(|answer| *answer == code).count();
    assert_eq!((count("ok"), count("I400NU")), (1, 999));
    let other = Signer::new().nonce("other");
    assert_eq!(fleet[1].code(other.sign(get(&[]))).await, "ok");
    assert_eq!(fleet[0].code(other.sign(get(&[]))).await, "I400NU");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_redis_is_down_requests_are_refused_and_then_go_on() {
    let Some(mut redis) = Redis::start().await else { return };
    let mut guarded = gateway(&redis).await;
    let next = {
        let mut number = 0;
        move || {
            number += 1;
            Signer::new().nonce(&format!("nonce-{number}")).sign(get(&[]))
        }
    };
    let mut next = next;
    assert_eq!(guarded.code(next()).await, "ok");
    redis.kill();
    assert_eq!(guarded.code(next()).await, "X503NS");
    assert_eq!(guarded.code(Signer::new().sign(get(&[]))).await, "ok", "it has no nonce");
    guarded.change_gateway(|gateway| gateway.pass_unchecked_nonces(true));
    assert_eq!(guarded.code(next()).await, "ok", "as it was set");
    guarded.change_gateway(|gateway| gateway.pass_unchecked_nonces(false));
    redis.start_again().await;
    for _ in 0..200 {
        if guarded.answer(next()).await.0 == "ok" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not find the server again");
}

#[tokio::test]
async fn an_address_is_checked_and_never_shown() {
    for bad in ["", "nowhere", "http://user:hunter2@host"] {
        let error = RedisNonces::at(bad).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let nonces = RedisNonces::at("redis://user:hunter2@127.0.0.1:1/0").unwrap().prefix("other:");
    assert!(!format!("{nonces:?}").contains("hunter2"));
}
