//! For how long an answer holds, and who shares it.

use super::*;

#[tokio::test(start_paused = true)]
async fn an_answer_holds_as_long_as_it_says_within_bounds() {
    let lifetimes = Lifetimes::default();
    for (told, holds) in [
        (Some(10), Duration::from_secs(10)),
        (Some(0), lifetimes.min_ttl),
        (Some(86_400), lifetimes.max_ttl),
        (None, lifetimes.default_ttl),
    ] {
        let (name, script) = name(Says::Good(vec![1], told));
        assert_eq!(asked_addresses(&name).await, [ip(1)]);
        advance(holds - Duration::from_millis(1)).await;
        assert_eq!(asked_addresses(&name).await, [ip(1)]);
        assert_eq!(script.asked(), 1, "{told:?}");
        advance(Duration::from_millis(2)).await;
        assert_eq!(asked_addresses(&name).await, [ip(1)]);
        pass(Duration::from_millis(1)).await;
        assert_eq!(script.asked(), 2, "{told:?}");
    }
}

#[test]
fn bounds_can_be_set_and_never_contradict() {
    let long = Duration::from_secs(60);
    let set = Lifetimes::default().min_ttl(long).max_ttl(SECOND).default_ttl(SECOND);
    assert_eq!(set.of_good(None), long);
    assert_eq!(set.of_good(Some(Duration::MAX)), long);
    assert_eq!(
        Lifetimes::default().min_ttl(Duration::ZERO).of_good(Some(Duration::ZERO)),
        SHORTEST
    );
    assert_eq!(Lifetimes::default().max_ttl(Duration::MAX).of_good(Some(Duration::MAX)), LONGEST);
    assert_eq!(set.of_none(Some(Duration::from_secs(3600))), NEGATIVE_TTL);
    assert_eq!(Lifetimes::default().of_none(Some(Duration::ZERO)), MIN_TTL);
    assert_eq!(set.negative_ttl(Duration::ZERO).of_none(None), SHORTEST);
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_at_once_shares_one_look_up() {
    let (name, script) = name(good(1));
    script.take(Duration::from_millis(100));
    let asking: Vec<_> = (0..50)
        .map(|_| {
            let name = Arc::clone(&name);
            tokio::spawn(async move { asked_addresses(&name).await })
        })
        .collect();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), [ip(1)]);
    }
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_stops_nobody_else() {
    let (name, script) = name(good(1));
    script.take(SECOND);
    let first = {
        let name = Arc::clone(&name);
        tokio::spawn(async move { asked_addresses(&name).await })
    };
    pass(Duration::from_millis(10)).await;
    let second = {
        let name = Arc::clone(&name);
        tokio::spawn(async move { asked_addresses(&name).await })
    };
    pass(Duration::from_millis(10)).await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(second.await.unwrap(), [ip(1)]);
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_just_expired_is_used_while_the_next_is_looked_up() {
    let (name, script) = name(good(1));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    script.say(good(2));
    script.take(Duration::from_millis(20));
    advance(Duration::from_millis(10_500)).await;
    let before = Instant::now();
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    assert_eq!(Instant::now(), before, "nobody waits");
    pass(Duration::from_millis(30)).await;
    assert_eq!(asked_addresses(&name).await, [ip(2)]);
    assert_eq!(script.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_expired_long_ago_is_not_used_before_somebody_asked() {
    let (name, script) = name(good(1));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    script.say(good(2));
    script.take(Duration::from_millis(500));
    advance(Duration::from_secs(60)).await;
    assert_eq!(asked_addresses(&name).await, [ip(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_look_up_is_waited_for_no_longer_than_a_second_if_there_is_an_answer() {
    let (name, script) = name(good(1));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    script.say(good(2));
    script.take(2 * SECOND);
    advance(Duration::from_secs(60)).await;
    let before = Instant::now();
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    assert_eq!(Instant::now() - before, SECOND);
    pass(SECOND + Duration::from_millis(1)).await;
    assert_eq!(asked_addresses(&name).await, [ip(2)], "it went on");
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_a_look_up_is_waited_for_until_the_deadline() {
    let (name, script) = name(good(1));
    script.take(4 * SECOND);
    let before = Instant::now();
    assert_eq!(refused(&name).await, "name not resolved in time");
    assert_eq!(Instant::now() - before, 3 * SECOND);
    pass(SECOND + Duration::from_millis(1)).await;
    assert_eq!(asked_addresses(&name).await, [ip(1)], "the next one profits");
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_of_ones_own_begins_no_earlier_than_it_is_asked_for() {
    let (name, script) = name(good(1));
    script.take(SECOND);
    let early = {
        let name = Arc::clone(&name);
        tokio::spawn(async move { asked_addresses(&name).await })
    };
    pass(Duration::from_millis(500)).await;
    script.say(good(2));
    let deadline = Instant::now() + 10 * SECOND;
    let (one, other) = tokio::join!(name.look_up(deadline), name.look_up(deadline));
    assert_eq!(*one.unwrap(), [ip(2)]);
    assert_eq!(*other.unwrap(), [ip(2)]);
    assert_eq!(early.await.unwrap(), [ip(1)]);
    assert_eq!(script.asked(), 2, "both share the second");
}

#[tokio::test(start_paused = true)]
async fn when_no_address_takes_a_connection_the_name_is_asked_for_sooner() {
    let (name, script) = name(Says::Good(vec![1], Some(300)));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    script.say(good(2));
    name.suspect();
    assert_eq!(asked_addresses(&name).await, [ip(1)], "not at once");
    pass(3 * SECOND).await;
    assert_eq!(asked_addresses(&name).await, [ip(2)]);
}
