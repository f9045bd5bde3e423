// Buying from a gateway that loses answers, asks for too much, or refuses.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChannelWallet, Order, PROGRAMS, Receipt, encode, memoryStore, networkOf, readSigned, sha256, utf8, writeSigned, type Terms } from "../src/index.js";
import { Buyer } from "../src/x402/buyer.js";
import { Endpoint } from "../src/x402/endpoint.js";
import { ANSWER_BYTES, BODY, CHANNEL, FACTS, LIMITS, PRICES, SESSION_KEY, receiptFor } from "./shop.js";

const NETWORK = networkOf(FACTS.genesis);
const TERMS: Terms = {
  network: NETWORK, amount: 100n, asset: CHANNEL, payTo: CHANNEL, maxTimeoutSeconds: 60, program: PROGRAMS.billing, provider: CHANNEL, authority: CHANNEL,
  model: CHANNEL, priceList: CHANNEL, prices: PRICES, minGrace: 60, settleMargin: 60, orderLife: 120, window: 4, bytesPerToken: 3,
};
/** A payment as it was sent. */
const sent = (init: RequestInit) => JSON.parse(atob(new Headers(init.headers).get("payment-signature")!)).payload as { order: string; voucher?: string };
const orderIn = (init: RequestInit) => readSigned(Order, sent(init).order).message;
const settlement = (order: Order, sequence: bigint, change: Partial<Receipt> = {}) =>
  encode({ success: true, transaction: "", network: NETWORK, extra: { receipt: writeSigned(Receipt, receiptFor(order, sequence, change)) } });
const refusal = (status: number, code: string, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify({ error: { code, message: `because of ${code}` } }), {
    status, headers: { "payment-response": encode({ success: false, errorReason: code, transaction: "", network: NETWORK }), ...headers },
  });
const answer = (init: RequestInit, sequence = 1n, change: Partial<Receipt> = {}) =>
  new Response(ANSWER_BYTES, { headers: { "payment-response": settlement(orderIn(init), sequence, change) } });

/** `says` is asked for each request, with how many there were before. */
async function shop(says: (init: RequestInit, n: number) => Response | Promise<Response>) {
  const [requests, receipts] = [[] as RequestInit[], [] as [bigint, boolean][]];
  const far = BigInt(Math.floor(Date.now() / 1_000)) + 100_000n;
  const journal = await memoryStore().journal("channel", FACTS.address);
  const wallet = await ChannelWallet.open({ ...FACTS, sessionExpiresAt: far }, LIMITS, SESSION_KEY.secret().slice(0, 32), journal);
  const http = async (_: unknown, init: RequestInit = {}) => {
    requests.push(init);
    return says(init, requests.length - 1);
  };
  const buyer = new Buyer(http as typeof fetch, "http://gateway", wallet, { onReceipt: (receipt, isWhole) => receipts.push([receipt.amount, isWhole]) });
  const endpoint = new Endpoint(new URL("http://gateway/v1/chat/completions"), TERMS, BODY, 1_000n);
  return { wallet, requests, receipts, buy: (init: RequestInit = {}) => buyer.buy(endpoint, BODY, init) };
}
const pays = (code: string, more: object = {}) => ({ name: "PaymentError", code, ...more });

test("an answer is handed on as it came once its receipt is taken, and the next request pays for it", async () => {
  const { buy, wallet, requests, receipts } = await shop((init, n) => answer(init, BigInt(n) + 1n));
  const got = await buy();
  assert.deepEqual(new Uint8Array(await got.arrayBuffer()), ANSWER_BYTES);
  await buy();
  assert.deepEqual([wallet.billed, receipts], [36n, [[18n, true], [18n, true]]]);
  assert.equal(sent(requests[0]!).voucher, undefined);
  assert.equal(typeof sent(requests[1]!).voucher, "string");
});

test("an answer that was lost is asked for again, and paid without its answer", async () => {
  const { buy, wallet, requests, receipts } = await shop((init, n) => {
    if (n === 0) throw new TypeError("terminated");
    return refusal(409, "order_served", { "payment-response": settlement(orderIn(init), 1n) });
  });
  await assert.rejects(buy(), pays("answer_lost"));
  assert.deepEqual([wallet.billed, wallet.missed, receipts], [18n, 1, [[18n, false]]]);
  assert.equal(sent(requests[0]!).order, sent(requests[1]!).order);
});

test("a receipt in the place of a first answer, or for too much, is not paid", async () => {
  const withheld = await shop((init) => refusal(409, "order_served", { "payment-response": settlement(orderIn(init), 1n) }));
  await assert.rejects(withheld.buy(), { name: "Objection", code: "Withheld" });
  const dear = await shop((init) => answer(init, 1n, { amount: 19n }));
  await assert.rejects(dear.buy(), { name: "Objection", code: "Overcharged" });
  assert.deepEqual([dear.wallet.billed, dear.wallet.caught!.receipt.message.amount], [0n, 19n]);
  await assert.rejects(dear.buy(), { name: "Stop", code: "caught" });
});

test("an order that is too small is made larger, as far as the prices go", async () => {
  const terms = (amount: string) => {
    const address = CHANNEL.toBase58();
    const prices = Object.fromEntries(Object.entries(PRICES).map(([name, price]) => [name, String(price)]));
    const extra = { program: address, provider: address, authority: address, model: address, priceList: address, prices, minGrace: 60, settleMargin: 60, orderLife: 120, window: 4, bytesPerToken: 3 };
    return encode({ x402Version: 2, resource: { url: "x" }, accepts: [{ scheme: "joule-channel", network: NETWORK, amount, asset: address, payTo: address, maxTimeoutSeconds: 60, extra }] });
  };
  const fair = await shop((init, n) => (n === 0 ? refusal(402, "order_too_small", { "payment-required": terms("90") }) : answer(init)));
  await fair.buy();
  assert.equal(fair.requests.length, 2);
  const greedy = await shop(() => refusal(402, "order_too_small", { "payment-required": terms("5000") }));
  await assert.rejects(greedy.buy(), pays("too_dear"));
  assert.equal(greedy.wallet.underWay, 0);
});

test("what passes is waited for, what does not is said, and what the model says is an answer", async () => {
  const busy = await shop((init, n) => (n < 2 ? refusal(503, "busy") : answer(init)));
  assert.equal((await busy.buy()).status, 200);
  const late = await shop(() => refusal(429, "rate_limit_exceeded", { "retry-after": "60" }));
  assert.equal((await late.buy()).status, 429);
  assert.equal(late.requests.length, 1);
  const closed = await shop(() => refusal(402, "channel_closing"));
  await assert.rejects(closed.buy(), pays("refused", { reason: "channel_closing", message: /because of channel_closing/ }));
  const wrong = await shop(() => refusal(400, "unknown_parameter"));
  assert.equal((await wrong.buy()).status, 400);
  assert.deepEqual([wrong.wallet.billed, wrong.wallet.underWay, wrong.wallet.gaps], [0n, 0, 0]);
  const bare = await shop(() => new Response(ANSWER_BYTES));
  await assert.rejects(bare.buy(), pays("no_receipt"));
});

const EVENT = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "hello" }, finish_reason: "stop" }] })}\n\n`;
const streamed = (...pieces: (string | null)[]) =>
  new Response(new ReadableStream({
    start(controller) {
      for (const piece of pieces) piece === null ? controller.error(new TypeError("terminated")) : controller.enqueue(utf8(piece));
      if (!pieces.includes(null)) controller.close();
    },
  }), { headers: { "content-type": "text/event-stream" } });

/** As a program reads it; `Response.text()` shows a TypeError in the place of what went wrong, in some browsers. */
async function read(answer: Response): Promise<string> {
  const [reader, decoder] = [answer.body!.getReader(), new TextDecoder()];
  for (let text = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value, { stream: true });
  }
}

test("a stream is handed on as it comes, and ends well when its receipt is right", async () => {
  const receiptOf = (init: RequestInit, change: Partial<Receipt> = {}) => `: payment-response ${settlement(orderIn(init), 1n, { responseHash: sha256(utf8(EVENT)), ...change })}\n\n`;
  const good = await shop((init) => streamed(EVENT.slice(0, 9), EVENT.slice(9), receiptOf(init), "data: [DONE]\n\n"));
  assert.match(await read(await good.buy()), /hello[\s\S]*\[DONE\]/);
  assert.deepEqual(good.receipts, [[18n, true]]);
  const forged = await shop((init) => streamed(EVENT, receiptOf(init, { amount: 19n }), "data: [DONE]\n\n"));
  await assert.rejects(read(await forged.buy()), { name: "Objection", code: "Overcharged" });
  // What only looks like a receipt is a part of the answer.
  const quoted = await shop((init) => streamed(EVENT, receiptOf(init), EVENT, `: payment-response ${settlement(orderIn(init), 1n, { responseHash: sha256(utf8(EVENT), utf8(receiptOf(init)), utf8(EVENT)) })}\n\n`, "data: [DONE]\n\n"));
  await read(await quoted.buy());
  assert.equal(quoted.wallet.billed, 18n);
});

test("a stream that is cut off is paid by the receipt that is asked for, and fails", async () => {
  const { buy, wallet } = await shop((init, n) => (n === 0 ? streamed(EVENT, null) : refusal(409, "order_served", { "payment-response": settlement(orderIn(init), 1n) })));
  await assert.rejects(read(await buy()), pays("answer_lost"));
  assert.deepEqual([wallet.billed, wallet.missed], [18n, 1]);
});

test("whoever stops reading at the end of a stream has paid for a whole answer", async () => {
  const { buy, receipts } = await shop((init) =>
    streamed(`${EVENT}: payment-response ${settlement(orderIn(init), 1n, { responseHash: sha256(utf8(EVENT)) })}\n\ndata: [DONE]\n\n`, "\n"));
  const reader = (await buy()).body!.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /DONE/);
  await reader.cancel();
  assert.deepEqual(receipts, [[18n, true]]);
});

test("whoever goes away leaves an order that its receipt may still be found for", async () => {
  const { buy, wallet } = await shop(() => streamed(EVENT));
  const reader = (await buy()).body!.getReader();
  await reader.cancel();
  assert.deepEqual([wallet.underWay, wallet.gaps], [0, 1]);
});

