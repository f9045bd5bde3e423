// The rules of one channel's account, as crates/client has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChannelWallet, Frontier, Receipt, Signer, apply, leafOf, nothingKept, sha256, type Changes, type Order, type Session } from "../src/index.js";
import { BODY, FACTS, LIMITS, NOW, came, missed, receiptFor, session } from "./shop.js";

const HASH = sha256(BODY);
const begin = (own: Session, most = 100n) => own.begin(HASH, most, NOW, NOW + 20n).order;
const stops = (code: string) => ({ name: "Stop", code });
const objects = (code: string) => ({ name: "Objection", code });

test("a good receipt is paid with the next voucher, once and for ever the same", () => {
  const own = session();
  assert.equal(own.voucher(), null);
  const order = begin(own);
  own.accept(order.nonce, receiptFor(order, 1n), came());
  const voucher = own.voucher()!;
  assert.deepEqual([voucher.sequence, voucher.cumulative, own.billed, own.underWay], [1n, 18n, 18n, 0]);
  assert.equal(own.voucher(), voucher);
});

test("receipts may come in any order; a voucher pays for those without a gap", () => {
  const own = session();
  const orders = [begin(own), begin(own), begin(own)];
  own.accept(orders[2]!.nonce, receiptFor(orders[2]!, 3n), came());
  own.accept(orders[1]!.nonce, receiptFor(orders[1]!, 2n), came());
  assert.equal(own.voucher(), null);
  own.accept(orders[0]!.nonce, receiptFor(orders[0]!, 1n), came());
  assert.equal(own.voucher()!.sequence, 3n);
});

const wrongs: [string, Partial<Receipt>, Signer?][] = [
  ["Context", { context: new Uint8Array(32) }],
  ["Signature", {}, new Signer(new Uint8Array(32).fill(9))],
  ["Request", { requestHash: new Uint8Array(32) }],
  ["Response", { responseHash: new Uint8Array(32) }],
  ["Overcharged", { amount: 19n }],
  ["Unpayable", { inputTokens: (1n << 64n) - 1n, outputTokens: (1n << 64n) - 1n }],
  ["AboveOrder", { inputTokens: 95n, amount: 109n }],
  ["Usage", { inputTokens: 93n, amount: 0n }],
  ["Usage", { outputTokens: 7n, amount: 0n }],
  ["Usage", { images: 1n, amount: 0n }],
  ["Usage", { milliseconds: 122n, amount: 0n }],
  ["Sequence", { sequence: 2n }],
  ["Sequence", { sequence: 0n }],
];
for (const [code, change, signer] of wrongs) {
  test(`a receipt that is wrong is not paid, and ends the session: ${code} ${Object.keys(change)}`, () => {
    const own = session();
    const order = begin(own);
    const receipt = receiptFor(order, 1n, change, signer);
    assert.throws(() => own.accept(order.nonce, receipt, came()), objects(code));
    assert.deepEqual([own.billed, own.voucher(), own.caught!.receipt], [0n, null, receipt]);
    assert.throws(() => begin(own), stops("caught"));
  });
}

test("a receipt in the place of a first answer is not paid, and one for nothing that was asked neither", () => {
  const own = session();
  const order = begin(own);
  assert.throws(() => own.accept(order.nonce, receiptFor(order, 1n), { kind: "withheld" }), objects("Withheld"));
  assert.throws(() => session().accept(7n, receiptFor(order, 1n), came()), objects("Unknown"));
});

test("nothing is asked for above budget, channel, window or the session's end", () => {
  assert.throws(() => begin(session(), LIMITS.budget + 1n), stops("budget"));
  assert.throws(() => begin(session(nothingKept(), {}, { most: 99n })), stops("channel"));
  assert.throws(() => begin(session(nothingKept(), {}, { sessionExpiresAt: NOW + 3_599n })), stops("session_ends"));
  const own = session();
  for (let n = 0; n < 4; n += 1) begin(own);
  assert.throws(() => begin(own), stops("wait"));
  const tight = session(nothingKept(), { budget: 150n });
  begin(tight);
  assert.throws(() => begin(tight), stops("wait"));
});

test("answers in a row that never came end the session, in whatever process", () => {
  const kept = nothingKept();
  for (let n = 1n; n <= 4n; n += 1n) {
    const own = session(kept, { window: 1 });
    const order = begin(own);
    own.accept(order.nonce, receiptFor(order, n), missed());
    own.voucher();
    apply(kept, own.takeChanges());
  }
  assert.throws(() => begin(session(kept, { window: 1 })), stops("missed"));
  const before = session({ ...kept, missed: 3 });
  const order = begin(before);
  before.accept(order.nonce, receiptFor(order, 5n), came());
  assert.equal(before.missed, 0);
});

test("a proof has every receipt that its voucher pays for, those too that came before the one that asks for too much", async () => {
  const kept = nothingKept();
  const journal = { read: async () => ({ ...kept, receipts: [...kept.receipts] }), write: async (all: Changes[]) => all.forEach((one) => apply(kept, one)), close: async () => {} };
  const wallet = await ChannelWallet.open(FACTS, LIMITS, new Uint8Array(32).fill(1), journal);
  const orders: Order[] = [];
  for (let n = 0; n < 3; n += 1) orders.push((await wallet.begin(HASH, 100n, NOW, NOW + 20n)).payment.order!.message);
  wallet.accept(orders[0]!.nonce, receiptFor(orders[0]!, 1n), came());
  wallet.accept(orders[2]!.nonce, receiptFor(orders[2]!, 3n), came());
  assert.throws(() => wallet.accept(orders[1]!.nonce, receiptFor(orders[1]!, 2n, { amount: 19n }), came()), objects("Overcharged"));
  const { receipts, voucher } = (await wallet.proof())!;
  const frontier = new Frontier();
  for (const { message } of receipts) frontier.append(leafOf(Receipt.encode(message)));
  assert.deepEqual([receipts.length, voucher!.message.sequence], [3, 3n]);
  assert.deepEqual(frontier.root(), voucher!.message.usageRoot);
});

test("a process that was killed goes on where it was, and signs nothing twice", () => {
  const kept = nothingKept();
  const first = session(kept);
  const [one, two] = [begin(first), begin(first)];
  first.accept(one.nonce, receiptFor(one, 1n), came());
  const voucher = first.voucher();
  apply(kept, first.takeChanges());
  const second = session(kept);
  assert.deepEqual(second.voucher(), voucher);
  assert.equal(second.gaps, 1);
  assert.ok(begin(second).nonce > two.nonce);
});

test("receipts of answers that were lost are found by their request, and orders that are over are forgotten", () => {
  const kept = nothingKept();
  const first = session(kept);
  const [one, two] = [begin(first), begin(first)];
  first.lose(one.nonce);
  apply(kept, first.takeChanges());
  const own = session(kept);
  own.recover([receiptFor(one, 1n)]);
  assert.deepEqual([own.billed, own.gaps, own.missed], [18n, 1, 1]);
  own.forget(two.expiresAt);
  assert.equal(own.gaps, 1);
  own.forget(two.expiresAt + 1n);
  assert.equal(own.gaps, 0);
  assert.throws(() => own.recover([receiptFor({ ...one, requestHash: new Uint8Array(32) }, 2n)]), objects("Unknown"));
});

test("a journal that cannot be true signs nothing", () => {
  const order = begin(session());
  const [one, two] = [receiptFor(order, 1n), receiptFor(order, 2n)];
  assert.throws(() => session({ ...nothingKept(), receipts: [two] }), /receipt 2 where 1 should be/);
  assert.throws(() => session(nothingKept(), {}, { settled: 1n }), /old copy/);
  const own = session();
  const begun = begin(own);
  own.accept(begun.nonce, receiptFor(begun, 1n), came());
  const voucher = own.voucher()!;
  assert.throws(() => session({ ...nothingKept(), receipts: [one], voucher: { ...voucher, cumulative: 17n } }), /newest voucher/);
});
