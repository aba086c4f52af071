//! Taking connections from a listener, whatever happens, until there shall be no more.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::limits::ACCEPT_PAUSE;
use super::socket::Socket;
use super::{Drained, Server};
use crate::gateway::{Peer, Scheme};

/// Where connections come from.
pub(super) trait Accept {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one. Dropping the future loses none.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    type Io = Socket;

    async fn accept(&mut self) -> io::Result<(Socket, SocketAddr)> {
        let (stream, address) = Self::accept(self).await?;
        Ok((Socket::new(stream), address))
    }
}

/// Serves what `listener` gives until `shutdown`, then gives what is under way `drain` to end.
pub(super) async fn serve_until(
    server: &Server,
    mut listener: impl Accept,
    shutdown: impl Future<Output = ()>,
    drain: Duration,
) -> Drained {
    let mut shutdown = pin!(shutdown);
    let (stop, stopped) = watch::channel(false);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            // Only so that what has ended is not kept.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((io, address)) => {
                    let Some(place) = server.place(address.ip()) else { continue };
                    let mut stopped = stopped.clone();
                    let serving = server.run(io, Peer::new(address, Scheme::Http), async move {
                        // The sender is there until the end.
                        let _ = stopped.wait_for(|stop| *stop).await;
                    });
                    connections.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(_) => tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                },
            }
        }
    }
    drop(listener);
    stop.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = timeout(drain, ended).await;
    let left = connections.len();
    connections.shutdown().await;
    Drained { left }
}

/// Whether accepting failed because of the one connection that would have been next.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
    use tokio::time::Instant;

    use super::*;
    use crate::gateway::Gateway;
    use crate::registry::Registry;

    /// Fails so often before it gives a connection, then never gives another.
    struct Failing {
        errors: Vec<io::ErrorKind>,
        asked: Arc<AtomicUsize>,
        connection: Option<DuplexStream>,
    }

    impl Accept for Failing {
        type Io = DuplexStream;

        async fn accept(&mut self) -> io::Result<(DuplexStream, SocketAddr)> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            match (self.errors.pop(), self.connection.take()) {
                (Some(error), connection) => {
                    self.connection = connection;
                    Err(error.into())
                }
                (None, Some(connection)) => Ok((connection, "192.0.2.1:1".parse().unwrap())),
                (None, None) => std::future::pending().await,
            }
        }
    }

    async fn served_after(errors: Vec<io::ErrorKind>) -> (Duration, usize) {
        let registry = Registry::in_memory().await.unwrap();
        let server = Server::new(Gateway::new(&registry));
        let (mut client, connection) = tokio::io::duplex(1_000);
        let asked = Arc::new(AtomicUsize::new(0));
        let listener = Failing { errors, asked: Arc::clone(&asked), connection: Some(connection) };
        let begun = Instant::now();
        let talking = async {
            let request = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
            client.write_all(request).await.unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).await.unwrap();
            assert!(answer.contains("I404DO"), "{answer}");
        };
        let drained = serve_until(&server, listener, talking, Duration::from_secs(1)).await;
        assert_eq!(drained, Drained { left: 0 });
        (begun.elapsed(), asked.load(Ordering::SeqCst))
    }

    #[tokio::test(start_paused = true)]
    async fn r_08_accepting_goes_on_after_a_rest() {
        // What running out of descriptors is told as has no name of its own.
        let (taken, asked) = served_after(vec![io::ErrorKind::Other; 50]).await;
        assert_eq!((taken, asked), (50 * ACCEPT_PAUSE, 52));
    }

    #[tokio::test(start_paused = true)]
    async fn r_08_one_connections_failure_is_not_the_next_ones() {
        let (taken, asked) = served_after(vec![io::ErrorKind::ConnectionAborted; 50]).await;
        assert_eq!((taken, asked), (Duration::ZERO, 52));
    }
}
