//! Guards: what wallets put into a transaction before they sign it, so that it fails if an account does not end as they have foreseen.
//!
//! They are assertions of Lighthouse, before and behind the transfer, and one of them is often about the fee payer's lamports. An
//! assertion reads one account and moves nothing; what else that program can do, with the fee payer's signature at hand, is refused.
//!
//! One that holds when it is tried may not hold in the block, and then the fee is the gateway's: so they are about accounts that the
//! payment is about, and not about the time, and `failures` bounds what is left.

use joule_sdk::Pubkey;

pub const LIGHTHOUSE: Pubkey = Pubkey::from_str_const("L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95");
/// In one transaction; Phantom was seen to add up to six.
pub const MOST: usize = 6;
/// Of one; those that were seen have up to 52.
const MOST_BYTES: usize = 128;

/// By the byte that an instruction begins with: data, account and token account, one or several assertions of each. Not 0 and 1,
/// which open and close accounts; nor 4, 16 and 17, which read what others have written or call other programs; nor 15, the clock;
/// and what the others are about no payment has.
const ASSERTIONS: [u8; 6] = [2, 3, 5, 6, 9, 10];
/// By the byte behind it: how much is logged. 3 and 6 call another program for it.
const LOG_LEVELS: [u8; 5] = [0, 1, 2, 4, 5];

/// Whether an instruction can do nothing but fail, by what one account is.
pub fn is_guard(program: &Pubkey, accounts: usize, data: &[u8]) -> bool {
    let asserts = matches!(data, [kind, log, ..] if ASSERTIONS.contains(kind) && LOG_LEVELS.contains(log));
    *program == LIGHTHOUSE && asserts && accounts == 1 && data.len() <= MOST_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_reads_one_account_is_a_guard() {
        let is = |accounts, data: &[u8]| is_guard(&LIGHTHOUSE, accounts, data);
        for kind in 0..=u8::MAX {
            assert_eq!(is(1, &[kind, 4, 1]), ASSERTIONS.contains(&kind), "{kind}");
        }
        for log in 0..=u8::MAX {
            assert_eq!(is(1, &[6, log, 1]), LOG_LEVELS.contains(&log), "log level {log}");
        }
        assert!(!is(0, &[6, 4, 1]) && !is(2, &[6, 4, 1]));
        assert!(is(1, &[6, 4, 1].repeat(42)) && !is(1, &[6, 4, 1].repeat(43)), "too long");
        assert!(!is(1, &[6]) && !is(1, &[]));
        assert!(!is_guard(&Pubkey::new_from_array([7; 32]), 1, &[6, 4, 1]), "another program's");
    }
}
