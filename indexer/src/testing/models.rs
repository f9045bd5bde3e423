//! Models and their price lists.

use super::{bytes, key, Chain, MINT};
use crate::{decode::Program, types::Address};
use anchor_lang::{bytemuck, Event};
use joule_registry::{
    constants::{MODEL_SEED, PRICES_SEED},
    event as registry,
    state::{Birth, Listing, Model, ModelProfile, ModelStatus, PriceList, Share},
};

fn derived(seeds: &[&[u8]]) -> Address {
    Address::from(&anchor_lang::find_program_address(seeds, &joule_registry::ID).0)
}

pub fn creator(who: u8) -> Address {
    Address([150 + who; 32])
}

impl Chain {
    /// A model of somebody's, under the next number.
    pub fn model(&mut self, who: u8, base: Option<&Address>, royalty_bps: u16) -> Address {
        let (id, creator) = (self.models.len() as u64, creator(who));
        let address = derived(&[MODEL_SEED, &creator.0, &id.to_le_bytes()]);
        let profile = ModelProfile { payout_owner: key(&creator), endpoint_hash: [1; 32], metadata_hash: [2; 32] };
        let birth = Birth { creator: key(&creator), id, royalty_bps, bump: 255 };
        let based = base.map(|base| (key(base), self.models[base]));
        let mut model: Model = bytemuck::Zeroable::zeroed();
        model.create(&birth, &profile, based.as_ref().map(|(address, base)| (address, base)), self.now()).unwrap();
        self.models.insert(address, model);
        let event = registry::ModelCreated {
            model: key(&address),
            creator: model.creator,
            base: model.base,
            payout_owner: model.payout_owner,
            id: id.into(),
            royalty_bps: royalty_bps.into(),
        };
        self.step(Program::Registry, &[(address, Some(bytes(&model)))], event.data());
        address
    }

    pub fn retire_model(&mut self, address: &Address) {
        let now = self.now();
        let Some(model) = self.models.get_mut(address) else { return };
        model.set_status(ModelStatus::Retired, now);
        let model = *model;
        let event = registry::ModelUpdated {
            model: key(address),
            payout_owner: model.payout_owner,
            endpoint_hash: model.endpoint_hash,
            metadata_hash: model.metadata_hash,
            status: 0,
        };
        self.step(Program::Registry, &[(*address, Some(bytes(&model)))], event.data());
    }

    /// Publishes the next price list; everybody who shares has the account next to its address.
    pub fn publish(&mut self, address: &Address, per_request: u64, creator_bps: u16) -> Address {
        let now = self.now();
        let model = self.models.get_mut(address).unwrap();
        let version = model.version.get() + 1;
        model.take_version(version).unwrap();
        let model = *model;
        let listing = Listing { per_request, per_million_output: 10 * per_request, creator_bps, ..Listing::default() };
        let mut list: PriceList = bytemuck::Zeroable::zeroed();
        list.publish(key(address), MINT, version, &listing, now, 255);
        for (place, (owner, bps)) in listing.dues(&model).enumerate() {
            let mut account = owner.to_bytes();
            account[0] += 1;
            list.shares[place] = Share { owner: *owner, account: account.into(), bps: bps.into() };
            list.count += 1;
        }
        let at = derived(&[PRICES_SEED, &address.0, &version.to_le_bytes()]);
        let event = registry::PricesPublished {
            price_list: key(&at),
            model: key(address),
            mint: MINT,
            version: version.into(),
        };
        let writes = [(at, Some(bytes(&list))), (*address, Some(bytes(&model)))];
        self.step(Program::Registry, &writes, event.data());
        at
    }
}
