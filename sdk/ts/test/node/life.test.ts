// What the helpers do on a chain: a job that is challenged, a deposit and a channel, events of all of it, refusals by name.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PublicKey } from "@solana/web3.js";
import { JouleError, Signer, escrow, pda, type Joule, type JouleEvent } from "../../src/index.js";
import { localnet, readKey } from "../../src/node/index.js";
import { REPOSITORY } from "./repository.js";
import { World } from "./world.js";

let world: World;
let alice: Joule;
const heard: JouleEvent[] = [];
const stop = new AbortController();
let listening: Promise<void>;

before(async () => {
  world = await World.start();
  alice = await localnet("alice", world.stateDir);
  listening = (async () => {
    for await (const event of alice.events({ signal: stop.signal, pollMs: 200 })) heard.push(event);
  })();
});
after(async () => {
  stop.abort();
  await listening;
  await world?.stop();
});

const said = async (name: string) => {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = heard.find((event) => event.name === name);
    if (found) return found;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`nobody heard of ${name}, but of ${heard.map((event) => event.name).join(", ")}`);
};
const refuses = (code: string) => (error: unknown) => {
  assert.ok(error instanceof JouleError, String(error));
  assert.equal((error as JouleError).code, code, (error as Error).message);
  return true;
};

test("a result is challenged, and nobody can settle before the verdict", async () => {
  const read = (path: string) => readFileSync(join(REPOSITORY, "workloads/digits", path));
  const { job } = await alice.postJob({
    module: read("digits.wasm"), input: read("data/test_images.bin"), budget: "5 JOULE", verification: "quorum", jurors: 3, reviewWindow: "1h",
  });
  const delivered = await alice.jobIs(job, "delivered");
  assert.deepEqual([delivered.verification, delivered.pricing, delivered.jurors, delivered.challenger], ["quorum", "fixed", 3, null]);
  await assert.rejects(alice.crank.settle(job), refuses("ReviewWindowOpen"));
  await assert.rejects(alice.cancel(job), refuses("WrongState"));
  const carol = await alice.as(readKey(world.key("carol")));
  await assert.rejects(carol.challenge(job, delivered.resultHash), refuses("SameResult"));
  await carol.challenge(job, "ab".repeat(32));
  const dispute = await alice.read("escrow", "dispute", pda.dispute(job));
  assert.deepEqual([dispute.status, dispute.mode, dispute.verdict, dispute.panel], ["voting", "quorum", null, null]);
  assert.ok(dispute.challenger.equals(carol.me));
  assert.equal((await alice.job(job)).status, "challenged");
  await assert.rejects(alice.crank.resolve(job), refuses("VoteStillOpen"));
  const challenged = await said("jobChallenged");
  assert.ok(challenged.name === "jobChallenged" && challenged.data.mode === "quorum" && challenged.data.job.equals(job));
  assert.ok(heard.some(({ name, program }) => name === "claimLocked" && program === "staking"), "events of inner programs are heard");
  assert.equal(new Set(heard.map(({ id }) => id)).size, heard.length);
});

test("a deposit is made, reserved, and comes back", async () => {
  const { model } = await world.sell();
  const provider = new PublicKey(world.network.personas.north!);
  const order = { model: new PublicKey(model), provider, signer: new PublicKey(Signer.make().publicKey), cap: "2 JOULE" };
  await assert.rejects(alice.openChannel({ ...order, cap: "9000000 JOULE" }), /9000000 JOULE must be deposited, and \w+ has [\d.]+ JOULE/);
  await assert.rejects(alice.openChannel({ ...order, grace: 1 }), refuses("GraceOutOfRange"));
  const channel = await alice.openChannel({ ...order, grace: "1m" });
  await alice.topUp(channel, "500000 units");
  const state = await alice.channel(channel);
  assert.deepEqual([state.cap, state.session.limit, state.disputed, state.hasPlan], [2_500_000n, 2_500_000n, null, false]);
  const deposited = (await alice.deposited())!;
  assert.deepEqual([deposited.balance, deposited.reserved, deposited.nextChannel], [2_500_000n, 2_500_000n, 1n]);
  await assert.rejects(alice.reclaim("1 JOULE"), refuses("NotFree"));
  await assert.rejects(alice.closeChannel(channel), /give notice first/);
  assert.ok((await alice.requestClose(channel)).closesAt > 0);
  await assert.rejects(alice.closeChannel(channel), /more seconds to settle/);
  const opened = await said("channelOpened");
  assert.ok(opened.name === "channelOpened" && opened.data.cap === 2_000_000n);
});

test("Anchor's own client says what is wrong, too", async () => {
  const client = escrow(alice.provider);
  const job = pda.job(alice.me, 0n);
  const report = client.methods.report(1, Array(32).fill(0)).accountsPartial({ job, authority: alice.me });
  await assert.rejects(report.rpc(), refuses("NotProvider"));
  await assert.rejects(report.simulate(), refuses("NotProvider"));
});

test("token and system program are understood", async () => {
  const carol = await alice.as(readKey(world.key("guardian")));
  await assert.rejects(carol.postJob({ module: "11".repeat(32), input: "11".repeat(32), budget: "1 JOULE" }), JouleError);
  await assert.rejects(alice.postJob({ module: "11".repeat(32), input: "11".repeat(32), budget: "9000000 JOULE" }), (error: unknown) => {
    assert.ok(error instanceof JouleError);
    assert.deepEqual([(error as JouleError).code, (error as JouleError).program], ["InsufficientFunds", "token"]);
    return true;
  });
});
