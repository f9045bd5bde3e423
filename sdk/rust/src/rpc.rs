//! Sending transactions and reading accounts over RPC.

use crate::{
    account,
    billing::{self, state::Channel},
    error::{self, SdkError},
    escrow::{
        self,
        state::{Bid, Client, Dispute, Job, JobStatus, Vote},
    },
    pda,
    registry::state::Provider,
    staking::{self, state::Claim},
    table::{self, Retired, Table},
    token_program,
    transaction::MAX_BYTES,
    v1::{self, Limits},
    Pubkey, Signature,
};
use anchor_lang::Discriminator;
use bytemuck::Pod;
use solana_account_decoder_client_types::UiAccountEncoding;
use solana_client::{
    nonblocking::rpc_client::RpcClient,
    rpc_config::{RpcAccountInfoConfig, RpcProgramAccountsConfig, RpcSendTransactionConfig},
    rpc_filter::{Memcmp, RpcFilterType},
};
use solana_commitment_config::CommitmentConfig;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_transaction::{versioned::VersionedTransaction, Transaction};
use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        Arc,
    },
    time::Duration,
};

/// How often a signature is looked up, and for how long: a blockhash lives about a minute.
const POLL: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(75);

/// A cluster, at `confirmed` commitment. Cheap to clone.
#[derive(Clone)]
pub struct Chain {
    rpc: Arc<RpcClient>,
    /// It was seen to take version 1, which does not end.
    takes_v1: Arc<AtomicBool>,
}

impl Chain {
    pub fn new(rpc_url: impl Into<String>) -> Self {
        let timeout = Duration::from_secs(15);
        Self {
            rpc: Arc::new(RpcClient::new_with_timeout_and_commitment(
                rpc_url.into(),
                timeout,
                CommitmentConfig::confirmed(),
            )),
            takes_v1: Arc::default(),
        }
    }

    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// Sends and waits until the cluster has confirmed. The first of `signers` pays the fee. What is too long without a version
    /// goes in version 1, if the cluster takes that.
    pub async fn send(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Signature, SdkError> {
        let payer = payer(signers)?;
        let bytes = table::plain_len(instructions, &payer);
        if bytes > MAX_BYTES {
            return match self.takes_v1().await? {
                true => self.send_v1(instructions, signers).await,
                false => Err(SdkError::TooLong { bytes, most: MAX_BYTES }),
            };
        }
        let blockhash = self.rpc.get_latest_blockhash().await?;
        let mut transaction = Transaction::new_with_payer(instructions, Some(&payer));
        transaction.try_sign(signers, blockhash).map_err(|e| SdkError::Signing(e.to_string()))?;
        let signature = self.rpc.send_transaction(&transaction).await?;
        self.confirm(&signature).await?;
        Ok(signature)
    }

    /// Whether [`Self::send`] can send these: by their length, and by what the cluster takes.
    pub async fn can_send(&self, instructions: &[Instruction], payer: &Pubkey) -> Result<bool, SdkError> {
        let plain = table::plain_len(instructions, payer) <= MAX_BYTES;
        Ok(plain || (v1::fits(instructions, payer) && self.takes_v1().await?))
    }

    /// Whether the cluster takes version 1: what its feature's account says. A cluster that does not is asked every time.
    pub async fn takes_v1(&self) -> Result<bool, SdkError> {
        if self.takes_v1.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let feature = self.rpc.get_account_with_commitment(&v1::FEATURE, self.rpc.commitment()).await?.value;
        let taken = feature.is_some_and(|account| v1::is_active(&account.owner, &account.data));
        self.takes_v1.store(taken, Ordering::Relaxed);
        Ok(taken)
    }

    /// As [`Self::send`], in version 1 however short it is. It is rehearsed under the largest limits there are, and sent with
    /// those that it needs.
    pub async fn send_v1(&self, instructions: &[Instruction], signers: &[&Keypair]) -> Result<Signature, SdkError> {
        let (payer, blockhash) = (payer(signers)?, self.rpc.get_latest_blockhash().await?);
        let sign = |limits| {
            let message = v1::message(&payer, instructions, limits, blockhash)?;
            VersionedTransaction::try_new(message, signers).map_err(|e| SdkError::Signing(e.to_string()))
        };
        let used = self.rehearse(&sign(Limits::MOST)?).await?;
        let transaction = sign(Limits::around(used.compute_units, used.loaded_bytes))?;
        // It was rehearsed just now.
        let config = RpcSendTransactionConfig { skip_preflight: true, ..Default::default() };
        let signature = self.rpc.send_transaction_with_config(&transaction, config).await?;
        self.confirm(&signature).await?;
        Ok(signature)
    }

    /// Makes a lookup table of all that `instructions` may look up, and waits until it can be used. `owner` pays for it and gets
    /// its rent back by [`Self::retire_table`].
    pub async fn make_table(&self, instructions: &[Instruction], owner: &Keypair) -> Result<Table, SdkError> {
        let (table, make) = Table::new(owner.pubkey(), self.slot().await?, table::looked_up(instructions));
        self.send(&make, &[owner]).await?;
        let filled_at = table::filled_at(&self.data(&table.address()).await?)?;
        while self.slot().await? <= filled_at {
            tokio::time::sleep(POLL).await;
        }
        Ok(table)
    }

    /// As [`Self::send`], in a version 0 transaction that looks its accounts up in `table`.
    pub async fn send_with_table(
        &self,
        instructions: &[Instruction],
        signers: &[&Keypair],
        table: &Table,
    ) -> Result<Signature, SdkError> {
        let (payer, blockhash) = (payer(signers)?, self.rpc.get_latest_blockhash().await?);
        let message = table.message(&payer, instructions, blockhash)?;
        let transaction =
            VersionedTransaction::try_new(message, signers).map_err(|e| SdkError::Signing(e.to_string()))?;
        let signature = self.rpc.send_transaction(&transaction).await?;
        self.confirm(&signature).await?;
        Ok(signature)
    }

    /// Takes a lookup table one step further out: gives it up, and once it is cold, closes it. Call it again for the rest.
    pub async fn retire_table(&self, address: &Pubkey, owner: &Keypair) -> Result<Retired, SdkError> {
        let (data, slot) = (self.data(address).await?, self.slot().await?);
        let (next, retired) = table::retire(*address, &data, &owner.pubkey(), slot)?;
        if let Some(next) = next {
            self.send(&[next], &[owner]).await?;
        }
        Ok(retired)
    }

    async fn data(&self, address: &Pubkey) -> Result<Vec<u8>, SdkError> {
        let answer = self.rpc.get_account_with_commitment(address, self.rpc.commitment()).await?;
        answer.value.map(|account| account.data).ok_or(SdkError::NoAccount(*address))
    }

    async fn confirm(&self, signature: &Signature) -> Result<(), SdkError> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            // A node that does not answer now may have the transaction all the same: ask again.
            let statuses = self.rpc.get_signature_statuses(&[*signature]).await.map(|answer| answer.value);
            if let Some(Some(status)) = statuses.unwrap_or_default().first() {
                if let Some(failed) = &status.err {
                    return Err(error::from_transaction(failed, Vec::new()));
                }
                if status.satisfies_commitment(CommitmentConfig::confirmed()) {
                    return Ok(());
                }
            }
            tokio::time::sleep(POLL).await;
        }
        Err(SdkError::Unconfirmed { signature: signature.to_string() })
    }

    /// The decimals of a mint, and the token program that it belongs to.
    pub async fn mint(&self, mint: &Pubkey) -> Result<(u8, Pubkey), SdkError> {
        let answer = self.rpc.get_account_with_commitment(mint, self.rpc.commitment()).await?;
        let account = answer.value.ok_or(SdkError::NoAccount(*mint))?;
        let known = account.owner == token_program::CLASSIC || account.owner == token_program::TOKEN_2022;
        let decimals = account::mint_decimals(&account.data).filter(|_| known).ok_or(SdkError::NotThisAccount)?;
        Ok((decimals, account.owner))
    }

    /// `None` where there is no account.
    pub async fn find<T: Pod + Discriminator>(&self, address: &Pubkey) -> Result<Option<T>, SdkError> {
        let answer = self.rpc.get_account_with_commitment(address, self.rpc.commitment()).await?;
        answer.value.filter(|a| !a.data.is_empty()).map(|a| account::decode(&a.data)).transpose()
    }

    pub async fn get<T: Pod + Discriminator>(&self, address: &Pubkey) -> Result<T, SdkError> {
        self.find(address).await?.ok_or(SdkError::NoAccount(*address))
    }

    /// `None` once the job is closed, or when it never was.
    pub async fn job(&self, address: &Pubkey) -> Result<Option<Job>, SdkError> {
        self.find(address).await
    }

    pub async fn provider(&self, authority: &Pubkey) -> Result<Option<Provider>, SdkError> {
        self.find(&pda::provider(authority)).await
    }

    /// The id that a client's next job must have.
    pub async fn next_job_id(&self, client: &Pubkey) -> Result<u64, SdkError> {
        Ok(self.find::<Client>(&pda::client(client)).await?.map_or(0, |c| c.next_job.get()))
    }

    /// The jobs that a provider's authority has accepted and that are not closed.
    pub async fn jobs_of(&self, authority: &Pubkey) -> Result<Vec<(Pubkey, Job)>, SdkError> {
        self.escrow_where(&[(std::mem::offset_of!(Job, provider_authority), authority.as_ref())]).await
    }

    /// All jobs that are not closed.
    pub async fn jobs(&self) -> Result<Vec<(Pubkey, Job)>, SdkError> {
        self.escrow_where(&[]).await
    }

    /// Which token program a mint belongs to.
    pub async fn token_program_of(&self, mint: &Pubkey) -> Result<Pubkey, SdkError> {
        let answer = self.rpc.get_account_with_commitment(mint, self.rpc.commitment()).await?;
        let owner = answer.value.ok_or(SdkError::NoAccount(*mint))?.owner;
        match owner == token_program::CLASSIC || owner == token_program::TOKEN_2022 {
            true => Ok(owner),
            false => Err(SdkError::NotThisAccount),
        }
    }

    /// What a token account holds, in base units; 0 where there is none.
    pub async fn token_balance(&self, token_account: &Pubkey) -> Result<u64, SdkError> {
        let answer = self.rpc.get_account_with_commitment(token_account, self.rpc.commitment()).await?;
        answer.value.filter(|a| !a.data.is_empty()).map_or(Ok(0), |a| account::token_amount(&a.data))
    }

    /// The cluster's clock, in Unix seconds.
    pub async fn now(&self) -> Result<i64, SdkError> {
        const CLOCK: Pubkey = Pubkey::from_str_const("SysvarC1ock11111111111111111111111111111111");
        let answer = self.rpc.get_account_with_commitment(&CLOCK, self.rpc.commitment()).await?;
        let data = answer.value.ok_or(SdkError::NoAccount(CLOCK))?.data;
        let bytes = data.get(32..40).and_then(|b| b.try_into().ok()).ok_or(SdkError::NotThisAccount)?;
        Ok(i64::from_le_bytes(bytes))
    }

    /// The slot that the cluster has confirmed.
    pub async fn slot(&self) -> Result<u64, SdkError> {
        Ok(self.rpc.get_slot().await?)
    }

    /// All jobs that stand at `status`.
    pub async fn jobs_standing(&self, status: JobStatus) -> Result<Vec<(Pubkey, Job)>, SdkError> {
        self.escrow_where(&[(std::mem::offset_of!(Job, status), &[status as u8])]).await
    }

    /// All disputes that are not closed.
    pub async fn disputes(&self) -> Result<Vec<(Pubkey, Dispute)>, SdkError> {
        self.escrow_where(&[]).await
    }

    /// The votes in a dispute that are not closed.
    pub async fn votes_in(&self, dispute: &Pubkey) -> Result<Vec<(Pubkey, Vote)>, SdkError> {
        self.escrow_where(&[(std::mem::offset_of!(Vote, dispute), dispute.as_ref())]).await
    }

    /// The bids that a provider's authority has made and that are not closed.
    pub async fn bids_of(&self, authority: &Pubkey) -> Result<Vec<(Pubkey, Bid)>, SdkError> {
        self.escrow_where(&[(std::mem::offset_of!(Bid, authority), authority.as_ref())]).await
    }

    /// What services hold of a bond.
    pub async fn claims_on(&self, bond: &Pubkey) -> Result<Vec<(Pubkey, Claim)>, SdkError> {
        self.accounts_where(&staking::ID, &[(std::mem::offset_of!(Claim, bond), bond.as_ref())]).await
    }

    /// The channels to a provider's authority that are not closed.
    pub async fn channels_to(&self, authority: &Pubkey) -> Result<Vec<(Pubkey, Channel)>, SdkError> {
        self.accounts_where(&billing::ID, &[(std::mem::offset_of!(Channel, authority), authority.as_ref())]).await
    }

    /// Accounts as they are, in the order asked for; `None` where there is none.
    pub async fn accounts(&self, addresses: &[Pubkey]) -> Result<Vec<Option<(Pubkey, Vec<u8>)>>, SdkError> {
        // As many as a node gives at once.
        const AT_ONCE: usize = 100;
        let mut all = Vec::with_capacity(addresses.len());
        for some in addresses.chunks(AT_ONCE) {
            let found = self.rpc.get_multiple_accounts_with_commitment(some, self.rpc.commitment()).await?.value;
            all.extend(found.into_iter().map(|account| account.map(|account| (account.owner, account.data))));
        }
        Ok(all)
    }

    async fn escrow_where<T: Pod + Discriminator>(
        &self,
        fields: &[(usize, &[u8])],
    ) -> Result<Vec<(Pubkey, T)>, SdkError> {
        self.accounts_where(&escrow::ID, fields).await
    }

    /// A program's accounts of one kind that hold certain bytes at certain offsets of their fields.
    async fn accounts_where<T: Pod + Discriminator>(
        &self,
        program: &Pubkey,
        fields: &[(usize, &[u8])],
    ) -> Result<Vec<(Pubkey, T)>, SdkError> {
        let head = T::DISCRIMINATOR.len();
        let mut filters = vec![RpcFilterType::Memcmp(Memcmp::new_raw_bytes(0, T::DISCRIMINATOR.to_vec()))];
        filters.extend(
            fields.iter().map(|(at, bytes)| RpcFilterType::Memcmp(Memcmp::new_raw_bytes(head + at, bytes.to_vec()))),
        );
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(self.rpc.commitment()),
                ..Default::default()
            },
            ..Default::default()
        };
        let found = self.rpc.get_program_ui_accounts_with_config(program, config).await?;
        found
            .into_iter()
            .map(|(address, account)| {
                let data = account.data.decode().ok_or(SdkError::NotThisAccount)?;
                Ok((address, account::decode(&data)?))
            })
            .collect()
    }
}

/// Who pays the fee.
fn payer(signers: &[&Keypair]) -> Result<Pubkey, SdkError> {
    signers.first().map(|payer| payer.pubkey()).ok_or_else(|| SdkError::Signing("nobody pays the fee".into()))
}
