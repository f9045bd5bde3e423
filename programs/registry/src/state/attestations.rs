//! What attestors say about one subject.

use crate::{
    constants::{EVIDENCE, MAX_PER_ATTESTOR, MAX_VALIDITY},
    error::RegistryError,
};
use anchor_lang::{address_eq, prelude::*};
use joule_units::{Seconds, UnixTime};

/// One credential; a place of `Attestations`, all zero when it is empty.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable, IdlType)]
pub struct Attestation {
    /// The `Attestor` account.
    pub attestor: Address,
    /// A code from `docs/schemas.md`: what is attested.
    pub schema: PodU32,
    /// Unix seconds; since then it has counted without a gap.
    pub since: PodI64,
    /// Unix seconds; from then on it does not count. Revoking brings it forward.
    pub expires_at: PodI64,
    /// SHA-256 of the document that says it in full; all zero when the schema says it all.
    pub value_hash: [u8; 32],
}

impl Attestation {
    /// Whether it counts. An empty place has expired long ago.
    #[inline(always)]
    pub fn is_live(&self, now: i64) -> bool {
        self.expires_at.get() > now
    }

    /// Whether it ended by then, or the place is empty.
    #[inline(always)]
    fn is_over(&self, by: i64) -> bool {
        self.expires_at.get() <= by
    }

    /// Whether it is the credential of an attestor under a schema; zero is any schema.
    #[inline(always)]
    fn is(&self, attestor: &Address, schema: u32) -> bool {
        (schema == 0 || self.schema.get() == schema) && address_eq(&self.attestor, attestor)
    }
}

/// What has ended by then no dispute can ask for any more. An empty place ended at 0.
#[inline(always)]
fn forgotten(now: i64) -> i64 {
    now.saturating_sub(EVIDENCE as i64).max(0)
}

/// What an attestor states, before it is written into a place.
pub struct Statement<'a> {
    pub attestor: &'a Address,
    pub schema: u32,
    /// Unix seconds.
    pub expires_at: i64,
    pub value_hash: &'a [u8; 32],
}

/// PDA `["attestations", subject]`: every credential of one subject, so that any number of requirements is checked against one
/// account. What has ended stays for `EVIDENCE`, since an attestor that takes it back, or gives it anew, must not choose by that
/// who votes in a dispute. Closed by anyone when nothing in it is needed.
#[account]
pub struct Attestations {
    /// Whom the credentials are about. For a provider that is its *authority* key, not its `Provider` account.
    pub subject: Address,
    /// Gets the rent back.
    pub rent_payer: Address,
    /// In no order. Written by `attest` and `revoke`.
    pub places: [Attestation; 16],
    pub bump: u8,
    pub reserved: [u8; 63],
}

impl Attestations {
    pub fn open(&mut self, subject: Address, rent_payer: Address, bump: u8) {
        self.subject = subject;
        self.rent_payer = rent_payer;
        self.bump = bump;
    }

    /// Writes a credential down: over the attestor's earlier one under the same schema while that is live, or else into the
    /// first place that nobody can need any more.
    #[inline(always)]
    pub fn attest(&mut self, new: &Statement, now: UnixTime) -> Result<()> {
        require!(new.schema != 0, RegistryError::MissingSchema);
        let latest = now.checked_add(Seconds::new(MAX_VALIDITY)).ok_or(RegistryError::ExpiryOutOfRange)?.get();
        let now = now.get();
        require!(new.expires_at > now && new.expires_at <= latest, RegistryError::ExpiryOutOfRange);
        let forgotten = forgotten(now);
        let (mut same, mut free, mut of_attestor) = (None, None, 0u8);
        for (index, place) in self.places.iter().enumerate() {
            if place.is_over(forgotten) {
                free = free.or(Some(index));
            } else if address_eq(&place.attestor, new.attestor) {
                of_attestor += 1;
                if place.is_live(now) && place.schema.get() == new.schema {
                    // Renewing takes no further place, and leaves no gap.
                    same = Some(index);
                    break;
                }
            }
        }
        require!(same.is_some() || of_attestor < MAX_PER_ATTESTOR, RegistryError::TooManyOfAttestor);
        let index = same.or(free).ok_or(RegistryError::AttestationsFull)?;
        let place = &mut self.places[index];
        if same.is_none() {
            place.attestor = *new.attestor;
            place.schema = new.schema.into();
            place.since = now.into();
        }
        place.expires_at = new.expires_at.into();
        place.value_hash = *new.value_hash;
        Ok(())
    }

    /// Ends a live credential; there is one at most.
    #[inline(always)]
    pub fn revoke(&mut self, attestor: &Address, schema: u32, now: i64) -> Result<()> {
        require!(schema != 0, RegistryError::MissingSchema);
        let mut places = self.places.iter_mut();
        let place = places.find(|place| place.is_live(now) && place.is(attestor, schema));
        place.ok_or(RegistryError::NotAttested)?.expires_at = now.into();
        Ok(())
    }

    /// Whether the subject held a credential of an attestor at some moment of the last `EVIDENCE` seconds: under a schema or, when
    /// that is zero, under any.
    #[inline(always)]
    pub fn holds(&self, attestor: &Address, schema: u32, at: i64) -> bool {
        self.places.iter().any(|place| place.is_live(at) && place.since.get() <= at && place.is(attestor, schema))
    }

    /// Whether a live credential, or one that has ended lately, may still be asked for.
    #[inline(always)]
    pub fn is_needed(&self, now: i64) -> bool {
        let forgotten = forgotten(now);
        !self.places.iter().all(|place| place.is_over(forgotten))
    }
}
