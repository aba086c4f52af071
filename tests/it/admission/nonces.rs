//! Each nonce once.

use std::sync::Arc;

use async_trait::async_trait;
use backhaul::gateway::{MemoryNonces, Nonce, NonceError, NonceStore};
use tokio::task::JoinSet;

use super::signer::Signer;
use super::{Guarded, NOW, get};

const QUARTER: u64 = 15 * 60_000;

#[tokio::test]
async fn a_04_a_nonce_is_used_once_as_long_as_its_request_could_be_sent_again() {
    let guarded = Guarded::open().await;
    let late = Signer::new().at(NOW + QUARTER).nonce("one");
    assert_eq!(guarded.code(late.sign(get(&[]))).await, "ok");
    for now in [NOW, NOW + QUARTER, NOW + 2 * QUARTER] {
        guarded.clock.set(now);
        assert_eq!(guarded.code(late.sign(get(&[]))).await, "I400NU", "{now}");
    }
    let signed = Signer::new().at(NOW + 2 * QUARTER).nonce("two").sign(get(&[]));
    assert_eq!(guarded.code(signed).await, "ok");
}

#[tokio::test]
async fn a_06_only_verified_requests_use_their_nonce_up() {
    let guarded = Guarded::open().await;
    let good = Signer::new().nonce("one");
    let mut wrong = good.clone();
    wrong.secret.push('x');
    for _ in 0..3 {
        assert_eq!(guarded.code(wrong.sign(get(&[]))).await, "I400IS");
    }
    assert_eq!(guarded.code(good.sign(get(&[]))).await, "ok");
    assert_eq!(guarded.code(good.sign(get(&[]))).await, "I400NU");
}

#[tokio::test]
async fn a_08_an_api_may_need_a_nonce_and_have_it_signed() {
    let guarded = Guarded::with(|mut api| {
        api.force_nonce = true;
        api
    })
    .await;
    assert_eq!(guarded.code(Signer::new().sign(get(&[]))).await, "I400NC");
    let mut unsigned = Signer::new().nonce("one");
    unsigned.unsigned.push("x-ca-nonce".to_owned());
    assert_eq!(guarded.code(unsigned.sign(get(&[]))).await, "I400NC");
    assert_eq!(guarded.code(Signer::new().nonce("one").sign(get(&[]))).await, "ok");
    let long = Signer::new().nonce(&"n".repeat(128));
    assert_eq!(guarded.code(long.sign(get(&[]))).await, "ok");
    let longer = Signer::new().nonce(&"n".repeat(129));
    assert_eq!(guarded.code(longer.sign(get(&[]))).await, "I400HD");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_05_of_a_thousand_copies_at_once_one_is_accepted() {
    let guarded = Arc::new(Guarded::open().await);
    let signer = Signer::new().nonce("race");
    let mut copies = JoinSet::new();
    for _ in 0..1_000 {
        let (guarded, request) = (Arc::clone(&guarded), signer.sign(get(&[])));
        copies.spawn(async move { guarded.answer(request).await.0 });
    }
    let answers = copies.join_all().await;
    assert_eq!(answers.iter().filter(|code| *code == "ok").count(), 1);
    assert_eq!(answers.iter().filter(|code| *code == "I400NU").count(), 999);
    assert_eq!(guarded.received.lock().unwrap().len(), 1);
}

#[derive(Debug)]
struct Broken;

#[async_trait]
impl NonceStore for Broken {
    async fn remember(&self, _: Nonce<'_>) -> Result<bool, NonceError> {
        Err(NonceError::Unavailable("down".into()))
    }
}

#[tokio::test]
async fn what_cannot_be_checked_is_refused_unless_said_otherwise() {
    let mut guarded = Guarded::open().await;
    guarded.change_gateway(|gateway| gateway.nonces(Broken));
    let signed = || Signer::new().nonce("one").sign(get(&[]));
    let (code, message) = guarded.answer(signed()).await;
    assert_eq!((code.as_str(), message.as_str()), ("X503NS", "Nonces cannot be checked"));
    assert_eq!(guarded.code(Signer::new().sign(get(&[]))).await, "ok", "it has none");
    guarded.change_gateway(|gateway| gateway.pass_unchecked_nonces(true));
    assert_eq!(guarded.code(signed()).await, "ok");
    guarded.change_gateway(|gateway| gateway.nonces(MemoryNonces::with_limit(0)));
    guarded.change_gateway(|gateway| gateway.pass_unchecked_nonces(false));
    assert_eq!(guarded.code(signed()).await, "X503NS", "full");
}
