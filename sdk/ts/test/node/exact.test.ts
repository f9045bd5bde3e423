// Requests that are paid one by one, by x402's `exact`, through a real gateway.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PublicKey } from "@solana/web3.js";
import { EXACT, PaymentError, payingFetch, type Joule, type Paid } from "../../src/index.js";
import { localnet } from "../../src/node/index.js";
import { question } from "./spender.js";
import { World } from "./world.js";

let world: World;
let alice: Joule;
let sold: { gateway: string; model: string };

before(async () => {
  world = await World.start();
  alice = await localnet("alice", world.stateDir);
  sold = await world.sell([], "1");
});
after(() => world?.stop());

const path = "/v1/chat/completions";
const fails = (code: string) => (error: unknown) => {
  assert.ok(error instanceof PaymentError, String(error));
  assert.equal(error.code, code, error.message);
  return true;
};

test("answers are bought without a channel, each for what its transaction moves", async () => {
  const paid: Paid[] = [];
  const pay = payingFetch(alice, { ...sold, scheme: EXACT, budget: "1 JOULE", maxPerRequest: "0.1 JOULE", onPaid: (one) => paid.push(one) });
  const before = await alice.balance();
  const plain = await pay(path, question(1));
  assert.equal(plain.status, 200);
  assert.ok(((await plain.json()) as any).choices[0].message.content.length > 0);
  const streamed = await pay(path, question(2, true));
  assert.match(await streamed.text(), /data: \[DONE\]\n\n$/);
  assert.equal((await pay(path, question(1))).status, 200);
  assert.equal(paid.length, 3);
  assert.equal(new Set(paid.map(({ transaction }) => transaction)).size, 3, "the same question is another payment");
  const sum = paid.reduce((all, { amount }) => all + amount, 0n);
  assert.ok(sum > 0n);
  assert.equal(before - (await alice.balance()), sum);
  for (const { transaction, receipt, amount } of paid) {
    const { value } = await alice.connection.getSignatureStatuses([transaction]);
    assert.equal(value[0]?.err, null);
    assert.ok(receipt !== null && receipt.amount <= amount);
  }
  assert.equal(await alice.deposited(), null, "nothing is deposited, and no channel opened");
  assert.deepEqual([pay.channel, pay.wallet, await pay.close()], [null, null, null]);
});

test("nothing is signed above the limit for one request, nor above the budget", async () => {
  const paid: Paid[] = [];
  const before = await alice.balance();
  const buy = (limits: { budget: string; maxPerRequest?: string }) => payingFetch(alice, { ...sold, ...limits, scheme: EXACT, onPaid: (one) => paid.push(one) });
  await assert.rejects(buy({ budget: "1 JOULE", maxPerRequest: "1 units" })(path, question(1)), fails("too_dear"));
  await assert.rejects(buy({ budget: "1 units" })(path, question(1)), fails("too_dear"));
  assert.equal(await alice.balance(), before);
  const one = buy({ budget: "1 JOULE" });
  await one(path, question(1));
  const price = paid[0]!.amount;
  const pay = buy({ budget: `${price * 2n - 1n} units` });
  assert.equal((await pay(path, question(1))).status, 200);
  await assert.rejects(pay(path, question(1)), fails("too_dear"));
  assert.equal(before - (await alice.balance()), price * 2n);
});

/** The gateway's terms, as `change` has them. */
const retold = (change: (entry: any) => void): typeof fetch => async (...args) => {
  const answer = await fetch(...args);
  const terms = answer.headers.get("payment-required");
  if (terms === null) return answer;
  const json = JSON.parse(Buffer.from(terms, "base64").toString());
  json.accepts.forEach(change);
  const headers = new Headers(answer.headers);
  headers.set("payment-required", Buffer.from(JSON.stringify(json)).toString("base64"));
  return new Response(answer.body, { status: answer.status, headers });
};

test("nothing is paid above what the price list on chain makes of the request, whatever the terms say", async () => {
  const before = await alice.balance();
  const dearer = (entry: any) => (entry.amount = String(BigInt(entry.amount) + 1n));
  const greedy = [retold((entry) => entry.scheme === EXACT && dearer(entry)), retold(dearer)];
  const limited = { method: "POST", body: JSON.stringify({ ...JSON.parse(question(1).body as string), max_tokens: 8 }) };
  for (const own of greedy) {
    const pay = payingFetch(alice, { ...sold, scheme: EXACT, budget: "1 JOULE", fetch: own });
    await assert.rejects(pay(path, limited), (error: Error) => fails("too_dear")(error) && /by its price list/.test(error.message));
  }
  assert.equal(await alice.balance(), before);
});

test("a request whose way or answer is lost is sent again with the same payment, and is never paid twice", async () => {
  const losing = (when: "going" | "coming"): typeof fetch => {
    let lost = false;
    return async (url, init) => {
      const loses = !lost && new Headers(init?.headers).has("payment-signature");
      lost ||= loses;
      if (loses && when === "going") throw new TypeError("fetch failed");
      const answer = await fetch(url, init);
      if (loses) throw new TypeError("fetch failed");
      return answer;
    };
  };
  const paid: Paid[] = [];
  const buy = (own: typeof fetch) => payingFetch(alice, { ...sold, scheme: EXACT, budget: "1 JOULE", fetch: own, onPaid: (one) => paid.push(one) });
  const before = await alice.balance();
  assert.equal((await buy(losing("going"))(path, question(1))).status, 200);
  const price = before - (await alice.balance());
  assert.equal(price, paid[0]!.amount);
  await assert.rejects(buy(losing("coming"))(path, question(1)), fails("unknown"));
  assert.equal(before - (await alice.balance()), 2n * price, "paid once more, and its answer is lost");
});

test("whoever stops reading a stream is told what it has cost, and a payment that was not signed counts for nothing", async () => {
  const paid: Paid[] = [];
  const pay = payingFetch(alice, { ...sold, scheme: EXACT, budget: "1 JOULE", onPaid: (one) => paid.push(one) });
  await (await pay(path, question(2, true))).body!.cancel();
  const price = paid[0]!.amount;
  assert.deepEqual([paid.length, paid[0]!.receipt], [1, null]);
  const signs = alice.wallet.signTransaction;
  const once = payingFetch(alice, { ...sold, scheme: EXACT, budget: `${price} units` });
  alice.wallet.signTransaction = () => Promise.reject(new Error("the user says no"));
  await assert.rejects(once(path, question(2, true)), /says no/).finally(() => (alice.wallet.signTransaction = signs));
  assert.equal((await once(path, question(2, true))).status, 200);
});

test("what is wrong with a request costs nothing, and another model is not paid for", async () => {
  const before = await alice.balance();
  const bad = await payingFetch(alice, { ...sold, scheme: EXACT, budget: "1 JOULE" })(path, { method: "POST", body: JSON.stringify({ model: "digits", messages: [], nonsense: 1 }) });
  assert.equal(bad.status, 400);
  const other = payingFetch(alice, { ...sold, model: PublicKey.default, scheme: EXACT, budget: "1 JOULE" });
  await assert.rejects(other(path, question(1)), fails("terms"));
  assert.equal(await alice.balance(), before);
});

test("whoever has too few tokens is told so, and a gateway without a house channel sells through channels alone", async () => {
  const guardian = await localnet("guardian", world.stateDir);
  assert.equal(await guardian.balance(), 0n);
  const poor = payingFetch(guardian, { ...sold, scheme: EXACT, budget: "1 JOULE" });
  await assert.rejects(poor(path, question(1)), (error: PaymentError) => fails("refused")(error) && error.reason === "exact_funds");
  const stripped = retold((entry) => entry.scheme === EXACT && (entry.scheme = "other"));
  const pay = payingFetch(alice, { ...sold, scheme: EXACT, budget: "1 JOULE", fetch: stripped });
  await assert.rejects(pay(path, question(1)), (error: Error) => fails("terms")(error) && /does not sell by exact/.test(error.message));
});
