//! The tokens that are taken as pay, as people call and count them.

use crate::chain::{Address, ChainError};
use joule_sdk::Chain;
use joule_settings::Token;
use std::collections::HashMap;

#[derive(Debug, Clone, Default)]
pub struct Tokens(HashMap<Address, Token>);

impl Tokens {
    /// Asks the chain for the decimals. `symbol` is the only token's; of several, each goes by its address.
    pub async fn read(chain: &Chain, mints: &[Address], symbol: Option<&str>) -> Result<Self, ChainError> {
        let mut tokens = HashMap::new();
        for mint in mints {
            let name = match mints {
                [_] => symbol.unwrap_or("tokens").to_owned(),
                _ => mint.to_string(),
            };
            tokens.insert(*mint, Token::new(name, chain.mint(mint).await?.0));
        }
        Ok(Self(tokens))
    }

    /// If there is but one.
    pub fn only(&self) -> Option<&Token> {
        self.0.values().next().filter(|_| self.0.len() == 1)
    }

    pub fn get(&self, mint: &Address) -> Option<&Token> {
        self.0.get(mint)
    }

    /// For people; base units of a token that is not known.
    pub fn show(&self, mint: &Address, units: u64) -> String {
        self.get(mint).map_or_else(|| format!("{units} units"), |token| token.show(units))
    }
}
