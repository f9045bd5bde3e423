//! Which vouchers a channel takes.

use crate::{Context, Voucher};
use joule_units::{Amount, UnixTime};

/// What a channel's next voucher must keep to. The chain's rules; a gateway that keeps them by what it last admitted admits
/// nothing that the chain refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of the channel's vouchers.
    pub context: Context,
    /// The sum that was admitted last.
    pub settled: Amount,
    /// The most that may ever be admitted: what is reserved and what the session may spend, whichever is less.
    pub most: Amount,
    /// The last second that a voucher may live to.
    pub session_expires_at: UnixTime,
}

/// Why a voucher is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not of a voucher's size.
    NotAVoucher,
    /// For another format, version, cluster, program or channel.
    WrongContext,
    /// Pays no more than what was admitted last.
    PaysNothing,
    /// Pays more than the channel or the session has.
    AboveLimit,
    /// Lives longer than the session that signs it.
    OutlivesSession,
    Expired,
    /// Not the session key's signature.
    BadSignature,
}

impl Limits {
    /// All but the signature.
    #[inline(always)]
    pub fn check(&self, voucher: &Voucher, now: UnixTime) -> Result<(), Refusal> {
        let (cumulative, expires_at) = (voucher.cumulative.get(), voucher.expires_at.get());
        if voucher.context != self.context {
            return Err(Refusal::WrongContext);
        }
        if cumulative <= self.settled {
            return Err(Refusal::PaysNothing);
        }
        if cumulative > self.most {
            return Err(Refusal::AboveLimit);
        }
        if expires_at > self.session_expires_at {
            return Err(Refusal::OutlivesSession);
        }
        if now > expires_at {
            return Err(Refusal::Expired);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        context: Context::new([1; 32]),
        settled: Amount::new(500),
        most: Amount::new(1_000),
        session_expires_at: UnixTime::new(2_000),
    };

    fn voucher(sequence: u64, cumulative: u64, expires_at: i64) -> Voucher {
        Voucher {
            context: LIMITS.context,
            sequence: sequence.into(),
            cumulative: Amount::new(cumulative).into(),
            expires_at: UnixTime::new(expires_at).into(),
            ..Voucher::default()
        }
    }

    fn check(voucher: Voucher, now: i64) -> Result<(), Refusal> {
        LIMITS.check(&voucher, UnixTime::new(now))
    }

    #[test]
    fn every_limit_is_kept_to_the_unit_and_to_the_second() {
        assert_eq!(check(voucher(6, 501, 2_000), 2_000), Ok(()));
        assert_eq!(check(voucher(6, 1_000, 2_000), 0), Ok(()));
        // Its number is the payer's to choose.
        assert_eq!(check(voucher(1, 501, 2_000), 0), Ok(()));
        assert_eq!(check(voucher(6, 500, 2_000), 0), Err(Refusal::PaysNothing));
        assert_eq!(check(voucher(6, 1_001, 2_000), 0), Err(Refusal::AboveLimit));
        assert_eq!(check(voucher(6, 501, 2_001), 0), Err(Refusal::OutlivesSession));
        assert_eq!(check(voucher(6, 501, 1_999), 2_000), Err(Refusal::Expired));
    }

    #[test]
    fn a_voucher_of_another_channel_is_refused_whatever_it_says() {
        let other = Voucher { context: Context::new([2; 32]), ..voucher(6, 501, 2_000) };
        assert_eq!(check(other, 0), Err(Refusal::WrongContext));
    }
}
