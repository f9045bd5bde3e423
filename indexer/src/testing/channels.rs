//! Deposits, channels and plans, with the billing program's own transitions.

use super::{authority, bytes, key, vault_of, Chain, Stated, Write, FEE_BPS, MINT};
use crate::{
    decode::{event as decoded, Program},
    types::Address,
};
use anchor_lang::{
    bytemuck::Zeroable,
    prelude::{Address as Key, PodU64},
    Event,
};
use joule_billing::{
    constants::{PROTOCOL, PROVIDER},
    event as billing,
    state::{Channel, ChannelTerms, Opening, Payer, Plan, Promise, Session, Starting, Verdict, PARTIES},
};
use joule_units::{Amount, Bps, UnixTime};
use std::collections::BTreeMap;

/// What the creator of every model here gets, in basis points.
pub const CREATOR_BPS: u16 = 1_500;
/// How long a provider has to settle, in seconds.
pub const GRACE: u32 = 60;

/// Whose channels and plans there are.
#[derive(Default)]
pub(super) struct Billing {
    payers: BTreeMap<Address, Payer>,
    channels: BTreeMap<Address, Channel>,
    plans: BTreeMap<Address, Plan>,
}

pub fn payer_address(who: u8) -> Address {
    Address([160 + who; 32])
}

pub fn plan_address(channel: &Address) -> Address {
    Address::from(&decoded::plan(&key(channel)))
}

fn owner(who: u8) -> Key {
    Key::new_from_array([who + 1; 32])
}

impl Chain {
    /// Pays into somebody's deposit, and makes it first if there is none.
    pub fn pay_in(&mut self, who: u8, amount: u64) -> Address {
        let (address, now) = (payer_address(who), UnixTime::new(self.now()));
        let mut events: Vec<Stated> = Vec::new();
        let mut payer = self.billing.payers.get(&address).copied().unwrap_or_else(|| {
            let mut payer = Payer::zeroed();
            payer.create(owner(who), MINT, key(&vault_of(&address)), now, 255);
            let created =
                billing::PayerCreated { payer: key(&address), owner: owner(who), mint: MINT, at: now.get().into() };
            events.push((Program::Billing, created.data()));
            payer
        });
        payer.deposit(Amount::new(amount), now).unwrap();
        let deposited = billing::Deposited {
            payer: key(&address),
            from: owner(who),
            amount: amount.into(),
            balance: payer.balance,
            reserved: payer.reserved,
            at: now.get().into(),
        };
        events.push((Program::Billing, deposited.data()));
        self.billing.payers.insert(address, payer);
        self.transaction(vec![(Program::Billing, address, Some(bytes(&payer)))], events);
        address
    }

    /// `None` when the deposit does not cover it.
    pub fn try_open_channel(&mut self, who: u8, provider: &Address, model: &Address, cap: u64) -> Option<Address> {
        let (at, now) = (payer_address(who), UnixTime::new(self.now()));
        let mut payer = self.billing.payers.get(&at).copied()?;
        payer.sync(now).unwrap();
        payer.reserve(Amount::new(cap)).ok()?;
        let number = payer.next_channel.get();
        payer.take_number(number).unwrap();
        let mut address = [170 + who; 32];
        address[1..9].copy_from_slice(&number.to_be_bytes());
        let address = Address(address);
        let by = self.providers.get(provider).map_or_else(|| key(&authority(1)), |provider| provider.authority);
        let opening = Opening {
            payer: &key(&at),
            owner: &owner(who),
            provider: &key(provider),
            authority: &by,
            payout_owner: &by,
            payout: &by,
            model: &key(model),
            prices: &Key::new_from_array([9; 32]),
            mint: &MINT,
            fee_vault: &Key::new_from_array([8; 32]),
            rent_payer: &owner(who),
            context: &[7; 32],
            genesis_hash: &[0; 32],
            fee: Bps::new(FEE_BPS).unwrap(),
            shares: Bps::new(CREATOR_BPS).unwrap(),
            number,
            bump: 255,
        };
        let terms = ChannelTerms {
            cap,
            signer: Key::new_from_array([6; 32]),
            limit: cap,
            session_expires_at: now.get() + 1_000_000_000,
            grace: GRACE,
            backing_bps: 0,
            max_fee_bps: 10_000,
        };
        let mut channel = Channel::zeroed();
        channel.open(&opening, &terms, now).unwrap();
        let event = billing::ChannelOpened {
            channel: key(&address),
            payer: channel.payer,
            owner: channel.owner,
            provider: channel.provider,
            authority: channel.authority,
            model: channel.model,
            prices: channel.prices,
            mint: channel.mint,
            signer: channel.session.signer,
            number: channel.number,
            cap: channel.cap,
            limit: channel.session.limit,
            session_expires_at: channel.session.expires_at,
            at: channel.opened_at,
            grace: channel.grace,
            fee_bps: channel.fee_bps,
            share_bps: channel.share_bps,
            backing_bps: channel.backing_bps,
        };
        self.billing.payers.insert(at, payer);
        self.billing.channels.insert(address, channel);
        self.bill(&address, event.data());
        Some(address)
    }

    pub fn open_channel(&mut self, who: u8, provider: &Address, model: &Address, cap: u64) -> Address {
        self.try_open_channel(who, provider, model, cap).expect("the deposit covers it")
    }

    /// The n-th channel that is there.
    pub fn channel(&self, n: u8) -> Option<Address> {
        let channels = &self.billing.channels;
        channels.keys().nth(usize::from(n) % channels.len().max(1)).copied()
    }

    pub fn channel_state(&self, address: &Address) -> Channel {
        self.billing.channels[address]
    }

    /// What a channel's transaction leaves: the channel, its payer, its plan if there is one, and what it states.
    fn bill(&mut self, address: &Address, event: Vec<u8>) {
        let writes = self.left(address);
        self.transaction(writes, vec![(Program::Billing, event)]);
    }

    fn left(&self, address: &Address) -> Vec<Write> {
        let channel = &self.billing.channels[address];
        let payer = Address::from(&channel.payer);
        let plan = plan_address(address);
        let mut writes = vec![
            (Program::Billing, *address, Some(bytes(channel))),
            (Program::Billing, payer, Some(bytes(&self.billing.payers[&payer]))),
        ];
        writes.extend(self.billing.plans.get(&plan).map(|state| (Program::Billing, plan, Some(bytes(state)))));
        writes
    }

    fn parts(&mut self, address: &Address) -> (&mut Payer, &mut Channel, Option<&mut Plan>) {
        let channel = self.billing.channels.get_mut(address).unwrap();
        let payer = self.billing.payers.get_mut(&Address::from(&channel.payer)).unwrap();
        (payer, channel, self.billing.plans.get_mut(&plan_address(address)))
    }

    /// Settles a voucher for so many requests more, at so much each: the channel says so, and no event. False when the cap
    /// does not cover it, or the channel has closed.
    pub fn settle_voucher(&mut self, address: &Address, requests: u64, each: u64) -> bool {
        let now = UnixTime::new(self.now());
        let channel = self.billing.channels.get_mut(address).unwrap();
        let promise = Promise {
            sequence: channel.sequence.get() + requests,
            cumulative: channel.settled.get() + requests * each,
            expires_at: now.get() + 60,
        };
        if channel.settle(&promise, now).is_err() {
            return false;
        }
        channel.units = (promise.sequence * 100).into();
        let data = bytes(channel);
        self.transaction(vec![(Program::Billing, *address, Some(data))], Vec::new());
        true
    }

    /// Pays everybody; `except` has an account that cannot receive, and is owed instead.
    pub fn distribute(&mut self, address: &Address, except: Option<usize>) {
        let now = UnixTime::new(self.now());
        let (payer, channel, _) = self.parts(address);
        let division = channel.divide().unwrap();
        let target = channel.collectable(|| Ok(now)).unwrap();
        let mut collected = channel.collect(target).unwrap();
        let mut returned = Amount::ZERO;
        if channel.is_convicted(Verdict::AgainstProvider) {
            returned = std::mem::take(&mut collected);
            channel.let_go(returned).unwrap();
            payer.release(returned).unwrap();
        }
        let mut paid = [PodU64::default(); PARTIES];
        let mut total = 0;
        for (party, paid) in paid.iter_mut().enumerate() {
            let part = match party {
                0 => division.part(CREATOR_BPS).unwrap(),
                PROTOCOL => division.part(FEE_BPS).unwrap(),
                PROVIDER => collected,
                _ => Amount::ZERO,
            };
            let amount = channel.pay_or_owe(party, part, || Some(party) != except).unwrap().get();
            *paid = amount.into();
            total += amount;
        }
        channel.let_go(Amount::new(total)).unwrap();
        payer.spend(Amount::new(total)).unwrap();
        let event = billing::Distributed {
            channel: key(address),
            settled: channel.settled,
            accrued: channel.accrued,
            collected: channel.collected,
            returned: returned.get().into(),
            paid,
        };
        self.bill(address, event.data());
    }

    pub fn claim_owed(&mut self, address: &Address, party: usize) {
        let now = self.now();
        let (payer, channel, _) = self.parts(address);
        let amount = channel.take_owed(party).unwrap();
        channel.let_go(amount).unwrap();
        payer.spend(amount).unwrap();
        let event = billing::OwedClaimed {
            channel: key(address),
            owner: Key::default(),
            destination: Key::default(),
            amount: amount.get().into(),
            at: now.into(),
            party: party as u8,
        };
        self.bill(address, event.data());
    }

    pub fn top_up(&mut self, address: &Address, amount: u64) {
        let now = UnixTime::new(self.now());
        let (payer, channel, _) = self.parts(address);
        let (mut lighter, mut raised) = (*payer, *channel);
        lighter.sync(now).unwrap();
        if lighter.reserve(Amount::new(amount)).is_err() || raised.raise(Amount::new(amount)).is_err() {
            return;
        }
        (*payer, *channel) = (lighter, raised);
        let event = billing::ChannelToppedUp {
            channel: key(address),
            added: amount.into(),
            cap: channel.cap,
            at: now.get().into(),
        };
        self.bill(address, event.data());
    }

    pub fn set_session(&mut self, address: &Address, signer: u8) {
        let now = UnixTime::new(self.now());
        let channel = self.billing.channels.get_mut(address).unwrap();
        let session = Session::new(Key::new_from_array([signer; 32]), channel.cap.get(), now.get() + 1_000);
        let Ok(holds_at) = channel.set_session(session, now) else { return };
        let event = billing::SessionSet {
            channel: key(address),
            signer: session.signer,
            limit: session.limit,
            expires_at: session.expires_at,
            holds_at: holds_at.into(),
            at: now.get().into(),
        };
        self.bill(address, event.data());
    }

    /// By the owner, who gives the provider its grace.
    pub fn request_close(&mut self, address: &Address) {
        let now = UnixTime::new(self.now());
        let channel = self.billing.channels.get_mut(address).unwrap();
        let by = channel.owner;
        let Ok(closes_at) = channel.request_close(&by, now) else { return };
        let event =
            billing::CloseRequested { channel: key(address), by, closes_at: closes_at.into(), at: now.get().into() };
        self.bill(address, event.data());
    }

    /// Gives back what was not spent, and closes the account when everybody is paid. Nothing before its time.
    pub fn close_channel(&mut self, address: &Address) {
        let now = UnixTime::new(self.now());
        let (payer, channel, _) = self.parts(address);
        let Ok(released) = channel.release(now) else { return };
        payer.release(released).unwrap();
        let closes = channel.is_final().unwrap() && !channel.is_evidence(now);
        if !closes && released.is_zero() {
            return;
        }
        if closes {
            let dust = Amount::new(channel.held.get());
            channel.let_go(dust).unwrap();
            payer.release(dust).unwrap();
            payer.let_go().unwrap();
        }
        let event = billing::ChannelClosed {
            channel: key(address),
            payer: channel.payer,
            released: released.get().into(),
            settled: channel.settled,
            accrued: channel.accrued,
            at: now.get().into(),
            closed: closes.into(),
        };
        let mut writes = self.left(address);
        if closes {
            writes[0].2 = None;
            self.billing.channels.remove(address);
        }
        self.transaction(writes, vec![(Program::Billing, event.data())]);
    }

    /// The provider is caught: it loses what it has not been paid. No bond is behind it here.
    pub fn condemn(&mut self, address: &Address) {
        let now = UnixTime::new(self.now());
        let (payer, channel, _) = self.parts(address);
        let Ok(returned) = channel.condemn_provider(now) else { return };
        payer.release(returned).unwrap();
        let event = billing::BillDisputed {
            channel: key(address),
            payer: channel.payer,
            provider: channel.provider,
            slashed: 0.into(),
            returned: returned.get().into(),
            forfeited: 0.into(),
            at: now.get().into(),
            verdict: Verdict::AgainstProvider as u8,
        };
        self.bill(address, event.data());
    }

    /// Nothing when there is one, or the deposit does not cover its notice.
    pub fn start_plan(&mut self, address: &Address, rate: u64, period: u32) {
        let (at, now) = (plan_address(address), UnixTime::new(self.now()));
        if self.billing.plans.contains_key(&at) {
            return;
        }
        let (payer, channel, _) = self.parts(address);
        let (mut richer, mut planned, mut plan) = (*payer, *channel, Plan::zeroed());
        let starting = Starting { channel: key(address), payer: channel.payer, rent_payer: channel.owner, bump: 255 };
        if plan.start(&starting, rate, period, &mut richer, &mut planned, now).is_err() {
            return;
        }
        (*payer, *channel) = (richer, planned);
        let event = billing::PlanStarted {
            plan: key(&at),
            channel: key(address),
            payer: plan.payer,
            rate: plan.rate,
            lockup: plan.lockup,
            at: now.get().into(),
            period: period.into(),
        };
        self.billing.plans.insert(at, plan);
        self.bill(address, event.data());
    }

    pub fn settle_plan(&mut self, address: &Address) {
        let (at, now) = (plan_address(address), UnixTime::new(self.now()));
        let (payer, channel, plan) = self.parts(address);
        let Some(plan) = plan else { return };
        let (amount, closes) = plan.settle(payer, channel, now).unwrap();
        let event = billing::PlanSettled {
            plan: key(&at),
            channel: key(address),
            amount: amount.get().into(),
            settled_until: plan.settled_until,
            at: now.get().into(),
            closed: closes.into(),
        };
        self.end_plan(address, closes, event.data());
    }

    pub fn pause_plan(&mut self, address: &Address) {
        let (at, now) = (plan_address(address), UnixTime::new(self.now()));
        let (payer, channel, plan) = self.parts(address);
        let Some(Ok(amount)) = plan.map(|plan| plan.pause(payer, channel, now)) else { return };
        let event = billing::PlanPaused {
            plan: key(&at),
            channel: key(address),
            amount: amount.get().into(),
            at: now.get().into(),
        };
        self.bill(address, event.data());
    }

    pub fn resume_plan(&mut self, address: &Address) {
        let (at, now) = (plan_address(address), UnixTime::new(self.now()));
        let (payer, channel, plan) = self.parts(address);
        let Some(Ok(())) = plan.map(|plan| plan.resume(payer, channel, now)) else { return };
        let event = billing::PlanResumed { plan: key(&at), channel: key(address), at: now.get().into() };
        self.bill(address, event.data());
    }

    pub fn terminate_plan(&mut self, address: &Address) {
        let (at, now) = (plan_address(address), UnixTime::new(self.now()));
        let (payer, channel, plan) = self.parts(address);
        let Some(plan) = plan else { return };
        let Ok((amount, closes)) = plan.terminate(payer, channel, true, now) else { return };
        let event = billing::PlanTerminated {
            plan: key(&at),
            channel: key(address),
            by: channel.owner,
            amount: amount.get().into(),
            ends_at: plan.ends_at,
            at: now.get().into(),
            closed: closes.into(),
        };
        self.end_plan(address, closes, event.data());
    }

    fn end_plan(&mut self, address: &Address, closes: bool, event: Vec<u8>) {
        let mut writes = self.left(address);
        if closes {
            writes[2].2 = None;
            self.billing.plans.remove(&plan_address(address));
        }
        self.transaction(writes, vec![(Program::Billing, event)]);
    }
}
