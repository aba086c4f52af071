//! HTTP/2 frames that cost work and carry nothing, counted as they go by (RFC 9113 section 10.5).

use tokio::time::Instant;

use crate::serve::limits::{FLOOD_WINDOW, MAX_IDLE_FRAMES};

/// Bytes of a frame's head: length, type, flags, stream.
const FRAME_HEAD: usize = 9;
/// Types of frames (RFC 9113 section 6) that are bounded by something else: what a stream sends or
/// may send, and how often it is reset.
const BOUNDED: [u8; 7] =
    [DATA, HEADERS, RST_STREAM, PUSH_PROMISE, GOAWAY, WINDOW_UPDATE, CONTINUATION];
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const PUSH_PROMISE: u8 = 5;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Follows the frames of one connection.
#[derive(Debug)]
pub(super) struct Frames {
    /// Bytes until the next frame's head.
    skip: usize,
    /// What there is of it.
    head: [u8; FRAME_HEAD],
    filled: usize,
    counted: u32,
    since: Option<Instant>,
}

impl Frames {
    /// Begins `skip` bytes before the first frame.
    pub(super) fn after(skip: usize) -> Self {
        Self { skip, head: [0; FRAME_HEAD], filled: 0, counted: 0, since: None }
    }

    /// Reads on. Tells whether there were no more such frames than allowed.
    pub(super) fn read(&mut self, mut input: &[u8]) -> bool {
        while !input.is_empty() {
            let skipped = self.skip.min(input.len());
            self.skip -= skipped;
            input = input.get(skipped..).unwrap_or_default();
            let wanted = (FRAME_HEAD - self.filled).min(input.len());
            let (head, rest) = input.split_at_checked(wanted).unwrap_or_default();
            if let Some(place) = self.head.get_mut(self.filled..self.filled + wanted) {
                place.copy_from_slice(head);
            }
            self.filled += wanted;
            input = rest;
            if self.filled == FRAME_HEAD && !self.frame() {
                return false;
            }
        }
        true
    }

    fn frame(&mut self) -> bool {
        let [high, middle, low, kind, ..] = self.head;
        self.filled = 0;
        self.skip = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
        if BOUNDED.contains(&kind) {
            return true;
        }
        let now = Instant::now();
        if self.since.is_none_or(|since| now - since > FLOOD_WINDOW) {
            self.since = Some(now);
            self.counted = 0;
        }
        self.counted += 1;
        self.counted <= MAX_IDLE_FRAMES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    fn data(length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, DATA, 0, 0, 0, 0, 1];
        frame.resize(FRAME_HEAD + usize::from(length), PING[3]);
        frame
    }

    #[tokio::test(start_paused = true)]
    async fn idle_frames_are_counted_within_a_time() {
        let mut frames = Frames::after(3);
        assert!(frames.read(b"abc"));
        for _ in 0..MAX_IDLE_FRAMES {
            // A frame's content is not taken for frames, wherever it is cut.
            assert!(PING.iter().all(|byte| frames.read(&[*byte])));
            assert!(frames.read(&data(200)));
        }
        tokio::time::advance(FLOOD_WINDOW * 2).await;
        for _ in 0..MAX_IDLE_FRAMES {
            assert!(frames.read(&PING));
        }
        assert!(!frames.read(&PING));
    }
}
