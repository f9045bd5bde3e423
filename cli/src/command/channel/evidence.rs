//! What a provider has signed that convicts it: in the journal that `joule pay` keeps, or in a file that another program has written.

use super::place::Own;
use crate::{act::read, context::Options, failure::Failure, output};
use joule_client::{Limits, Wallet, WalletError};
use joule_sdk::{
    instruction::billing,
    voucher::{Domain, Format, Receipt, Verifier, Voucher},
    Instruction, Pubkey,
};
use joule_x402::{Base58, Proof, Signed};
use std::path::Path;

pub struct Evidence {
    /// From number 1 on.
    pub receipts: Vec<Signed<Receipt>>,
    /// Two of one number.
    pub both: Option<[Signed<Receipt>; 2]>,
    /// What is said when nothing here is a proof.
    pub otherwise: String,
    promise: Promise,
}

/// Who pays for the receipts.
enum Promise {
    Here(Box<Wallet>),
    /// It was signed elsewhere.
    Signed(Option<Signed<Voucher>>),
}

const FAIR: &str = "every receipt asks for what it may";

impl Evidence {
    /// Of this machine's own journal.
    pub fn kept(own: &Own) -> Result<Self, Failure> {
        let kept = own.journal()?.read().map_err(WalletError::from)?;
        let wallet = own.wallet(Limits { budget: own.channel().most, window: 1, margin: 0 })?;
        let receipts = kept.receipts.iter().map(|(_, signed)| *signed).chain(wallet.concession()).collect();
        let unproven = |why: &str| format!("what was caught cannot be proven: {why}");
        Ok(Self {
            receipts,
            both: kept.contradiction(&own.channel()),
            otherwise: kept.caught.as_ref().map_or(FAIR.into(), |caught| unproven(&caught.why)),
            promise: Promise::Here(Box::new(wallet)),
        })
    }

    /// Of a file, which nobody has to be believed about: all that it holds must have been signed by the provider for this channel.
    pub fn read(file: &Path, own: &Own) -> Result<Self, Failure> {
        let bad = |why: &str| Failure::Input(format!("{} is no proof for this channel: {why}", file.display()));
        let text = String::from_utf8(read(file)?).map_err(|_| bad("it is no text"))?;
        let proof = Proof::read(&text).map_err(|why| bad(&why))?;
        if (proof.channel.0, &proof.network) != (own.address.to_bytes(), &joule_x402::network(&own.genesis)) {
            return Err(bad(&format!("it is about channel {} on {}", proof.channel, proof.network)));
        }
        let context = own.channel().context(Domain::Receipt);
        let provider =
            Verifier::new(&own.state.authority.to_bytes()).ok_or_else(|| bad("the provider's key is no key"))?;
        let is_said = |signed: &Signed<Receipt>| {
            signed.message.context == context && provider.verify(signed.message.as_bytes(), &signed.signature).is_ok()
        };
        if let Some(forged) = proof.receipts.iter().chain(&proof.other).find(|signed| !is_said(signed)) {
            return Err(bad(&format!("the provider has not signed receipt {} for it", forged.message.sequence.get())));
        }
        let both = match proof.other {
            None => None,
            Some(other) => {
                let of_number = |one: &&Signed<Receipt>| one.message.sequence == other.message.sequence;
                let one = proof.receipts.iter().find(of_number).filter(|one| one.message != other.message);
                Some([*one.ok_or_else(|| bad("its two receipts do not contradict each other"))?, other])
            }
        };
        Ok(Self { receipts: proof.receipts, both, otherwise: FAIR.into(), promise: Promise::Signed(proof.voucher) })
    }

    /// Pays for all receipts. Signed here, the overcharge is promised with it.
    pub async fn voucher(&self, channel: &Pubkey) -> Result<Option<Signed<Voucher>>, Failure> {
        match &self.promise {
            Promise::Here(wallet) => {
                wallet.concede();
                Ok(wallet.payment().await?.and_then(|payment| payment.payload.voucher))
            }
            Promise::Signed(Some(voucher)) => Ok(Some(*voucher)),
            Promise::Signed(None) => Err(Failure::Input(format!(
                "the file has no voucher, and channel {channel} has not settled these receipts: whoever signs for it writes another"
            ))),
        }
    }

    /// For whoever brings it on chain.
    pub async fn save(&self, options: &Options, own: &Own, file: &Path) -> Result<(), Failure> {
        let (network, channel) = (joule_x402::network(&own.genesis), Base58(own.address.to_bytes()));
        let mut proof = Proof::new(network, channel, self.receipts.clone());
        match &self.both {
            Some([_, other]) => proof.other = Some(*other),
            None => proof.voucher = self.voucher(&own.address).await?,
        }
        std::fs::write(file, proof.text())
            .map_err(|error| Failure::Input(format!("cannot write {}: {error}", file.display())))?;
        if options.json {
            return output::json(&serde_json::json!({ "channel": own.address.to_string(), "proof": file }));
        }
        println!(
            "wrote the proof into {}: `joule channel dispute {} --proof` brings it on chain",
            file.display(),
            own.address
        );
        Ok(())
    }
}

pub fn verify<M: Format>(key: &Pubkey, signed: &Signed<M>) -> Result<Instruction, Failure> {
    let verify = billing::verify(key, &signed.signature, signed.message.as_bytes());
    verify.ok_or_else(|| Failure::Other(anyhow::anyhow!("a message is too long for the chain")))
}
