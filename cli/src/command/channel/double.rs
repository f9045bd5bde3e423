//! `joule channel dispute-payer`: shows the chain two vouchers of one number.

use super::evidence::verify;
use crate::{
    act::Actor,
    context::{address, Options},
    failure::Failure,
    token::Token,
};
use joule_sdk::{
    billing::state::{Channel, Verdict},
    instruction::billing,
    voucher::{Domain, Voucher},
    Pubkey,
};
use joule_x402::{PaymentPayload, Signed};
use serde_json::json;

#[derive(clap::Args)]
pub struct Args {
    /// The channel's address
    #[arg(value_parser = address)]
    channel: Pubkey,
    /// A signed voucher in base64, or the header `payment-signature` that came with it; or a file with either
    one: String,
    /// The other one of the same number
    other: String,
}

/// From what somebody kept of it.
fn read(text: &str) -> Result<Signed<Voucher>, Failure> {
    let kept = std::fs::read_to_string(text).unwrap_or_else(|_| text.to_owned());
    let kept = kept.trim();
    if let Ok(voucher) = serde_json::from_value(kept.into()) {
        return Ok(voucher);
    }
    let header = joule_x402::decode::<PaymentPayload>(kept.as_bytes()).ok().and_then(|payment| payment.payload.voucher);
    header.ok_or_else(|| {
        Failure::Input(format!(
            "{text:?} is no signed voucher: it should be one in base64, the header payment-signature with one, or a file with either"
        ))
    })
}

/// Whether two vouchers contradict each other, as the program sees it.
fn contradict(one: &Voucher, other: &Voucher) -> Result<(), Failure> {
    let no = |why: &str| Err(Failure::Input(format!("these vouchers contradict nothing: {why}")));
    if one.context.bytes() != other.context.bytes() {
        return no("they are of different channels");
    }
    match (one.sequence == other.sequence, one.cumulative != other.cumulative || one.usage_root != other.usage_root) {
        (false, _) => no("each has a number of its own"),
        (true, false) => no("they promise the same"),
        (true, true) => Ok(()),
    }
}

pub async fn dispute(options: &Options, args: &Args) -> Result<(), Failure> {
    let (one, other) = (read(&args.one)?, read(&args.other)?);
    contradict(&one.message, &other.message)?;
    let (actor, channel) = (Actor::of(options)?, args.channel);
    let state: Option<Channel> = actor.chain.find(&channel).await?;
    let gone = || Failure::NotFound(format!("no channel {channel} on the chain: it is closed, or never was"));
    let state = state.ok_or_else(gone)?;
    let context = billing::context(Domain::Voucher, &state.genesis_hash, &channel);
    if one.message.context.bytes() != context.bytes() {
        return Err(Failure::Input(format!("these vouchers are of another channel than {channel}")));
    }
    if state.is_convicted(Verdict::AgainstPayer) {
        return Err(Failure::Refused(format!(
            "the payer was convicted on channel {channel} before, and that is done once"
        )));
    }
    let token = Token::at(options, &actor.chain, state.mint).await?;
    let most = state.cap.get().min(state.session.limit.get());
    let lost = most.saturating_sub(state.settled.get());
    let signer = &state.session.signer;
    let instructions = [verify(signer, &one)?, verify(signer, &other)?, billing::dispute_vouchers(channel)];
    let done = format!("the payer of channel {channel} is convicted: {} count as settled", token.show(lost));
    let more = token.label(json!({ "forfeited": lost.to_string() }));
    actor.tell(options, &instructions, ("channel", &channel), &done, more).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable as _;

    fn voucher(sequence: u64, root: u8) -> Voucher {
        Voucher { sequence: sequence.into(), usage_root: [root; 32], ..Voucher::zeroed() }
    }

    #[test]
    fn a_voucher_is_read_from_base64_and_from_a_file() {
        let signed = Signed { message: voucher(7, 1), signature: [9; 64] };
        let text = serde_json::to_value(signed).unwrap().as_str().unwrap().to_owned();
        assert_eq!(read(&text).unwrap(), signed);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("voucher");
        std::fs::write(&file, format!("{text}\n")).unwrap();
        assert_eq!(read(&file.display().to_string()).unwrap(), signed);
        assert!(read("nonsense").unwrap_err().to_string().contains("no signed voucher"));
    }

    #[test]
    fn only_two_promises_of_one_number_contradict_each_other() {
        assert!(contradict(&voucher(7, 1), &voucher(7, 2)).is_ok());
        for (other, why) in [(voucher(8, 2), "a number of its own"), (voucher(7, 1), "promise the same")] {
            assert!(contradict(&voucher(7, 1), &other).unwrap_err().to_string().contains(why));
        }
    }
}
