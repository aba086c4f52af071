//! Taking connections from a listener, whatever happens, until there shall be no more.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::limits::ACCEPT_PAUSE;
use super::{Drained, Server};
use crate::gateway::{Peer, Scheme};

/// Where connections come from.
pub(super) trait Accept {
    type Io: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// The next one. Dropping the future loses none.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, SocketAddr)>> + Send;
}

impl Accept for TcpListener {
    type Io = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = Self::accept(self).await?;
        // Answers are written whole; waiting for more only delays their last packet. A socket that
        // refuses is already closed.
        let _ = stream.set_nodelay(true);
        Ok((stream, address))
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
