use std::sync::{Arc, Mutex};

use super::*;
use crate::error::Error;

fn socket(number: u16) -> SocketAddr {
    if number >= 100 {
        SocketAddr::new("2001:db8::1".parse().unwrap(), number)
    } else {
        SocketAddr::new("192.0.2.1".parse().unwrap(), number)
    }
}

fn sockets(numbers: impl IntoIterator<Item = u16>) -> Vec<SocketAddr> {
    numbers.into_iter().map(socket).collect()
}

fn order(numbers: &[u16], turn: usize) -> Vec<u16> {
    in_turn(sockets(numbers.iter().copied()), turn).iter().map(SocketAddr::port).collect()
}

#[test]
fn families_take_turns_and_addresses_of_a_family_too() {
    assert_eq!(order(&[1, 2, 3, 101, 102], 0), [1, 101, 2, 102, 3]);
    assert_eq!(order(&[101, 102, 1], 0), [101, 1, 102]);
    assert_eq!(order(&[1, 2, 3, 101, 102], 1), [2, 102, 3, 101, 1]);
    assert_eq!(order(&[1, 2, 3, 101, 102], 5), [3, 102, 1, 101, 2]);
    assert_eq!(order(&[1], usize::MAX), [1]);
    assert_eq!(order(&[], 7), [0; 0]);
}

/// What becomes of an attempt, and after how many milliseconds.
type Fate = (u64, bool);
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Noted>>);

/// When each attempt began, and which ended without an outcome.
#[derive(Clone, Default)]
struct Noted {
    began: Vec<(u16, u64)>,
    given_up: Vec<u16>,
}

/// Notes that an attempt was given up.
struct Attempt(Log, u16, bool);

impl Drop for Attempt {
    fn drop(&mut self) {
        if !self.2 {
            self.0.0.lock().unwrap().given_up.push(self.1);
        }
    }
}

/// Runs a race of these; tells who won or lost last and when, who began when, and who was given up.
async fn run(
    fates: &[Fate],
    limit: Duration,
) -> (Result<u16, String>, u64, Vec<(u16, u64)>, Vec<u16>) {
    let start = Instant::now();
    let deadline = start + limit;
    let since = move || u64::try_from(start.elapsed().as_millis()).unwrap();
    let log = Log::default();
    let dial = |address: SocketAddr| {
        let (after, good) = fates[usize::from(address.port())];
        let attempt = Attempt(log.clone(), address.port(), false);
        log.0.lock().unwrap().began.push((address.port(), since()));
        async move {
            // All of it moves in here.
            let mut attempt = attempt;
            let done = Instant::now() + Duration::from_millis(after);
            sleep_until(done.min(deadline)).await;
            attempt.2 = true;
            let failure = if done > deadline { "late" } else { "refused" };
            if good && done <= deadline { Ok(()) } else { Err(failed_as(failure)) }
        }
    };
    let numbers = 0..u16::try_from(fates.len()).unwrap();
    let outcome = race(sockets(numbers), deadline, dial).await;
    let outcome = outcome.map(|(address, ())| address.port());
    let Noted { began, given_up } = log.0.lock().unwrap().clone();
    (outcome.map_err(|error| error.context().to_owned()), since(), began, given_up)
}

fn failed_as(context: &'static str) -> Error {
    failed(context)
}

const LIMIT: Duration = Duration::from_secs(3);

#[tokio::test(start_paused = true)]
async fn one_that_answers_at_once_is_alone() {
    let (winner, at, began, given_up) = run(&[(10, true), (10, true)], LIMIT).await;
    assert_eq!((winner, at), (Ok(0), 10));
    assert_eq!((began, given_up), (vec![(0, 0)], vec![]));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_silent_costs_the_next_a_quarter_of_a_second() {
    let silent = (60_000, true);
    let (winner, at, began, given_up) = run(&[silent, silent, (10, true), (0, true)], LIMIT).await;
    assert_eq!((winner, at), (Ok(2), 510));
    assert_eq!(began, [(0, 0), (1, 250), (2, 500)]);
    assert_eq!(given_up, [0, 1], "the others are dropped");
}

#[tokio::test(start_paused = true)]
async fn the_first_to_connect_wins_also_if_it_began_earlier() {
    let (winner, at, ..) = run(&[(300, true), (100, true)], LIMIT).await;
    assert_eq!((winner, at), (Ok(0), 300));
}

#[tokio::test(start_paused = true)]
async fn one_that_refuses_holds_nobody_up() {
    let (winner, at, began, _) = run(&[(10, false), (20, false), (5, true)], LIMIT).await;
    assert_eq!((winner, at), (Ok(2), 35));
    assert_eq!(began, [(0, 0), (1, 10), (2, 30)]);
}

#[tokio::test(start_paused = true)]
async fn when_all_refuse_the_last_says_why() {
    let (loser, at, began, given_up) = run(&[(10, false), (500, false), (20, false)], LIMIT).await;
    assert_eq!((loser, at), (Err("refused".to_owned()), 510));
    assert_eq!((began.len(), given_up.len()), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn all_of_them_together_stay_within_the_deadline() {
    let silent = vec![(60_000, true); 100];
    let (loser, at, began, _) = run(&silent, LIMIT).await;
    assert_eq!((loser, at), (Err("late".to_owned()), 3_000));
    assert_eq!(began.len(), 12, "none begins after the deadline");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_a_few_are_tried() {
    let (loser, _, began, _) = run(&vec![(1, false); 100], LIMIT).await;
    assert_eq!((loser, began.len()), (Err("refused".to_owned()), MAX_ATTEMPTS));
}

#[tokio::test(start_paused = true)]
async fn without_addresses_or_time_nothing_is_tried() {
    let (loser, at, began, _) = run(&[], LIMIT).await;
    assert_eq!((loser.is_err(), at, began.len()), (true, 0, 0));
    let (loser, at, began, _) = run(&[(0, true)], Duration::ZERO).await;
    assert_eq!((loser.is_err(), at, began.len()), (true, 0, 0));
}
