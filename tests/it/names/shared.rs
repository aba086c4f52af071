//! Connections that several requests share.

use std::net::SocketAddr;

use backhaul::model::definition::WireProtocol;
use backhaul::transport::Origin;
use bytes::Bytes;
use http::Response;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::*;

/// An upstream that speaks HTTP/2 and answers with where it is.
struct Place {
    address: SocketAddr,
    accepted: Arc<AtomicUsize>,
    open: watch::Receiver<usize>,
    task: JoinHandle<()>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Place {
    async fn start(host: &str, port: u16, name: &'static str) -> std::io::Result<Self> {
        let listener = TcpListener::bind((host, port)).await?;
        let address = listener.local_addr()?;
        let (open, opened) = watch::channel(0);
        let accepted = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&accepted);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                open.send_modify(|open| *open += 1);
                let open = open.clone();
                tokio::spawn(async move {
                    serve(stream, name).await;
                    open.send_modify(|open| *open -= 1);
                });
            }
        });
        Ok(Self { address, accepted, open: opened, task })
    }

    async fn has_open(&self, count: usize) {
        let mut open = self.open.clone();
        let reached = open.wait_for(|open| *open == count);
        tokio::time::timeout(PATIENCE, reached).await.expect("connections stay open").unwrap();
    }

    fn accepted(&self) -> usize {
        self.accepted.load(Ordering::SeqCst)
    }
}

async fn serve(stream: tokio::net::TcpStream, name: &'static str) {
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((_, mut answer))) = connection.accept().await {
        let mut body = answer.send_response(Response::new(()), false).unwrap();
        body.send_data(Bytes::from_static(name.as_bytes()), true).unwrap();
    }
}

async fn places() -> (Place, Place) {
    for _ in 0..50 {
        let here = Place::start(HERE, 0, "here").await.unwrap();
        // Somebody else may have the port there.
        if let Ok(there) = Place::start(THERE, here.address.port(), "there").await {
            return (here, there);
        }
    }
    panic!("no port is free at both addresses");
}

fn pool(transport: &Transport, port: u16) -> Pool {
    let url: Url = format!("http://orders.internal:{port}").parse().unwrap();
    let origin = Origin::new(&url).protocol(Some(WireProtocol::Http2));
    Pool::new(transport, origin, Arc::new(backhaul::sync::lease().0)).unwrap()
}

#[tokio::test]
async fn u_23_a_shared_connection_takes_no_requests_once_its_address_is_gone() {
    let (here, there) = places().await;
    let told = Told::new([HERE]);
    let transport = local().resolver(told.clone()).build().unwrap();
    let pool = pool(&transport, here.address.port());
    for _ in 0..3 {
        assert_eq!(get(&pool).await.unwrap(), "here");
    }
    sweep().await;
    assert_eq!(get(&pool).await.unwrap(), "here");
    told.tell([THERE]);
    transport.refresh_now().await;
    for _ in 0..3 {
        assert_eq!(get(&pool).await.unwrap(), "there");
    }
    assert_eq!((here.accepted(), there.accepted()), (1, 1));
    sweep().await;
    here.has_open(0).await;
    assert_eq!(get(&pool).await.unwrap(), "there");
    there.has_open(1).await;
}

#[tokio::test]
async fn u_23_an_address_that_comes_back_before_its_connection_is_closed_takes_requests_again() {
    let (here, there) = places().await;
    let told = Told::new([HERE]);
    let transport = local().resolver(told.clone()).build().unwrap();
    let pool = pool(&transport, here.address.port());
    assert_eq!(get(&pool).await.unwrap(), "here");
    for (address, place) in [(THERE, "there"), (HERE, "here"), (THERE, "there")] {
        told.tell([address]);
        transport.refresh_now().await;
        assert_eq!(get(&pool).await.unwrap(), place);
    }
    assert_eq!((here.accepted(), there.accepted()), (1, 1));
}
