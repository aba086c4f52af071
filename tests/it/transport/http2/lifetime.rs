//! How long connections stay.

use super::*;

#[tokio::test]
async fn dropping_the_pool_closes_what_is_idle_at_once_and_the_rest_with_its_answer() {
    let gate = Gate::new();
    let own = gate.clone();
    let upstream = upstream(100, move |(request, mut response): Asked| {
        let gate = own.clone();
        async move {
            if request.uri().path() == "/" {
                return hello((request, response)).await;
            }
            let mut stream = response.send_response(ok(), false).unwrap();
            gate.wait().await;
            stream.send_data("late".into(), true).unwrap();
        }
    })
    .await;
    let (pool, drained) = upstream.pool(local());
    assert_eq!(get_text(&pool, "/").await, "hello");
    drop(pool);
    tokio::time::timeout(PATIENCE, drained).await.expect("an idle connection stays");
    upstream.has_open(0).await;
    let (pool, drained) = upstream.pool(local());
    let response = send(&pool, get("/late")).await.unwrap();
    drop(pool);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!drained.is_drained());
    gate.open();
    assert_eq!(text(response).await, "late");
    tokio::time::timeout(PATIENCE, drained).await.expect("the connection stays");
    upstream.has_open(0).await;
}

#[tokio::test]
async fn idle_and_old_connections_are_closed() {
    let upstream = upstream(100, hello).await;
    let idle = local().idle_limit(Duration::from_millis(40));
    let (pool, _) = upstream.pool(idle);
    assert_eq!(get_text(&pool, "/").await, "hello");
    upstream.has_open(0).await;
    assert_eq!(pool.idle(), 0);
    let old = local().idle_limit(Duration::from_millis(100)).max_age(Duration::from_millis(100));
    let (pool, _) = upstream.pool(old);
    let before = upstream.accepted();
    let enough = async {
        while upstream.accepted() < before + 3 {
            assert_eq!(get_text(&pool, "/").await, "hello");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("a connection is used for ever");
}
