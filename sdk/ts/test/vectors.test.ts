import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Batch, Frontier, Order, Receipt, Signer, Verifier, Voucher, amountOf, batchContext, contextOf, equal, leafOf, overcharges,
  precompileData, prove, refusal, rootOf, sha256, sumOf, unitsOf, verifyProof, type VoucherLimits, type Prices, type Usage,
} from "../src/index.js";
import { vectors, type Row } from "./vectors.js";

const signerOf = (key: Uint8Array) => {
  const row = vectors("keys").find((row) => equal(row.public, key));
  assert.ok(row, "a key of the vectors");
  return new Signer(row.secret);
};

/** The fields of a row that are the message's own. */
const own = ({ bytes, hash, key, signature, ...message }: Row) => message as any;

test("a secret's public key is the vectors'", () => {
  for (const { secret, public: key } of vectors("keys")) assert.deepEqual(new Signer(secret).publicKey, key);
});

test("contexts are hashed from the same parts", () => {
  for (const { domain, genesis, program, subject, context } of vectors("contexts")) {
    const deployment = { genesis, program };
    const [first, ...rest] = subject;
    assert.deepEqual(domain === "batch" ? batchContext(deployment, first, rest) : contextOf(domain, deployment, first), context);
  }
});

for (const [section, format] of Object.entries({ vouchers: Voucher, receipts: Receipt, orders: Order, batches: Batch })) {
  test(`${section} are the same bytes, hash and signature, and come back`, () => {
    for (const row of vectors(section)) {
      assert.deepEqual(format.encode(own(row)), row.bytes);
      assert.deepEqual(format.decode(row.bytes), own(row));
      assert.deepEqual(sha256(row.bytes), row.hash);
      assert.deepEqual(signerOf(row.key).sign(row.bytes), row.signature);
      assert.ok(new Verifier(row.key).verify(row.bytes, row.signature));
    }
  });
}

test("bytes of another size are no message", () => {
  const formats: Row = { voucher: Voucher, receipt: Receipt, order: Order, batch: Batch };
  for (const { format, bytes } of vectors("malformed")) assert.throws(() => formats[format].decode(bytes), RangeError);
});

test("a voucher is refused for the same reason", () => {
  for (const { voucher, now, refusal: reason, ...limits } of vectors("limits")) {
    assert.equal(refusal(limits as VoucherLimits, Voucher.decode(voucher), now), reason);
  }
});

test("prices make the same amounts, and units are counted the same", () => {
  for (const row of vectors("prices")) {
    assert.equal(amountOf(row as Prices, row as Usage), row.amount);
    assert.equal(unitsOf(row as Usage), row.units);
  }
});

test("trees have the same roots and peaks, and can be taken up again", () => {
  for (const { leaves, root, peaks } of vectors("trees")) {
    assert.deepEqual(rootOf(leaves), root);
    const frontier = new Frontier();
    for (const leaf of leaves) {
      frontier.append(leaf);
    }
    assert.deepEqual(frontier.peaks, peaks);
    assert.equal(frontier.size, leaves.length);
    assert.deepEqual(new Frontier(leaves.length, peaks).root(), root);
    assert.throws(() => new Frontier(leaves.length, [...peaks, root]), RangeError);
  }
});

test("proofs are the same where they hold, and the others are refused", () => {
  const largest = vectors("trees").at(-1)!.leaves;
  for (const { what, root, entry, index, size, proof, holds } of vectors("proofs")) {
    assert.equal(verifyProof(root, entry, index, size, proof), holds, what);
    if (!holds) continue;
    const leaves = largest.slice(0, size);
    assert.deepEqual(leafOf(entry), leaves[index]);
    assert.deepEqual(prove(leaves, index), proof);
  }
});

test("every signature on which verifiers differ is judged as the chain judges it", () => {
  for (const { what, key, message, signature, accepted } of vectors("signatures")) {
    assert.equal(new Verifier(key).verify(message, signature), accepted, what);
  }
});

test("the precompile's instruction is the one that programs read", () => {
  const [good] = vectors("precompile");
  assert.deepEqual(precompileData(good!.key, good!.signature, good!.message), good!.data);
});

test("one unit above the price list is an overcharge", () => {
  const { bytes } = vectors("receipts")[0]!;
  const receipt = Receipt.decode(bytes);
  const prices = { perRequest: 0n, perMillionInput: 0n, perMillionOutput: 0n, perImage: receipt.amount, perSecond: 0n };
  const fair = amountOf(prices, receipt)!;
  assert.equal(overcharges({ ...receipt, amount: fair }, prices), false);
  assert.equal(overcharges({ ...receipt, amount: fair + 1n }, prices), true);
});

test("seconds are counted over all usage, and sums stop at the largest number", () => {
  const usage = { inputTokens: 1n, outputTokens: 2n, images: 3n, milliseconds: 1_999n };
  assert.equal(unitsOf(sumOf(usage, usage)), 15n);
  assert.equal(sumOf({ ...usage, images: (1n << 64n) - 1n }, usage).images, (1n << 64n) - 1n);
});
