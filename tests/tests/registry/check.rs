//! Whether a provider meets requirements; pure, as a service asks it.

use anchor_lang::prelude::Error;
use bytemuck::Zeroable;
use joule_sdk::{
    registry::{
        constants::EVIDENCE,
        error::RegistryError,
        state::{Attestations, Attributes, Credential, Profile, Provider, Requirements, Statement, Wanted},
    },
    Pubkey,
};
use joule_units::UnixTime;

const NOW: i64 = 1_800_000_000;
const HERE: Pubkey = Pubkey::new_from_array([1; 32]);
const AUTHORITY: Pubkey = Pubkey::new_from_array([2; 32]);
const KYC: Pubkey = Pubkey::new_from_array([11; 32]);
const AUDIT: Pubkey = Pubkey::new_from_array([12; 32]);

const HARDWARE: Attributes = Attributes {
    gpu_model: 7,
    gpu_count: 8,
    vram_mib: 81_920,
    cpu_cores: 64,
    region: 4,
    memory_mib: 512_000,
    disk_gib: 2_000,
    bandwidth_mbps: 1_000,
};

fn provider(attributes: Attributes) -> Provider {
    let profile =
        Profile { payout_owner: AUTHORITY, capacity: 1, endpoint_hash: [0; 32], metadata_hash: [0; 32], attributes };
    let mut provider = Provider::zeroed();
    provider.register(AUTHORITY, AUTHORITY, &profile, NOW, 255).unwrap();
    provider
}

fn requirements(wanted: Wanted) -> Requirements {
    let mut requirements = Requirements::zeroed();
    requirements.define(HERE, HERE, &wanted, 255).unwrap();
    requirements
}

/// Credentials of `subject`, each valid for a second.
fn credentials(subject: Pubkey, given: &[(Pubkey, u32)]) -> Attestations {
    let mut list = Attestations::zeroed();
    list.open(subject, subject, 255);
    for (attestor, schema) in given {
        let new = Statement { attestor, schema: *schema, expires_at: NOW + 1, value_hash: &[0; 32] };
        list.attest(&new, UnixTime::new(NOW)).unwrap();
    }
    list
}

fn named(result: Result<(), Error>) -> Result<(), u32> {
    result.map_err(|error| match error {
        Error::Custom(code) => code,
        other => panic!("{other:?}"),
    })
}

fn code(error: RegistryError) -> Result<(), u32> {
    named(Err(error.into()))
}

fn check(wanted: Wanted, attributes: Attributes) -> Result<(), u32> {
    named(requirements(wanted).check(&HERE, &provider(attributes), 0, None, NOW))
}

fn check_credentials(wanted: Wanted, attestations: Option<&Attestations>, now: i64) -> Result<(), u32> {
    named(requirements(wanted).check(&HERE, &provider(HARDWARE), 0, attestations, now))
}

fn rules(list: &[(Pubkey, u32)]) -> [Credential; 4] {
    let mut rules = [Credential::default(); 4];
    for (rule, (attestor, schema)) in rules.iter_mut().zip(list) {
        *rule = Credential { attestor: *attestor, schema: *schema };
    }
    rules
}

#[test]
fn the_zero_of_everything_asks_for_nothing() {
    assert_eq!(check(Wanted::default(), Attributes::default()), Ok(()));
    assert_eq!(check(Wanted::default(), HARDWARE), Ok(()));
}

#[test]
fn hardware_is_at_least_what_is_wanted_in_every_respect() {
    let h = HARDWARE;
    let exact = Wanted {
        gpu_model: h.gpu_model,
        gpu_count: h.gpu_count,
        vram_mib: h.vram_mib,
        cpu_cores: h.cpu_cores,
        memory_mib: h.memory_mib,
        disk_gib: h.disk_gib,
        bandwidth_mbps: h.bandwidth_mbps,
        ..Default::default()
    };
    assert_eq!(check(exact, h), Ok(()));
    let more = [
        Wanted { gpu_model: h.gpu_model + 1, ..exact },
        Wanted { gpu_model: h.gpu_model - 1, ..exact },
        Wanted { gpu_count: h.gpu_count + 1, ..exact },
        Wanted { vram_mib: h.vram_mib + 1, ..exact },
        Wanted { cpu_cores: h.cpu_cores + 1, ..exact },
        Wanted { memory_mib: h.memory_mib + 1, ..exact },
        Wanted { disk_gib: h.disk_gib + 1, ..exact },
        Wanted { bandwidth_mbps: u32::MAX, ..exact },
    ];
    for wanted in more {
        assert_eq!(check(wanted, h), code(RegistryError::HardwareTooSmall), "{wanted:?}");
    }
    // More than is wanted is fine, but another model is another model.
    assert_eq!(check(Wanted { gpu_model: 0, gpu_count: 1, ..exact }, h), Ok(()));
    // Bytes that compare otherwise than the numbers they spell.
    assert_eq!(
        check(Wanted { vram_mib: 256, ..Default::default() }, Attributes { vram_mib: 255, ..h }),
        code(RegistryError::HardwareTooSmall)
    );
    assert_eq!(check(Wanted { vram_mib: 255, ..Default::default() }, Attributes { vram_mib: 256, ..h }), Ok(()));
}

#[test]
fn the_provider_is_in_one_of_the_regions() {
    let at = |regions| check(Wanted { regions, ..Default::default() }, HARDWARE);
    assert_eq!(at([4, 0, 0, 0]), Ok(()));
    assert_eq!(at([1, 2, 3, 4]), Ok(()));
    assert_eq!(at([1, 2, 3, 5]), code(RegistryError::WrongRegion));
    // A provider that does not say where it is, is nowhere.
    let unspecified = Attributes { region: 0, ..HARDWARE };
    assert_eq!(
        check(Wanted { regions: [4, 0, 0, 0], ..Default::default() }, unspecified),
        code(RegistryError::WrongRegion)
    );
}

#[test]
fn the_free_bond_is_at_least_what_is_wanted() {
    let bonded = |min_bond, free| {
        let wanted = Wanted { min_bond, ..Default::default() };
        named(requirements(wanted).check(&HERE, &provider(HARDWARE), free, None, NOW))
    };
    assert_eq!(bonded(0, 0), Ok(()));
    assert_eq!(bonded(100, 100), Ok(()));
    assert_eq!(bonded(100, 99), code(RegistryError::BondTooSmall));
    assert_eq!(bonded(u64::MAX, u64::MAX), Ok(()));
    assert_eq!(bonded(u64::MAX, u64::MAX - 1), code(RegistryError::BondTooSmall));
    assert_eq!(bonded(256, 255), code(RegistryError::BondTooSmall));
}

#[test]
fn only_those_allowed_may_where_anyone_is_named() {
    let allowed = |places: &[u8]| {
        let mut allowed = [Pubkey::default(); 8];
        for (place, name) in allowed.iter_mut().zip(places) {
            *place = Pubkey::new_from_array([*name; 32]);
        }
        check(Wanted { allowed, ..Default::default() }, HARDWARE)
    };
    assert_eq!(allowed(&[1]), Ok(()));
    assert_eq!(allowed(&[9, 8, 7, 6, 5, 4, 3, 1]), Ok(()));
    assert_eq!(allowed(&[9]), code(RegistryError::NotAllowed));
    assert_eq!(allowed(&[9, 8, 7, 6, 5, 4, 3, 2]), code(RegistryError::NotAllowed));
    // The provider's authority is not its account.
    assert_eq!(allowed(&[2]), code(RegistryError::NotAllowed));
}

#[test]
fn every_one_of_all_and_one_at_least_of_any() {
    let own = credentials(AUTHORITY, &[(KYC, 1), (AUDIT, 2)]);
    let all = |list: &[(Pubkey, u32)]| {
        check_credentials(Wanted { all_of: rules(list), ..Default::default() }, Some(&own), NOW)
    };
    let any = |list: &[(Pubkey, u32)]| {
        check_credentials(Wanted { any_of: rules(list), ..Default::default() }, Some(&own), NOW)
    };
    let missing = code(RegistryError::CredentialMissing);
    assert_eq!(all(&[(KYC, 1)]), Ok(()));
    assert_eq!(all(&[(KYC, 1), (AUDIT, 2)]), Ok(()));
    assert_eq!(all(&[(KYC, 1), (AUDIT, 1)]), missing);
    assert_eq!(all(&[(KYC, 2)]), missing);
    assert_eq!(any(&[(KYC, 9), (AUDIT, 9), (KYC, 8), (AUDIT, 2)]), Ok(()));
    assert_eq!(any(&[(KYC, 9), (AUDIT, 9)]), missing);
    // Any schema of an attestor.
    assert_eq!(all(&[(KYC, 0), (AUDIT, 0)]), Ok(()));
    assert_eq!(any(&[(HERE, 0)]), missing);
    let both = Wanted { all_of: rules(&[(KYC, 1)]), any_of: rules(&[(AUDIT, 9)]), ..Default::default() };
    assert_eq!(check_credentials(both, Some(&own), NOW), missing);
}

#[test]
fn without_credentials_none_is_held() {
    let missing = code(RegistryError::CredentialMissing);
    let wanted = Wanted { all_of: rules(&[(KYC, 1)]), ..Default::default() };
    assert_eq!(check_credentials(wanted, None, NOW), missing);
    assert_eq!(check_credentials(wanted, Some(&credentials(AUTHORITY, &[])), NOW), missing);
    // And none is asked for where none is wanted.
    assert_eq!(check_credentials(Wanted::default(), None, NOW), Ok(()));
}

#[test]
fn somebody_elses_credentials_do_not_count() {
    let wanted = Wanted { all_of: rules(&[(KYC, 1)]), ..Default::default() };
    for subject in [HERE, KYC, Pubkey::default()] {
        let others = credentials(subject, &[(KYC, 1)]);
        assert_eq!(check_credentials(wanted, Some(&others), NOW), code(RegistryError::CredentialMissing));
    }
}

#[test]
fn expired_and_revoked_credentials_do_not_count() {
    let missing = code(RegistryError::CredentialMissing);
    for list in [&[(KYC, 1)], &[(KYC, 0)]] {
        let (all, any) = (
            Wanted { all_of: rules(list), ..Default::default() },
            Wanted { any_of: rules(list), ..Default::default() },
        );
        let mut own = credentials(AUTHORITY, &[(KYC, 1)]);
        for wanted in [all, any] {
            assert_eq!(check_credentials(wanted, Some(&own), NOW), Ok(()));
            assert_eq!(check_credentials(wanted, Some(&own), NOW + 1), missing);
        }
        own.revoke(&KYC, 1, NOW).unwrap();
        for wanted in [all, any] {
            assert_eq!(check_credentials(wanted, Some(&own), NOW), missing);
        }
    }
}

#[test]
fn what_was_held_when_a_dispute_opened_is_what_counts_for_it() {
    let wanted = Wanted { all_of: rules(&[(KYC, 1)]), ..Default::default() };
    let missing = code(RegistryError::CredentialMissing);
    let later = NOW + 10;
    let give = |own: &mut Attestations, at: i64, until: i64| {
        let new = Statement { attestor: &KYC, schema: 1, expires_at: until, value_hash: &[0; 32] };
        own.attest(&new, UnixTime::new(at)).unwrap();
    };
    // Given afterwards, it does not.
    let mut own = credentials(AUTHORITY, &[]);
    give(&mut own, later, later + 100);
    assert_eq!(check_credentials(wanted, Some(&own), NOW), missing);
    assert_eq!(check_credentials(wanted, Some(&own), later), Ok(()));
    // Revoked, given again, renewed and expired, it does.
    let mut own = credentials(AUTHORITY, &[]);
    give(&mut own, NOW, NOW + 1_000);
    give(&mut own, later, later + 2_000);
    own.revoke(&KYC, 1, later + 1).unwrap();
    give(&mut own, later + 2, later + 3);
    for at in [NOW, later, later + 2] {
        assert_eq!(check_credentials(wanted, Some(&own), at), Ok(()), "{at}");
    }
    for at in [NOW - 1, later + 1, later + 3] {
        assert_eq!(check_credentials(wanted, Some(&own), at), missing, "{at}");
    }
    // For as long as a dispute may ask.
    let end = later + 1 + EVIDENCE as i64;
    for schema in [2, 3] {
        let other = Statement { attestor: &AUDIT, schema, expires_at: end + 9, value_hash: &[0; 32] };
        own.attest(&other, UnixTime::new(end - 1)).unwrap();
    }
    assert_eq!(check_credentials(wanted, Some(&own), NOW), Ok(()));
    assert!(own.is_needed(end + 8 + EVIDENCE as i64) && !own.is_needed(end + 9 + EVIDENCE as i64));
    let other = Statement { attestor: &AUDIT, schema: 4, expires_at: end + 9, value_hash: &[0; 32] };
    own.attest(&other, UnixTime::new(end)).unwrap();
    assert_eq!(check_credentials(wanted, Some(&own), NOW), missing);
}

#[test]
fn an_empty_place_is_nobodys_credential() {
    // Not even for a rule that was written past the program's own checks.
    let mut requirements = requirements(Wanted { all_of: rules(&[(KYC, 1)]), ..Default::default() });
    requirements.criteria.all_of[0].schema = 0.into();
    let empty = credentials(AUTHORITY, &[]);
    let result = named(requirements.check(&HERE, &provider(HARDWARE), 0, Some(&empty), NOW));
    assert_eq!(result, code(RegistryError::CredentialMissing));
    assert!(!empty.holds(&Pubkey::default(), 0, NOW));
}

#[test]
fn the_first_broken_rule_is_named() {
    let wanted = Wanted {
        allowed: [KYC; 8],
        regions: [9; 4],
        gpu_count: 99,
        min_bond: 1,
        all_of: rules(&[(KYC, 1)]),
        ..Default::default()
    };
    let steps = [
        (RegistryError::NotAllowed, Wanted { allowed: [HERE; 8], ..wanted }),
        (RegistryError::HardwareTooSmall, Wanted { allowed: [HERE; 8], gpu_count: 0, ..wanted }),
        (RegistryError::WrongRegion, Wanted { allowed: [HERE; 8], gpu_count: 0, regions: [4; 4], ..wanted }),
    ];
    let mut now = wanted;
    for (error, next) in steps {
        assert_eq!(check(now, HARDWARE), code(error));
        now = next;
    }
    assert_eq!(check(now, HARDWARE), code(RegistryError::BondTooSmall));
    assert_eq!(check(Wanted { min_bond: 0, ..now }, HARDWARE), code(RegistryError::CredentialMissing));
}
