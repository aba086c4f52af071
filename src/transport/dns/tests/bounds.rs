//! How much is remembered.

use super::*;

#[tokio::test(start_paused = true)]
async fn with_too_many_names_the_one_is_forgotten_that_nobody_asked_for_the_longest() {
    let names = Names::default();
    for number in 0..MAX_NAMES {
        names.entry(&format!("{number}.internal"));
        if number == 0 {
            advance(SECOND).await;
        }
    }
    let second = Arc::downgrade(&names.entry("1.internal"));
    let first = Arc::downgrade(&names.entry("0.internal"));
    names.entry("one-more.internal");
    assert_eq!(names.all().len(), MAX_NAMES);
    assert!(first.upgrade().is_none() && second.upgrade().is_some());
}

#[tokio::test(start_paused = true)]
async fn names_in_use_are_not_forgotten_and_others_resolved_all_the_same() {
    let script = Scripted::new(good(1));
    let mut names = Names::default();
    names.set_resolver(Arc::new(script.clone()));
    let used: Vec<_> =
        (0..MAX_NAMES).map(|number| names.entry(&format!("{number}.internal"))).collect();
    for _ in 0..2 {
        let more = names.entry("one-more.internal");
        assert_eq!(asked_addresses(&more).await, [ip(1)]);
    }
    assert_eq!((script.asked(), names.all().len()), (2, MAX_NAMES));
    assert!(used.iter().all(|name| Arc::ptr_eq(name, &names.entry(name.host()))));
}

#[test]
fn addresses_are_taken_once_and_as_those_they_are() {
    let parse = |text: &str| text.parse::<IpAddr>().unwrap();
    let answer = Answer::new(
        ["192.0.2.1", "::ffff:192.0.2.1", "2001:db8::1", "::ffff:192.0.2.2", "2001:db8::1"]
            .map(parse),
    );
    let expected = ["192.0.2.1", "2001:db8::1", "192.0.2.2"].map(parse);
    assert_eq!(*outcome::addresses(&answer), expected);
}

#[test]
fn of_very_many_addresses_only_the_first_are_looked_at() {
    let all = (0..1000_u32).map(|number| IpAddr::V4(Ipv4Addr::from(0x0a00_0000 + number)));
    let taken = outcome::addresses(&Answer::new(all.clone()));
    assert!(taken.iter().copied().eq(all.take(MAX_ADDRESSES)));
}
