//! A line for each request.
//!
//! | file | question |
//! |---|---|
//! | `line` | what stands in it? |
//! | `queue` | how is it written without holding a request up? |

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::event::RequestEnded;
use super::limits::MAX_LINES;
use super::observer::Observer;

mod line;
mod queue;

use self::queue::Queue;

/// Writes a line of JSON for each request, when it ended. The fields are the modelled system's:
/// [`names::field`](super::names::field) has all of them.
///
/// A request never waits for it: lines go through a queue to a thread that writes them. Where that is too
/// slow, or where there are more than [`lines_a_second`](Self::lines_a_second), lines are
/// [dropped](Self::dropped); the next line that is written says how many.
///
/// What a client sent can end no line and draws nothing on a terminal: control characters are escaped. A
/// field is cut at [`MAX_FIELD`](super::limits::MAX_FIELD). What headers and parameters are called says
/// which of them are secrets; those are `[redacted]`, and bodies are never written.
///
/// A clone is cheap and writes to the same place. The thread ends, with everything written, when the last
/// clone and everything it was given to are gone; [`flush`](Self::flush) waits for what is queued.
///
/// ```no_run
/// use backhaul::Registry;
/// use backhaul::observe::AccessLog;
/// # async fn sample() -> Result<(), Box<dyn std::error::Error>> {
/// let log = AccessLog::to(std::fs::File::options().append(true).create(true).open("access.log")?)?;
/// let registry = Registry::builder().observer(log.clone()).open("shop.redb").await?;
/// # let _ = registry;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct AccessLog {
    queue: Arc<Queue>,
    headers: bool,
    most: u32,
}

impl AccessLog {
    /// One that writes to `writer`, from a thread of its own. What fails to be written counts as dropped.
    ///
    /// # Errors
    ///
    /// There can be no more threads.
    pub fn to(writer: impl io::Write + Send + 'static) -> io::Result<Self> {
        Ok(Self { queue: Arc::new(Queue::start(writer)?), headers: false, most: MAX_LINES })
    }

    /// The same, writing requests' headers too. Those that are secrets by their names are `[redacted]`.
    #[must_use]
    pub fn headers(mut self) -> Self {
        self.headers = true;
        self
    }

    /// The same with another limit for the lines of a second; without it [`MAX_LINES`].
    #[must_use]
    pub fn lines_a_second(mut self, most: u32) -> Self {
        self.most = most;
        self
    }

    /// How many lines were not written.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.queue.dropped()
    }

    /// Waits until what is queued is written, at most for `limit`; whether it was. It blocks: not for async
    /// code, where `spawn_blocking` takes it.
    #[must_use]
    pub fn flush(&self, limit: Duration) -> bool {
        self.queue.flush(limit)
    }
}

impl Observer for AccessLog {
    fn wants_text(&self) -> bool {
        true
    }

    fn wants_headers(&self) -> bool {
        self.headers
    }

    fn request_ended(&self, request: &RequestEnded<'_>) {
        if self.queue.has_room(self.most) {
            self.queue.push(line::line(request, self.headers));
        }
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessLog")
            .field("headers", &self.headers)
            .field("lines_a_second", &self.most)
            .field("dropped", &self.dropped())
            .finish_non_exhaustive()
    }
}
