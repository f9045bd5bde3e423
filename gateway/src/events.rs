//! Server-sent events as upstreams send them, in every form that the standard allows, and the one form in which they are sent on.
//!
//! Libraries read less than the standard: after an `id:` line openai-python takes every empty line for an event, and tries to read
//! what is none. So nothing goes out but `data:` with one line of JSON, and comments: no ids, names, or times to wait.

use joule_x402::sse;

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// What `event:` and `data:` say; the data's lines are joined by LF.
    Data { name: String, data: String },
    /// A comment, or an event without data: a sign of life.
    Nothing,
}

/// Cuts bytes into events, however they come.
#[derive(Debug, Default)]
pub struct Events {
    rest: Vec<u8>,
    /// How much of `rest` holds no end of a line.
    searched: usize,
    begun: bool,
    /// The last line has ended with CR: a LF that follows belongs to it.
    after_return: bool,
    name: String,
    data: Option<String>,
    /// A line has come since the last event.
    alive: bool,
}

impl Events {
    /// Adds what came in.
    pub fn push(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
    }

    /// The stream is over: what has no end yet ends here.
    pub fn finish(&mut self) {
        self.push(b"\n\n");
    }

    /// Bytes of an event that has not ended.
    pub fn waiting(&self) -> usize {
        self.rest.len() + self.data.as_ref().map_or(0, String::len)
    }

    /// The next whole event.
    pub fn next_event(&mut self) -> Option<Event> {
        loop {
            let line = self.line()?;
            match line.as_str() {
                "" => {
                    let (name, data) = (std::mem::take(&mut self.name), self.data.take());
                    let alive = std::mem::take(&mut self.alive);
                    match data.filter(|data| !data.trim().is_empty()) {
                        Some(data) => return Some(Event::Data { name, data }),
                        None if alive => return Some(Event::Nothing),
                        None => {}
                    }
                }
                line => self.field(line),
            }
        }
    }

    fn field(&mut self, line: &str) {
        self.alive = true;
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match (field, &mut self.data) {
            ("data", Some(data)) => {
                data.push('\n');
                data.push_str(value);
            }
            ("data", data) => *data = Some(value.to_owned()),
            ("event", _) => value.clone_into(&mut self.name),
            // Old servers of llama.cpp say so that something went wrong.
            ("error", data) => {
                "error".clone_into(&mut self.name);
                *data = Some(value.to_owned());
            }
            _ => {}
        }
    }

    /// The next whole line, without its end: LF, CRLF or CR.
    fn line(&mut self) -> Option<String> {
        if self.after_return && !self.rest.is_empty() {
            self.after_return = false;
            if self.rest[0] == b'\n' {
                self.rest.remove(0);
            }
        }
        let found = self.rest[self.searched..].iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let Some(length) = found.map(|at| self.searched + at) else {
            self.searched = self.rest.len();
            return None;
        };
        self.after_return = self.rest[length] == b'\r';
        let line: Vec<u8> = self.rest.drain(..=length).collect();
        self.searched = 0;
        let text = String::from_utf8_lossy(&line[..length]);
        let is_first = !std::mem::replace(&mut self.begun, true);
        let text = if is_first { text.trim_start_matches('\u{feff}') } else { &text };
        Some(text.to_owned())
    }
}

/// What ends an OpenAI stream.
pub fn is_done(data: &str) -> bool {
    data.trim() == sse::DONE
}

/// An event as it is sent on. A line that ends inside of JSON ends between two of its words.
pub fn frame(json: &str) -> String {
    format!("data: {}\n\n", json.replace(['\n', '\r'], " "))
}

/// A sign of life as it is sent on.
pub const ALIVE: &str = ": alive\n\n";

#[cfg(test)]
mod tests {
    use super::*;

    fn data(text: &str) -> Event {
        Event::Data { name: String::new(), data: text.to_owned() }
    }

    fn read(pieces: &[&[u8]]) -> Vec<Event> {
        let mut events = Events::default();
        let mut all = Vec::new();
        for piece in pieces {
            events.push(piece);
            all.extend(std::iter::from_fn(|| events.next_event()));
        }
        events.finish();
        all.extend(std::iter::from_fn(|| events.next_event()));
        all
    }

    #[test]
    fn every_form_of_an_event_is_read_however_the_bytes_are_cut() {
        let forms = [
            "data: a\n\ndata: b\n\n",
            "data:a\r\n\r\ndata:b\r\n\r\n",
            "data: a\r\rdata: b\r\r",
            "\u{feff}data: a\n\ndata: b\n\n",
            "id: 1\ndata: a\nretry: 5\n\nid\ndata: b\n\n",
            "data: a\n\n\n\n\ndata: b\n\n",
            "data: a\r\n\ndata: b\n\r\n",
            "data: a\n\ndata: b",
            "data: a\n\ndata: b\r",
        ];
        for form in forms {
            let bytes: Vec<_> = form.as_bytes().chunks(1).collect();
            assert_eq!(read(&[form.as_bytes()]), [data("a"), data("b")], "{form:?}");
            assert_eq!(read(&bytes), [data("a"), data("b")], "{form:?}, byte by byte");
        }
    }

    #[test]
    fn lines_of_one_event_belong_together() {
        assert_eq!(read(&[b"data: {\ndata:  1\ndata\ndata: }\n\n"]), [data("{\n 1\n\n}")]);
        let named = Event::Data { name: "error".into(), data: "x".into() };
        assert_eq!(read(&[b"event: error\ndata: x\n\ndata: y\n\n"]), [named.clone(), data("y")]);
        assert_eq!(read(&[b"error: x\n\n"]), [named]);
    }

    #[test]
    fn what_has_no_data_is_a_sign_of_life() {
        for nothing in
            [": PROCESSING\n\n", ":\n\n", "id: 7\n\n", "retry: 5\n\n", "data:\n\n", "event: ping\n\n", "data: \n\n"]
        {
            assert_eq!(read(&[nothing.as_bytes()]), [Event::Nothing], "{nothing:?}");
        }
        assert_eq!(read(&[b"\n\n\n"]), []);
        assert_eq!(read(&[b": one\ndata: a\n: two\n\n"]), [data("a")], "a comment inside of an event");
        assert_eq!(read(&[b"event: ping\n\ndata: a\n\n"]), [Event::Nothing, data("a")], "a name ends with its event");
    }

    #[test]
    fn an_event_that_has_not_ended_waits() {
        let mut events = Events::default();
        events.push(b"data: half");
        assert_eq!((events.next_event(), events.waiting()), (None, 10));
        events.push(b"\nda");
        assert_eq!((events.next_event(), events.waiting()), (None, 6));
    }

    /// openai-python takes an empty line after `id:`, `event:` or `retry:` for an event whose data are JSON.
    #[test]
    fn nothing_goes_out_but_one_line_of_data_and_an_empty_one() {
        assert_eq!(frame("{\"a\":\n1,\r\n\"b\":2}"), "data: {\"a\": 1,  \"b\":2}\n\n");
        for out in [frame("{}"), frame(sse::DONE), ALIVE.to_owned()] {
            let lines: Vec<_> = out.split('\n').collect();
            assert!(
                matches!(lines[..], [line, "", ""] if line.starts_with("data: ") || line.starts_with(": ")),
                "{out:?}"
            );
        }
    }
}
