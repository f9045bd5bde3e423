//! What was signed off chain and brought on it. Settling states no event: what the instruction says is what must have happened.

use super::{payers::tab, Called, Story};
use crate::{
    check::Violation,
    model::{Model, Promise},
};
use joule_sdk::{
    instruction::billing::{batch_context, context},
    voucher::{precompile, Domain, Format, Voucher},
    Pubkey,
};
use joule_tests::GENESIS;

pub const PRECOMPILE: Pubkey = Pubkey::new_from_array(precompile::PROGRAM);

/// A batch: context, end, root; then a number and an amount for each channel.
const HEAD: usize = 32 + 8 + 32;
const ENTRY: usize = 8 + 8;

impl Story {
    pub(super) fn voucher_settled(&mut self, model: &mut Model, called: &Called) -> Result<(), Violation> {
        let channel = called.account("channel")?;
        let (key, message) = verified(model, called, 1)?;
        let voucher = Voucher::from_bytes(message).ok_or_else(|| Violation::new("settled by something else"))?;
        let is_its = voucher.context == context(Domain::Voucher, &GENESIS, &channel);
        Violation::unless(is_its, "a voucher for something else was settled")?;
        let tab = tab(model, &channel)?;
        Violation::unless(tab.channel.session.signer == key, "a voucher was settled that the session has not signed")?;
        let promise = Promise {
            sequence: voucher.sequence.get(),
            cumulative: voucher.cumulative.get().get(),
            expires_at: voucher.expires_at.get().get(),
        };
        tab.settle(&promise, called.now)?;
        tab.channel.units = voucher.units.get().into();
        tab.channel.usage_root = voucher.usage_root;
        model.mark("voucher settled");
        Ok(())
    }

    pub(super) fn batch_settled(&mut self, model: &mut Model, called: &Called) -> Result<(), Violation> {
        let channels = called.others();
        let payer = Pubkey::new_from_array(called.argument(0)?);
        let (key, message) = verified(model, called, 1)?;
        let is_whole = message.len() == HEAD + channels.len() * ENTRY;
        Violation::unless(is_whole, "a batch was settled for other channels than it names")?;
        let is_its = batch_context(&GENESIS, &payer, &channels).is_some_and(|of| of.bytes()[..] == message[..32]);
        // Without a channel that could settle nobody looks at what the batch is for.
        let is_any = channels.iter().any(|channel| model.tabs.contains_key(channel) && called.may_change(channel));
        Violation::unless(is_its || !is_any, "a batch for something else was settled")?;
        let number =
            |at: usize| message.get(at..at + 8).and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
        let cut = || Violation::new("a batch that is cut off");
        let expires_at = number(32).ok_or_else(cut)? as i64;
        for (place, channel) in channels.iter().enumerate() {
            let at = HEAD + place * ENTRY;
            let (sequence, cumulative) = number(at).zip(number(at + 8)).ok_or_else(cut)?;
            // One that cannot settle is passed over, and keeps nobody waiting.
            let Some(tab) = model.tabs.get_mut(channel) else { continue };
            let is_theirs =
                tab.channel.payer == payer && tab.channel.session.signer == key && called.may_change(channel);
            let promise = Promise { sequence, cumulative, expires_at };
            if !is_theirs || tab.settle(&promise, called.now).is_err() {
                continue;
            }
            tab.channel.usage_root.copy_from_slice(&message[40..HEAD]);
            model.mark("voucher of a batch settled");
        }
        Ok(())
    }
}

/// Who has signed what, as the instruction `back` places before has had the chain verify: in the one layout that leaves
/// nothing to choose, and only what that key has really signed.
pub(super) fn verified<'a>(model: &Model, called: &Called<'a>, back: usize) -> Result<(Pubkey, &'a [u8]), Violation> {
    let missing = || Violation::new("taken without a verified signature");
    let place = called.before.len().checked_sub(back).ok_or_else(missing)?;
    let verify = &called.before[place];
    let (head, message) = verify.data.split_at_checked(112).ok_or_else(missing)?;
    let [low, high] = (message.len() as u16).to_le_bytes();
    let layout = [1, 0, 48, 0, 255, 255, 16, 0, 255, 255, 112, 0, low, high, 255, 255];
    let is_exact = verify.program_id == PRECOMPILE && verify.accounts.is_empty() && head[..16] == layout;
    Violation::unless(is_exact, "taken without a verified signature")?;
    let key = Pubkey::try_from(&head[16..48]).map_err(|_| missing())?;
    Violation::unless(model.signed.has(&key, message), "taken as signed by somebody who has not signed it")?;
    Ok((key, message))
}
