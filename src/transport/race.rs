//! Several addresses of one name, tried so that one that is silent costs little (RFC 8305).

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::connect::failed;
use crate::error::Result;

/// How long an attempt is alone before the next one begins beside it: the recommendation of RFC 8305
/// section 5. An attempt that fails does not hold up the next one at all.
pub(super) const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Most addresses that are tried for one connection: as many as fit into the default time to connect,
/// and some more. The next connection begins with another one.
pub(super) const MAX_ATTEMPTS: usize = 16;

/// The order in which addresses are tried: the families take turns, beginning with that of the first
/// (RFC 8305 section 4), and within each another address is the first each `turn`, so that
/// connections are spread.
pub(super) fn in_turn(addresses: Vec<SocketAddr>, turn: usize) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let (mut one, mut other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    for family in [&mut one, &mut other] {
        let count = family.len().max(1);
        family.rotate_left(turn % count);
    }
    let mut order = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.into_iter(), other.into_iter());
    loop {
        let pair = [one.next(), other.next()];
        if pair == [None, None] {
            return order;
        }
        order.extend(pair.into_iter().flatten());
    }
}

/// The first address that takes a connection, and the connection. The other attempts are dropped.
///
/// After the deadline, by which attempts are to end themselves, none begins.
///
/// # Errors
///
/// That of the attempt that failed last, once all have.
pub(super) async fn race<D, F, S>(
    addresses: Vec<SocketAddr>,
    deadline: Instant,
    mut dial: D,
) -> Result<(SocketAddr, S)>
where
    D: FnMut(SocketAddr) -> F,
    F: Future<Output = Result<S>>,
{
    let mut waiting = addresses.into_iter().take(MAX_ATTEMPTS);
    let mut running: Vec<(SocketAddr, Pin<Box<F>>)> = Vec::new();
    let mut delay = pin!(sleep_until(Instant::now()));
    let mut last = failed("connection timed out");
    loop {
        let next = if Instant::now() < deadline { waiting.next() } else { None };
        match next {
            Some(address) => running.push((address, Box::pin(dial(address)))),
            None if running.is_empty() => return Err(last),
            None => {}
        }
        delay.as_mut().reset(Instant::now() + ATTEMPT_DELAY);
        tokio::select! {
            (address, outcome) = first_done(&mut running) => match outcome {
                Ok(stream) => return Ok((address, stream)),
                Err(error) => last = error,
            },
            () = &mut delay, if waiting.len() > 0 => {}
        }
    }
}

/// What came of the first attempt to end, which is taken out. Pending for ever without any.
async fn first_done<F: Future>(
    running: &mut Vec<(SocketAddr, Pin<Box<F>>)>,
) -> (SocketAddr, F::Output) {
    poll_fn(|cx| {
        for index in 0..running.len() {
            let Some((address, attempt)) = running.get_mut(index) else {
                break;
            };
            let address = *address;
            if let Poll::Ready(outcome) = attempt.as_mut().poll(cx) {
                drop(running.swap_remove(index));
                return Poll::Ready((address, outcome));
            }
        }
        Poll::Pending
    })
    .await
}

#[cfg(test)]
mod tests;
