//! A channel's newest voucher comes on chain.

use joule_sdk::{
    billing::state::Channel,
    instruction::billing as build,
    units::{Amount, UnixTime},
    voucher::{precompile, Context, Domain, Format, Voucher},
    Pubkey, Signer,
};
use joule_tests::{
    billing::{session, verifying, CAP},
    key, Kind, World, GENESIS,
};

fn paying() -> (World, Pubkey) {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    (w, channel)
}

#[track_caller]
fn refuse(w: &mut World, channel: Pubkey, voucher: &Voucher, expected: &str) {
    let settling = w.settling(channel, voucher);
    w.refuse_all(&settling, &[], expected);
}

#[test]
fn settling_takes_no_more_than_450_compute_units() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 3, 400_000);
    let settling = w.settling(channel, &voucher);
    let done = w.send(&settling, &[]);
    let state = w.channel(&channel);
    assert_eq!((state.settled.get(), state.sequence.get(), state.units.get()), (400_000, 3, 300));
    assert_eq!(state.usage_root, voucher.usage_root);
    assert!(done.compute_units_consumed <= 450, "{} CU", done.compute_units_consumed);
}

#[test]
fn settling_changes_nothing_but_what_the_voucher_says() {
    let (mut w, channel) = paying();
    let (before, payer) = (w.channel(&channel), w.payer());
    let voucher = w.voucher(&channel, 1, 5);
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
    let expected =
        Channel { settled: 5.into(), sequence: 1.into(), units: 100.into(), usage_root: voucher.usage_root, ..before };
    assert_eq!(bytemuck::bytes_of(&w.channel(&channel)), bytemuck::bytes_of(&expected));
    assert_eq!(bytemuck::bytes_of(&w.payer()), bytemuck::bytes_of(&payer));
}

#[test]
fn every_bit_of_the_precompiles_layout_counts() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    let [good, settle] = w.settling(channel, &voucher);
    let mut passed_the_precompile = 0;
    for byte in 0..precompile::MESSAGE_AT + Voucher::LEN {
        for bit in 0..8 {
            let mut verify = good.clone();
            verify.data[byte] ^= 1 << bit;
            let name = w.refusal(&[verify, settle.clone()], &[]);
            passed_the_precompile += usize::from(name == "NoSignature");
        }
    }
    // The padding, which the precompile ignores, all of it.
    assert!(passed_the_precompile >= 8, "{passed_the_precompile}");
    w.send(&[good, settle], &[]);
}

/// The precompile takes an instruction's index in place of "this one".
#[test]
fn the_precompile_may_name_no_instruction_by_its_index() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    let [good, settle] = w.settling(channel, &voucher);
    for field in [4, 8, 14] {
        let mut verify = good.clone();
        verify.data[field..field + 2].copy_from_slice(&[0, 0]);
        w.refuse_all(&[verify, settle.clone()], &[], "NoSignature");
    }
}

/// What was verified lies in the first instruction; what is read, in the second, is something that nobody signed.
#[test]
fn a_signature_over_another_instructions_bytes_settles_nothing() {
    let (mut w, channel) = paying();
    let (small, large) = (w.voucher(&channel, 1, 1), w.voucher(&channel, 1, CAP));
    let [good, settle] = w.settling(channel, &small);
    let mut forged = good.clone();
    forged.data[precompile::MESSAGE_AT..].copy_from_slice(large.as_bytes());
    for field in [4, 8, 14] {
        forged.data[field..field + 2].copy_from_slice(&[0, 0]);
    }
    w.refuse_all(&[good, forged, settle], &[], "NoSignature");
}

#[test]
fn two_signatures_in_one_precompile_settle_nothing() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    let [mut verify, settle] = w.settling(channel, &voucher);
    // A second set of offsets, to the same parts, all of them moved by its length.
    verify.data[0] = 2;
    let mut offsets = verify.data[2..16].to_vec();
    for field in [0, 4, 8] {
        let moved = u16::from_le_bytes([offsets[field], offsets[field + 1]]) + 14;
        offsets[field..field + 2].copy_from_slice(&moved.to_le_bytes());
    }
    let data = [&verify.data[..2], &offsets, &offsets, &verify.data[16..]].concat();
    verify.data = data;
    w.refuse_all(&[verify, settle], &[], "NoSignature");
}

#[test]
fn the_precompile_comes_right_before() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    let [verify, settle] = w.settling(channel, &voucher);
    w.refuse_all(std::slice::from_ref(&settle), &[], "NoSignature");
    w.refuse_all(&[settle.clone(), verify.clone()], &[], "NoSignature");
    let memo = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr".parse().unwrap();
    let nothing = joule_sdk::Instruction { program_id: memo, accounts: vec![], data: b"between".to_vec() };
    w.refuse_all(&[verify.clone(), nothing, settle.clone()], &[], "NoSignature");
    w.refuse_all(&[verify, settle.clone(), settle], &[], "NoSignature");
}

/// With an account to it, the rest of its entry in the sysvar lies elsewhere.
#[test]
fn the_precompile_names_no_accounts() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    let [mut verify, settle] = w.settling(channel, &voucher);
    verify.accounts.push(solana_instruction::AccountMeta::new_readonly(channel, false));
    w.refuse_all(&[verify, settle], &[], "NoSignature");
}

#[test]
fn a_batch_is_no_voucher() {
    let (mut w, channel) = paying();
    let batch = w.batch(&[channel], &[(1, 1_000)]);
    w.refuse_all(&[verifying(&session(), &batch), build::settle(channel)], &[], "NoSignature");
}

#[test]
fn only_the_sessions_signature_counts() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    for signer in [w.alice.insecure_clone(), w.north.insecure_clone(), key("nobody")] {
        let verify = verifying(&signer, voucher.as_bytes());
        w.refuse_all(&[verify, build::settle(channel)], &[], "WrongSigner");
    }
}

#[test]
fn a_voucher_is_for_one_format_version_cluster_program_and_channel() {
    let (mut w, channel) = paying();
    let other = w.channelled();
    let good = w.voucher(&channel, 1, 1_000);
    let program = joule_sdk::billing::ID;
    let of = |domain, genesis: &[u8; 32], program: &Pubkey, channel: &Pubkey| {
        Context::of(domain, genesis, program.as_array(), channel.as_array())
    };
    for context in [
        of(Domain::Order, &GENESIS, &program, &channel),
        of(Domain::Receipt, &GENESIS, &program, &channel),
        of(Domain::Batch, &GENESIS, &program, &channel),
        of(Domain::Voucher, &[1; 32], &program, &channel),
        of(Domain::Voucher, &GENESIS, &joule_sdk::escrow::ID, &channel),
        of(Domain::Voucher, &GENESIS, &program, &other),
        Context::new([0; 32]),
    ] {
        refuse(&mut w, channel, &Voucher { context, ..good }, "WrongContext");
    }
}

#[test]
fn the_newest_voucher_wins_in_whatever_order_they_come() {
    let (mut w, channel) = paying();
    let (old, new) = (w.voucher(&channel, 4, 400), w.voucher(&channel, 9, 900));
    let settling = w.settling(channel, &new);
    w.send(&settling, &[]);
    refuse(&mut w, channel, &new, "NothingNew");
    refuse(&mut w, channel, &old, "NothingNew");
    let lower = w.voucher(&channel, 10, 900);
    refuse(&mut w, channel, &lower, "NothingNew");
    w.settled(channel, 901);
}

#[test]
fn a_high_number_that_pays_little_makes_nothing_worthless() {
    let (mut w, channel) = paying();
    let (poison, owed) = (w.voucher(&channel, u64::MAX, 1), w.voucher(&channel, 5, 500));
    for voucher in [poison, owed] {
        let settling = w.settling(channel, &voucher);
        w.send(&settling, &[]);
    }
    let state = w.channel(&channel);
    assert_eq!((state.settled.get(), state.sequence.get()), (500, 5));
}

#[test]
fn a_voucher_pays_up_to_cap_and_limit_and_not_a_unit_more() {
    let mut w = World::paying(Kind::Classic);
    let mut terms = w.channel_terms();
    terms.limit = CAP - 1;
    let (limited, capped) = (w.channelled_as(terms), {
        terms.limit = u64::MAX;
        w.channelled_as(terms)
    });
    let over = w.voucher(&limited, 1, CAP);
    refuse(&mut w, limited, &over, "OverLimit");
    w.settled(limited, CAP - 1);
    let over = w.voucher(&capped, 1, CAP + 1);
    refuse(&mut w, capped, &over, "OverLimit");
    let over = w.voucher(&capped, 1, u64::MAX);
    refuse(&mut w, capped, &over, "OverLimit");
    w.settled(capped, CAP);
}

#[test]
fn a_voucher_can_be_settled_in_its_last_second_and_not_after() {
    let (mut w, channel) = paying();
    let voucher = w.voucher(&channel, 1, 1_000);
    let end = voucher.expires_at.get().get();
    w.set_time(end + 1);
    refuse(&mut w, channel, &voucher, "VoucherExpired");
    w.set_time(end);
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
}

#[test]
fn a_voucher_does_not_outlive_its_session() {
    let (mut w, channel) = paying();
    let end = w.channel(&channel).session.expires_at.get();
    let of = |w: &World, at| Voucher { expires_at: UnixTime::new(at).into(), ..w.voucher(&channel, 1, 1_000) };
    let voucher = of(&w, end + 1);
    refuse(&mut w, channel, &voucher, "OutlivesSession");
    let voucher = of(&w, end);
    w.set_time(end);
    let settling = w.settling(channel, &voucher);
    w.send(&settling, &[]);
    let late = Voucher { sequence: 2.into(), cumulative: Amount::new(2_000).into(), ..voucher };
    w.set_time(end + 1);
    refuse(&mut w, channel, &late, "VoucherExpired");
}

#[test]
fn nothing_is_settled_once_the_grace_is_over() {
    let (mut w, channel) = paying();
    let alice = w.alice.insecure_clone();
    w.send(&[build::request_close(alice.pubkey(), channel)], &[&alice]);
    let closes_at = w.channel(&channel).closes_at.get();
    w.set_time(closes_at - 1);
    w.settled(channel, 1_000);
    let voucher = w.voucher(&channel, 2, 2_000);
    w.set_time(closes_at);
    refuse(&mut w, channel, &voucher, "ChannelClosed");
}

#[test]
fn a_closed_channels_vouchers_are_good_for_nothing_after_reopening() {
    let (mut w, channel) = paying();
    let (north, old) = (w.north.insecure_clone(), w.voucher(&channel, 1, 1_000));
    w.send(&[build::request_close(north.pubkey(), channel)], &[&north]);
    let close = w.close(channel);
    w.send(&[close], &[]);
    assert!(w.is_closed(&channel));
    let again = w.channelled();
    assert_ne!(again, channel, "the number never comes back");
    refuse(&mut w, again, &old, "WrongContext");
    let settling = w.settling(channel, &old);
    let name = w.refusal(&settling, &[]);
    assert!(["UninitializedAccount", "IllegalOwner", "AccountDataTooSmall"].contains(&name.as_str()), "{name}");
}
