//! Channels, as the billing program tells of them.

use super::{
    jobs::require_unpaused,
    payers::{both, keep, tab, wallet},
    Called, Story,
};
use crate::{
    check::Violation,
    model::{Card, Model, Tab, Thing, BILLING, PARTIES},
};
use bytemuck::Zeroable;
use joule_sdk::{
    billing::{
        event::{ChannelClosed, ChannelOpened, ChannelToppedUp, CloseRequested, SessionSet},
        state::{Channel, Session},
    },
    instruction::billing::context,
    voucher::Domain,
    Pubkey,
};
use joule_tests::GENESIS;

/// Where the arguments of `open` name what is reserved, and the highest fee.
const CAP: usize = 8;
const MAX_FEE: usize = CAP + 8 + 32 + 8 + 8 + 4 + 2;
/// Seconds.
const GRACE: std::ops::RangeInclusive<u32> = 60..=30 * 24 * 60 * 60;
/// Basis points.
const MOST_BACKED: u16 = 50_000;

impl Story {
    pub(super) fn channel_opened(
        &mut self,
        model: &mut Model,
        e: &ChannelOpened,
        called: &Called,
    ) -> Result<(), Violation> {
        require_unpaused(model, BILLING, called)?;
        let fee_bps = model.governed.services[BILLING].fee_bps;
        let most = u16::from_le_bytes(called.argument::<2>(MAX_FEE)?);
        let is_agreed = e.fee_bps.get() == fee_bps && fee_bps <= most;
        Violation::unless(is_agreed, "a channel with another fee than there is, or than was agreed to")?;
        let is_asked = e.cap.get() == u64::from_le_bytes(called.argument::<8>(CAP)?);
        Violation::unless(is_asked, "a channel with another cap than was asked for")?;
        let enrolled = model.providers.get(&e.provider).copied();
        let enrolled = enrolled.filter(|provider| provider.authority == e.authority);
        let enrolled = enrolled.ok_or_else(|| Violation::new("a channel to somebody who is not enrolled"))?;
        let sells = |card: &Card| {
            let newest = card.lists.last().filter(|list| list.address == e.prices && list.mint == e.mint);
            card.is_active && newest.is_some()
        };
        Violation::unless(model.cards.get(&e.model).is_some_and(sells), "a channel on other prices than the newest")?;
        let is_derived = model.cards.get(&e.model).is_some_and(|card| !card.lineage.is_empty());
        let fee_vault = model.fees.get(&e.mint).map(|fees| fees.vault).unwrap_or_default();
        let terms = GRACE.contains(&e.grace.get()) && e.backing_bps.get() <= MOST_BACKED;
        let session = e.session_expires_at.get() > called.now && e.signer != Pubkey::default();
        Violation::unless(terms && session, "a channel on terms that nobody may have")?;
        let wallet = wallet(model, &e.payer)?;
        called.signed_by(&wallet.payer.owner)?;
        let (owner, mint) = (wallet.payer.owner, wallet.payer.mint);
        Violation::unless((owner, mint) == (e.owner, e.mint), "a channel out of somebody else's deposit")?;
        let number = wallet.payer.next_channel.get();
        Violation::unless(e.number.get() == number, "a channel with another number than the next one")?;
        wallet.payer.next_channel = (number + 1).into();
        wallet.payer.channels = (wallet.payer.channels.get() + 1).into();
        wallet.sync(called.now);
        wallet.reserve(e.cap.get())?;
        let rent_payer = called.account("rent_payer")?;
        let channel = Channel {
            payer: e.payer,
            owner: e.owner,
            provider: e.provider,
            authority: e.authority,
            payout_owner: enrolled.payout_owner,
            payout: called.account("payout")?,
            model: e.model,
            prices: e.prices,
            mint: e.mint,
            fee_vault,
            rent_payer,
            session: Session::new(e.signer, e.limit.get(), e.session_expires_at.get()),
            context: *context(Domain::Voucher, &GENESIS, &e.channel).bytes(),
            genesis_hash: GENESIS,
            cap: e.cap,
            held: e.cap,
            number: e.number,
            opened_at: called.now.into(),
            grace: e.grace,
            fee_bps: e.fee_bps,
            share_bps: e.share_bps,
            backing_bps: e.backing_bps,
            ..Channel::zeroed()
        };
        let tab = Tab {
            address: e.channel,
            channel,
            reserved: e.cap.get() as u128,
            fine: 0,
            paid: [0; PARTIES],
            returned: 0,
            released: 0,
            closed_at: None,
        };
        self.rents.push((e.channel, rent_payer));
        model.name([e.channel], Thing::Tab(e.channel));
        model.mark("channel opened");
        if is_derived {
            model.mark("channel on a derived model");
        }
        let is_first = model.tabs.insert(e.channel, tab).is_none();
        Violation::unless(is_first && !model.books.contains_key(&e.channel), "a channel was opened twice")
    }

    pub(super) fn topped_up(
        &mut self,
        model: &mut Model,
        e: &ChannelToppedUp,
        called: &Called,
    ) -> Result<(), Violation> {
        require_unpaused(model, BILLING, called)?;
        let (mut wallet, mut tab) = both(model, &e.channel)?;
        called.signed_by(&wallet.payer.owner)?;
        let added = e.added.get();
        Violation::unless(tab.closed_at.is_none() && added > 0, "a channel that ends was topped up")?;
        wallet.sync(called.now);
        wallet.reserve(added)?;
        tab.channel.cap = (tab.channel.cap.get() + added).into();
        tab.reserved += added as u128;
        tab.hold(added);
        Violation::unless(tab.channel.cap == e.cap, "a cap that is another than was told")?;
        keep(model, wallet, tab);
        Ok(())
    }

    pub(super) fn session_set(&mut self, model: &mut Model, e: &SessionSet, called: &Called) -> Result<(), Violation> {
        let tab = tab(model, &e.channel)?;
        let (is_over, channel) = (tab.closed_at.is_some(), &mut tab.channel);
        let told = Session::new(e.signer, e.limit.get(), e.expires_at.get());
        if called.name == "apply_session" {
            let is_due = channel.staged_at.get() != 0 && called.now >= channel.staged_at.get();
            Violation::unless(is_due && told == channel.staged, "a session holds that nobody named, or too early")?;
            (channel.session, channel.staged, channel.staged_at) = (told, Session::default(), 0.into());
            model.mark("staged session applied");
            return Ok(());
        }
        called.signed_by(&channel.owner)?;
        Violation::unless(!is_over && e.expires_at.get() > called.now, "a session on a channel that ends")?;
        let present = channel.session;
        // Whoever holds vouchers of the present session can settle all of them under the new one.
        let takes_nothing = told.signer == present.signer
            && told.limit.get() >= present.limit.get()
            && told.expires_at.get() >= present.expires_at.get();
        let holds_at = if takes_nothing {
            (channel.session, channel.staged, channel.staged_at) = (told, Session::default(), 0.into());
            called.now
        } else {
            let at = called.now + channel.grace.get() as i64;
            (channel.staged, channel.staged_at) = (told, at.into());
            at
        };
        Violation::unless(e.holds_at.get() == holds_at, "a session that holds at another time than was told")
    }

    pub(super) fn close_requested(
        &mut self,
        model: &mut Model,
        e: &CloseRequested,
        called: &Called,
    ) -> Result<(), Violation> {
        let tab = tab(model, &e.channel)?;
        called.signed_by(&e.by)?;
        Violation::unless(!tab.is_closed(called.now), "a closed channel was ended once more")?;
        let channel = &tab.channel;
        let closes_at = match e.by {
            by if by == channel.authority => called.now,
            by => {
                let may = by == channel.owner && tab.closed_at.is_none();
                Violation::unless(may, "a channel was ended by a stranger, or twice")?;
                called.now + channel.grace.get() as i64
            }
        };
        tab.close_at(closes_at);
        Violation::unless(e.closes_at.get() == closes_at, "a channel that closes at another time than was told")
    }

    pub(super) fn channel_closed(
        &mut self,
        model: &mut Model,
        e: &ChannelClosed,
        called: &Called,
    ) -> Result<(), Violation> {
        let (mut wallet, mut tab) = both(model, &e.channel)?;
        Violation::unless(tab.is_closed(called.now), "a channel was closed before its time")?;
        let unspent = tab.channel.cap.get() - tab.channel.settled.get();
        Violation::unless(e.released.get() == unspent, "a channel gave back something else than was not spent")?;
        tab.channel.cap = tab.channel.settled;
        tab.let_go(unspent)?;
        wallet.release(unspent)?;
        tab.released += unspent as u128;
        let closes = tab.is_final() && !tab.is_evidence(called.now);
        Violation::unless(closes == (e.closed == 1), "a channel was closed early, or kept for nothing")?;
        if e.closed == 0 {
            keep(model, wallet, tab);
            return Ok(());
        }
        let dust = tab.channel.held.get();
        Violation::unless(dust < PARTIES as u64, "a channel was closed with money in it")?;
        wallet.release(dust)?;
        wallet.payer.channels = (wallet.payer.channels.get() - 1).into();
        // It is gone, so nothing else will look at it.
        let list = model.list(&tab.channel.prices);
        crate::check::parts(&tab, &list.ok_or_else(|| Violation::new("a channel on prices that nobody published"))?)?;
        self.rents.push((e.channel, tab.channel.rent_payer));
        keep(model, wallet, tab);
        model.shut(&e.channel);
        model.mark(if tab.earned() > 0 { "channel paid out and closed" } else { "channel closed unused" });
        Ok(())
    }
}
