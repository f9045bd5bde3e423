// README.md's programs, run as they stand there, by a project that has installed the tarball, against the services of the build.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Project } from "./project.js";
import { REPOSITORY } from "./repository.js";
import { linesOf, samples } from "./samples.js";
import { World } from "./world.js";

let world: World;
let project: Project;
let env: Record<string, string>;
const run = (name: string) => project.run(name, name === "pay.ts" ? world.folder : REPOSITORY, env);

before(async () => {
  [world, project] = await Promise.all([World.start(), Project.make(samples())]);
  const { gateway, model } = await world.sell([], "1");
  env = { JOULE_STATE_DIR: world.stateDir, GATEWAY: gateway, MODEL: model };
  await project.compile();
});
after(async () => {
  project?.remove();
  await world?.stop();
});

test("the first job takes seven statements, is posted, done, looked at and approved", async () => {
  assert.equal(linesOf(samples().get("job.ts")!), 7);
  const output = JSON.parse(await run("job.ts")) as object;
  assert.equal((output as { images: number }).images, 450);
  const jobs = await world.joule("job", "list", "--indexer", world.indexer);
  assert.match(JSON.stringify(jobs), /"settled"/);
});

test("a job is watched to its end, and what it does not take is said by name", async () => {
  const said = (await run("life.ts")).split("\n");
  assert.ok(said.some((line) => /nobody has taken it/.test(line)), said.join("\n"));
  assert.ok(said.some((line) => /^refunded and paid/.test(line)), said.join("\n"));
});

test("a request pays for itself, and its receipt is checked", async () => {
  const said = await run("pay.ts");
  assert.match(said, /receipt 1: 0\.\d+ JOULE/);
  assert.match(said, /the rest comes back with joule\.closeChannel\(\w{32,44}\) after \d+/);
});

test("a request is paid by a transaction, and one for nothing by none", async () => {
  const said = await run("exact.ts");
  assert.match(said, /there is no such model: nothing was paid\npaid 0\.\d+ JOULE with \w{64,88}\nThe digit is /);
});

test("events are heard, and read out of a transaction", async () => {
  const said = await run("events.ts");
  assert.match(said, /heard 0\.25 JOULE/);
  assert.match(said, /^billing deposited$/m);
});

test("errors say what is wrong, with both numbers", async () => {
  const said = await run("errors.ts");
  assert.match(said, /\w{32,44} has [\d.]+ JOULE, and the budget is 5000000 JOULE \(InsufficientFunds, error 1 of token/);
  assert.match(said, /An account does not exist yet, or is of another kind \(AccountDataTooSmall, instruction 0\)/);
  assert.doesNotMatch(said, /custom program error|0x|log messages/);
});

test("what is signed is checked, and transactions of version 1 are made", async () => {
  assert.match(await run("signed.ts"), /^true$/m);
  assert.match(await run("version1.ts"), /^\d+ bytes/);
});
