//! What ten million remembered nonces weigh.
//!
//! Figures: `memory.per_nonce`.

#![allow(clippy::expect_used, reason = "a benchmark that cannot run must say so and stop")]

use backhaul::gateway::{MemoryNonces, Nonce, NonceStore};
use backhaul::time::Timestamp;

mod support;

use support::{Limit, figure, runtime, settled};

const NONCES: usize = 10_000_000;
/// How many callers they are of.
const KEYS: usize = 1_000;

fn main() {
    runtime(1).block_on(run());
}

async fn run() {
    let before = settled().await;
    let nonces = MemoryNonces::with_limit(2 * NONCES);
    let keys: Vec<String> = (0..KEYS).map(|number| format!("{number:09}")).collect();
    let mut peak = 0.0_f64;
    let mut kept = 0;
    for number in 0..NONCES {
        let text = format!("{:08x}-0000-4000-8000-{:012x}", number % 977, number);
        let (now, until) = (Timestamp::from_millis(0), Timestamp::from_millis(1_800_000));
        let key = keys.get(number % KEYS).expect("a key");
        let nonce = Nonce::new(key, &text, now, until);
        kept += usize::from(nonces.remember(nonce).await.expect("there is room"));
        // The worst moment is just after the tables grew.
        if number >= NONCES / 10 && number % (NONCES / 50) == 0 {
            let now = settled().await.saturating_sub(before);
            peak = peak.max(now as f64 / (number + 1) as f64);
        }
    }
    assert_eq!(kept, NONCES, "each was new");
    let after = settled().await.saturating_sub(before);
    let method = format!(
        "growth of resident memory / 10,000,000 nonces of 1,000 keys; at worst {peak:.1} on the way \
         from 1,000,000 on"
    );
    figure("memory.per_nonce", after as f64 / NONCES as f64, "bytes", Limit::AtMost(64.0), &method);
    assert_eq!(nonces.len(), NONCES, "they are there until the end");
}
