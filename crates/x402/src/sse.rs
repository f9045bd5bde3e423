//! Server-sent events: where one ends in a stream of bytes, and what it carries.

/// Cuts bytes into events, and keeps what is not whole yet.
#[derive(Debug, Default)]
pub struct Splitter {
    rest: Vec<u8>,
    /// How much of `rest` holds no end of an event.
    searched: usize,
}

impl Splitter {
    /// Adds what came in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The next whole event, with the empty line that ends it.
    pub fn next_event(&mut self) -> Option<Vec<u8>> {
        // An end may straddle what was searched before.
        let from = self.searched.saturating_sub(3);
        match end(&self.rest[from..]) {
            Some(length) => {
                let event = self.rest.drain(..from + length).collect();
                self.searched = 0;
                Some(event)
            }
            None => {
                self.searched = self.rest.len();
                None
            }
        }
    }

    /// Bytes of an event that has not ended.
    pub fn waiting(&self) -> usize {
        self.rest.len()
    }
}

/// Where the first empty line ends; lines end with LF, CRLF or CR.
fn end(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len()).find_map(|at| match &bytes[at..] {
        [b'\n', b'\n', ..] | [b'\r', b'\r', ..] => Some(at + 2),
        [b'\n', b'\r', b'\n', ..] => Some(at + 3),
        [b'\r', b'\n', b'\r', b'\n', ..] => Some(at + 4),
        _ => None,
    })
}

/// The event's `data`, its lines joined; empty for comments.
pub fn data(event: &[u8]) -> String {
    let text = String::from_utf8_lossy(event);
    let lines = text.split(['\n', '\r']).filter_map(|line| line.strip_prefix("data:"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

/// What ends an OpenAI stream.
pub const DONE: &str = "[DONE]";

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut events = Vec::new();
        for piece in pieces {
            splitter.push(piece.as_bytes());
            while let Some(event) = splitter.next_event() {
                events.push(String::from_utf8(event).unwrap());
            }
        }
        events
    }

    #[test]
    fn events_come_out_whole_however_the_bytes_are_cut() {
        for text in ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r"] {
            let whole = split(&[text]);
            assert_eq!(whole.len(), 2, "{text:?}");
            assert_eq!(whole.concat(), text);
            let bytes: Vec<_> = (0..text.len()).map(|at| &text[at..=at]).collect();
            assert_eq!(split(&bytes), whole);
        }
    }

    #[test]
    fn an_event_that_has_not_ended_waits() {
        let mut splitter = Splitter::default();
        splitter.push(b"data: half");
        assert_eq!(splitter.next_event(), None);
        assert_eq!(splitter.waiting(), 10);
    }

    #[test]
    fn data_is_what_follows_the_colon_and_one_space() {
        assert_eq!(data(b"data: [DONE]\n\n"), DONE);
        assert_eq!(data(b"event: x\r\ndata:{\"a\":1}\r\n\r\n"), "{\"a\":1}");
        assert_eq!(data(b"data: a\ndata:  b\n\n"), "a\n b");
        assert_eq!(data(b": a comment\n\n"), "");
    }
}
