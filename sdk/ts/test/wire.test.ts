import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Counted, Order, Receipt, Splitter, askedOf, base64, dataOf, keptOf, mostOf, networkOf, nothingKept, openFor, readChanges, readSettlement, readSigned, readTerms,
  textBytes, utf8, writeChanges, writePayment, writeSigned,
} from "../src/index.js";
import { CHANNEL, FACTS, NOW, PRICES, came, receiptFor, session } from "./shop.js";

const NETWORK = networkOf(FACTS.genesis);
const encoded = (json: unknown) => base64(utf8(JSON.stringify(json)));
const address = CHANNEL.toBase58();
const strings = Object.fromEntries(Object.entries(PRICES).map(([name, price]) => [name, String(price)]));
const extra = {
  program: address, provider: address, authority: address, model: address, priceList: address, prices: strings, minGrace: 3600,
  settleMargin: 60, orderLife: 120, window: 4, bytesPerToken: 3,
};
const ours = { scheme: "joule-channel", network: NETWORK, amount: "7", asset: address, payTo: address, maxTimeoutSeconds: 60, extra };
const required = (...accepts: unknown[]) => encoded({ x402Version: 2, resource: { url: "x" }, accepts });

test("terms are read out of all that is offered, whole or not at all", () => {
  const exact = { scheme: "exact", network: NETWORK, amount: "9" };
  const terms = readTerms(required(exact, { scheme: "upto" }, ours), NETWORK);
  assert.deepEqual([terms.amount, terms.prices, terms.window], [7n, PRICES, 4]);
  for (const [wrong, why] of [
    [required(exact), /does not sell/], [required({ ...ours, network: "solana:x" }), /does not sell/], [required({ ...ours, amount: "-7" }), /amount/],
    [required({ ...ours, amount: String(1n << 64n) }), /amount/], [required({ ...ours, extra: { ...extra, window: "4" } }), /window/], ["%%%", /base64/],
    [encoded([]), /no object/],
  ] as const) assert.throws(() => readTerms(wrong, NETWORK), why);
});

test("a message and its signature are one base64 of both", () => {
  const order = session().begin(new Uint8Array(32), 5n, NOW, NOW + 1n).order;
  const text = writeSigned(Order, { message: order, signature: new Uint8Array(64) });
  assert.equal(text.length, Math.ceil((88 + 64) / 3) * 4);
  assert.deepEqual(readSigned(Order, text).message, order);
  assert.throws(() => readSigned(Order, base64(new Uint8Array(151))), /151 bytes are not the 152/);
  const header = writePayment({ network: NETWORK, channel: FACTS.address, order: null, voucher: null });
  assert.deepEqual(JSON.parse(atob(header)), { x402Version: 2, accepted: { scheme: "joule-channel", network: NETWORK }, payload: { channel: address } });
});

test("a settlement that is none is no receipt", () => {
  const receipt = receiptFor(session().begin(new Uint8Array(32), 5n, NOW, NOW + 1n).order, 1n);
  const good = { success: true, transaction: "", network: NETWORK, extra: { commitmentId: "c:1", chargedAmount: "18", receipt: writeSigned(Receipt, receipt) } };
  assert.deepEqual(readSettlement(encoded(good))!.receipt, receipt);
  assert.equal(readSettlement(encoded({ ...good, success: false, errorReason: "unpaid" }))!.errorReason, "unpaid");
  assert.equal(readSettlement(encoded({ ...good, success: false }))!.receipt, null);
  for (const bad of [null, "", "%", encoded({}), encoded({ ...good, extra: { receipt: "AAAA" } })]) assert.equal(readSettlement(bad), null);
});

test("events come out whole however the bytes are cut", () => {
  for (const text of ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data: a\r\rdata: b\r\r"]) {
    const split = (pieces: Uint8Array[]) => {
      const splitter = new Splitter();
      return pieces.flatMap((piece) => splitter.push(piece)).map((event) => new TextDecoder().decode(event));
    };
    const whole = split([utf8(text)]);
    assert.equal(whole.length, 2);
    assert.equal(whole.join(""), text);
    assert.deepEqual(split(Array.from(utf8(text), (byte) => Uint8Array.of(byte))), whole);
  }
  assert.equal(dataOf(utf8("data: a\ndata:  b\n\n")), "a\n b");
  assert.equal(dataOf(utf8(": a comment\n\n")), "");
});

test("the most that a request can cost is what its body asks for, at the list's prices", () => {
  const prices = { perRequest: 10n, perMillionInput: 0n, perMillionOutput: 1_000_000n, perImage: 100n, perSecond: 1n };
  const asked = (path: string, body: unknown) => askedOf(path, utf8(JSON.stringify(body)));
  const most = (path: string, body: unknown) => mostOf(asked(path, body), prices, 7n, 2_000n);
  const CHAT = "/v1/chat/completions";
  assert.equal(most(CHAT, { max_tokens: 20 }), 10n + 21n + 2n);
  assert.equal(most(CHAT, { max_tokens: 20, max_completion_tokens: 30, n: 2 }), 10n + 62n + 2n);
  assert.equal(most(CHAT, {}), 10n + 8n + 2n);
  assert.equal(most("/v1/completions", { prompt: ["a", "b"], n: 3, max_tokens: 1 }), 10n + 12n + 2n);
  assert.equal(most("/v1/embeddings", { input: "a" }), 10n + 2n);
  assert.equal(most("/v1/images/generations", { n: 3 }), 10n + 300n + 2n);
  assert.equal(mostOf(asked(CHAT, {}), { ...prices, perRequest: (1n << 64n) - 1n }, 7n, 0n), null);
  assert.equal(openFor(asked(CHAT, { n: 2 }), prices, 100n, 2_000n), 43n);
  assert.equal(openFor(asked(CHAT, {}), prices, 3n, 2_000n), 0n);
});

test("text is counted without images and roles, and numbers as tokens", () => {
  const content = [{ type: "text", text: "12345" }, { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } }];
  assert.equal(textBytes([{ role: "user", content }]), 5n);
  assert.equal(textBytes({ content: "ä", n: 7, no: null, yes: true }), 3n);
});

test("what a journal writes it reads back", () => {
  const own = session();
  const [order, lost, over] = [1, 2, 3].map(() => own.begin(new Uint8Array(32).fill(5), 50n, NOW, NOW + 20n).order);
  own.lose(lost!.nonce);
  own.release(over!.nonce);
  const receipt = receiptFor(order!, 1n);
  own.accept(order!.nonce, receipt, { ...came(), kind: "part" } as never);
  own.voucher();
  const changes = own.takeChanges();
  assert.deepEqual(readChanges(writeChanges(changes)), changes);
  const kept = keptOf([writeChanges(changes)]);
  assert.deepEqual([kept.nextNonce, [...kept.orders.keys()], [...kept.givenUp], kept.missed], [4n, [2n], [2n], 1]);
  assert.deepEqual([kept.receipts, kept.voucher!.sequence], [[receipt], 1n]);
  assert.deepEqual(keptOf([]), nothingKept());
});

test("answers that nobody asked for have no tokens", () => {
  for (const [n, most] of [[1, 1n], [3, 3n]] as const) {
    const counted = new Counted(askedOf("/v1/chat/completions", utf8(JSON.stringify({ n }))));
    for (let index = 0; index < 100; index++) counted.add({ choices: [{ index, delta: {}, finish_reason: "stop" }] });
    const usage = (outputTokens: bigint) => ({ inputTokens: 0n, outputTokens, images: 0n, milliseconds: 0n });
    counted.check(usage(most));
    assert.throws(() => counted.check(usage(most + 1n)), { name: "Objection" });
  }
});
