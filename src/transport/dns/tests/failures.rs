//! What a look-up takes away that brings nothing: nothing.

use super::*;

/// Names that had an address once, and then this.
async fn after(says: Says) -> (Arc<Entry>, Scripted) {
    let (name, script) = name(good(1));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    script.say(says);
    (name, script)
}

#[tokio::test(start_paused = true)]
async fn the_last_good_answer_is_kept_whatever_comes_after() {
    for says in [Says::Failure, Says::Nothing(Some(3600)), Says::Nothing(None), Says::Silence] {
        let (name, script) = after(says.clone()).await;
        for _ in 0..20 {
            pass(Duration::from_secs(60)).await;
            assert_eq!(asked_addresses(&name).await, [ip(1)], "{says:?}");
        }
        assert!(script.asked() > 10, "{says:?}: it is asked for again");
        pass(LOOKUP_TIMEOUT).await;
        script.say(good(2));
        pass(Duration::from_secs(60)).await;
        assert_eq!(asked_addresses(&name).await, [ip(1)], "{says:?}: nobody waits for who failed");
        pass(SECOND).await;
        assert_eq!(asked_addresses(&name).await, [ip(2)], "{says:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_kept_no_longer_than_a_day() {
    let (name, _) = after(Says::Failure).await;
    let until = Instant::now() + Duration::from_secs(10) + MAX_STALE;
    pass(until - Instant::now() - SECOND).await;
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    pass(2 * SECOND).await;
    assert_eq!(refused(&name).await, "name not resolved");
}

#[tokio::test(start_paused = true)]
async fn it_can_be_kept_for_no_time_at_all() {
    let (name, script) = name_with(good(1), Lifetimes::default().max_stale(Duration::ZERO));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    script.say(Says::Nothing(None));
    advance(Duration::from_secs(11)).await;
    assert_eq!(refused(&name).await, "name has no address");
}

#[tokio::test(start_paused = true)]
async fn that_there_is_nothing_is_remembered_for_a_while() {
    for (told, holds) in [(Some(3), 3 * SECOND), (Some(3600), NEGATIVE_TTL), (None, NEGATIVE_TTL)] {
        let (name, script) = name(Says::Nothing(told));
        assert_eq!(refused(&name).await, "name has no address");
        script.say(good(1));
        advance(holds - Duration::from_millis(1)).await;
        assert_eq!(refused(&name).await, "name has no address");
        assert_eq!(script.asked(), 1, "{told:?}");
        advance(Duration::from_millis(1)).await;
        assert_eq!(asked_addresses(&name).await, [ip(1)], "{told:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn failures_are_asked_for_again_less_and_less_often() {
    let (name, script) = name(Says::Failure);
    let mut rests = Vec::new();
    let mut since = Instant::now();
    while rests.len() < 6 {
        let before = script.asked();
        assert_eq!(refused(&name).await, "name not resolved");
        if script.asked() > before {
            rests.push((Instant::now() - since).as_secs());
            since = Instant::now();
        }
        advance(SECOND).await;
    }
    assert_eq!(rests, [0, 1, 2, 4, 5, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_look_up_takes_no_longer_than_its_limit() {
    let (name, script) = name(Says::Silence);
    assert_eq!(refused(&name).await, "name not resolved in time");
    pass(LOOKUP_TIMEOUT - 3 * SECOND + Duration::from_millis(1)).await;
    script.say(good(1));
    assert_eq!(refused(&name).await, "name not resolved in time", "it is remembered");
    advance(SECOND).await;
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_panics_fails_those_who_ask_and_no_others() {
    let (name, script) = name(Says::Panic);
    assert_eq!(refused(&name).await, "name not resolved in time");
    assert_eq!(script.asked(), 3);
    script.say(good(1));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
}

#[test]
fn a_runtime_that_ends_leaves_the_name_to_the_others() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let (name, script) = {
        let first = runtime();
        first.block_on(async {
            let (name, script) = name(Says::Silence);
            let asking = Arc::clone(&name);
            tokio::spawn(async move { ask(&asking).await });
            pass(SECOND).await;
            (name, script)
        })
    };
    script.say(good(1));
    let other = runtime();
    assert_eq!(other.block_on(asked_addresses(&name)), [ip(1)]);
    assert_eq!(script.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn errors_say_what_happened_to_operators_only() {
    let (name, _) = name(Says::Failure);
    let error = ask(&name).await.unwrap_err();
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(
        (error.context(), source.to_string().as_str()),
        ("name not resolved", "server failure")
    );
}
