//! Reads standard output until a line fits.
//!
//! All of it is read as it comes, after the line too: an app that writes much must never wait for
//! us. Memory does not grow with it.

use std::fs::File;
use std::io::{BufRead, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use super::Wait;
use crate::launch::Failure;
use crate::launch::stream::{READ_BYTES, READS, nonblocking, pipe};
use crate::launch::tail::printable;
use crate::suite::Pattern;

/// What is looked at of a line.
const LINE_BYTES: usize = 64 * 1024;
/// What a message shows of a line.
const SHOWN_BYTES: usize = 200;

/// Standard output, line by line.
#[derive(Debug)]
pub struct Lines {
    /// `None` after its end.
    file: Option<File>,
    /// `None` after a line that fits: the rest is read and forgotten.
    pattern: Option<Pattern>,
    /// A line whose end has not come yet, or its beginning if it is long.
    line: Vec<u8>,
    /// The last line that has ended.
    last: Option<Vec<u8>>,
}

impl Lines {
    /// With the descriptor that becomes the process's standard output.
    ///
    /// # Errors
    /// When there is no pipe to be had.
    pub fn new(pattern: &Pattern) -> Result<(Self, OwnedFd), Failure> {
        let (ours, theirs) = pipe()?;
        let lines = Self {
            file: Some(nonblocking(ours)),
            pattern: Some(pattern.clone()),
            line: Vec::new(),
            last: None,
        };
        Ok((lines, theirs))
    }

    /// More output.
    pub fn waits_for(&self) -> Wait<'_> {
        match &self.file {
            Some(file) => Wait::Readable(file.as_fd()),
            None => Wait::Nothing,
        }
    }

    /// From now on the output is read and forgotten.
    pub fn dismiss(&mut self) {
        self.pattern = None;
        self.line = Vec::new();
    }

    /// Takes what is there; at most a mebibyte, so that a process that writes without end does
    /// not keep us from looking at the clock. Gives the time when the end of the first fitting
    /// line was read.
    pub fn advance(&mut self) -> Option<Instant> {
        let mut buffer = [0; READ_BYTES];
        for _ in 0..READS {
            match self.file.as_mut()?.read(&mut buffer) {
                Ok(0) => {
                    let at = Instant::now();
                    self.file = None;
                    // What comes before the end of the stream is a line, too.
                    let fits = !self.line.is_empty() && self.end_line();
                    return fits.then_some(at);
                }
                Ok(count) => {
                    let at = Instant::now();
                    if self.push(&buffer[..count]) {
                        return Some(at);
                    }
                }
                Err(_) => return None,
            }
        }
        None
    }

    /// Does a line fit that ends in these bytes?
    fn push(&mut self, mut bytes: &[u8]) -> bool {
        while self.pattern.is_some() && !bytes.is_empty() {
            let begin = bytes;
            // Reading from memory into memory does not fail.
            let count = bytes.read_until(b'\n', &mut self.line).unwrap_or(0);
            let ended = count > 0 && begin[count - 1] == b'\n';
            if ended {
                self.line.pop();
            }
            self.line.truncate(LINE_BYTES);
            if ended && self.end_line() {
                return true;
            }
        }
        false
    }

    fn end_line(&mut self) -> bool {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let fits = self
            .pattern
            .as_ref()
            .is_some_and(|pattern| pattern.fits(&self.line));
        if fits {
            self.dismiss();
        } else {
            let last = self.last.get_or_insert_default();
            last.clear();
            last.extend_from_slice(&self.line[..self.line.len().min(SHOWN_BYTES)]);
            self.line.clear();
        }
        fits
    }

    /// What was last written.
    pub fn last(&self) -> String {
        if !self.line.is_empty() {
            let shown = &self.line[..self.line.len().min(SHOWN_BYTES)];
            return format!(
                "the last that it wrote there was `{}`, without the end of a line",
                printable(shown)
            );
        }
        match &self.last {
            Some(last) => format!(
                "the last line that it wrote there was `{}`",
                printable(last)
            ),
            None => "it wrote nothing there; Python keeps its output back when that goes to a \
                     pipe: print with flush=True, or set PYTHONUNBUFFERED = \"1\" in app.env"
                .to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(pattern: &str) -> (Lines, File) {
        let (lines, end) = Lines::new(&Pattern::parse(pattern).unwrap()).unwrap();
        (lines, end.into())
    }

    #[test]
    fn a_line_in_pieces_fits_when_its_end_comes() {
        let (mut lines, mut app) = lines("^ready$");
        for piece in [&b"not ready\nrea"[..], b"dy"] {
            app.write_all(piece).unwrap();
            assert_eq!(lines.advance(), None);
        }
        assert!(lines.last().contains("`ready`, without the end"));
        app.write_all(b"\r\nready\n").unwrap();
        assert!(lines.advance().is_some());
        assert_eq!(lines.advance(), None);
    }

    #[test]
    fn a_last_line_without_an_end_ends_with_the_stream() {
        let (mut lines, mut app) = lines("^ready$");
        app.write_all(b"ready").unwrap();
        assert_eq!(lines.advance(), None);
        drop(app);
        assert!(lines.advance().is_some());
        assert!(matches!(lines.waits_for(), Wait::Nothing));
    }

    #[test]
    fn of_a_long_line_the_beginning_is_looked_at_and_the_rest_is_forgotten() {
        let (mut lines, _app) = lines("^x+y$|tail|^next$");
        for _ in 0..100 {
            assert!(!lines.push(&[b'x'; 10_000]));
            assert!(lines.line.len() <= LINE_BYTES);
        }
        assert!(!lines.push(b"tail\n"));
        assert!(lines.push(b"next\n"));
    }
}
