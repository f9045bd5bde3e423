//! Where the programs keep their accounts.

use crate::{billing, escrow, registry, staking, token_program, treasury};
use solana_pubkey::Pubkey;

fn find(seeds: &[&[u8]], program: &Pubkey) -> Pubkey {
    Pubkey::find_program_address(seeds, program).0
}

pub fn protocol() -> Pubkey {
    find(&[treasury::constants::PROTOCOL_SEED], &treasury::ID)
}

pub fn accepted_mint(mint: &Pubkey) -> Pubkey {
    find(&[treasury::constants::MINT_SEED, mint.as_ref()], &treasury::ID)
}

pub fn fee_vault(mint: &Pubkey) -> Pubkey {
    find(&[treasury::constants::FEE_VAULT_SEED, mint.as_ref()], &treasury::ID)
}

pub fn provider(authority: &Pubkey) -> Pubkey {
    find(&[registry::constants::PROVIDER_SEED, authority.as_ref()], &registry::ID)
}

pub fn attestor(authority: &Pubkey) -> Pubkey {
    find(&[registry::constants::ATTESTOR_SEED, authority.as_ref()], &registry::ID)
}

/// The credentials of a subject; for a provider that is its authority.
pub fn attestations(subject: &Pubkey) -> Pubkey {
    find(&[registry::constants::ATTESTATIONS_SEED, subject.as_ref()], &registry::ID)
}

/// `hash` is `Wanted::hash`.
pub fn requirements(client: &Pubkey, hash: &[u8; 32]) -> Pubkey {
    find(&[registry::constants::REQUIREMENTS_SEED, client.as_ref(), hash], &registry::ID)
}

/// The account that counts a client's jobs.
pub fn client(client: &Pubkey) -> Pubkey {
    find(&[escrow::constants::CLIENT_SEED, client.as_ref()], &escrow::ID)
}

pub fn job(client: &Pubkey, id: u64) -> Pubkey {
    find(&[escrow::constants::JOB_SEED, client.as_ref(), &id.to_le_bytes()], &escrow::ID)
}

pub fn vault(job: &Pubkey) -> Pubkey {
    find(&[escrow::constants::VAULT_SEED, job.as_ref()], &escrow::ID)
}

pub fn pool(mint: &Pubkey) -> Pubkey {
    find(&[staking::constants::POOL_SEED, mint.as_ref()], &staking::ID)
}

pub fn pool_vault(pool: &Pubkey) -> Pubkey {
    find(&[staking::constants::POOL_VAULT_SEED, pool.as_ref()], &staking::ID)
}

pub fn stake(pool: &Pubkey, owner: &Pubkey) -> Pubkey {
    find(&[staking::constants::STAKE_SEED, pool.as_ref(), owner.as_ref()], &staking::ID)
}

/// `number` is the service's in `treasury::state::Service`.
pub fn service(number: u8) -> Pubkey {
    find(&[staking::constants::SERVICE_SEED, &[number]], &staking::ID)
}

/// Who signs for the claims of the service at `program`.
pub fn claim_signer(program: &Pubkey) -> Pubkey {
    find(&[staking::constants::CLAIM_SIGNER_SEED], program)
}

pub fn bond(owner: &Pubkey, mint: &Pubkey) -> Pubkey {
    find(&[staking::constants::BOND_SEED, owner.as_ref(), mint.as_ref()], &staking::ID)
}

pub fn bond_vault(bond: &Pubkey) -> Pubkey {
    find(&[staking::constants::BOND_VAULT_SEED, bond.as_ref()], &staking::ID)
}

/// `signer` is the service's [`claim_signer`].
pub fn claim(signer: &Pubkey, subject: &Pubkey) -> Pubkey {
    find(&[staking::constants::CLAIM_SEED, signer.as_ref(), subject.as_ref()], &staking::ID)
}

/// `id` is the creator's own number for it.
pub fn model(creator: &Pubkey, id: u64) -> Pubkey {
    find(&[registry::constants::MODEL_SEED, creator.as_ref(), &id.to_le_bytes()], &registry::ID)
}

pub fn price_list(model: &Pubkey, version: u32) -> Pubkey {
    find(&[registry::constants::PRICES_SEED, model.as_ref(), &version.to_le_bytes()], &registry::ID)
}

/// The signer of a program's events.
pub fn event_authority(program: &Pubkey) -> Pubkey {
    find(&[joule_events::AUTHORITY_SEED], program)
}

/// The usual token account of `owner`.
pub fn associated_token(owner: &Pubkey, mint: &Pubkey, token_program: &Pubkey) -> Pubkey {
    find(&[owner.as_ref(), token_program.as_ref(), mint.as_ref()], &token_program::ASSOCIATED)
}

/// Where the loader keeps a program's code and upgrade authority.
pub fn program_data(program: &Pubkey) -> Pubkey {
    const LOADER: Pubkey = Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
    find(&[program.as_ref()], &LOADER)
}

pub fn bid(job: &Pubkey, provider: &Pubkey) -> Pubkey {
    find(&[escrow::constants::BID_SEED, job.as_ref(), provider.as_ref()], &escrow::ID)
}

pub fn dispute(job: &Pubkey) -> Pubkey {
    find(&[escrow::constants::DISPUTE_SEED, job.as_ref()], &escrow::ID)
}

pub fn vote(dispute: &Pubkey, round: u8, juror: &Pubkey) -> Pubkey {
    find(&[escrow::constants::VOTE_SEED, dispute.as_ref(), &[round], juror.as_ref()], &escrow::ID)
}

pub fn panel(mint: &Pubkey, epoch: u64) -> Pubkey {
    find(&[escrow::constants::PANEL_SEED, mint.as_ref(), &epoch.to_le_bytes()], &escrow::ID)
}

/// The claim behind a resolver's seat in a panel.
pub fn seat_claim(panel: &Pubkey, resolver: &Pubkey) -> Pubkey {
    escrow::seat::claim(&claim_signer(&escrow::ID), panel, resolver)
}

/// The account that says which cluster this is.
pub fn cluster() -> Pubkey {
    find(&[billing::constants::CLUSTER_SEED], &billing::ID)
}

/// The account that `owner` pays from in `mint`.
pub fn payer(owner: &Pubkey, mint: &Pubkey) -> Pubkey {
    find(&[billing::constants::PAYER_SEED, owner.as_ref(), mint.as_ref()], &billing::ID)
}

pub fn payer_vault(payer: &Pubkey) -> Pubkey {
    find(&[billing::constants::VAULT_SEED, payer.as_ref()], &billing::ID)
}

pub fn channel(payer: &Pubkey, number: u64) -> Pubkey {
    find(&[billing::constants::CHANNEL_SEED, payer.as_ref(), &number.to_le_bytes()], &billing::ID)
}

pub fn plan(channel: &Pubkey) -> Pubkey {
    find(&[billing::constants::PLAN_SEED, channel.as_ref()], &billing::ID)
}
