// Artifacts at a real service, and what it is caught with.

import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Artifacts } from "../../src/index.js";
import { artifactFolder } from "../../src/node/index.js";
import { BINARIES } from "./repository.js";

const folder = mkdtempSync(join(tmpdir(), "joule-artifacts-"));
let service: ChildProcess;
let url: string;

before(async () => {
  const args = ["--artifacts", folder, "--listen", "127.0.0.1:0", "--max-artifact", "1 MiB", "--min-free", "0 B"];
  service = spawn(join(BINARIES, "joule-store"), args, { stdio: ["ignore", "pipe", "ignore"] });
  url = await new Promise<string>((found, failed) => {
    createInterface({ input: service.stdout! }).on("line", (line) => found(line.replace("joule-store: ", "")));
    service.once("error", failed).once("exit", () => failed(new Error("joule-store ended")));
  });
});
after(() => {
  service?.kill();
  rmSync(folder, { recursive: true, force: true });
});

test("what is stored is there by its hash, and no longer than is asked for", async () => {
  const artifacts = new Artifacts(`${url}/`);
  for (const bytes of [new Uint8Array(), new Uint8Array(1_000_000).fill(7)]) {
    const hash = await artifacts.put(bytes);
    assert.equal(await artifacts.put(bytes), hash);
    assert.deepEqual(await artifacts.get(hash), bytes);
    assert.deepEqual(await artifactFolder(folder).get(hash), bytes, "programs on its machine have it too");
  }
  const hash = await artifacts.put(new Uint8Array(100));
  await assert.rejects(artifacts.get(hash, 99), /is longer than 99 bytes/);
});

test("refusals are said in the service's words", async () => {
  const artifacts = new Artifacts(url);
  await assert.rejects(artifacts.put(new Uint8Array((1 << 20) + 1)), /413 .*max_artifact/);
  await assert.rejects(artifacts.get("00".repeat(32)), /404 .*is not here/);
  await assert.rejects(artifacts.get("abc"), RangeError);
});

test("what is damaged there is not taken, and is mended by storing it again", async () => {
  const artifacts = new Artifacts(url);
  for (const bytes of [new TextEncoder().encode("short"), new Uint8Array(500_000).fill(1)]) {
    const hash = await artifacts.put(bytes);
    writeFileSync(join(folder, "sha256", hash), new Uint8Array(bytes.length));
    await assert.rejects(artifacts.get(hash));
    await artifacts.put(bytes);
    assert.deepEqual(await artifacts.get(hash), bytes);
  }
});

test("of a service that says no without end no more is read than a message has", async () => {
  const endless = createServer((_, answer) => {
    const more = () => {
      while (!answer.destroyed && answer.write("no ".repeat(10_000)));
    };
    answer.writeHead(500).on("drain", more);
    more();
  });
  await new Promise<void>((done) => endless.listen(0, "127.0.0.1", done));
  const artifacts = new Artifacts(`http://127.0.0.1:${(endless.address() as AddressInfo).port}`);
  await assert.rejects(artifacts.get("00".repeat(32)), /500/);
  await assert.rejects(artifacts.put(new Uint8Array(1)), /500/);
  endless.closeAllConnections();
  endless.close();
});
