//! What our programs state: instructions of theirs to themselves that begin with Anchor's tag, kept whole with their names in Carbon's
//! own table of instructions.

use crate::accounts::{JouleDecoder, EVENTS};
use carbon_core::instruction::InstructionDecoder;
use solana_instruction::Instruction;

const TAG: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct JouleEvent {
    pub name: String,
    /// In hex.
    pub data: String,
}

impl<'a> InstructionDecoder<'a> for JouleDecoder {
    type InstructionType = JouleEvent;

    fn decode_instruction(&self, instruction: &'a Instruction) -> Option<JouleEvent> {
        if !self.programs.contains(&instruction.program_id) {
            return None;
        }
        let data = instruction.data.strip_prefix(&TAG)?;
        let (_, name) = EVENTS.iter().find(|(discriminator, _)| data.starts_with(discriminator))?;
        Some(JouleEvent { name: (*name).to_owned(), data: hex::encode(data) })
    }
}
