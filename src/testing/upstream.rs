//! A scripted upstream on a real socket.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::script::{Received, Script};
use super::speaker::Speaker;

/// An upstream that does as it is told and remembers what it received. It listens on a free port of
/// 127.0.0.1 and stops when it is dropped.
#[derive(Debug)]
pub struct FakeUpstream {
    address: SocketAddr,
    log: Arc<Log>,
    task: JoinHandle<()>,
}

#[derive(Debug)]
pub(super) struct Log {
    received: Mutex<Vec<Received>>,
    /// Connections ever accepted, and those still open.
    connections: watch::Sender<(usize, usize)>,
}

impl FakeUpstream {
    /// An upstream that asks `script` what to do once the head of a request is there.
    ///
    /// # Errors
    ///
    /// No port could be opened.
    pub async fn start<F>(script: F) -> io::Result<Self>
    where
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        Self::start_behind(async |stream| Ok::<TcpStream, io::Error>(stream), script).await
    }

    /// The same at this address, which must be free.
    ///
    /// # Errors
    ///
    /// It could not be listened on.
    pub async fn start_at<F>(address: SocketAddr, script: F) -> io::Result<Self>
    where
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(address).await?;
        Self::listen(listener, async |stream| Ok::<TcpStream, io::Error>(stream), script)
    }

    /// The same behind something that is done with every connection first, such as a TLS handshake.
    /// A connection for which that fails is closed.
    ///
    /// # Errors
    ///
    /// No port could be opened.
    pub async fn start_behind<A, U, S, F>(accept: A, script: F) -> io::Result<Self>
    where
        A: Fn(TcpStream) -> U + Send + Sync + 'static,
        U: Future<Output = io::Result<S>> + Send,
        S: AsyncRead + AsyncWrite + Send + Unpin,
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        Self::listen(TcpListener::bind("127.0.0.1:0").await?, accept, script)
    }

    fn listen<A, U, S, F>(listener: TcpListener, accept: A, script: F) -> io::Result<Self>
    where
        A: Fn(TcpStream) -> U + Send + Sync + 'static,
        U: Future<Output = io::Result<S>> + Send,
        S: AsyncRead + AsyncWrite + Send + Unpin,
        F: Fn(&Received) -> Script + Send + Sync + 'static,
    {
        let address = listener.local_addr()?;
        let log =
            Arc::new(Log { received: Mutex::default(), connections: watch::Sender::new((0, 0)) });
        let (accept, script, own) = (Arc::new(accept), Arc::new(script), Arc::clone(&log));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let open = Open::new(&own);
                let (accept, script) = (Arc::clone(&accept), Arc::clone(&script));
                connections.spawn(async move {
                    if let Ok(stream) = accept(stream).await {
                        // A peer that went away is nothing to report.
                        let _ = Speaker::new(stream, &open).serve(&*script).await;
                    }
                });
            }
        });
        Ok(Self { address, log, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a path.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests so far, in the order their heads arrived.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.log.received().clone()
    }

    /// How many connections it ever accepted.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.log.connections.borrow().0
    }

    /// How many connections are open.
    #[must_use]
    pub fn open(&self) -> usize {
        self.log.connections.borrow().1
    }

    /// Waits until this many connections are open. Says whether that was so within `limit`.
    pub async fn has_open(&self, count: usize, limit: Duration) -> bool {
        self.until(|open| open == count, limit).await
    }

    /// Waits until as many connections are open as `enough` says. Says whether that was so within
    /// `limit`.
    pub async fn until<F>(&self, enough: F, limit: Duration) -> bool
    where
        F: Fn(usize) -> bool + Send + Sync,
    {
        let mut connections = self.log.connections.subscribe();
        let wait = connections.wait_for(|(_, open)| enough(*open));
        tokio::time::timeout(limit, wait).await.is_ok()
    }
}

impl Drop for FakeUpstream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Log {
    pub(super) fn received(&self) -> MutexGuard<'_, Vec<Received>> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a connection as long as it lives.
pub(super) struct Open {
    pub(super) log: Arc<Log>,
    pub(super) number: usize,
}

impl Open {
    fn new(log: &Arc<Log>) -> Self {
        let mut number = 0;
        log.connections.send_modify(|(accepted, open)| {
            *accepted += 1;
            *open += 1;
            number = *accepted;
        });
        Self { log: Arc::clone(log), number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.log.connections.send_modify(|(_, open)| *open -= 1);
    }
}
