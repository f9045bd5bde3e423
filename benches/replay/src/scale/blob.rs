//! Bytes of a recording with places that are filled anew each time: addresses, signatures, times, numbers.

use super::random::mixed;
use std::collections::{hash_map::Entry, HashMap};

/// Times of a recording lie this near to when it was made, in seconds. Anything else of eight bytes does not, but for one amount in
/// billions.
const NEAR: u64 = 60 * 24 * 3_600;

/// An address of the recording that is another one in each copy, by its place in [`Cast`].
pub type Member = u16;

/// Whose an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The same for all who live in one of many worlds: a provider, its bond.
    World,
    /// One story's alone: a job, its claim.
    Story,
}

/// The addresses that are filled, with what they were.
#[derive(Debug, Default)]
pub struct Cast {
    pub scopes: Vec<Scope>,
    members: HashMap<[u8; 32], Member>,
}

impl Cast {
    pub fn add(&mut self, address: [u8; 32], scope: Scope) {
        let Ok(member) = Member::try_from(self.scopes.len()) else { return };
        if let Entry::Vacant(vacant) = self.members.entry(address) {
            vacant.insert(member);
            self.scopes.push(scope);
        }
    }

    pub fn member(&self, address: &[u8]) -> Option<Member> {
        self.members.get(<&[u8; 32]>::try_from(address).ok()?).copied()
    }
}

/// What the places are filled with.
#[derive(Debug, Clone, Copy)]
pub struct Filling {
    pub seed: u64,
    pub world: u64,
    pub story: u64,
    /// Seconds to add to times.
    pub shift: i64,
    pub signature: [u8; 64],
}

impl Filling {
    pub fn address(&self, member: Member, scope: Scope) -> [u8; 32] {
        let (whose, kind) = match scope {
            Scope::World => (self.world, 1),
            Scope::Story => (self.story, 2),
        };
        mixed([self.seed, whose, member.into(), kind])
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fill {
    Address(Member, Scope),
    Signature,
    Time(i64),
    /// The story's number, where the recording has a client's for its job.
    Number,
}

#[derive(Debug, Clone, Default)]
pub struct Blob {
    bytes: Vec<u8>,
    fills: Vec<(usize, Fill)>,
}

impl Blob {
    /// `made` is when the recording was, in Unix seconds; `numbers` are places of numbers.
    pub fn new(bytes: Vec<u8>, cast: &Cast, signature: &[u8], made: i64, numbers: &[usize]) -> Self {
        let mut fills: Vec<(usize, Fill)> = numbers.iter().map(|place| (*place, Fill::Number)).collect();
        let mut place = 0;
        while place < bytes.len() {
            let rest = &bytes[place..];
            let found = if !signature.is_empty() && rest.starts_with(signature) {
                Some((Fill::Signature, 64))
            } else if let Some(member) = rest.get(..32).and_then(|address| cast.member(address)) {
                Some((Fill::Address(member, cast.scopes[usize::from(member)]), 32))
            } else {
                let number = rest.first_chunk().map(|number| i64::from_le_bytes(*number));
                number.filter(|time| time.abs_diff(made) < NEAR).map(|time| (Fill::Time(time), 8))
            };
            match found {
                Some((fill, length)) => {
                    fills.push((place, fill));
                    place += length;
                }
                None => place += 1,
            }
        }
        Self { bytes, fills }
    }

    /// With nothing to be filled.
    pub fn fixed(bytes: Vec<u8>) -> Self {
        Self { bytes, fills: Vec::new() }
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn put(&self, out: &mut Vec<u8>, filling: &Filling) {
        let begin = out.len();
        out.extend_from_slice(&self.bytes);
        let new = &mut out[begin..];
        for (place, fill) in &self.fills {
            let mut write = |bytes: &[u8]| new[*place..place + bytes.len()].copy_from_slice(bytes);
            match *fill {
                Fill::Address(member, scope) => write(&filling.address(member, scope)),
                Fill::Signature => write(&filling.signature),
                Fill::Time(time) => write(&(time + filling.shift).to_le_bytes()),
                Fill::Number => write(&filling.story.to_le_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_signatures_times_and_numbers_are_filled_and_all_else_stays() {
        let mut cast = Cast::default();
        cast.add([1; 32], Scope::World);
        cast.add([2; 32], Scope::Story);
        let made = 1_796_049_137i64;
        let time = (made + 3_600).to_le_bytes();
        let amount = 1_000_000u64.to_le_bytes();
        let parts: [&[u8]; 8] = [b"head", &[1; 32], &[2; 32], &time, &amount, &[9; 64], &5u64.to_le_bytes(), &[1; 31]];
        let number = parts[..6].iter().map(|part| part.len()).sum();
        let blob = Blob::new(parts.concat(), &cast, &[9; 64], made, &[number]);
        let filling = Filling { seed: 3, world: 4, story: 5, shift: 10, signature: [7; 64] };
        let mut out = Vec::new();
        blob.put(&mut out, &filling);
        let (world, story) = (filling.address(0, Scope::World), filling.address(1, Scope::Story));
        let shifted = (made + 3_610).to_le_bytes();
        let expected: [&[u8]; 8] =
            [b"head", &world, &story, &shifted, &amount, &[7; 64], &5u64.to_le_bytes(), &[1; 31]];
        assert_eq!(out, expected.concat());
        assert_ne!(filling.address(0, Scope::World), Filling { world: 5, ..filling }.address(0, Scope::World));
        assert_eq!(filling.address(0, Scope::World), Filling { story: 6, ..filling }.address(0, Scope::World));
    }
}
