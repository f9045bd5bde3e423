//! Other people, so that an attacker has something of the same kind to put in an account's place.

use crate::{
    world::{key, START},
    World,
};
use joule_sdk::{instruction, Pubkey, Signer};
use std::mem::replace;

impl World {
    /// Adds a second client, provider and token, and a job of theirs in each state. They are as old as the world's own, so
    /// that what is due to one is due to the other. A new kind of account gets its second one here.
    pub fn crowd(&mut self) {
        if self.svm.get_account(&joule_sdk::pda::protocol()).is_none() {
            return;
        }
        let now = self.now();
        self.set_time(START);
        let own = (
            replace(&mut self.alice, key("bob")),
            replace(&mut self.north, key("south")),
            replace(&mut self.north_payout, key("south_payout")),
        );
        let (bob, south) = (self.alice.insecure_clone(), self.north.insecure_clone());
        for newcomer in [bob.pubkey(), south.pubkey()] {
            self.svm.airdrop(&newcomer, 1_000_000_000_000).unwrap();
        }
        let tokens = self.token_account(&bob.pubkey());
        self.mint_to(&tokens, 1_000_000_000);
        self.token_account(&self.north_payout.pubkey());
        let register = instruction::registry::register(south.pubkey(), south.pubkey(), self.profile());
        self.send(&[register], &[&south]);
        (self.opened(), self.accepted(), self.delivered());
        (self.alice, self.north, self.north_payout) = own;
        self.second_token();
        self.set_time(now);
    }

    /// Another mint of the same token program that the protocol accepts.
    fn second_token(&mut self) -> Pubkey {
        let authority = self.authority.insecure_clone();
        let mint = self.create_mint(self.kind(), &[], &[]);
        let accept = instruction::treasury::accept_mint(authority.pubkey(), mint, self.token_program, 1_000, crate::BREAKER);
        self.send(&[accept], &[&authority]);
        mint
    }
}
