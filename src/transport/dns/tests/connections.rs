//! What a change of addresses means for connections that are open.

use super::*;

#[tokio::test(start_paused = true)]
async fn u_23_a_connection_takes_no_requests_once_its_address_is_gone() {
    let (name, script) = name(good(1));
    assert_eq!(asked_addresses(&name).await, [ip(1)]);
    let peer = Peer::of(&name, ip(1));
    assert!(peer.is_current());
    pass(Duration::from_secs(5)).await;
    script.say(good(2));
    pass(Duration::from_millis(4_900)).await;
    assert!(peer.is_current(), "the answer holds");
    pass(SECOND).await;
    assert!(!peer.is_current(), "nobody asked, and yet");
    assert_eq!(asked_addresses(&name).await, [ip(2)]);
    assert_eq!(script.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn connections_to_addresses_that_stay_are_kept() {
    let (name, script) = name(Says::Good(vec![1, 2], Some(10)));
    assert_eq!(asked_addresses(&name).await, [ip(1), ip(2)]);
    let peers = [1, 2].map(|last| Peer::of(&name, ip(last)));
    script.say(Says::Good(vec![3, 2], Some(10)));
    pass(Duration::from_secs(11)).await;
    assert_eq!(peers.each_ref().map(Peer::is_current), [false, true]);
    script.say(Says::Good(vec![2, 3], Some(10)));
    pass(Duration::from_secs(11)).await;
    assert_eq!(name.generation(), 3, "another order is no change");
    script.say(Says::Good(vec![1, 3], Some(10)));
    pass(Duration::from_secs(11)).await;
    assert_eq!(peers.each_ref().map(Peer::is_current), [true, false]);
}

#[tokio::test(start_paused = true)]
async fn failures_end_no_connection() {
    for says in [Says::Failure, Says::Nothing(None), Says::Silence] {
        let (name, script) = name(good(1));
        asked_addresses(&name).await;
        let peer = Peer::of(&name, ip(1));
        script.say(says.clone());
        pass(Duration::from_secs(3600)).await;
        assert!(peer.is_current(), "{says:?}");
        pass(2 * MAX_STALE).await;
        assert!(peer.is_current(), "{says:?}: it works, whatever is said of the name");
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_kept_fresh_while_there_are_connections_to_it() {
    let (name, script) = name(good(1));
    asked_addresses(&name).await;
    pass(Duration::from_secs(3600)).await;
    assert_eq!(script.asked(), 1, "nobody is connected");
    asked_addresses(&name).await;
    let peers = [Peer::of(&name, ip(1)), Peer::of(&name, ip(1))];
    pass(Duration::from_secs(105)).await;
    assert_eq!(script.asked(), 2 + 10);
    drop(peers);
    pass(Duration::from_secs(3600)).await;
    let asked = script.asked();
    assert!(asked <= 13, "{asked}");
    let _again = Peer::of(&name, ip(1));
    pass(Duration::from_secs(105)).await;
    assert!(script.asked() >= asked + 10, "{}", script.asked());
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_panics_is_not_asked_without_a_rest() {
    let (name, script) = name(good(1));
    asked_addresses(&name).await;
    let _peer = Peer::of(&name, ip(1));
    script.say(Says::Panic);
    pass(Duration::from_secs(60)).await;
    assert!(script.asked() < 60, "{}", script.asked());
}

#[test]
fn who_keeps_a_name_fresh_is_replaced_with_its_runtime() {
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let first = runtime();
    let (name, script, _peer) = first.block_on(async {
        let (name, script) = name(good(1));
        asked_addresses(&name).await;
        let peer = Peer::of(&name, ip(1));
        pass(SECOND).await;
        (name, script, peer)
    });
    drop(first);
    runtime().block_on(async {
        let _other = Peer::of(&name, ip(1));
        pass(Duration::from_secs(35)).await;
        assert!(script.asked() >= 4, "{}", script.asked());
    });
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_name_is_always_current() {
    assert!(Peer::unnamed().is_current());
}

#[tokio::test(start_paused = true)]
async fn everything_can_be_asked_for_again_at_once() {
    let script = Scripted::new(Says::Good(vec![1], Some(300)));
    let transport = Transport::builder().resolver(script.clone()).build().unwrap();
    let names = ["a.internal", "b.internal"].map(|host| transport.0.names.entry(host));
    for name in &names {
        asked_addresses(name).await;
    }
    let peer = Peer::of(&names[0], ip(1));
    let refreshed = transport.refresh_now().await;
    assert_eq!(refreshed, Refreshed { names: 2, ..Refreshed::default() });
    assert!(peer.is_current());

    script.say(good(2));
    let refreshed = transport.refresh_now().await;
    assert_eq!(refreshed.moved, ["a.internal", "b.internal"]);
    assert!(!peer.is_current());
    assert_eq!(asked_addresses(&names[1]).await, [ip(2)]);

    script.say(good(3));
    let refreshed = transport.refresh_host("B.internal").await;
    assert_eq!((refreshed.names, refreshed.moved), (1, vec!["b.internal".to_owned()]));
    assert_eq!(asked_addresses(&names[0]).await, [ip(2)]);
    assert_eq!(transport.refresh_host("c.internal").await, Refreshed::default());

    script.say(Says::Failure);
    let refreshed = transport.refresh_now().await;
    assert_eq!((refreshed.moved.len(), refreshed.failed.len()), (0, 2));
    assert_eq!(asked_addresses(&names[1]).await, [ip(3)], "the last good answers are kept");
}
