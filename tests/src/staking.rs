//! Pools, stakes, services and bonds for the tests.

use crate::{Kind, World};
use joule_sdk::{
    instruction::staking::{self as build, StakeAccounts},
    pda,
    staking::state::{Bond, Claim, Params, Pool, Stake, Tier, ONE},
    Instruction, Keypair, Pubkey, Signer,
};
use solana_instruction::AccountMeta;

/// A program that the protocol's authority has admitted; see `tests/service`.
pub const SERVICE: Pubkey = Pubkey::new_from_array([21; 32]);
/// Another one, admitted too.
pub const RIVAL: Pubkey = Pubkey::new_from_array([22; 32]);
/// Their numbers.
pub const SERVICE_NUMBER: u8 = 2;
pub const RIVAL_NUMBER: u8 = 3;
/// The same code, and nobody has admitted it.
pub const OUTLAW: Pubkey = Pubkey::new_from_array([23; 32]);

/// What `World::bonded` has in its bond, in base units.
pub const BOND: u64 = 1_000_000;
pub const DAY: i64 = 24 * 60 * 60;

/// What the pool here is made with.
pub const PARAMS: Params = Params {
    max_lock: 365 * DAY as u32,
    cool_down: 7 * DAY as u32,
    drip: DAY as u32,
    tiers: [
        Tier { min_weight: 10_000, discount_bps: 500 },
        Tier { min_weight: 100_000, discount_bps: 1_000 },
        Tier { min_weight: 1_000_000, discount_bps: 2_500 },
        Tier { min_weight: 10_000_000, discount_bps: 5_000 },
    ],
};

/// How the test service calls; the numbers are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As it is given.
    Pass = 0,
    /// Through `joule_staking::call`.
    Lock = 1,
    Release = 2,
    Slash = 3,
}

/// An instruction of a service's program that makes it send `inner` with its own signature.
pub fn through(service: Pubkey, way: Way, inner: Instruction) -> Instruction {
    let (signer, bump) = joule_sdk::staking::call::claim_signer(&service);
    let mut accounts = inner.accounts;
    for account in accounts.iter_mut().filter(|a| a.pubkey == signer) {
        account.is_signer = false;
    }
    let mut data = vec![bump, way as u8];
    if way == Way::Pass {
        accounts.insert(0, AccountMeta::new_readonly(inner.program_id, false));
        data.extend(inner.data);
    } else {
        // Without the discriminator, which `call` knows.
        data.extend(&inner.data[8..]);
    }
    Instruction { program_id: service, accounts, data }
}

impl World {
    pub(crate) fn prepare_pooled(kind: Kind) -> Self {
        let mut world = Self::unbonded(kind);
        let authority = world.authority.insecure_clone();
        let create = build::create_pool(authority.pubkey(), world.mint, world.token_program, PARAMS);
        world.send(&[create], &[&authority]);
        world
    }

    /// Somebody with tokens and lamports.
    pub fn holder(&mut self, amount: u64) -> Keypair {
        let key = self.new_key();
        self.svm.airdrop(&key.pubkey(), 1_000_000_000).unwrap();
        let account = self.token_account(&key.pubkey());
        if amount > 0 {
            self.mint_to(&account, amount);
        }
        key
    }

    pub fn tokens_of(&self, owner: &Keypair) -> Pubkey {
        pda::associated_token(&owner.pubkey(), &self.mint, &self.token_program)
    }

    pub fn pool_address(&self) -> Pubkey {
        pda::pool(&self.mint)
    }

    pub fn pool(&self) -> Pool {
        self.get(&self.pool_address())
    }

    pub fn pool_vault(&self) -> Pubkey {
        pda::pool_vault(&self.pool_address())
    }

    pub fn stake_address(&self, owner: &Keypair) -> Pubkey {
        pda::stake(&self.pool_address(), &owner.pubkey())
    }

    pub fn stake_of(&self, owner: &Keypair) -> Stake {
        self.get(&self.stake_address(owner))
    }

    /// The owner pays its own rent.
    pub fn stake(&self, owner: &Keypair, amount: u64, lock_seconds: i64) -> Instruction {
        let accounts = StakeAccounts {
            payer: owner.pubkey(),
            owner: owner.pubkey(),
            source: self.tokens_of(owner),
            mint: self.mint,
            token_program: self.token_program,
        };
        build::stake(accounts, amount, lock_seconds as u32)
    }

    /// Somebody who has staked `amount`, all they have.
    pub fn staker(&mut self, amount: u64, lock_seconds: i64) -> Keypair {
        let owner = self.holder(amount);
        self.send(&[self.stake(&owner, amount, lock_seconds)], &[&owner]);
        owner
    }

    pub fn extend_lock(&self, owner: &Keypair, lock_seconds: i64) -> Instruction {
        build::extend_lock(owner.pubkey(), self.mint, lock_seconds as u32)
    }

    pub fn refresh(&self, owner: &Keypair) -> Instruction {
        build::refresh_stake(owner.pubkey(), self.mint)
    }

    pub fn unstake(&self, owner: &Keypair, amount: u64) -> Instruction {
        build::unstake(owner.pubkey(), self.mint, amount)
    }

    pub fn withdraw_stake(&self, owner: &Keypair) -> Instruction {
        build::withdraw_stake(&self.stake_of(owner), self.mint, self.tokens_of(owner), self.token_program)
    }

    pub fn claim_rewards(&self, owner: &Keypair) -> Instruction {
        build::claim_rewards(owner.pubkey(), self.mint, self.tokens_of(owner), self.token_program)
    }

    pub fn sync_rewards(&self) -> Instruction {
        build::sync_rewards(self.mint)
    }

    /// Rewards, sent and counted.
    pub fn fund_pool(&mut self, amount: u64) {
        let vault = self.pool_vault();
        self.mint_to(&vault, amount);
        self.send(&[self.sync_rewards()], &[]);
    }

    /// The vault holds exactly what the pool owes and `gifts` that nobody has counted yet; and what the pool counts is what
    /// `owners` have, to the fraction of a unit.
    #[track_caller]
    pub fn check_pool(&self, owners: &[&Keypair], gifts: u64) {
        let pool = self.pool();
        assert_eq!(self.balance(&self.pool_vault()), pool.liabilities().unwrap() + gifts, "the vault");
        let stakes: Vec<Stake> =
            owners.iter().filter(|o| !self.is_closed(&self.stake_address(o))).map(|o| self.stake_of(o)).collect();
        let sum = |field: fn(&Stake) -> u64| stakes.iter().map(|s| field(s) as u128).sum::<u128>();
        assert_eq!(pool.staked.get() as u128, sum(|s| s.amount.get()), "staked");
        assert_eq!(pool.cooling.get() as u128, sum(|s| s.cooling.get()), "cooling");
        assert_eq!(pool.total_weight.get() as u128, sum(|s| s.weight.get()), "weight");
        let scaled = |stake: &Stake| {
            let since = pool.accumulator.get() - stake.accrued.get();
            stake.earned.get() as u128 * ONE + stake.fraction.get() as u128 + since * stake.weight.get() as u128
        };
        let claimable: u128 = stakes.iter().map(scaled).sum();
        assert_eq!(pool.owed.get() as u128 * ONE, claimable + pool.dust.get() as u128, "owed");
    }

    pub(crate) fn prepare_bonded(kind: Kind) -> Self {
        let mut world = Self::unbonded(kind);
        let (authority, north, alice) =
            (world.authority.insecure_clone(), world.north.insecure_clone(), world.alice.insecure_clone());
        for program in [SERVICE, RIVAL, OUTLAW] {
            world
                .svm
                .add_program_from_file(program, crate::deployed("joule_test_service"))
                .expect("a program that loads");
        }
        let admit = [(SERVICE, SERVICE_NUMBER), (RIVAL, RIVAL_NUMBER)]
            .map(|(program, number)| build::admit_service(authority.pubkey(), program, number));
        world.send(&admit, &[&authority]);
        let open = world.open_bond(&north, world.north_payout.pubkey());
        let deposit = world.deposit_bond(&alice, BOND);
        let named = [SERVICE_NUMBER, RIVAL_NUMBER].map(|number| world.name_service(&north, number, true));
        world.send(&[&[open, deposit], &named[..]].concat(), &[&north, &alice]);
        world
    }

    /// The owner pays its own rent.
    pub fn open_bond(&self, owner: &Keypair, withdrawer: Pubkey) -> Instruction {
        build::open_bond(owner.pubkey(), owner.pubkey(), self.mint, self.token_program, withdrawer)
    }

    /// Into north's bond.
    pub fn deposit_bond(&self, depositor: &Keypair, amount: u64) -> Instruction {
        let source = self.tokens_of(depositor);
        let (bond, withdrawer) = (self.bond_address(), self.north_payout.pubkey());
        build::deposit_bond(depositor.pubkey(), source, bond, self.mint, self.token_program, amount, withdrawer)
    }

    /// North's bond answers to a service, or no longer.
    pub fn name_service(&self, party: &Keypair, number: u8, named: bool) -> Instruction {
        build::name_service(party.pubkey(), self.bond_address(), number, named)
    }

    pub fn bond_address(&self) -> Pubkey {
        pda::bond(&self.north.pubkey(), &self.mint)
    }

    pub fn bond(&self) -> Bond {
        self.get(&self.bond_address())
    }

    pub fn bond_vault(&self) -> Pubkey {
        pda::bond_vault(&self.bond_address())
    }

    /// By north's withdrawer.
    pub fn unbond(&self, amount: u64) -> Instruction {
        build::unbond(self.north_payout.pubkey(), self.bond_address(), amount)
    }

    pub fn withdraw_bond(&self) -> Instruction {
        let (bond, destination) = (self.bond_address(), self.north_tokens());
        build::withdraw_bond(self.north_payout.pubkey(), bond, destination, self.token_program)
    }

    pub fn close_bond(&self) -> Instruction {
        build::close_bond(self.bond_address(), &self.bond(), self.north_tokens(), self.token_program)
    }

    pub fn claim_address(&self, service: Pubkey, subject: Pubkey) -> Pubkey {
        pda::claim(&pda::claim_signer(&service), &subject)
    }

    pub fn claim(&self, subject: Pubkey) -> Claim {
        self.get(&self.claim_address(SERVICE, subject))
    }

    /// A service's lock on north's bond, whose rent alice pays.
    pub fn lock_by(&self, service: Pubkey, subject: Pubkey, amount: u64, until: i64) -> Instruction {
        let number = if service == RIVAL { RIVAL_NUMBER } else { SERVICE_NUMBER };
        let lock = build::lock(self.alice.pubkey(), (service, number), self.bond_address(), subject, amount, until);
        through(service, Way::Lock, lock)
    }

    pub fn lock(&self, subject: Pubkey, amount: u64, until: i64) -> Instruction {
        self.lock_by(SERVICE, subject, amount, until)
    }

    /// A claim for a subject of its own, for 30 days.
    pub fn locked(&mut self, amount: u64) -> Pubkey {
        let (subject, alice) = (self.new_key().pubkey(), self.alice.insecure_clone());
        let lock = self.lock(subject, amount, self.now() + 30 * DAY);
        self.send(&[lock], &[&alice]);
        subject
    }

    pub fn release(&self, subject: Pubkey, amount: u64, kept: u64) -> Instruction {
        let claim = self.claim_address(SERVICE, subject);
        through(SERVICE, Way::Release, build::release(claim, &self.claim(subject), amount, kept))
    }

    pub fn release_expired(&self, subject: Pubkey) -> Instruction {
        build::release_expired(self.claim_address(SERVICE, subject), &self.claim(subject))
    }

    /// Into the protocol's fee vault.
    pub fn slash(&self, subject: Pubkey, amount: u64, release_rest: bool) -> Instruction {
        let (claim, state) = (self.claim_address(SERVICE, subject), self.claim(subject));
        let slash = build::slash(claim, &state, self.fee_vault(), self.token_program, amount, release_rest);
        through(SERVICE, Way::Slash, slash)
    }

    /// The bond's vault holds what the bond says, and its claims are what is locked.
    #[track_caller]
    pub fn check_bond(&self, subjects: &[Pubkey], gifts: u64) {
        let bond = self.bond();
        bond.invariant().unwrap();
        assert_eq!(self.balance(&self.bond_vault()), bond.amount.get() + gifts, "the vault");
        let claims: Vec<Claim> = subjects
            .iter()
            .filter(|s| !self.is_closed(&self.claim_address(SERVICE, **s)))
            .map(|s| self.claim(*s))
            .collect();
        assert_eq!(bond.claims.get() as usize, claims.len(), "claims");
        assert_eq!(bond.locked.get(), claims.iter().map(|c| c.total.get()).sum::<u64>(), "locked");
        for claim in claims {
            assert_eq!(claim.total.get(), claim.tranches.iter().map(|t| t.amount.get()).sum::<u64>(), "a claim");
            let (used, unused) = claim.tranches.split_at(claim.count as usize);
            assert!(used.iter().all(|t| t.amount.get() > 0) && unused.iter().all(|t| t.amount.get() == 0));
        }
    }
}
