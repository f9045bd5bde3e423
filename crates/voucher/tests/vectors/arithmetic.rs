//! What a channel takes, and what usage costs.

use crate::{
    hex,
    messages::{context, voucher},
    number,
};
use joule_units::{Amount, UnixTime};
use joule_voucher::{Context, Domain, Format, Limits, Prices, Usage, Voucher};
use serde_json::{json, Value};

pub fn limits() -> Vec<Value> {
    let limits = Limits {
        context: context(Domain::Voucher),
        settled: Amount::new(500),
        most: Amount::new(1_000),
        session_expires_at: UnixTime::new(2_000),
    };
    let row = |voucher: Voucher, now: i64| {
        let refusal = limits.check(&voucher, UnixTime::new(now)).err().map(|refusal| format!("{refusal:?}"));
        json!({
            "context": hex(limits.context.bytes()), "settled": number(limits.settled),
            "most": number(limits.most), "session_expires_at": number(limits.session_expires_at.get()),
            "voucher": hex(voucher.as_bytes()), "now": number(now), "refusal": refusal,
        })
    };
    vec![
        row(voucher(6, 501, 0, 2_000), 2_000),
        row(voucher(9, 1_000, 0, 1_999), 0),
        row(Voucher { context: Context::new([1; 32]), ..voucher(6, 501, 0, 2_000) }, 0),
        row(Voucher { context: context(Domain::Order), ..voucher(6, 501, 0, 2_000) }, 0),
        row(voucher(5, 501, 0, 2_000), 0),
        row(voucher(6, 500, 0, 2_000), 0),
        row(voucher(6, 1_001, 0, 2_000), 0),
        row(voucher(6, u64::MAX, 0, 2_000), 0),
        row(voucher(6, 501, 0, 2_001), 0),
        row(voucher(6, 501, 0, 1_999), 2_000),
        row(voucher(6, 501, 0, i64::MIN), -1),
    ]
}

pub fn prices() -> Vec<Value> {
    const MAX: u64 = u64::MAX;
    let cases = [
        ([0; 5], [MAX; 4]),
        ([10, 0, 0, 0, 0], [0; 4]),
        ([10, 150_000, 600_000, 40_000, 25], [1_234, 567, 2, 1_501]),
        ([0, 150_000, 600_000, 0, 0], [1, 0, 0, 0]),
        ([0, 1, 1, 0, 0], [500_000, 500_000, 0, 0]),
        ([0, 1, 1, 0, 0], [500_000, 500_001, 0, 0]),
        ([0, 0, 0, 0, 1], [0, 0, 0, 1]),
        ([0, 0, 0, 0, 1], [0, 0, 0, 1_000]),
        ([0, 0, 0, 0, 1], [0, 0, 0, 1_001]),
        ([0, MAX, 0, 0, 0], [1_000_000, 0, 0, 0]),
        ([0, MAX, 0, 0, 0], [1_000_001, 0, 0, 0]),
        ([1, MAX, 0, 0, 0], [1_000_000, 0, 0, 0]),
        ([0, 0, 0, MAX, 0], [0, 0, 1, 0]),
        ([0, 0, 0, MAX, 0], [0, 0, 2, 0]),
        ([MAX, 0, 0, 0, 0], [MAX; 4]),
        ([0, MAX, MAX, 0, 0], [MAX; 4]),
        ([MAX; 5], [MAX; 4]),
    ];
    cases
        .map(|(prices, usage)| {
            let [per_request, per_million_input, per_million_output, per_image, per_second] = prices.map(Amount::new);
            let [input_tokens, output_tokens, images, milliseconds] = usage;
            let list = Prices { per_request, per_million_input, per_million_output, per_image, per_second };
            let used = Usage { input_tokens, output_tokens, images, milliseconds };
            json!({
                "per_request": number(per_request), "per_million_input": number(per_million_input),
                "per_million_output": number(per_million_output), "per_image": number(per_image),
                "per_second": number(per_second),
                "input_tokens": number(input_tokens), "output_tokens": number(output_tokens), "images": number(images),
                "milliseconds": number(milliseconds),
                "units": number(used.units()), "amount": list.amount(&used).map(number),
            })
        })
        .into()
}
