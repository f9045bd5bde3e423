// Journals on disk.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileStore } from "../../src/node/index.js";
import { NOW, session } from "../shop.js";

const folder = mkdtempSync(join(tmpdir(), "joule-journal-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const store = fileStore(folder);
const context = new Uint8Array(32).fill(6);

/** What a session has noted once it has asked for something. */
function changes() {
  const own = session();
  own.begin(new Uint8Array(32), 5n, NOW, NOW + 20n);
  return [own.takeChanges()];
}

test("what was written is there after the process, for its owner alone", async () => {
  const first = await store.journal("kept", context);
  await first.write(changes());
  await first.close();
  const second = await store.journal("kept", context);
  assert.deepEqual((await second.read()).nextNonce, 2n);
  await second.close();
  assert.equal(statSync(join(folder, "kept/journal.jsonl")).mode & 0o777, 0o600);
});

test("one process at a time has a journal; one that was killed has it no longer", async () => {
  const mine = await store.journal("held", context);
  await assert.rejects(store.journal("held", context), /is held by process/);
  await mine.close();
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(join(folder, "held/journal.jsonl.lock"), `${pid}\n`);
  await (await store.journal("held", context)).close();
});

test("half a line was never safe, and another channel's journal is refused", async () => {
  const path = join(folder, "torn/journal.jsonl");
  const first = await store.journal("torn", context);
  await first.write(changes());
  await first.close();
  appendFileSync(path, '{"nextNonce":"9');
  const second = await store.journal("torn", context);
  assert.equal((await second.read()).nextNonce, 2n);
  await second.write(changes());
  await second.close();
  assert.equal(readFileSync(path, "utf8").split("\n").length, 4);
  await assert.rejects(store.journal("torn", new Uint8Array(32)), /belongs to another channel/);
});

test("a key is made once, and not beside a journal that another network has left", async () => {
  const key = await store.makeKey("key");
  assert.deepEqual(await store.makeKey("key"), key);
  assert.deepEqual(await store.key("key"), key);
  assert.equal(await store.key("nobody's"), null);
  assert.equal((JSON.parse(readFileSync(join(folder, "key/session.json"), "utf8")) as number[]).length, 64);
  await (await store.journal("key", context)).close();
  await assert.rejects(store.makeKey("key"), /another network/);
});
