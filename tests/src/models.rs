//! Models and what they cost.

use crate::World;
use joule_sdk::{
    instruction::model::{self, Origin},
    pda,
    registry::state::{Listing, Model, ModelProfile, Part},
    Instruction, Keypair, Pubkey, Signer,
};

impl World {
    pub fn model_profile(&self, payout_owner: Pubkey) -> ModelProfile {
        ModelProfile { payout_owner, endpoint_hash: [11; 32], metadata_hash: [12; 32] }
    }

    /// `creator` makes a model, under a number that it has not used and the next run uses again, and is paid for it. It gets
    /// lamports if it has none.
    pub fn model(&mut self, creator: &Keypair, base: Option<Pubkey>, royalty_bps: u16) -> Pubkey {
        if self.lamports(&creator.pubkey()) == 0 {
            self.svm.airdrop(&creator.pubkey(), 1_000_000_000).unwrap();
        }
        self.made += 1;
        let (id, profile) = (self.made as u64, self.model_profile(creator.pubkey()));
        let origin = Origin { id, base, royalty_bps };
        let create = model::create_model(creator.pubkey(), creator.pubkey(), origin, profile);
        self.send(&[create], &[creator]);
        pda::model(&creator.pubkey(), id)
    }

    /// A listing in which the creator has a tenth and others what is said.
    pub fn listing(&self, parts: &[(Pubkey, u16)]) -> Listing {
        Listing {
            per_request: 5,
            per_million_input: 200_000,
            per_million_output: 600_000,
            per_image: 7,
            per_second: 9,
            creator_bps: 1_000,
            parts: parts.iter().map(|(owner, bps)| Part { owner: *owner, bps: *bps }).collect(),
        }
    }

    /// The next `publish_prices` into everybody's usual account, which is made where there is none.
    pub fn publish(&mut self, creator: &Keypair, model: Pubkey, listing: &Listing) -> Instruction {
        let version = self.get::<Model>(&model).version.get() + 1;
        self.publish_as(version, creator, model, listing)
    }

    pub fn publish_as(&mut self, version: u32, creator: &Keypair, model: Pubkey, listing: &Listing) -> Instruction {
        let state: Model = self.get(&model);
        for (owner, _) in listing.dues(&state) {
            self.token_account(owner);
        }
        let accounts = model::share_accounts(&state, listing, &self.mint, &self.token_program);
        let (creator, mint) = (creator.pubkey(), self.mint);
        model::publish_prices(creator, creator, model, mint, version, listing.clone(), &accounts)
    }

    /// Publishes the next price list and answers where it is.
    pub fn published(&mut self, creator: &Keypair, model: Pubkey, parts: &[(Pubkey, u16)]) -> Pubkey {
        let publish = self.publish(creator, model, &self.listing(parts));
        self.send(&[publish], &[creator]);
        pda::price_list(&model, self.get::<Model>(&model).version.get())
    }
}
