//! Sockets of this machine, and connections that are made before they are needed.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;

use super::*;

#[tokio::test]
async fn a_socket_is_reached_where_the_policy_allows_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 1024];
                while stream.read(&mut head).await.unwrap_or(0) > 0 {
                    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    let encoded = path.to_str().unwrap().replace('/', "%2F");
    let url: Url = format!("http+unix://{encoded}/base").parse().unwrap();
    let pool = |egress: Egress| {
        let transport = Transport::builder().egress(egress).build().unwrap();
        Pool::new(&transport, &url, Arc::new(lease().0)).unwrap()
    };
    let allowed = pool(Egress::default().allow_sockets(folder.path()));
    assert_eq!(get_text(&allowed, "/").await, "hi");
    assert_eq!(get_text(&allowed, "/").await, "hi");
    assert_eq!(allowed.idle(), 1);
    for egress in [
        Egress::default(),
        Egress::default().allow_loopback(),
        Egress::default().allow_sockets(folder.path().join("below")),
        Egress::default().allow_sockets(format!("{}x", folder.path().display())),
    ] {
        let error = send(&pool(egress), get("/")).await.unwrap_err();
        assert_eq!(error.context(), "socket refused by the egress policy");
    }
    std::fs::remove_file(&path).unwrap();
    let gone = pool(Egress::default().allow_sockets(folder.path()));
    let error = send(&gone, get("/")).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Connect, Retry::Always));
}

#[tokio::test]
async fn connections_are_made_before_they_are_needed() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let (pool, _) = pool(local().max_idle(3), &upstream);
    pool.warm(2).await;
    assert_eq!((pool.idle(), upstream.accepted()), (2, 2));
    assert_eq!(get_text(&pool, "/").await, "x");
    assert_eq!(upstream.accepted(), 2);
    pool.warm(10).await;
    assert_eq!(pool.idle(), 3);
    let (closed, _) = pool_for(local(), "http://127.0.0.1:1");
    closed.warm(2).await;
    assert_eq!(closed.idle(), 0);
}

#[tokio::test]
async fn more_than_may_wait_are_told_at_once() {
    let gate = Gate::new();
    let own = gate.clone();
    let script =
        move |_: &Received| Script::new().then(Step::Wait(own.clone())).and(Script::ok("x"));
    let upstream = FakeUpstream::start(script).await.unwrap();
    let (pool, _) = pool(local().max_connections(1).max_waiting(2), &upstream);
    let pool = Arc::new(pool);
    let mut held: Vec<_> = (0..3).map(|_| spawn_get(&pool)).collect();
    while upstream.received().is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let error = pool.send(get("/"), PATIENCE).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::Busy, Retry::Always));
    assert_eq!(error.context(), "too many requests wait for a connection");
    // Who gives up makes room for another.
    held.pop().unwrap().abort();
    tokio::time::sleep(Duration::from_millis(10)).await;
    held.push(spawn_get(&pool));
    gate.open();
    for answer in held {
        assert_eq!(answer.await.unwrap(), "x");
    }
}

#[tokio::test]
async fn old_connections_take_no_more_requests() {
    let upstream = FakeUpstream::start(|_| Script::ok("x")).await.unwrap();
    let limit = Duration::from_millis(80);
    let (pool, _) = pool(local().idle_limit(limit).max_age(limit), &upstream);
    let enough = async {
        while upstream.accepted() < 3 {
            assert_eq!(get_text(&pool, "/").await, "x");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, enough).await.expect("a connection is used for ever");
}
