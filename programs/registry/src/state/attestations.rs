//! What attestors say about one subject.

use crate::{
    constants::{MAX_PER_ATTESTOR, MAX_VALIDITY},
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
    /// Unix seconds; from then on it does not count.
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

    /// Whether it is the credential of an attestor under a schema; zero is any schema.
    #[inline(always)]
    fn is(&self, attestor: &Address, schema: u32) -> bool {
        (schema == 0 || self.schema.get() == schema) && address_eq(&self.attestor, attestor)
    }
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
/// account. Closed by anyone when nothing in it is live.
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

    /// Writes a credential down: over the attestor's earlier one under the same schema, expired or not, or else into the first
    /// place that holds nothing live.
    #[inline(always)]
    pub fn attest(&mut self, new: &Statement, now: UnixTime) -> Result<()> {
        require!(new.schema != 0, RegistryError::MissingSchema);
        let latest = now.checked_add(Seconds::new(MAX_VALIDITY)).ok_or(RegistryError::ExpiryOutOfRange)?.get();
        let now = now.get();
        require!(new.expires_at > now && new.expires_at <= latest, RegistryError::ExpiryOutOfRange);
        let (mut same, mut free, mut of_attestor) = (None, None, 0u8);
        for (index, place) in self.places.iter().enumerate() {
            let (is_live, is_same) = (place.is_live(now), place.is(new.attestor, new.schema));
            if is_same {
                same = Some(index);
                // Renewing takes no further place; what has expired holds none.
                if is_live {
                    of_attestor = 0;
                    break;
                }
            } else if !is_live {
                free = free.or(Some(index));
            } else if address_eq(&place.attestor, new.attestor) {
                of_attestor += 1;
            }
        }
        require!(of_attestor < MAX_PER_ATTESTOR, RegistryError::TooManyOfAttestor);
        let index = same.or(free).ok_or(RegistryError::AttestationsFull)?;
        let place = &mut self.places[index];
        place.attestor = *new.attestor;
        place.schema = new.schema.into();
        place.expires_at = new.expires_at.into();
        place.value_hash = *new.value_hash;
        Ok(())
    }

    /// Empties the place of a credential, live or expired; there is one at most.
    #[inline(always)]
    pub fn revoke(&mut self, attestor: &Address, schema: u32) -> Result<()> {
        require!(schema != 0, RegistryError::MissingSchema);
        let place =
            self.places.iter_mut().find(|place| place.is(attestor, schema)).ok_or(RegistryError::NotAttested)?;
        *place = bytemuck::Zeroable::zeroed();
        Ok(())
    }

    /// Whether the subject has a live credential of an attestor, under a schema or, when that is zero, under any.
    #[inline(always)]
    pub fn holds(&self, attestor: &Address, schema: u32, now: i64) -> bool {
        self.places.iter().any(|place| place.is_live(now) && place.is(attestor, schema))
    }

    #[inline(always)]
    pub fn has_live(&self, now: i64) -> bool {
        self.places.iter().any(|place| place.is_live(now))
    }
}
