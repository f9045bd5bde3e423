//! What a client wants of whoever works for it: from a file, or defined before.

use crate::{
    act::{hashless, Actor},
    context::{address, Options},
    failure::Failure,
    token::Token,
    view::View,
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
use joule_settings::{nearest, Amount, GpuModel, Region, Size};
use serde::Deserialize;

/// The file, in TOML. What is left out is not asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    gpu_model: GpuModel,
    gpu_count: u16,
    vram: Option<Size>,
    cpu_cores: u16,
    memory: Option<Size>,
    disk: Option<Size>,
    bandwidth_mbps: u32,
    regions: Vec<Region>,
    min_bond: Option<Amount>,
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

/// What a client has said of whoever may work for it.
pub enum Said {
    Hash(Hash),
    File(Box<File>),
}

impl Said {
    /// Everything that can be wrong with it is found here.
    pub fn read(text: &str) -> Result<Self, Failure> {
        if let Ok(hash) = text.parse() {
            return Ok(Self::Hash(hash));
        }
        let wrong = |error: String| Failure::Input(format!("{text}: {error}"));
        let bytes = hashless(text)?;
        let content = String::from_utf8(bytes).map_err(|_| wrong("this is not a TOML file".into()))?;
        let file: File = toml::from_str(&content).map_err(|error| wrong(plainly(&content, &error)))?;
        // Addresses and lists; the token is known later.
        file.wanted(0).map_err(|error| wrong(error.to_string()))?;
        Ok(Self::File(Box::new(file)))
    }

    /// The account of these requirements; defined when it is not there yet.
    pub async fn account(&self, actor: &Actor, token: &Token) -> Result<Pubkey, Failure> {
        let client = actor.key();
        let wanted = match self {
            Self::Hash(hash) => {
                let place = pda::requirements(&client, hash.as_bytes());
                let found: Option<Requirements> = actor.chain.find(&place).await?;
                let none =
                    || Failure::NotFound(format!("{client} has defined no requirements {hash}: give the file instead"));
                return found.ok_or_else(none).and_then(|found| usable(place, &found));
            }
            Self::File(file) => {
                let bond = file.min_bond.as_ref().map(|amount| token.units(amount)).transpose()?;
                file.wanted(bond.unwrap_or(0))?
            }
        };
        let place = pda::requirements(&client, &wanted.hash());
        if let Some(found) = actor.chain.find::<Requirements>(&place).await? {
            return usable(place, &found);
        }
        let define = registry::define_requirements(client, client, wanted);
        actor.chain.send(&[define], &[&actor.signer]).await?;
        Ok(place)
    }
}

/// What is wrong and in which line, and for a key that there is not the one that was meant.
fn plainly(content: &str, error: &toml::de::Error) -> String {
    let message = error.message();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once("`, expected "));
    let message = match unknown {
        None => message.to_owned(),
        Some((unknown, known)) => {
            let known: Vec<_> = known.split('`').skip(1).step_by(2).collect();
            match nearest(unknown, known.iter().copied()) {
                Some(nearest) => format!("there is no `{unknown}`: did you mean `{nearest}`?"),
                None => format!("there is no `{unknown}`: there are {}", known.join(", ")),
            }
        }
    };
    let before = error.span().and_then(|span| content.get(..span.start));
    before.map_or(message.clone(), |before| format!("line {}: {message}", before.matches('\n').count() + 1))
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
#[derive(Clone, Copy)]
pub enum Place {
    Address(Pubkey),
    Hash(Hash),
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(hash) => Ok(Self::Hash(hash)),
            Err(_) => address(text).map(Self::Address).map_err(|why| format!("{why}, and a hash 64 digits in hex")),
        }
    }
}

impl Place {
    fn among(&self, owner: &Pubkey) -> Pubkey {
        match self {
            Self::Hash(hash) => pda::requirements(owner, hash.as_bytes()),
            Self::Address(address) => *address,
        }
    }
}

async fn find(actor: &Actor, place: &Pubkey) -> Result<Requirements, Failure> {
    let found = actor.chain.find::<Requirements>(place).await?;
    found.ok_or_else(|| Failure::NotFound(format!("there are no requirements {place}")))
}

pub(super) async fn retire(options: &Options, place: &Place) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let place = place.among(&actor.key());
    let found = find(&actor, &place).await?;
    if found.client != actor.key() {
        return Err(Failure::Refused(format!("requirements {place} are {}'s to retire", found.client)));
    }
    let retire = registry::retire_requirements(actor.key(), &found.criteria.hash());
    actor.send(options, &[retire], ("requirements", &place), "retired requirements").await
}

pub(super) async fn close(options: &Options, place: &Place) -> Result<(), Failure> {
    let actor = Actor::of(options)?;
    let place = place.among(&actor.key());
    let found = find(&actor, &place).await?;
    let until = found.retired_at.get().saturating_add(REQUIREMENTS_NOTICE.into());
    if !found.is_retired() || actor.chain.now().await? < until {
        let when = match found.is_retired() {
            true => View::of(options, []).await.moment(until),
            false => "300 days after they are retired".to_owned(),
        };
        return Err(Failure::Refused(format!("jobs may need requirements {place} until {when}")));
    }
    let close = registry::close_requirements(place, &found);
    actor.send(options, &[close], ("requirements", &place), "closed requirements").await
}

impl File {
    /// `min_bond` in base units.
    fn wanted(&self, min_bond: u64) -> Result<Wanted, Failure> {
        let held = |list: &[Held]| -> Result<[Credential; 4], Failure> {
            let list = list.iter().map(|held| {
                let attestor = pda::attestor(&key("attestor", &held.attestor)?);
                Ok(Credential { attestor, schema: held.schema })
            });
            fill("credentials", list.collect::<Result<_, Failure>>()?)
        };
        let allowed = self.allowed.iter().map(|text| key("allowed", text)).collect::<Result<_, _>>()?;
        Ok(Wanted {
            gpu_model: self.gpu_model.get(),
            gpu_count: self.gpu_count,
            vram_mib: whole("vram", self.vram, MIB)?,
            cpu_cores: self.cpu_cores,
            memory_mib: whole("memory", self.memory, MIB)?,
            disk_gib: whole("disk", self.disk, GIB)?,
            bandwidth_mbps: self.bandwidth_mbps,
            regions: fill("regions", self.regions.iter().map(|region| region.get()).collect())?,
            min_bond,
            all_of: held(&self.all_of)?,
            any_of: held(&self.any_of)?,
            allowed: fill("allowed", allowed)?,
        })
    }
}

pub const MIB: u64 = 1 << 20;
pub const GIB: u64 = 1 << 30;

/// A size in whole units; what is not given is nothing.
pub fn whole(what: &str, size: Option<Size>, unit: u64) -> Result<u32, Failure> {
    let Some(Size(bytes)) = size else { return Ok(0) };
    let whole = u32::try_from(bytes / unit).ok().filter(|_| bytes % unit == 0);
    whole.ok_or_else(|| {
        Failure::Input(format!("{what} {} is not in whole {}: write it in MiB or GiB", Size(bytes), Size(unit)))
    })
}

fn key(what: &str, text: &str) -> Result<Pubkey, Failure> {
    address(text).map_err(|why| Failure::Input(format!("{what}: {text:?}: {why}")))
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

    fn read(text: &str) -> Result<Wanted, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wanted.toml");
        std::fs::write(&path, text).unwrap();
        match Said::read(&path.display().to_string())? {
            Said::File(file) => {
                let unit = joule_settings::Token::new("JOULE", 6);
                file.wanted(file.min_bond.as_ref().map_or(0, |amount| unit.units(amount).unwrap()))
            }
            Said::Hash(_) => unreachable!("a path is no hash"),
        }
    }

    #[test]
    fn a_file_says_what_is_wanted_by_name_and_leaves_out_the_rest() {
        let key = Pubkey::new_from_array([7; 32]);
        let text = format!(
            "gpu_model = 'H100'\ngpu_count = 2\nvram = '80 GiB'\nregions = ['sa', 'na-east']\nmin_bond = '12.5 JOULE'\n\
             allowed = ['{key}']\nall_of = [{{ attestor = '{key}', schema = 4 }}]"
        );
        let wanted = read(&text).unwrap();
        assert_eq!((wanted.gpu_model, wanted.gpu_count, wanted.vram_mib), (7, 2, 80 << 10));
        assert_eq!((wanted.regions, wanted.min_bond), ([3, 1, 0, 0], 12_500_000));
        assert_eq!((wanted.allowed[0], wanted.all_of[0].schema), (key, 4));
        assert_eq!(wanted.all_of[0].attestor, pda::attestor(&key));
        assert_eq!(read("").unwrap(), Wanted::default());
    }

    #[test]
    fn what_does_not_fit_or_is_misspelt_is_refused_with_the_line_and_what_was_meant() {
        for (text, wanted) in [
            ("\ngpu_cout = 2", "line 2: there is no `gpu_cout`: did you mean `gpu_count`?"),
            ("gpu_model = 'H10'", "did you mean \"H100\"?"),
            ("gpu_model = 7", "line 1"),
            ("regions = ['eu_west']", "did you mean \"eu-west\"?"),
            ("regions = ['sa', 'sa', 'sa', 'sa', 'sa']", "regions has 5 entries; there is room for 4"),
            ("allowed = ['nobody']", "\"nobody\": an address is 32 bytes"),
            ("min_bond = 40", "say what it is of"),
            ("min_bond = 'a lot'", "not an amount"),
            ("disk = '1 MiB'", "not in whole 1 GiB"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
