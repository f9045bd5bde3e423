//! A token: amounts in it are read and written as people have them, and shown to programs both ways.

use crate::{context::Options, failure::Failure, view};
use joule_sdk::{pda, Chain, Pubkey};
use joule_settings::Amount;
use serde_json::Value;

pub struct Token {
    pub mint: Pubkey,
    pub program: Pubkey,
    pub unit: joule_settings::Token,
}

impl Token {
    /// The one that the settings name.
    pub async fn of(options: &Options, chain: &Chain) -> Result<Self, Failure> {
        Self::at(options, chain, options.mint()?).await
    }

    pub async fn at(options: &Options, chain: &Chain, mint: Pubkey) -> Result<Self, Failure> {
        let (decimals, program) = chain.mint(&mint).await.map_err(|error| match error {
            joule_sdk::SdkError::NoAccount(_) => Failure::NotFound(format!("there is no token {mint} on this chain")),
            joule_sdk::SdkError::NotThisAccount => Failure::Input(format!("{mint} is not a token's mint")),
            error => error.into(),
        })?;
        let unit = joule_settings::Token::new(options.symbol(&mint.to_string()), decimals);
        Ok(Self { mint, program, unit })
    }

    /// In base units.
    pub fn units(&self, amount: &Amount) -> Result<u64, Failure> {
        self.unit.units(amount).map_err(|error| Failure::Input(error.to_string()))
    }

    /// For people: `12.5 JOULE`.
    pub fn show(&self, units: u64) -> String {
        self.unit.show(units)
    }

    /// For programs: with the amounts in tokens beside those in base units.
    pub fn label(&self, mut value: Value) -> Value {
        view::label(&mut value, &[(self.mint.to_string(), self.unit.clone())].into(), Some(&self.unit));
        value
    }

    /// The usual token account of `owner`.
    pub fn account_of(&self, owner: &Pubkey) -> Pubkey {
        pda::associated_token(owner, &self.mint, &self.program)
    }
}
