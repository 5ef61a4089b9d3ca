//! The end of a stream, however long the stream is.

use std::collections::VecDeque;

/// The last bytes of what was written.
#[derive(Debug)]
pub struct Tail {
    bytes: VecDeque<u8>,
    limit: usize,
    cut: bool,
}

impl Tail {
    /// Keeps `limit` bytes at most.
    pub fn new(limit: usize) -> Self {
        Self {
            bytes: VecDeque::with_capacity(limit),
            limit,
            cut: false,
        }
    }

    /// Takes what was read, forgetting the oldest bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let kept = &bytes[bytes.len().saturating_sub(self.limit)..];
        let excess = (self.bytes.len() + kept.len()).saturating_sub(self.limit);
        self.cut |= excess > 0 || kept.len() < bytes.len();
        self.bytes.drain(..excess);
        self.bytes.extend(kept);
    }

    /// The last lines as text, control characters taken out: they go to a terminal.
    pub fn text(&self, lines: usize) -> String {
        let bytes: Vec<u8> = self.bytes.iter().copied().collect();
        let text = printable(&bytes);
        let all: Vec<&str> = text.trim_end().lines().collect();
        let first = all.len().saturating_sub(lines);
        let shown = all[first..].join("\n");
        if self.cut || first > 0 {
            format!("…\n{shown}")
        } else {
            shown
        }
    }
}

/// Bytes as text that is harmless to a terminal.
pub fn printable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .filter(|c| !c.is_control() || *c == '\n' || *c == '\t')
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept() {
        let mut tail = Tail::new(8);
        for _ in 0..1000 {
            tail.push(b"0123456789");
        }
        tail.push(b"the end\n");
        assert_eq!(tail.text(5), "…\nthe end");
    }

    #[test]
    fn a_short_stream_is_kept_whole_and_harmless_to_a_terminal() {
        let mut tail = Tail::new(100);
        tail.push(b"one\n\x1b[31mtwo\xff\n");
        assert_eq!(tail.text(5), "one\n[31mtwo\u{fffd}");
        assert_eq!(tail.text(1), "…\n[31mtwo\u{fffd}");
    }
}
