import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { bundle, nodeModulesIn } from "./bundle.js";
import { SDK } from "./repository.js";

test("bundled for browsers it asks for nothing of Node's", async () => {
  const { code, metafile } = await bundle('export * from "./src/index.js"; export * from "./src/browser/index.js";');
  assert.deepEqual(nodeModulesIn(metafile), []);
  assert.doesNotMatch(code, /from ?"node:|require\("node:/);
});

test("no module but those of @joule/sdk/node names one of Node's", () => {
  const folder = join(SDK, "dist/src");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js") && !name.startsWith("node/"));
  assert.ok(files.length > 40);
  for (const name of files) assert.doesNotMatch(readFileSync(join(folder, name), "utf8"), /["']node:|\bprocess\.[a-z]|\b__dirname\b|\brequire\(/, name);
});
