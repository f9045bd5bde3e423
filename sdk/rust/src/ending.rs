//! How a job ended whose account is gone: what the escrow stated in the transactions that closed it.

use crate::{
    escrow::{
        event::{DisputeResolved, JobPaid, JobRefunded, JobSettled},
        state::Verdict,
        ID,
    },
    pda, Chain, Pubkey, RpcRequest, SdkError,
};
use anchor_lang::{event::EVENT_IX_TAG_LE, Discriminator, Event};
use bytemuck::Pod;
use serde_json::{json, Value};

/// So many transactions at the end of a job are looked through: disputes are wound up vote by vote.
const LOOKED_THROUGH: usize = 100;

/// The end of a job. Amounts in base units of `mint`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ending {
    /// The provider was paid; otherwise the budget went back.
    pub is_settled: bool,
    pub mint: Pubkey,
    /// All zero when nobody had accepted.
    pub provider: Pubkey,
    /// All zero unless settled without a dispute.
    pub result_hash: [u8; 32],
    pub price: u64,
    pub paid: Paid,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Paid {
    pub provider: u64,
    pub fee: u64,
    pub challenger: u64,
    pub client: u64,
}

impl Paid {
    fn add(&mut self, more: Self) {
        self.provider = self.provider.saturating_add(more.provider);
        self.fee = self.fee.saturating_add(more.fee);
        self.challenger = self.challenger.saturating_add(more.challenger);
        self.client = self.client.saturating_add(more.client);
    }
}

impl Chain {
    /// `None` where the node knows no transaction that ended it: it goes on, it never was, or the node keeps less than that.
    pub async fn ending_of_job(&self, job: &Pubkey) -> Result<Option<Ending>, SdkError> {
        let options = json!([job.to_string(), { "limit": LOOKED_THROUGH, "commitment": "confirmed" }]);
        let signatures: Vec<Value> = self.rpc().send(RpcRequest::GetSignaturesForAddress, options).await?;
        let mut later = Paid::default();
        for found in signatures.iter().filter(|found| found["err"].is_null()) {
            let options = json!([found["signature"], {
                "encoding": "json", "commitment": "confirmed", "maxSupportedTransactionVersion": 1,
            }]);
            let transaction: Value = self.rpc().send(RpcRequest::GetTransaction, options).await?;
            let events = events(&transaction);
            for event in events.iter().rev() {
                if let Some(mut ending) = decisive(event, job) {
                    ending.paid.add(later);
                    return Ok(Some(ending));
                }
                if let Some(paid) = read::<JobPaid>(event).filter(|paid| paid.job == *job) {
                    later.add(Paid {
                        provider: paid.paid_provider.get(),
                        fee: paid.paid_fee.get(),
                        challenger: paid.paid_challenger.get(),
                        client: paid.paid_client.get(),
                    });
                }
            }
        }
        Ok(None)
    }
}

/// The escrow's events in a transaction: it called itself, with its event authority, for which only it can sign.
fn events(transaction: &Value) -> Vec<Vec<u8>> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let loaded = &transaction["meta"]["loadedAddresses"];
    let keys = [&transaction["transaction"]["message"]["accountKeys"], &loaded["writable"], &loaded["readonly"]];
    let keys: Vec<String> = keys.into_iter().flat_map(list).filter_map(|key| key.as_str().map(str::to_owned)).collect();
    let is = |index: &Value, key: &Pubkey| {
        let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| keys.get(index)).is_some_and(|found| *found == key.to_string())
    };
    let authority = pda::event_authority(&ID);
    let calls = list(&transaction["meta"]["innerInstructions"]);
    let calls = calls.iter().flat_map(|inner| list(&inner["instructions"]));
    let ours = calls.filter(|call| {
        let accounts = list(&call["accounts"]);
        is(&call["programIdIndex"], &ID) && accounts.len() == 1 && is(&accounts[0], &authority)
    });
    ours.filter_map(|call| {
        let data = bs58::decode(call["data"].as_str()?).into_vec().ok()?;
        data.strip_prefix(EVENT_IX_TAG_LE).map(<[u8]>::to_vec)
    })
    .collect()
}

fn read<E: Event + Discriminator + Pod>(event: &[u8]) -> Option<E> {
    bytemuck::try_pod_read_unaligned(event.strip_prefix(E::DISCRIMINATOR)?).ok()
}

fn decisive(event: &[u8], job: &Pubkey) -> Option<Ending> {
    if let Some(e) = read::<JobSettled>(event).filter(|e| e.job == *job) {
        let paid =
            Paid { provider: e.paid_provider.get(), fee: e.paid_fee.get(), challenger: 0, client: e.paid_client.get() };
        let (provider, price) = (e.provider, e.price.get());
        return Some(Ending { is_settled: true, mint: e.mint, provider, result_hash: e.result_hash, price, paid });
    }
    if let Some(e) = read::<JobRefunded>(event).filter(|e| e.job == *job) {
        let paid = Paid { fee: e.paid_fee.get(), client: e.paid_client.get(), ..Paid::default() };
        return Some(Ending { mint: e.mint, provider: e.provider, paid, ..Ending::default() });
    }
    let e = read::<DisputeResolved>(event).filter(|e| e.job == *job)?;
    let paid = Paid {
        provider: e.paid_provider.get(),
        fee: e.paid_fee.get(),
        challenger: e.paid_challenger.get(),
        client: e.paid_client.get(),
    };
    let is_settled = [Verdict::Stands as u8, Verdict::Undecided as u8].contains(&e.verdict);
    Some(Ending { is_settled, mint: e.mint, provider: e.provider, result_hash: [0; 32], price: e.price.get(), paid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable as _;

    /// A transaction as a node shows it, in which the program at `key` makes the call with this data.
    fn transaction(key: &Pubkey, data: &[u8]) -> Value {
        let authority = pda::event_authority(&ID).to_string();
        json!({
            "transaction": { "message": { "accountKeys": ["x", authority] } },
            "meta": {
                "loadedAddresses": { "writable": [], "readonly": [key.to_string()] },
                "innerInstructions": [{ "index": 0, "instructions": [
                    { "programIdIndex": 2, "accounts": [1], "data": bs58::encode(data).into_string() },
                ] }],
            },
        })
    }

    #[test]
    fn an_end_is_what_the_escrow_itself_has_stated() {
        let job = Pubkey::new_from_array([5; 32]);
        let mut settled = JobSettled::zeroed();
        (settled.job, settled.price, settled.paid_provider) = (job, 7.into(), 6.into());
        let data = [EVENT_IX_TAG_LE, JobSettled::DISCRIMINATOR, bytemuck::bytes_of(&settled)].concat();
        let found = events(&transaction(&ID, &data));
        let ending = decisive(&found[0], &job).unwrap();
        assert!(ending.is_settled);
        assert_eq!((ending.price, ending.paid.provider), (7, 6));
        assert_eq!(decisive(&found[0], &Pubkey::default()), None, "another job's");
        assert!(events(&transaction(&Pubkey::new_from_array([6; 32]), &data)).is_empty(), "another program's word");
        assert!(events(&Value::Null).is_empty());
    }
}
