//! Finding our programs' events among the inner instructions of a transaction.

use crate::{
    decode::Program,
    types::{Address, Malformed, RawEvent},
};
use anchor_lang::event::EVENT_IX_TAG_LE;

/// An inner instruction, as gRPC and RPC both give it.
pub struct Inner<'a> {
    pub program_index: usize,
    pub accounts: &'a [u8],
    pub data: &'a [u8],
}

/// The event in an inner instruction, if it is one: one of our programs called itself, with the event tag, and with
/// its event authority, for which only the program can sign. Anything less can be forged by whoever sends a transaction.
pub fn event(keys: &[Address], instruction: u32, inner: u32, call: Inner<'_>) -> Result<Option<RawEvent>, Malformed> {
    let key = |index: usize| keys.get(index).ok_or(Malformed::AccountIndex { index, keys: keys.len() });
    let Some(program) = Program::of(key(call.program_index)?) else { return Ok(None) };
    let Some(data) = call.data.strip_prefix(EVENT_IX_TAG_LE) else { return Ok(None) };
    let [authority] = call.accounts else { return Ok(None) };
    if *key(usize::from(*authority))? != program.event_authority() {
        return Ok(None);
    }
    Ok(Some(RawEvent { instruction, inner, program: program.address(), data: data.to_vec().into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(keys: &[Address], accounts: &[u8], data: &[u8]) -> Option<RawEvent> {
        event(keys, 3, 1, Inner { program_index: 1, accounts, data }).unwrap()
    }

    #[test]
    fn only_a_call_to_our_program_with_tag_and_event_authority_is_an_event() {
        let escrow = Program::Escrow;
        let keys = [escrow.event_authority(), escrow.address(), Address([9; 32])];
        let data = [EVENT_IX_TAG_LE, &[1, 2, 3]].concat();
        let found = call(&keys, &[0], &data).unwrap();
        assert_eq!((found.instruction, found.inner, &found.data[..]), (3, 1, &[1, 2, 3][..]));

        assert_eq!(call(&keys, &[0], &[1; 20]), None, "no tag");
        assert_eq!(call(&keys, &[2], &data), None, "another account");
        assert_eq!(call(&keys, &[], &data), None, "no account");
        assert_eq!(call(&keys, &[0, 2], &data), None, "an account too many");
        let foreign = [escrow.event_authority(), Address([8; 32])];
        assert_eq!(call(&foreign, &[0], &data), None, "another program");
        let swapped = [Program::Registry.event_authority(), escrow.address()];
        assert_eq!(call(&swapped, &[0], &data), None, "another program's authority");
    }

    #[test]
    fn an_index_outside_the_accounts_is_an_error_not_a_panic() {
        let data = [EVENT_IX_TAG_LE, &[1]].concat();
        let keys = [Program::Escrow.address()];
        assert!(event(&keys, 0, 0, Inner { program_index: 7, accounts: &[], data: &data }).is_err());
        assert!(event(&keys, 0, 0, Inner { program_index: 0, accounts: &[7], data: &data }).is_err());
    }
}
