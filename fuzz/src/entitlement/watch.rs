//! What a transaction did, seen from outside: by accounts before and after, and by what the programs say they did.

use super::{
    court,
    finding::Kind,
    honest,
    notes::{Channel, Job},
    play::Play,
};
use anchor_lang::{event::EVENT_IX_TAG_LE, Discriminator};
use joule_sdk::{
    billing::{self, event::AnyEvent as Billing, state::Channel as OnChain},
    escrow::{
        self,
        event::{AnyEvent as Escrow, DisputeResolved, JobRefunded, JobSettled},
        instruction::Approve,
        state::{Dispute, Job as State, JobStatus, RefundReason, Verdict, Vote},
    },
    pda,
    registry::state::{PriceList, Requirements},
    staking::state::{Bond, Claim},
    Instruction, Pubkey,
};
use litesvm::types::TransactionMetadata;
use solana_transaction::Message;
use std::collections::{BTreeMap, BTreeSet};

/// Seconds for which a claim is good after the last moment at which it can be needed: programs/escrow/README.md.
const LATE: i64 = 30 * 24 * 60 * 60;

/// How it was before.
pub struct Before {
    keys: Vec<Pubkey>,
    /// Honest people's bonds: owner and amount.
    bonds: BTreeMap<Pubkey, (Pubkey, u64)>,
    jobs: BTreeMap<Pubkey, State>,
    disputes: BTreeMap<Pubkey, Dispute>,
    channels: BTreeMap<Pubkey, OnChain>,
    /// Who could judge each job, if it were challenged now.
    eligible: BTreeMap<Pubkey, BTreeSet<Pubkey>>,
    lamports: BTreeMap<Pubkey, u64>,
}

impl Before {
    pub fn take(play: &mut Play, keys: &[Pubkey]) -> Self {
        let mut before = Self {
            keys: keys.to_vec(),
            bonds: BTreeMap::new(),
            jobs: BTreeMap::new(),
            disputes: BTreeMap::new(),
            channels: BTreeMap::new(),
            eligible: BTreeMap::new(),
            lamports: BTreeMap::new(),
        };
        for key in keys {
            use super::play::What;
            match play.index.get(key) {
                Some(What::Bond) => {
                    let bond = play.read::<Bond>(key).filter(|bond| play.cast.is_honest(&bond.owner));
                    before.bonds.extend(bond.map(|bond| (*key, (bond.owner, bond.amount.get()))));
                }
                Some(What::Job) => {
                    let Some(job) = play.read::<State>(key) else { continue };
                    if job.status == JobStatus::Delivered as u8 && job.verification > 0 {
                        before.eligible.insert(*key, court::eligible(play, key, &job));
                    }
                    before.jobs.insert(*key, job);
                }
                Some(What::Dispute) => before.disputes.extend(play.read(key).map(|dispute| (*key, dispute))),
                Some(What::Channel) => before.channels.extend(play.read(key).map(|channel| (*key, channel))),
                Some(What::Requirements) => note_paper(play, key),
                _ => {}
            }
        }
        for person in play.cast.people.iter().filter(|person| !person.is_rogue && keys.contains(&person.key)) {
            before.lamports.insert(person.key, play.svm.get_balance(&person.key).unwrap_or(0));
        }
        before
    }
}

fn note_paper(play: &mut Play, key: &Pubkey) {
    if let Some(paper) = play.read::<Requirements>(key) {
        play.papers.insert(*key, paper.criteria);
    }
}

fn note_vote(play: &mut Play, key: &Pubkey) {
    let vote = play.read::<Vote>(key).filter(|vote| vote.choice != 0);
    if let (Some(vote), Some(seal)) = (vote, play.seals.get(key).copied()) {
        let of = play.opened.entry((vote.dispute, vote.round)).or_default();
        of.insert(*key, (vote.stake.get(), seal.output));
    }
}

/// What honest people lost of their bonds, and for which case.
type Slashes = BTreeMap<Pubkey, u64>;

pub fn look(
    play: &mut Play,
    before: Before,
    instructions: &[Instruction],
    message: &Message,
    done: &TransactionMetadata,
) {
    let mut slashes = Slashes::new();
    for key in &before.keys {
        note_paper(play, key);
        if !before.jobs.contains_key(key) {
            new_job(play, key);
        }
        note_vote(play, key);
    }
    for event in done.inner_instructions.iter().flatten() {
        let callee = message.account_keys[event.instruction.program_id_index as usize];
        let Some(event) = event.instruction.data.strip_prefix(EVENT_IX_TAG_LE) else { continue };
        if callee == escrow::ID {
            match Escrow::decode(event) {
                Some(Escrow::JobSettled(event)) => settled(play, &event, instructions),
                Some(Escrow::JobRefunded(event)) => refunded(play, &before, &event, &mut slashes),
                Some(Escrow::DisputeResolved(event)) => resolved(play, &before, &event, &mut slashes),
                Some(Escrow::VoteClosed(event)) => {
                    let slashed = event.slashed.get();
                    *slashes.entry(event.juror).or_default() += slashed;
                    if slashed > 0 {
                        court::juror_slashed(play, &event.job, event.round, &event.juror, event.choice, slashed);
                    }
                }
                Some(Escrow::AbsentPunished(event)) => {
                    let slashed = event.slashed.get();
                    *slashes.entry(event.resolver).or_default() += slashed;
                    if slashed > 0 {
                        court::absent_slashed(play, &event.job, event.member, &event.resolver, slashed);
                    }
                }
                _ => {}
            }
        } else if callee == billing::ID {
            match Billing::decode(event) {
                Some(Billing::BillDisputed(event)) => condemned(play, &event, &mut slashes),
                Some(Billing::Backed(event)) => {
                    let now = play.now;
                    if let Some(channel) = play.channels.get_mut(&event.channel) {
                        channel.backs.push((now, event.locked.get()));
                    }
                }
                // Within one transaction it may be settled and closed.
                Some(Billing::ChannelClosed(event)) => {
                    if let Some(channel) = play.channels.get_mut(&event.channel) {
                        (channel.state.settled, channel.state.accrued) = (event.settled, event.accrued);
                        channel.count_settled();
                    }
                }
                _ => {}
            }
        }
    }
    foreign_claims(play, &before);
    for (address, (owner, amount)) in &before.bonds {
        let now = play.read::<Bond>(address).map_or(0, |bond| bond.amount.get());
        let lost = amount.saturating_sub(now);
        let explained = slashes.get(owner).copied().unwrap_or(0);
        let has_withdrawn = play.is_over;
        if lost > explained && !has_withdrawn {
            let name = play.cast.name(owner);
            play.find(Kind::Emptied, format!("{lost} of {name}'s bond are gone, and no job, vote or channel says why"));
            play.owe(owner, -((lost - explained) as i128));
        }
    }
    for (person, had) in &before.lamports {
        sink(play, &before, person, *had);
    }
    for key in before.keys.clone() {
        if play.jobs.contains_key(&key) {
            job_changed(play, &before, &key);
        }
        channel_changed(play, &before, &key);
    }
}

/// Somebody's bond is locked by a program that it never agreed to.
fn foreign_claims(play: &mut Play, before: &Before) {
    let ours = [escrow::ID, billing::ID].map(|program| pda::claim_signer(&program));
    for key in &before.keys {
        let Some(claim) = play.read::<Claim>(key).filter(|claim| !ours.contains(&claim.signer)) else { continue };
        let Some(owner) = play.read::<Bond>(&claim.bond).map(|bond| bond.owner) else { continue };
        if play.cast.is_honest(&owner) && play.robbed.insert(owner) {
            let (name, total) = (play.cast.name(&owner), claim.total.get());
            play.find(Kind::Emptied, format!("{total} of {name}'s bond are locked by a program that it never named"));
        }
    }
}

/// What of a person's lamports went into accounts that are never closed.
fn sink(play: &mut Play, before: &Before, person: &Pubkey, had: u64) {
    use super::play::What;
    let has = play.svm.get_balance(person).unwrap_or(0);
    if has >= had || play.is_over {
        return;
    }
    let lasting = |key: &&Pubkey| matches!(play.index.get(*key), Some(What::Lasting | What::Payer));
    let made: u64 = before
        .keys
        .iter()
        .filter(lasting)
        .filter(|key| !play.lasting.contains(*key))
        .filter_map(|key| play.svm.get_balance(key))
        .sum();
    let fresh: Vec<Pubkey> = before.keys.iter().filter(lasting).copied().collect();
    play.lasting.extend(fresh);
    *play.sunk.entry(*person).or_default() += made.min(had - has);
}

fn new_job(play: &mut Play, key: &Pubkey) {
    let Some(state) = play.read::<State>(key).filter(|_| !play.jobs.contains_key(key)) else { return };
    let wanted = play.papers.get(&state.requirements).copied();
    let job = Job { state, wanted, delivered_at: 0, case: None, asleep: BTreeSet::new() };
    play.jobs.insert(*key, job);
    honest::job_opened(play, key);
}

/// A provider was paid as agreed.
fn settled(play: &mut Play, event: &JobSettled, instructions: &[Instruction]) {
    let Some(job) = play.jobs.get(&event.job) else { return };
    let (client, payee) = (job.state.client, job.state.payout_owner);
    let is_of = |instruction: &&Instruction| {
        instruction.program_id == escrow::ID
            && instruction.data.starts_with(Approve::DISCRIMINATOR)
            && instruction.accounts.iter().any(|meta| meta.pubkey == event.job)
            && instruction.accounts.iter().any(|meta| meta.pubkey == client && meta.is_signer)
    };
    let is_approved = instructions.iter().any(|instruction| is_of(&instruction));
    let was_delivered = job.delivered_at > 0;
    let ends = job.delivered_at + job.state.review_window.get() as i64;
    if was_delivered && !is_approved {
        play.mark("silence settled");
    }
    if was_delivered && !is_approved && play.now < ends {
        let early = ends - play.now;
        play.find(
            Kind::Hasty,
            format!("paid {early} s before the end of its review, and nobody has approved or decided"),
        );
    }
    let price = event.price.get();
    let net = price - (price as u128 * play.jobs[&event.job].state.fee_bps.get() as u128 / 10_000) as u64;
    play.owe(&client, -(price as i128));
    play.owe(&payee, net as i128);
}

/// A budget went back.
fn refunded(play: &mut Play, before: &Before, event: &JobRefunded, slashes: &mut Slashes) {
    if event.reason != RefundReason::NotDelivered as u8 {
        return;
    }
    let Some(state) = before.jobs.get(&event.job).copied() else { return };
    let (exposure, slashed) = (state.exposure.get(), event.slashed.get());
    let is_timely = play.now < state.deliver_by.get() + LATE;
    if is_timely && slashed < exposure && play.cast.is_honest(&state.client) {
        play.find(Kind::Poorer, format!("of a silent provider's {exposure} only {slashed} were slashed"));
    }
    *slashes.entry(state.provider_authority).or_default() += slashed;
    play.mark("silent provider slashed");
    let provider = state.provider_authority;
    let has_slept = play.jobs.get(&event.job).is_some_and(|job| job.asleep.contains(&provider));
    if slashed > 0 && play.cast.is_honest(&provider) && !has_slept {
        play.find(Kind::Slashed, format!("{} was slashed as silent, and was not", play.cast.name(&provider)));
    }
    play.owe(&state.client, (slashed as u128 * 9 / 10) as i128);
    play.owe(&provider, -(slashed as i128));
}

/// A dispute was decided.
fn resolved(play: &mut Play, before: &Before, event: &DisputeResolved, slashes: &mut Slashes) {
    let Ok(verdict) = Verdict::from_number(event.verdict) else { return };
    let (Some(state), Some(dispute)) = (before.jobs.get(&event.job), before.disputes.get(&event.dispute)) else {
        return;
    };
    let (state, dispute) = (*state, *dispute);
    let slashed = event.slashed.get();
    *slashes.entry(state.provider_authority).or_default() += slashed;
    let ends = play.jobs.get(&event.job).map_or(0, |job| job.delivered_at + state.review_window.get() as i64);
    if verdict == Verdict::Undecided && play.now < ends {
        let (early, window) = (ends - play.now, state.review_window.get());
        play.find(
            Kind::Hasty,
            format!("paid {early} s before the end of a review of {window} s, and no juror has decided"),
        );
    }
    court::judge(play, &event.job, &state, &dispute, verdict);
    court::share(play, &event.job, &state, &dispute, verdict, slashed);
}

/// A channel's provider, or its payer, was shown to have lied.
fn condemned(play: &mut Play, event: &billing::event::BillDisputed, slashes: &mut Slashes) {
    let Some(channel) = play.channels.get_mut(&event.channel) else { return };
    if event.verdict != 1 {
        return;
    }
    channel.is_condemned = true;
    let is_shown = event.slashed.get() > 0;
    let (owner, provider, slashed) = (channel.state.owner, channel.state.authority, event.slashed.get());
    let live = channel.live(play.now);
    *slashes.entry(provider).or_default() += slashed;
    if is_shown {
        play.mark("liar's claim slashed");
    }
    if slashed < live && play.cast.is_honest(&owner) {
        play.find(Kind::Gone, format!("of {live} that a liar had locked only {slashed} were slashed"));
    }
    if play.cast.is_honest(&provider) {
        play.find(
            Kind::Slashed,
            format!("{} was condemned for receipts that it never signed", play.cast.name(&provider)),
        );
    }
    play.owe(&owner, event.returned.get() as i128 + (slashed as u128 * 9 / 10) as i128);
}

fn job_changed(play: &mut Play, before: &Before, key: &Pubkey) {
    let old = before.jobs.get(key).map_or(JobStatus::Open as u8, |job| job.status);
    let after = play.read::<State>(key);
    let (now, dispute) = (play.now, play.read::<Dispute>(&pda::dispute(key)));
    let Some(job) = play.jobs.get_mut(key) else { return };
    let Some(after) = after else { return };
    job.state = after;
    if after.status == JobStatus::Delivered as u8 && old != after.status {
        job.delivered_at = now;
    }
    let is_challenged = job.case.is_none() && after.challenger != Pubkey::default();
    if let (true, Some(dispute)) = (is_challenged, dispute) {
        // Within one transaction a job may be delivered and challenged.
        if job.delivered_at == 0 {
            job.delivered_at = now;
        }
        let eligible = match before.eligible.get(key) {
            Some(eligible) => eligible.clone(),
            None => court::eligible(play, key, &after),
        };
        court::open(play, key, &after, &dispute, eligible);
    }
    honest::job_changed(play, key, old);
    court::follow(play, key);
}

fn channel_changed(play: &mut Play, before: &Before, key: &Pubkey) {
    let after = play.read::<OnChain>(key);
    let Some(after) = after else {
        let Some(channel) = play.channels.get_mut(key).filter(|channel| channel.is_open) else { return };
        channel.is_open = false;
        return honest::channel_changed(play, key, true, false);
    };
    if !play.channels.contains_key(key) {
        let Some(list) = play.read::<PriceList>(&after.prices) else { return };
        let channel = Channel {
            state: after,
            prices: list.prices(),
            receipts: Vec::new(),
            bad: BTreeSet::new(),
            twin: None,
            voucher: None,
            batch: None,
            roots: BTreeMap::new(),
            promised: 0,
            earned: 0,
            backs: Vec::new(),
            settled: 0,
            is_condemned: false,
            is_asleep: false,
            is_open: true,
        };
        play.channels.insert(*key, channel);
        return honest::channel_opened(play, key);
    }
    let Some(channel) = play.channels.get_mut(key) else { return };
    let old = before.channels.get(key).copied().unwrap_or(channel.state);
    channel.state = after;
    let is_backed = after.backed.get() > old.backed.get();
    channel.count_settled();
    let is_news = after.settled.get() > old.settled.get() || is_backed;
    let is_threat = after.closes_at != old.closes_at || after.staged_at != old.staged_at;
    honest::channel_changed(play, key, is_news, is_threat);
}
