//! Eight publishers at once: what came of all their calls is what comes of them one after the other,
//! each at some instant while it was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use backhaul::Registry;
use tokio::sync::Barrier;

use crate::reference::against::{beginning, change};
use crate::reference::edit::{ApiName, Edit, Undo};
use crate::reference::model::Model;

use self::calls::{Answer, Call, LIVE, Truth};
use self::checker::{Operation, linearizable};

mod calls;
mod checker;

const HISTORIES: u64 = 50;
const PUBLISHERS: u64 = 8;
/// Calls of one publisher in one history.
const CALLS: u64 = 30;
/// Calls in one history, at least.
const OPERATIONS: usize = 240;

type History = Vec<Operation<Call>>;

fn start() -> Truth {
    let mut model = Model::default();
    model.apply(&beginning()).unwrap();
    Truth(model)
}

fn explained(history: &History) -> bool {
    linearizable(start(), history, |truth, call| truth.after(call))
}

#[test]
fn what_eight_publishers_do_at_once_could_be_done_one_at_a_time() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    let (mut overlapping, mut made, mut all) = (0, 0, 0);
    for seed in 0..HISTORIES {
        let history = runtime.block_on(record(seed));
        assert!(history.len() >= OPERATIONS, "{}", history.len());
        assert!(explained(&history), "history {seed} has no order: {history:#?}");
        all += history.len();
        overlapping += history.iter().filter(|one| overlaps(one, &history)).count();
        made += accepted(&history).len();
    }
    let written = format!("{all} calls, {overlapping} overlapping, {made} changes made\n");
    std::io::Write::write_all(&mut std::io::stderr(), written.as_bytes()).unwrap();
    assert!(overlapping > all / 2, "they took turns: {overlapping} of {all}");
    assert!(made > all / 5, "hardly anything was changed: {made} of {all}");
}

#[test]
fn what_no_order_explains_is_refused() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for seed in 0..5 {
        let history = runtime.block_on(record(seed));
        assert!(explained(&history));
        // Two changes, one after the other, that answer as if it had been the other way round.
        let made = accepted(&history);
        let apart = |(one, other): &(usize, usize)| history[*one].ended < history[*other].began;
        let pairs = made.iter().flat_map(|one| made.iter().map(|other| (*one, *other)));
        let (one, other) = pairs.into_iter().find(apart).expect("some do not overlap");
        let mut broken = history.clone();
        let (first, second) = (answer(&history[one]), answer(&history[other]));
        *answer_mut(&mut broken[one]) = second;
        *answer_mut(&mut broken[other]) = first;
        assert!(!explained(&broken), "two answers were swapped in history {seed}");
    }
}

#[test]
fn a_stale_read_and_a_lost_update_are_refused() {
    let define = |began, ended, to: &str, at, made| {
        let edit = Edit::Define {
            service: "orders".to_owned(),
            environment: LIVE.to_string(),
            kind: "http".to_owned(),
            to: to.to_owned(),
        };
        Operation { began, ended, call: Call::Edit { edit, at, answer: Answer::Made(made) } }
    };
    let read = |began, ended, to: &str, by| {
        let meant = Some((to.to_owned(), 1, by));
        Operation { began, ended, call: Call::Service { name: "orders".to_owned(), meant } }
    };
    let old = |began, ended| read(began, ended, "http://10.0.0.1", 1);
    let moves = define(1, 4, "http://10.0.0.2", None, 2);
    assert!(explained(&vec![moves.clone(), old(2, 3)]), "it may come before");
    assert!(explained(&vec![moves.clone(), read(2, 3, "http://10.0.0.2", 2)]), "or after");
    assert!(!explained(&vec![moves.clone(), old(5, 6)]), "a read of what was replaced before");
    let back = vec![moves, read(2, 3, "http://10.0.0.2", 2), old(5, 6)];
    assert!(!explained(&back), "a read that goes back");
    let set = |to, made| define(1, 4, to, Some(1), made);
    let both = vec![set("http://10.0.0.2", 2), set("http://10.0.0.3", 3)];
    assert!(!explained(&both), "two that expected the same revision");
}

fn accepted(history: &History) -> Vec<usize> {
    let made = |operation: &Operation<Call>| {
        matches!(operation.call, Call::Edit { answer: Answer::Made(_), .. })
    };
    (0..history.len()).filter(|place| made(&history[*place])).collect()
}

fn answer(operation: &Operation<Call>) -> Answer {
    answer_mut(&mut operation.clone()).clone()
}

fn answer_mut(operation: &mut Operation<Call>) -> &mut Answer {
    match &mut operation.call {
        Call::Edit { answer, .. } => answer,
        other => panic!("{other:?} answers nothing"),
    }
}

fn overlaps(one: &Operation<Call>, history: &History) -> bool {
    history.iter().any(|other| one.began < other.began && other.began < one.ended)
}

/// Lets the publishers loose on a registry of their own.
async fn record(seed: u64) -> History {
    let registry = Registry::in_memory().await.unwrap();
    registry.publisher("start").apply(change(&beginning())).await.unwrap();
    let clock = Arc::new(AtomicU64::new(0));
    let together = Arc::new(Barrier::new(usize::try_from(PUBLISHERS).unwrap()));
    let publishers = (0..PUBLISHERS).map(|publisher| {
        let (registry, clock, together) =
            (registry.clone(), Arc::clone(&clock), Arc::clone(&together));
        let chance = fastrand::Rng::with_seed(seed * PUBLISHERS + publisher);
        tokio::spawn(async move {
            together.wait().await;
            publish(&registry, &clock, chance).await
        })
    });
    let mut history = Vec::new();
    for publisher in publishers.collect::<Vec<_>>() {
        history.extend(publisher.await.unwrap());
    }
    history
}

async fn publish(registry: &Registry, clock: &AtomicU64, mut chance: fastrand::Rng) -> History {
    let mut history = History::new();
    let mut known = Vec::new();
    for _ in 0..CALLS {
        let began = clock.fetch_add(1, Ordering::SeqCst);
        let call = call(registry, &mut chance, &known).await;
        let ended = clock.fetch_add(1, Ordering::SeqCst);
        match &call {
            Call::Edit { answer: Answer::Made(revision), .. } => known.push(*revision),
            Call::Service { meant: Some((_, _, by)), .. } => known.push(*by),
            Call::Publication { shown: Some((by, _)), .. } => known.push(*by),
            _ => {}
        }
        history.push(Operation { began, ended, call });
    }
    history
}

/// One call on so few things that they meet. `known` are the revisions the publisher has seen.
async fn call(registry: &Registry, chance: &mut fastrand::Rng, known: &[u64]) -> Call {
    let service = ["orders", "stock"][chance.usize(..2)].to_owned();
    // Both go to these services.
    let api: ApiName = ("shop".to_owned(), ["read", "write"][chance.usize(..2)].to_owned());
    let environment = LIVE.to_string();
    let newest = known.iter().max().copied().unwrap_or(1);
    let at = (chance.u8(..3) == 0).then_some(*known.last().unwrap_or(&1));
    match chance.u8(..16) {
        0..=3 => {
            let to = format!("http://10.0.0.{}", chance.u8(1..5));
            let kind = "http".to_owned();
            calls::edit(registry, Edit::Define { service, environment, kind, to }, at).await
        }
        4 | 5 => calls::edit(registry, Edit::DeleteDefinition { service, environment }, at).await,
        6..=8 => calls::edit(registry, Edit::Publish { api, environment }, at).await,
        9 => calls::edit(registry, Edit::Unpublish { api, environment }, at).await,
        10..=12 => {
            let revision = newest.saturating_sub(chance.u64(..3)).max(2);
            let undo = Undo { revision, values: chance.bool(), partly: chance.bool() };
            calls::edit(registry, Edit::Undo(undo), None).await
        }
        13 | 14 => calls::service(registry, service),
        _ => calls::publication(registry, api),
    }
}
