// docs/wire.md says what the code does.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { example } from "../example.js";
import { REPOSITORY } from "./repository.js";

test("the example of docs/wire.md is what its keys make", () => {
  const page = readFileSync(join(REPOSITORY, "docs/wire.md"), "utf8");
  const blocks = [...page.matchAll(/<!-- example (\w+) -->\n```\w*\n([^`]*)\n```/g)].map(([, label, text]) => [label, text]);
  assert.deepEqual(Object.fromEntries(blocks), example());
});
