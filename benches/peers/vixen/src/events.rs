//! What our programs state: instructions of theirs to themselves that begin with Anchor's tag.

use crate::accounts::{programs, EVENTS};
use std::borrow::Cow;
use yellowstone_vixen_core::{instruction::InstructionUpdate, ParseError, ParseResult, Parser, Prefilter, Pubkey};

const TAG: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];

#[derive(Debug, Clone)]
pub struct JouleEvent {
    pub name: &'static str,
    pub data: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct EventParser {
    programs: Vec<Pubkey>,
}

impl EventParser {
    pub fn new() -> Self {
        Self { programs: programs().into_iter().map(Pubkey::from).collect() }
    }
}

impl Parser for EventParser {
    type Input = InstructionUpdate;
    type Output = JouleEvent;

    fn id(&self) -> Cow<'static, str> {
        "joule::EventParser".into()
    }

    fn prefilter(&self) -> Prefilter {
        Prefilter::builder().transaction_accounts_include(&self.programs).build().expect("addresses")
    }

    async fn parse(&self, instruction: &InstructionUpdate) -> ParseResult<JouleEvent> {
        if !self.programs.contains(&instruction.program) {
            return Err(ParseError::Filtered);
        }
        let data = instruction.data.strip_prefix(&TAG).ok_or(ParseError::Filtered)?;
        let known = EVENTS.iter().find(|(discriminator, _)| data.starts_with(discriminator));
        let (_, name) = known.ok_or(ParseError::Filtered)?;
        Ok(JouleEvent { name, data: data.to_vec() })
    }
}
