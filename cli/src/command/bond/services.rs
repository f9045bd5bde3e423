//! Which services may lock a bond.

use super::Found;
use crate::{context::Options, failure::Failure, output};
use clap::ValueEnum;
use joule_sdk::{instruction::staking, treasury::state::Service, Instruction};

/// A service, as its number is in the protocol and in `Bond::services`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    Escrow = Service::Escrow as isize,
    Billing = Service::Billing as isize,
    DataMarket = Service::DataMarket as isize,
    Depin = Service::Depin as isize,
}

impl Name {
    fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// Those that a bond names; `services` is its mask.
pub fn named(services: u8) -> Vec<String> {
    Name::value_variants().iter().filter(|name| services >> **name as u8 & 1 == 1).map(|name| name.word()).collect()
}

impl Found {
    pub(super) fn name<'a>(&'a self, services: &'a [Name], named: bool) -> impl Iterator<Item = Instruction> + 'a {
        services.iter().map(move |name| staking::name_service(self.actor.key(), self.address, *name as u8, named))
    }
}

/// Without anything to change, says which are named.
pub(super) async fn change(options: &Options, found: &Found, name: &[Name], unname: &[Name]) -> Result<(), Failure> {
    let (bond, me) = (found.bond().await?, found.actor.key());
    if let Some(both) = name.iter().find(|name| unname.contains(name)) {
        return Err(Failure::Input(format!("{} is to be named and not to be named", both.word())));
    }
    let instructions: Vec<_> = found.name(name, true).chain(found.name(unname, false)).collect();
    if instructions.is_empty() {
        let services = named(bond.services);
        if options.json {
            return output::json(&serde_json::json!({ "bond": found.address.to_string(), "services": services }));
        }
        println!("{}", services.join("\n"));
        return Ok(());
    }
    if ![bond.owner, bond.withdrawer].contains(&me) {
        let (owner, withdrawer) = (bond.owner, bond.withdrawer);
        return Err(Failure::Refused(format!(
            "only its owner {owner} or its withdrawer {withdrawer} says who may lock it"
        )));
    }
    found.send(options, &instructions, "changed who may lock bond").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_the_names_of_its_bits() {
        assert_eq!(named(0b11), ["escrow", "billing"]);
        assert_eq!(named(0b1100), ["data-market", "depin"]);
        assert!(named(0).is_empty());
    }
}
