// What the helpers do on a chain: a job that is challenged, a deposit and a channel, events of all of it, refusals by name.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AnchorError, AnchorProvider, Program, Wallet } from "@anchor-lang/core";
import { PublicKey } from "@solana/web3.js";
import {
  IDLS, JouleError, PROGRAMS, Signer, build, escrow, payingFetch, pda, v1, type Joule, type JouleEvent, type PayingFetch, type Receipt, type JouleTreasury,
} from "../../src/index.js";
import { fileStore, localnet, readKey } from "../../src/node/index.js";
import { REPOSITORY } from "./repository.js";
import { question } from "./spender.js";
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

/** Once for all. */
let selling: ReturnType<World["sell"]> | undefined;
const sold = () => (selling ??= world.sell());

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

test("Anchor's own client knows an error by its log, and the program that it is of", async () => {
  const own = new AnchorProvider(alice.connection, new Wallet(readKey(world.key("alice"))), { commitment: "confirmed" });
  const thrown = async (sent: Promise<unknown>) => {
    const error = await sent.then(() => assert.fail("it was accepted"), (refused: unknown) => refused);
    assert.ok(error instanceof AnchorError, String(error));
    return [error.error.errorCode, error.error.errorMessage, error.program.toBase58()];
  };
  const treasury = new Program<JouleTreasury>(IDLS.treasury, own);
  const { code, number, text } = { code: "NotAuthority", number: 6001, text: "Only the protocol's authority may do this" };
  assert.deepEqual(await thrown(treasury.methods.proposeAuthority(alice.me).accounts({ authority: alice.me, protocol: pda.protocol(), program: PROGRAMS.treasury }).rpc()), [{ code, number }, text, PROGRAMS.treasury.toBase58()]);
});

test("a deposit is made, reserved, and comes back", async () => {
  const { model } = await sold();
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

test("a program goes on with its channel where the last one stopped, and the gateway agrees", async () => {
  const { gateway, model } = await sold();
  const receipts: bigint[] = [];
  const store = fileStore(join(world.folder, "channels"));
  const paying = { gateway, model, budget: "2 JOULE", maxPerRequest: "0.1 JOULE", store, onReceipt: ({ sequence }: Receipt) => receipts.push(sequence) };
  const ask = (pay: PayingFetch, n: number, stream = false) => pay("/v1/chat/completions", question(n, stream));
  const first = payingFetch(alice, paying);
  assert.equal((await ask(first, 1)).status, 200);
  const channel = first.channel!;
  await assert.rejects(ask(payingFetch(alice, { ...paying, channel }), 1), /is held by process/);
  await first.stop();
  const second = payingFetch(alice, { ...paying, channel });
  await Promise.all([ask(second, 2), ask(second, 3), ask(second, 4, true).then((answer) => answer.text())]);
  assert.equal((await ask(second, 5)).status, 200);
  assert.deepEqual([...receipts].sort(), [1n, 2n, 3n, 4n, 5n]);
  const bad = await second("/v1/chat/completions", { method: "POST", body: JSON.stringify({ model: "digits", messages: [], nonsense: 1 }) });
  assert.equal(bad.status, 400);
  const { billed, receipts: count } = second.wallet!;
  await second.settle();
  const standing = (await (await second(`/joule/v1/channels/${channel}`)).json()) as Record<string, unknown>;
  assert.deepEqual([standing.billed, standing.paid, standing.paid_receipts, standing.serving], [String(billed), String(billed), count, 0]);
  await second.stop();
});

test("a program that was killed goes on, and promises nothing twice", async () => {
  const { gateway, model } = await sold();
  const folder = join(world.folder, "killed");
  const script = fileURLToPath(new URL("./spender.js", import.meta.url));
  const child = spawn(process.execPath, [script, world.stateDir, gateway, model, folder], { stdio: ["ignore", "pipe", "inherit"] });
  let receipts = 0;
  let channel = "";
  for await (const line of createInterface({ input: child.stdout })) {
    if (line !== "null") channel = line;
    if ((receipts += 1) >= 5) child.kill("SIGKILL");
  }
  const bob = await localnet("bob", world.stateDir);
  const pay = payingFetch(bob, { gateway, model, budget: "1 JOULE", store: fileStore(folder), channel });
  assert.equal((await pay("/v1/chat/completions", question(99))).status, 200);
  await pay.settle();
  const standing = (await (await pay(`/joule/v1/channels/${channel}`)).json()) as Record<string, unknown>;
  const { billed, receipts: count } = pay.wallet!;
  assert.ok(count > receipts);
  assert.deepEqual([standing.billed, standing.paid, standing.paid_receipts], [String(billed), String(billed), count]);
  await pay.stop();
});

test("events of a transaction of version 1 are read", async () => {
  const key = new Signer(Uint8Array.from(JSON.parse(readFileSync(world.key("alice"), "utf8")) as number[]).slice(0, 32));
  const { mint } = alice;
  const payer = pda.payer(alice.me, mint.address);
  const put = build("billing", "deposit", { amount: 7n }, { depositor: alice.me, payer, vault: pda.payerVault(payer), source: alice.tokens, tokenProgram: mint.program });
  const { blockhash } = await alice.connection.getLatestBlockhash();
  const bytes = v1.sign(v1.compile(alice.me, [put], blockhash, { computeUnits: 200_000, loadedBytes: 16 * 1024 * 1024 }), [key]);
  await alice.connection.sendRawTransaction(bytes);
  for (let tries = 0; tries < 200 && !heard.some((event) => event.name === "deposited" && event.data.amount === 7n); tries += 1) await new Promise((done) => setTimeout(done, 100));
  assert.ok(heard.some((event) => event.name === "deposited" && event.data.amount === 7n));
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
