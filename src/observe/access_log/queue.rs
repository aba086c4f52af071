//! How lines are written without holding a request up.

use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::line;
use crate::observe::limits::MAX_QUEUE;

/// Lines on their way to a thread that writes them.
#[derive(Debug)]
pub(super) struct Queue {
    sender: SyncSender<Message>,
    lost: Arc<Lost>,
    since: Instant,
    /// In the upper half a second since `since`, in the lower half how many lines came in it.
    lines: AtomicU64,
}

#[derive(Debug)]
enum Message {
    Line(String),
    /// Answered once everything before it is written.
    Flush(SyncSender<()>),
}

/// Lines that were not written.
#[derive(Debug, Default)]
struct Lost {
    all: AtomicU64,
    /// Those that the log does not say yet.
    untold: AtomicU64,
}

impl Lost {
    fn count(&self, lines: u64) {
        self.all.fetch_add(lines, Ordering::Relaxed);
        self.untold.fetch_add(lines, Ordering::Relaxed);
    }
}

impl Queue {
    pub(super) fn start(writer: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(MAX_QUEUE);
        let lost = Arc::new(Lost::default());
        let writing = Writing { writer: BufWriter::new(writer), lost: Arc::clone(&lost) };
        let thread = thread::Builder::new().name("backhaul-log".to_owned());
        thread.spawn(move || writing.run(&receiver))?;
        Ok(Self { sender, lost, since: Instant::now(), lines: AtomicU64::new(0) })
    }

    /// Whether this second has room for another line. If not, it counts as dropped.
    pub(super) fn has_room(&self, most: u32) -> bool {
        let second = self.since.elapsed().as_secs() & u64::from(u32::MAX);
        let next = |seen: u64| {
            let count = if seen >> 32 == second { seen & u64::from(u32::MAX) } else { 0 };
            (count < u64::from(most)).then_some(second << 32 | (count + 1))
        };
        let counted = self.lines.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        if counted.is_err() {
            self.lost.count(1);
        }
        counted.is_ok()
    }

    /// Queues a line, if there is room.
    pub(super) fn push(&self, line: String) {
        if self.sender.try_send(Message::Line(line)).is_err() {
            self.lost.count(1);
        }
    }

    pub(super) fn dropped(&self) -> u64 {
        self.lost.all.load(Ordering::Relaxed)
    }

    pub(super) fn flush(&self, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        let (done, written) = sync_channel(1);
        let mut flush = Message::Flush(done);
        // A queue that is full has no way of waiting for a limited time.
        while let Err(refused) = self.sender.try_send(flush) {
            flush = match refused {
                std::sync::mpsc::TrySendError::Full(flush) => flush,
                std::sync::mpsc::TrySendError::Disconnected(_) => return false,
            };
            if Instant::now() >= until {
                return false;
            }
            thread::sleep(RESTS);
        }
        written.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok()
    }
}

/// How long to wait before asking again whether a full queue has room.
const RESTS: Duration = Duration::from_millis(5);

/// What the thread has.
struct Writing<W: Write> {
    writer: BufWriter<W>,
    lost: Arc<Lost>,
}

impl<W: Write> Writing<W> {
    fn run(mut self, queue: &Receiver<Message>) {
        loop {
            let message = match queue.try_recv() {
                Ok(message) => message,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Before it waits, what is there can be read.
                    self.flush();
                    match queue.recv() {
                        Ok(message) => message,
                        Err(_) => break,
                    }
                }
            };
            match message {
                Message::Line(line) => self.write(&line),
                Message::Flush(done) => {
                    self.flush();
                    // Whoever waited may have given up.
                    let _ = done.try_send(());
                }
            }
        }
        self.flush();
    }

    fn write(&mut self, line: &str) {
        self.tell_lost();
        if self.writer.write_all(line.as_bytes()).is_err() {
            self.lost.count(1);
        }
    }

    fn tell_lost(&mut self) {
        let untold = self.lost.untold.swap(0, Ordering::Relaxed);
        if untold > 0 && self.writer.write_all(line::dropped(untold).as_bytes()).is_err() {
            // Said once more when it can be.
            self.lost.untold.fetch_add(untold, Ordering::Relaxed);
        }
    }

    fn flush(&mut self) {
        self.tell_lost();
        // What stays in the buffer is tried again with the next line.
        let _ = self.writer.flush();
    }
}
