//! The staking program's instructions. `lock`, `release` and `slash` are what a service's program calls; the program that
//! the service is signs for its [`pda::claim_signer`].

use super::{build, SYSTEM_PROGRAM};
use crate::{pda, staking};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;
use staking::{
    accounts, instruction,
    state::{Bond, Claim, Params, Stake},
    ID,
};

/// `authority` is the protocol's.
pub fn create_pool(authority: Pubkey, mint: Pubkey, token_program: Pubkey, params: Params) -> Instruction {
    let pool = pda::pool(&mint);
    let accounts = accounts::CreatePool {
        authority,
        protocol: pda::protocol(),
        accepted_mint: pda::accepted_mint(&mint),
        mint,
        pool,
        vault: pda::pool_vault(&pool),
        token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CreatePool { params })
}

/// `authority` is the protocol's.
pub fn update_pool(authority: Pubkey, mint: Pubkey, params: Params) -> Instruction {
    let accounts = accounts::UpdatePool {
        authority,
        protocol: pda::protocol(),
        pool: pda::pool(&mint),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::UpdatePool { params })
}

/// Who takes part in staking.
#[derive(Debug, Clone, Copy)]
pub struct StakeAccounts {
    /// Pays the rent of a first stake and gets it back.
    pub payer: Pubkey,
    pub owner: Pubkey,
    /// Token account of the owner that the stake comes out of.
    pub source: Pubkey,
    pub mint: Pubkey,
    pub token_program: Pubkey,
}

/// `amount` in base units.
pub fn stake(a: StakeAccounts, amount: u64, lock_seconds: u32) -> Instruction {
    let pool = pda::pool(&a.mint);
    let accounts = accounts::AddStake {
        payer: a.payer,
        owner: a.owner,
        pool,
        stake: pda::stake(&pool, &a.owner),
        vault: pda::pool_vault(&pool),
        source: a.source,
        accepted_mint: pda::accepted_mint(&a.mint),
        token_program: a.token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Stake { amount, lock_seconds })
}

pub fn extend_lock(owner: Pubkey, mint: Pubkey, lock_seconds: u32) -> Instruction {
    let pool = pda::pool(&mint);
    let accounts = accounts::ExtendLock {
        owner,
        pool,
        stake: pda::stake(&pool, &owner),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ExtendLock { lock_seconds })
}

/// Needs no signature but the fee payer's.
pub fn refresh_stake(owner: Pubkey, mint: Pubkey) -> Instruction {
    let pool = pda::pool(&mint);
    let accounts = accounts::RefreshStake {
        pool,
        stake: pda::stake(&pool, &owner),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::RefreshStake {})
}

/// `amount` in base units.
pub fn unstake(owner: Pubkey, mint: Pubkey, amount: u64) -> Instruction {
    let pool = pda::pool(&mint);
    let accounts = accounts::Unstake {
        owner,
        pool,
        stake: pda::stake(&pool, &owner),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Unstake { amount })
}

/// `destination` is a token account that gets what has cooled.
pub fn withdraw_stake(state: &Stake, mint: Pubkey, destination: Pubkey, token_program: Pubkey) -> Instruction {
    let accounts = accounts::WithdrawStake {
        owner: state.owner,
        pool: state.pool,
        stake: pda::stake(&state.pool, &state.owner),
        vault: pda::pool_vault(&pda::pool(&mint)),
        destination,
        rent_payer: state.rent_payer,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::WithdrawStake {})
}

/// `destination` is a token account that gets the rewards.
pub fn claim_rewards(owner: Pubkey, mint: Pubkey, destination: Pubkey, token_program: Pubkey) -> Instruction {
    let pool = pda::pool(&mint);
    let accounts = accounts::ClaimRewards {
        owner,
        pool,
        stake: pda::stake(&pool, &owner),
        vault: pda::pool_vault(&pool),
        destination,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ClaimRewards {})
}

/// Needs no signature but the fee payer's; comes after a transfer to [`pda::pool_vault`].
pub fn sync_rewards(mint: Pubkey) -> Instruction {
    let pool = pda::pool(&mint);
    let accounts = accounts::SyncRewards {
        pool,
        vault: pda::pool_vault(&pool),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::SyncRewards {})
}

/// `authority` is the protocol's; `number` is the service's in `treasury::state::Service`, and the program's for ever.
pub fn admit_service(authority: Pubkey, program: Pubkey, number: u8) -> Instruction {
    let accounts = accounts::AdmitService {
        authority,
        protocol: pda::protocol(),
        service: pda::service(number),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::AdmitService { admitted: program, number })
}

/// Lets a service lock a bond, or no longer. `party` is the bond's owner or its withdrawer; `number` is the service's.
pub fn name_service(party: Pubkey, bond: Pubkey, number: u8, named: bool) -> Instruction {
    let accounts = accounts::NameService {
        party,
        bond,
        service: pda::service(number),
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::NameService { named })
}

/// `payer` pays the rent and gets it back; only `withdrawer` can take money out.
pub fn open_bond(payer: Pubkey, owner: Pubkey, mint: Pubkey, token_program: Pubkey, withdrawer: Pubkey) -> Instruction {
    let bond = pda::bond(&owner, &mint);
    let accounts = accounts::OpenBond {
        payer,
        owner,
        accepted_mint: pda::accepted_mint(&mint),
        mint,
        bond,
        vault: pda::bond_vault(&bond),
        token_program,
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::OpenBond { withdrawer })
}

/// `source` is a token account of `depositor`; `amount` in base units; `withdrawer` is whom the depositor has seen that the bond
/// names.
#[allow(clippy::too_many_arguments)]
pub fn deposit_bond(
    depositor: Pubkey,
    source: Pubkey,
    bond: Pubkey,
    mint: Pubkey,
    token_program: Pubkey,
    amount: u64,
    withdrawer: Pubkey,
) -> Instruction {
    let accounts = accounts::DepositBond {
        depositor,
        bond,
        vault: pda::bond_vault(&bond),
        source,
        accepted_mint: pda::accepted_mint(&mint),
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::DepositBond { amount, withdrawer })
}

/// `amount` in base units.
pub fn unbond(withdrawer: Pubkey, bond: Pubkey, amount: u64) -> Instruction {
    let accounts = accounts::Unbond { withdrawer, bond, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::Unbond { amount })
}

pub fn cancel_unbond(withdrawer: Pubkey, bond: Pubkey) -> Instruction {
    let accounts = accounts::CancelUnbond { withdrawer, bond, event_authority: pda::event_authority(&ID), program: ID };
    build(ID, accounts, instruction::CancelUnbond {})
}

/// `destination` is a token account that gets what has waited long enough.
pub fn withdraw_bond(withdrawer: Pubkey, bond: Pubkey, destination: Pubkey, token_program: Pubkey) -> Instruction {
    let accounts = accounts::WithdrawBond {
        withdrawer,
        bond,
        vault: pda::bond_vault(&bond),
        destination,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::WithdrawBond {})
}

/// `destination` is a token account that gets what strangers have sent to the vault.
pub fn close_bond(bond: Pubkey, state: &Bond, destination: Pubkey, token_program: Pubkey) -> Instruction {
    let accounts = accounts::CloseBond {
        withdrawer: state.withdrawer,
        bond,
        vault: state.vault,
        destination,
        rent_payer: state.rent_payer,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::CloseBond {})
}

/// What the service at `program` calls, whose number this is; `amount` in base units, `until` in Unix seconds.
pub fn lock(
    payer: Pubkey,
    (program, number): (Pubkey, u8),
    bond: Pubkey,
    subject: Pubkey,
    amount: u64,
    until: i64,
) -> Instruction {
    let signer = pda::claim_signer(&program);
    let accounts = accounts::Lock {
        payer,
        service: pda::service(number),
        signer,
        bond,
        claim: pda::claim(&signer, &subject),
        system_program: SYSTEM_PROGRAM,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Lock { subject, amount, until })
}

/// What the claim's service calls; `amount` in base units, more than there is means all of it.
pub fn release(claim: Pubkey, state: &Claim, amount: u64, kept: u64) -> Instruction {
    let accounts = accounts::Release {
        signer: state.signer,
        bond: state.bond,
        claim,
        rent_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Release { amount, kept })
}

/// Needs no signature but the fee payer's.
pub fn release_expired(claim: Pubkey, state: &Claim) -> Instruction {
    let accounts = accounts::ReleaseExpired {
        bond: state.bond,
        claim,
        rent_payer: state.rent_payer,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::ReleaseExpired {})
}

/// What the claim's service calls; `amount` in base units, more than there is means all of it.
pub fn slash(
    claim: Pubkey,
    state: &Claim,
    destination: Pubkey,
    token_program: Pubkey,
    amount: u64,
    release_rest: bool,
) -> Instruction {
    let accounts = accounts::Slash {
        signer: state.signer,
        bond: state.bond,
        claim,
        bond_vault: pda::bond_vault(&state.bond),
        destination,
        rent_payer: state.rent_payer,
        token_program,
        event_authority: pda::event_authority(&ID),
        program: ID,
    };
    build(ID, accounts, instruction::Slash { amount, release_rest })
}
