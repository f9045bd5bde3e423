//! Reading accounts.

use crate::SdkError;
use anchor_lang::Discriminator;
use bytemuck::Pod;

/// Reads an account of one of the programs: 8 bytes of discriminator, then the fields.
pub fn decode<T: Pod + Discriminator>(data: &[u8]) -> Result<T, SdkError> {
    let body = data.strip_prefix(T::DISCRIMINATOR).ok_or(SdkError::NotThisAccount)?;
    bytemuck::try_pod_read_unaligned(body.get(..size_of::<T>()).ok_or(SdkError::NotThisAccount)?)
        .map_err(|_| SdkError::NotThisAccount)
}

/// What a token account holds, in base units.
pub fn token_amount(data: &[u8]) -> Result<u64, SdkError> {
    let bytes = data.get(64..72).and_then(|b| b.try_into().ok()).ok_or(SdkError::NotThisAccount)?;
    Ok(u64::from_le_bytes(bytes))
}

/// The decimals of a mint, under either token program; `None` for what cannot be one.
pub fn mint_decimals(data: &[u8]) -> Option<u8> {
    const LEN: usize = 82;
    const DECIMALS: usize = 44;
    data.get(..LEN).map(|mint| mint[DECIMALS])
}
