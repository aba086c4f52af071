//! What the quickstart needs of the network: a server loop, origins and clients.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Makes an origin take this many milliseconds for a request.
pub(crate) const TAKE: &str = "x-take-ms";

/// Serves on a free port, for as long as the process lives. `connect` makes the service of a
/// connection from the address at its other end.
pub(crate) async fn serve<C, S, B>(connect: C) -> Result<SocketAddr, Failure>
where
    C: Fn(SocketAddr) -> S + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Send + 'static,
    S::Future: Send,
    B: Body<Data: Send, Error: Into<Failure>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        while let Ok((stream, peer)) = listener.accept().await {
            let service = connect(peer);
            tokio::spawn(async move {
                stream.set_nodelay(true).ok();
                let mut server = hyper::server::conn::http1::Builder::new();
                server.timer(TokioTimer::new());
                // A client that goes away is nothing to report.
                server.serve_connection(TokioIo::new(stream), service).await.ok();
            });
        }
    });
    Ok(address)
}

/// An origin that answers every request with its name.
pub(crate) async fn origin(name: &'static str) -> Result<String, Failure> {
    let answer = async move |request: Request<Incoming>| {
        let take = request.headers().get(TAKE).and_then(|value| value.to_str().ok());
        if let Some(milliseconds) = take.and_then(|text| text.parse().ok()) {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        }
        Ok(Response::new(Full::new(Bytes::from_static(name.as_bytes()))))
    };
    let address = serve(move |_| service_fn(answer)).await?;
    Ok(format!("http://{address}"))
}

/// One keep-alive connection to a server.
#[derive(Debug)]
pub(crate) struct Client {
    sender: SendRequest<Empty<Bytes>>,
    host: &'static str,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr, host: &'static str) -> Result<Self, Failure> {
        let stream = TcpStream::connect(server).await?;
        stream.set_nodelay(true)?;
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (sender, connection) = handshake.await?;
        tokio::spawn(connection);
        Ok(Self { sender, host })
    }

    /// The status and the body of the answer to a GET.
    pub(crate) async fn get(&mut self, path: &str) -> Result<(StatusCode, String), Failure> {
        self.get_slow(path, Duration::ZERO).await
    }

    /// The same for a request that takes its time at the origin.
    pub(crate) async fn get_slow(
        &mut self,
        path: &str,
        time: Duration,
    ) -> Result<(StatusCode, String), Failure> {
        let mut request = Request::get(path).header("host", self.host);
        if !time.is_zero() {
            request = request.header(TAKE, time.as_millis().to_string());
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Empty::new())?).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8(body.to_vec())?))
    }
}
