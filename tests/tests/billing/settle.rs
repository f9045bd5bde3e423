//! A channel's newest voucher comes on chain.

use joule_tests::{Kind, World};

#[test]
fn settling_takes_no_more_than_450_compute_units() {
    let mut w = World::paying(Kind::Classic);
    let channel = w.channelled();
    let voucher = w.voucher(&channel, 3, 400_000);
    let settling = w.settling(channel, &voucher);
    let done = w.send(&settling, &[]);
    let state = w.channel(&channel);
    assert_eq!((state.settled.get(), state.sequence.get(), state.units.get()), (400_000, 3, 300));
    assert_eq!(state.usage_root, voucher.usage_root);
    assert!(done.compute_units_consumed <= 450, "{} CU", done.compute_units_consumed);
}
