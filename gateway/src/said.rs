//! What one event of an upstream's stream is.

use crate::{
    bought::Bought,
    complaint::Complaint,
    events::{self, Event},
    meter::Piece,
    reply::Failure,
};
use serde_json::{json, Value};

#[derive(Debug)]
pub enum Said {
    /// Nothing, and the upstream lives.
    Alive,
    /// That it has said everything.
    Done,
    Part(Part),
}

/// A part of the answer.
#[derive(Debug)]
pub struct Part {
    /// As it is sent on; `None` when it is not for the client.
    pub frame: Option<String>,
    pub piece: Piece,
    /// There was more of it than was bought, and nothing may follow.
    pub is_cut: bool,
}

impl Said {
    /// An error is whatever is none of these: what the upstream says that went wrong, or nonsense.
    pub fn read(event: Event, bought: &mut Bought, include_usage: bool) -> Result<Self, Failure> {
        let Event::Data { name, data } = event else { return Ok(Self::Alive) };
        if name == "error" {
            return Err(Complaint::named(&data).into());
        }
        if events::is_done(&data) {
            return Ok(Self::Done);
        }
        let mut answer: Value = serde_json::from_str(&data).map_err(|_| Failure::UpstreamNonsense)?;
        if !answer.is_object() {
            return Err(Failure::UpstreamNonsense);
        }
        if let Some(complaint) = Complaint::of(&answer) {
            return Err(complaint.into());
        }
        let is_cut = bought.cut(&mut answer);
        let piece = Piece::weigh(&answer);
        let is_chunk = answer.get("choices").is_some_and(Value::is_array);
        let frame = match (is_chunk, piece.is_usage_alone()) {
            (_, true) if !include_usage => None,
            // Libraries read a list of choices in every event.
            (false, true) => {
                answer["choices"] = json!([]);
                Some(events::frame(&answer.to_string()))
            }
            (false, false) => return Ok(Self::Alive),
            (true, _) if is_cut => Some(events::frame(&answer.to_string())),
            (true, _) => Some(events::frame(&data)),
        };
        Ok(Self::Part(Part { frame, piece, is_cut }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openai::{Endpoint, Request};
    use joule_voucher::Usage;

    fn read(data: &str, include_usage: bool) -> Result<Said, Failure> {
        let request = Request::read(Endpoint::Chat, json!({"model": "m"}).to_string().into()).unwrap();
        let mut bought = Bought::of(&request, &Usage { output_tokens: 1, ..Usage::default() }, 4);
        Said::read(Event::Data { name: String::new(), data: data.into() }, &mut bought, include_usage)
    }

    fn frame(data: &str, include_usage: bool) -> Option<String> {
        match read(data, include_usage) {
            Ok(Said::Part(part)) => part.frame,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn usage_goes_to_whoever_asked_for_it_in_the_form_that_libraries_read() {
        for usage in [
            r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            r#"{"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            r#"{"choices":null,"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
        ] {
            assert_eq!(frame(usage, false), None);
            let sent = frame(usage, true).unwrap();
            let sent: Value = serde_json::from_str(sent.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(sent, json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}));
        }
    }

    #[test]
    fn what_is_no_part_of_an_answer_is_a_sign_of_life() {
        for other in ["{\"type\":\"ping\"}", "{}", "{\"choices\":null}"] {
            assert!(matches!(read(other, true), Ok(Said::Alive)), "{other}");
        }
        assert!(matches!(read(" [DONE] ", false), Ok(Said::Done)));
    }

    #[test]
    fn what_cannot_be_read_is_nonsense_and_errors_are_errors() {
        for nonsense in ["so many words", "7", "[]", "\"ping\"", "{\"choices\":"] {
            assert_eq!(read(nonsense, false).unwrap_err(), Failure::UpstreamNonsense, "{nonsense}");
        }
        let said = Failure::Said { status: 500, message: "full".into() };
        assert_eq!(read("{\"error\":{\"message\":\"full\"}}", false).unwrap_err(), said);
    }

    #[test]
    fn an_event_beyond_what_was_bought_ends_there() {
        let long = json!({"choices": [{"index": 0, "delta": {"content": "0123456789abcdefghi"}}]}).to_string();
        let Ok(Said::Part(part)) = read(&long, false) else { panic!() };
        assert!(part.is_cut);
        let sent = part.frame.unwrap();
        assert!(sent.contains("\"0123456789abcdef\"") && sent.contains("\"finish_reason\":\"length\""), "{sent}");
    }
}
