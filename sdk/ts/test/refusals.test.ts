// What must not be written: numbers that would wrap, keys that are not keys.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Batch, Order, Signer, Verifier, Voucher, batchContext, contextOf, prove, verifyProof } from "../src/index.js";

const ZERO = new Uint8Array(32);
const order = { context: ZERO, nonce: 1n, requestHash: ZERO, maxAmount: 5n, expiresAt: 7n };

test("a number that does not fit is not cut off", () => {
  for (const wrong of [-1n, 1n << 64n]) {
    assert.throws(() => Order.encode({ ...order, maxAmount: wrong }), /maxAmount does not fit/);
  }
  for (const wrong of [1n << 63n, -(1n << 63n) - 1n]) {
    assert.throws(() => Order.encode({ ...order, expiresAt: wrong }), /expiresAt does not fit/);
  }
});

test("a hash or an address of another length is refused", () => {
  const short = new Uint8Array(31);
  assert.throws(() => Order.encode({ ...order, requestHash: short }), /requestHash has 31 bytes/);
  assert.throws(() => contextOf("order", { genesis: ZERO, program: ZERO }, short), RangeError);
  assert.throws(() => new Signer(short), RangeError);
  assert.throws(() => new Verifier(short), RangeError);
});

test("a batch has from 1 to 64 entries", () => {
  const batch = (count: number) =>
    Batch.encode({ context: ZERO, expiresAt: 0n, usageRoot: ZERO, entries: Array(count).fill({ sequence: 1n, cumulative: 1n }) });
  assert.equal(batch(64).length, 72 + 64 * 16);
  assert.throws(() => batch(0), RangeError);
  assert.throws(() => batch(65), RangeError);
  assert.throws(() => batchContext({ genesis: ZERO, program: ZERO }, ZERO, Array(65).fill(ZERO)), RangeError);
});

test("a message read from the middle of a buffer is the same message", () => {
  const voucher = { context: ZERO, sequence: 1n, cumulative: 2n, units: 3n, expiresAt: -4n, usageRoot: ZERO.map((_, n) => n) };
  const padded = new Uint8Array(Voucher.size + 9);
  padded.set(Voucher.encode(voucher), 5);
  assert.deepEqual(Voucher.decode(padded.subarray(5, 5 + Voucher.size)), voucher);
});

test("there is no proof for a leaf that is not there, and none holds at half an index", () => {
  assert.throws(() => prove([ZERO], 1), RangeError);
  assert.equal(verifyProof(ZERO, ZERO, 0.5, 1, []), false);
  assert.equal(verifyProof(ZERO, ZERO, -1, 1, []), false);
});

test("a signature of another length is not one", () => {
  const signer = new Signer(ZERO);
  const signature = signer.sign(ZERO);
  const verifier = new Verifier(signer.publicKey);
  assert.equal(verifier.verify(ZERO, signature), true);
  assert.equal(verifier.verify(ZERO, signature.subarray(0, 63)), false);
});
