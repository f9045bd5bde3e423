//! What a payment is made from. It is looked at before a payment is tried, many with one question: whoever has nothing keeps
//! nobody waiting who has.

use super::refusal::Refusal;
use joule_sdk::Pubkey;
use joule_units::Amount;

/// A token account, as far as payments go by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purse {
    /// The token program that it belongs to.
    pub program: Pubkey,
    pub mint: Pubkey,
    pub owner: Pubkey,
    /// Who else may spend from it.
    pub delegate: Option<Pubkey>,
    pub amount: Amount,
}

impl Purse {
    /// Of an account that belongs to `program`; `None` when it is none, or frozen. Both token programs begin theirs in the same way:
    /// mint, owner, amount, delegate behind a tag of four bytes, state.
    pub fn read(program: Pubkey, data: &[u8]) -> Option<Self> {
        const INITIALIZED: u8 = 1;
        let key = |at: usize| data.get(at..at + 32).and_then(|bytes| Pubkey::try_from(bytes).ok());
        let amount = data.get(64..72)?.try_into().ok().map(u64::from_le_bytes)?;
        let delegate = if data.get(72..76)? == [1, 0, 0, 0] { key(76) } else { None };
        let is_open = *data.get(108)? == INITIALIZED && data.len() >= 165;
        let purse = Self { program, mint: key(0)?, owner: key(32)?, delegate, amount: Amount::new(amount) };
        is_open.then_some(purse)
    }

    /// Whether `authority` can pay `wanted` of `mint` from it.
    pub fn pays(&self, program: &Pubkey, mint: &Pubkey, authority: &Pubkey, wanted: Amount) -> Result<(), Refusal> {
        let is_its = self.owner == *authority || self.delegate == Some(*authority);
        let has = match self.program == *program && self.mint == *mint && is_its {
            true => self.amount,
            false => Amount::default(),
        };
        match has < wanted {
            true => Err(Refusal::Funds { has: has.get(), wanted: wanted.get() }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(seed: u8) -> Pubkey {
        Pubkey::new_from_array([seed; 32])
    }

    fn account(delegate: Option<u8>, state: u8) -> Vec<u8> {
        let delegate = delegate.map_or_else(|| vec![0; 36], |seed| [vec![1, 0, 0, 0], vec![seed; 32]].concat());
        [vec![1; 32], vec![2; 32], 700_u64.to_le_bytes().to_vec(), delegate, vec![state], vec![0; 56]].concat()
    }

    #[test]
    fn a_token_account_is_read_as_the_programs_write_it() {
        let purse = Purse::read(address(9), &account(Some(3), 1)).unwrap();
        let expected = Purse {
            program: address(9),
            mint: address(1),
            owner: address(2),
            delegate: Some(address(3)),
            amount: Amount::new(700),
        };
        assert_eq!(purse, expected);
        assert_eq!(Purse::read(address(9), &account(None, 1)).unwrap().delegate, None);
        assert_eq!(Purse::read(address(9), &account(None, 2)), None, "frozen");
        assert_eq!(Purse::read(address(9), &account(None, 0)), None, "never opened");
        assert_eq!(Purse::read(address(9), &account(None, 1)[..164]), None);
        assert_eq!(Purse::read(address(9), b""), None);
    }

    #[test]
    fn whoever_has_signed_must_have_what_it_costs() {
        let purse = Purse::read(address(9), &account(Some(3), 1)).unwrap();
        let pays = |program, mint, authority, wanted| {
            purse.pays(&address(program), &address(mint), &address(authority), Amount::new(wanted))
        };
        assert_eq!(pays(9, 1, 2, 700), Ok(()));
        assert_eq!(pays(9, 1, 3, 700), Ok(()), "a delegate may");
        assert_eq!(pays(9, 1, 2, 701), Err(Refusal::Funds { has: 700, wanted: 701 }));
        for (program, mint, authority) in [(8, 1, 2), (9, 8, 2), (9, 1, 8)] {
            assert_eq!(pays(program, mint, authority, 1), Err(Refusal::Funds { has: 0, wanted: 1 }));
        }
    }
}
