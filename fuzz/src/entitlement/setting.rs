//! The cluster that every history begins with: everybody has tokens, bonds are filled, models have prices. Made once for each
//! token program and copied for each history.

use super::{
    calls,
    cast::{Cast, Role},
};
use joule_sdk::{
    instruction::{
        billing,
        model::{self, Origin},
        registry, staking, token,
    },
    pda,
    registry::state::{Listing, Model, ModelProfile, Part},
    Instruction, Pubkey,
};
use joule_tests::{
    deployed,
    staking::{PARAMS, SERVICE},
    Kind, Refusal, World,
};
use litesvm::LiteSVM;
use solana_transaction::{Message, Transaction};
use spl_token_2022_interface::instruction as spl;

const LAMPORTS: u64 = 1_000_000_000_000;
/// What everybody begins with, in base units, beside bond and deposit.
pub const TOKENS: u64 = 300_000_000;
/// Bonds, in base units: providers', and resolvers' in turn.
const BOND: u64 = 20_000_000;
const RESOLVERS: [u64; 4] = [4_000_000, 6_000_000, 8_000_000, 20_000_000];
const DEPOSIT: u64 = 20_000_000;

/// Price lists: per request, per million tokens of output, the creator's share and another's.
const LISTS: [(u64, u64, u16, u16); 3] = [(1, 0, 1_000, 333), (10, 2_000_000, 1_500, 333), (1, 300_000, 6_000, 1_700)];

/// A cluster to copy.
pub struct Setting {
    pub svm: LiteSVM,
    pub mint: Pubkey,
    pub program: Pubkey,
    pub crank: Pubkey,
    pub now: i64,
    pub slot: u64,
    /// Price lists that are current.
    pub prices: Vec<(Pubkey, Pubkey)>,
}

impl Setting {
    pub fn new(kind: Kind) -> Self {
        let mut world = World::governed(kind);
        world.svm.add_program_from_file(SERVICE, deployed("joule_test_service")).expect("a program that loads");
        let (mint, program) = (world.mint, world.token_program);
        let (now, slot) = (world.now(), world.slot());
        let crank = joule_sdk::Signer::pubkey(&world.stranger);
        let cast = Cast::new(mint, program, crank);
        for person in &cast.people {
            world.svm.airdrop(&person.key, LAMPORTS).expect("lamports");
        }
        // Who signs is looked at before anything is sent; only what is signed off chain is verified.
        let svm = world.svm.with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let mut setting = Self { svm, mint, program, crank, now, slot, prices: Vec::new() };
        setting.furnish(&cast);
        setting
    }

    fn furnish(&mut self, cast: &Cast) {
        let (mint, program, crank) = (self.mint, self.program, self.crank);
        let authority = cast.one(Role::Authority).key;
        for person in &cast.people {
            let create = token::create_associated(crank, person.key, mint, program);
            let fill = spl::mint_to(&program, &mint, &person.tokens, &authority, &[], TOKENS).expect("an instruction");
            self.must(&[create, fill]);
        }
        self.must(&[staking::create_pool(authority, mint, program, PARAMS)]);
        for attestor in cast.with(Role::Attestor) {
            self.must(&[registry::admit_attestor(attestor.key, authority, attestor.key, [0; 32])]);
        }
        for (number, person) in cast.people.iter().filter(|person| person.has_bond()).enumerate() {
            let amount = if person.is_provider() { BOND } else { RESOLVERS[number % RESOLVERS.len()] };
            if person.is_provider() {
                self.must(&[registry::register(person.key, person.key, crate::stage::profile(person.key))]);
            }
            self.must(&[staking::open_bond(person.key, person.key, mint, program, person.key)]);
            self.must(&calls::ready_bond(person.key, person.tokens, mint, program, amount));
        }
        for person in cast.people.iter().filter(|person| person.pays_by_request()) {
            let payer = pda::payer(&person.key, &mint);
            let create = billing::create_payer(person.key, person.key, mint, program);
            self.must(&[create, billing::deposit(person.key, payer, person.tokens, program, DEPOSIT)]);
        }
        let (creator, other) = (cast.one(Role::Creator).key, cast.one(Role::Staker).key);
        for (number, (per_request, per_million_output, creator_bps, bps)) in LISTS.into_iter().enumerate() {
            let profile = ModelProfile { payout_owner: creator, endpoint_hash: [11; 32], metadata_hash: [12; 32] };
            let origin = Origin { id: number as u64, base: None, royalty_bps: 0 };
            self.must(&[model::create_model(creator, creator, origin, profile)]);
            let address = pda::model(&creator, number as u64);
            let parts = vec![Part { owner: other, bps }];
            let listing = Listing { per_request, per_million_output, creator_bps, parts, ..Listing::default() };
            let state: Model = crate::chain::read(&self.svm, &address).expect("a model");
            let accounts = model::share_accounts(&state, &listing, &mint, &program);
            self.must(&[model::publish_prices(creator, creator, address, mint, 1, listing, &accounts)]);
            self.prices.push((address, pda::price_list(&address, 1)));
        }
    }

    fn must(&mut self, instructions: &[Instruction]) {
        let message = Message::new(instructions, Some(&self.crank));
        let sent = self.svm.send_transaction(Transaction::new_unsigned(message));
        if let Err(failed) = sent {
            let refusal = Refusal::from(failed);
            panic!("setting up: {}: {:#?}", refusal.name, refusal.logs);
        }
    }
}
