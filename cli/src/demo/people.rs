//! Who takes part in the demo, and what they have.

use crate::failure::Failure;
use joule_artifacts::ArtifactStore;
use joule_sdk::{
    instruction::{registry, staking, token::create_associated},
    pda,
    registry::state::{Attributes, Profile},
    staking::state::Bond,
    token_program,
    treasury::state::Service,
    Chain, Keypair, Pubkey, Signer,
};

/// Base units that every provider here answers with.
const BOND: u64 = 100_000_000;

/// Name and key.
pub type Person = (&'static str, Keypair);

/// Who takes part.
pub struct Cast {
    pub chain: Chain,
    pub index: joule_api::Client,
    pub store: ArtifactStore,
    pub mint: Pubkey,
    pub unit: joule_settings::Token,
    /// Alice and bob.
    pub clients: Vec<Person>,
    /// North and south, which are honest.
    pub providers: Vec<Person>,
    /// East, which is not.
    pub liar: Person,
    /// Carol, who looks at others' results.
    pub challenger: Person,
    /// Uma, vera and wim.
    pub jurors: Vec<Person>,
}

/// What somebody has, in base units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wealth {
    pub name: String,
    tokens: u64,
    /// In its bond, locked or not.
    bond: u64,
}

impl Wealth {
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    pub fn bond(&self) -> u64 {
        self.bond
    }

    pub fn total(&self) -> i128 {
        i128::from(self.tokens) + i128::from(self.bond)
    }
}

impl Cast {
    pub fn tokens_of(&self, owner: &Pubkey) -> Pubkey {
        pda::associated_token(owner, &self.mint, &token_program::CLASSIC)
    }

    /// Everybody that runs a provider.
    fn registered(&self) -> impl Iterator<Item = &Person> {
        self.providers.iter().chain([&self.liar]).chain(&self.jurors)
    }

    /// What everybody has: clients, providers, challenger, then the protocol's fee vault.
    pub async fn wealth(&self) -> Result<Vec<Wealth>, Failure> {
        let mut all = Vec::new();
        for (name, key) in self.clients.iter().chain(self.registered()).chain([&self.challenger]) {
            let bond = self.chain.find::<Bond>(&pda::bond(&key.pubkey(), &self.mint)).await?;
            all.push(Wealth {
                name: (*name).to_owned(),
                tokens: self.chain.token_balance(&self.tokens_of(&key.pubkey())).await?,
                bond: bond.map_or(0, |bond| bond.amount.get()),
            });
        }
        let fees = self.chain.token_balance(&pda::fee_vault(&self.mint)).await?;
        all.push(Wealth { name: "fees".to_owned(), tokens: fees, bond: 0 });
        Ok(all)
    }

    /// Registers every provider and opens its bond.
    pub async fn enrol(&self) -> Result<(), Failure> {
        let all = self.registered().enumerate().map(|(n, (_, key))| self.enrol_one(n as u16 + 1, key));
        futures::future::try_join_all(all).await?;
        Ok(())
    }

    async fn enrol_one(&self, region: u16, key: &Keypair) -> Result<(), Failure> {
        let (who, mint, program) = (key.pubkey(), self.mint, token_program::CLASSIC);
        let attributes = Attributes { cpu_cores: 1, memory_mib: 1024, region, ..Default::default() };
        let profile =
            Profile { payout_owner: who, capacity: 1, endpoint_hash: [0; 32], metadata_hash: [0; 32], attributes };
        let bond = pda::bond(&who, &mint);
        let instructions = [
            create_associated(who, who, mint, program),
            registry::register(who, who, profile),
            staking::open_bond(who, who, mint, program, who),
            staking::name_service(who, bond, Service::Escrow as u8, true),
            staking::name_service(who, bond, Service::Billing as u8, true),
            staking::deposit_bond(who, self.tokens_of(&who), bond, mint, program, BOND, who),
        ];
        self.chain.send(&instructions, &[key]).await?;
        Ok(())
    }
}
