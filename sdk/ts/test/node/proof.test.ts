// A provider that asks for too much is caught by the SDK, and convicted by the command line with the file that the SDK has written.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Objection, Receipt, Signer, payingFetch, readProof, readSettlement, writeProof, writeSigned, type PayingFetch } from "../../src/index.js";
import { fileStore, localnet, readKey } from "../../src/node/index.js";
import { question } from "./spender.js";
import { World } from "./world.js";

let world: World;
let sold: { gateway: string; model: string };

before(async () => {
  world = await World.start();
  sold = await world.sell();
});
after(() => world?.stop());

const HEADER = "payment-response";

/** The gateway as it would be if its operator asked for one unit too much from the `from`-th answer on. */
function greedy(from: number): typeof fetch {
  const north = new Signer(readKey(world.key("north")).secretKey.slice(0, 32));
  let answers = 0;
  return async (...args) => {
    const answer = await fetch(...args);
    const receipt = readSettlement(answer.headers.get(HEADER))?.receipt;
    if (!receipt || ++answers < from) return answer;
    const message = { ...receipt.message, amount: receipt.message.amount + 1n };
    const settlement = JSON.parse(Buffer.from(answer.headers.get(HEADER)!, "base64").toString());
    settlement.extra.receipt = writeSigned(Receipt, { message, signature: north.sign(Receipt.encode(message)) });
    const headers = new Headers(answer.headers);
    headers.set(HEADER, Buffer.from(JSON.stringify(settlement)).toString("base64"));
    return new Response(await answer.arrayBuffer(), { status: answer.status, headers });
  };
}

test("an overcharge that the SDK has caught is proven on chain by joule, with the file that the SDK has written", async () => {
  const alice = await localnet("alice", world.stateDir);
  const store = fileStore(join(world.folder, "channels"));
  const buy = (more: object): PayingFetch => payingFetch(alice, { ...sold, budget: "2 JOULE", store, ...more });
  const pay = buy({ fetch: greedy(3) });
  for (const n of [1, 2]) assert.equal((await pay("/v1/chat/completions", question(n))).status, 200);
  assert.equal(await pay.proof(), null, "nobody was caught");
  await assert.rejects(pay("/v1/chat/completions", question(3)), (error) => error instanceof Objection && error.code === "Overcharged");
  const channel = pay.channel!.toBase58();
  const proof = (await pay.proof())!;
  const text = writeProof(proof);
  assert.deepEqual([proof.receipts.length, proof.other, proof.voucher!.message.sequence], [3, null, 3n]);
  assert.equal(writeProof(readProof(text)), text);
  assert.equal(writeProof((await pay.proof())!), text, "asked again it is the same");
  const file = join(world.folder, "proof.json");
  writeFileSync(file, text);

  const forged = join(world.folder, "forged.json");
  writeFileSync(forged, text.replace(/"channel": "\w+"/, `"channel": "${alice.me}"`));
  await assert.rejects(world.joule("channel", "dispute", channel, "--proof", forged, "--as", "carol"), /is no proof for this channel/);
  await world.joule("channel", "dispute", channel, "--proof", file, "--as", "carol");
  const state = await alice.channel(pay.channel!);
  assert.equal(state.sequence, 3n);
  assert.ok(state.disputed, "it is convicted");
  await assert.rejects(world.joule("channel", "dispute", channel, "--proof", file, "--as", "carol"), /convicted on channel/);
  // What was conceded is in the journal.
  await pay.stop().catch(() => {});
  const again = buy({ channel });
  await assert.rejects(again("/v1/chat/completions", question(4)), /caught/);
  await again.stop().catch(() => {});
});
