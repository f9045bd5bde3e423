//! What a client wants of whoever works for it: from a file, or defined before.

use crate::{
    act::{read, Actor, Token},
    context::{address, Options},
    failure::Failure,
    output,
};
use joule_artifacts::Hash;
use joule_sdk::{
    instruction::registry,
    pda,
    registry::{
        constants::REQUIREMENTS_NOTICE,
        state::{Credential, Requirements, Wanted},
    },
    Pubkey,
};
use serde::Deserialize;

/// The file, in TOML. What is left out is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    gpu_model: u16,
    gpu_count: u16,
    vram_mib: u32,
    cpu_cores: u16,
    memory_mib: u32,
    disk_gib: u32,
    bandwidth_mbps: u32,
    regions: Vec<u16>,
    /// In tokens.
    min_bond: Option<String>,
    all_of: Vec<Held>,
    any_of: Vec<Held>,
    /// Addresses of providers.
    allowed: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Held {
    /// The attestor's key.
    attestor: String,
    /// 0 is any.
    #[serde(default)]
    schema: u32,
}

/// The account of the requirements that `text` names, by hash or as a file; defined when it is not there yet.
pub async fn account(actor: &Actor, token: &Token, text: &str) -> Result<Pubkey, Failure> {
    let client = actor.key();
    if let Ok(hash) = text.parse::<Hash>() {
        let place = pda::requirements(&client, hash.as_bytes());
        let found: Option<Requirements> = actor.chain.find(&place).await?;
        let none = || Failure::NotFound(format!("{client} has defined no requirements {hash}: give the file instead"));
        return found.ok_or_else(none).and_then(|found| usable(place, &found));
    }
    let bytes = read(text.as_ref())?;
    let text_of = String::from_utf8(bytes).map_err(|_| Failure::Input(format!("{text} is not a TOML file")))?;
    let wanted = parse(&text_of, token).map_err(|error| Failure::Input(format!("{text}: {error}")))?;
    let place = pda::requirements(&client, &wanted.hash());
    if let Some(found) = actor.chain.find::<Requirements>(&place).await? {
        return usable(place, &found);
    }
    let define = registry::define_requirements(client, client, wanted);
    actor.chain.send(&[define], &[&actor.signer]).await?;
    Ok(place)
}

fn usable(place: Pubkey, found: &Requirements) -> Result<Pubkey, Failure> {
    match found.is_retired() {
        false => Ok(place),
        true => Err(Failure::Refused(format!(
            "requirements {place} are retired, and no new job can name them: say something else, or close them in time"
        ))),
    }
}

/// Where requirements are: by address, or by hash among the signer's.
fn place(actor: &Actor, text: &str) -> Result<Pubkey, Failure> {
    match text.parse::<Hash>() {
        Ok(hash) => Ok(pda::requirements(&actor.key(), hash.as_bytes())),
        Err(_) => address(text),
    }
}

async fn find(actor: &Actor, place: &Pubkey) -> Result<Requirements, Failure> {
    let found = actor.chain.find::<Requirements>(place).await?;
    found.ok_or_else(|| Failure::NotFound(format!("there are no requirements {place}")))
}

pub(super) async fn retire(options: &Options, text: &str) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let place = place(&actor, text)?;
    let found = find(&actor, &place).await?;
    if found.client != actor.key() {
        return Err(Failure::Refused(format!("requirements {place} are {}'s to retire", found.client)));
    }
    let retire = registry::retire_requirements(actor.key(), &found.criteria.hash());
    actor.send(options, &[retire], ("requirements", &place), "retired requirements").await
}

pub(super) async fn close(options: &Options, text: &str) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let place = place(&actor, text)?;
    let found = find(&actor, &place).await?;
    let until = found.retired_at.get().saturating_add(REQUIREMENTS_NOTICE.into());
    if !found.is_retired() || actor.chain.now().await? < until {
        let when = if found.is_retired() { output::time(until) } else { "300 days after they are retired".to_owned() };
        return Err(Failure::Refused(format!("jobs may need requirements {place} until {when}")));
    }
    let close = registry::close_requirements(place, &found);
    actor.send(options, &[close], ("requirements", &place), "closed requirements").await
}

fn parse(text: &str, token: &Token) -> Result<Wanted, Failure> {
    let file: File = toml::from_str(text).map_err(|error| Failure::Input(error.to_string()))?;
    let held = |list: &[Held]| -> Result<[Credential; 4], Failure> {
        let list = list
            .iter()
            .map(|held| Ok(Credential { attestor: pda::attestor(&address(&held.attestor)?), schema: held.schema }));
        fill("credentials", list.collect::<Result<_, Failure>>()?)
    };
    let allowed = file.allowed.iter().map(|text| address(text)).collect::<Result<_, _>>()?;
    Ok(Wanted {
        gpu_model: file.gpu_model,
        gpu_count: file.gpu_count,
        vram_mib: file.vram_mib,
        cpu_cores: file.cpu_cores,
        memory_mib: file.memory_mib,
        disk_gib: file.disk_gib,
        bandwidth_mbps: file.bandwidth_mbps,
        regions: fill("regions", file.regions)?,
        min_bond: file.min_bond.as_deref().map(|amount| token.amount(amount)).transpose()?.unwrap_or(0),
        all_of: held(&file.all_of)?,
        any_of: held(&file.any_of)?,
        allowed: fill("allowed", allowed)?,
    })
}

/// A list in the places that there are for it.
fn fill<T: Copy + Default, const N: usize>(what: &str, list: Vec<T>) -> Result<[T; N], Failure> {
    if list.len() > N {
        return Err(Failure::Input(format!("{what} has {} entries; there is room for {N}", list.len())));
    }
    let mut places = [T::default(); N];
    places[..list.len()].copy_from_slice(&list);
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token { mint: Pubkey::default(), program: Pubkey::default(), decimals: 6 }
    }

    #[test]
    fn a_file_says_what_is_wanted_and_leaves_out_the_rest() {
        let key = Pubkey::new_from_array([7; 32]);
        let text = format!(
            "gpu_count = 2\nregions = [3, 1]\nmin_bond = \"12.5\"\nallowed = [\"{key}\"]\nall_of = [{{ attestor = \"{key}\", schema = 4 }}]"
        );
        let wanted = parse(&text, &token()).unwrap();
        assert_eq!((wanted.gpu_count, wanted.regions, wanted.min_bond), (2, [3, 1, 0, 0], 12_500_000));
        assert_eq!((wanted.allowed[0], wanted.all_of[0].schema), (key, 4));
        assert_eq!(wanted.all_of[0].attestor, pda::attestor(&key));
        assert_eq!(parse("", &token()).unwrap(), Wanted::default());
    }

    #[test]
    fn what_does_not_fit_or_is_misspelt_is_refused() {
        for text in ["gpus = 2", "regions = [1, 2, 3, 4, 5]", "allowed = [\"nobody\"]", "min_bond = \"a lot\""] {
            assert!(parse(text, &token()).is_err(), "{text}");
        }
    }
}
