import assert from "node:assert/strict";
import { test } from "node:test";
import { Artifacts, hex, inTokens, secondsIn, sha256, specBytes, unitsIn } from "../src/index.js";

const TOKEN = { symbol: "JOULE", decimals: 6 };

test("amounts are read and written to the last unit", () => {
  for (const [text, units] of [
    ["0", 0n], ["1", 1_000_000n], ["12.5 JOULE", 12_500_000n], [".000001", 1n], ["2500000 units", 2_500_000n], ["1 joule", 1_000_000n],
    ["18446744073709.551615", (1n << 64n) - 1n], [" 7 ", 7_000_000n],
  ] as const) assert.equal(unitsIn(text, TOKEN), units, text);
  assert.equal(unitsIn(5n, TOKEN), 5n);
  assert.equal(inTokens(1n, TOKEN), "0.000001 JOULE");
  assert.equal(inTokens(12_500_000n, TOKEN), "12.5 JOULE");
  assert.equal(inTokens(7n, { symbol: null, decimals: 0 }), "7");
});

test("what is no amount is refused, with what to write", () => {
  for (const [wrong, why] of [
    ["", /write digits/], [".", /write digits/], ["-1", /write digits/], ["1.2.3", /write digits/], ["1,5", /write digits/], ["1e3", /the token is JOULE/],
    ["0.0000001", /6 decimals/], ["1 USDC", /the token is JOULE/], ["1.5 units", /whole/], ["18446744073709.551616", /64 bits/],
    [5, /base units as a bigint/], [-1n, /64 bits/],
  ] as const) assert.throws(() => unitsIn(wrong as string, TOKEN), why);
  assert.throws(() => unitsIn("1 JOULE", { symbol: null, decimals: 6 }), /leave JOULE out/);
});

test("durations are seconds, or numbers with units", () => {
  for (const [written, seconds] of [[90, 90], ["90s", 90], ["1h 30m", 5_400], ["7d", 604_800], ["10m", 600]] as const) assert.equal(secondsIn(written), seconds);
  for (const wrong of ["", "90", "1x", "1h x", -1, 1.5, 2 ** 32, "-5s"]) assert.throws(() => secondsIn(wrong), RangeError, String(wrong));
});

test("a job spec is the bytes that every program writes", () => {
  const text = new TextDecoder().decode(specBytes({ module: "ab".repeat(32), fuel: 5n, memoryBytes: 65_536n, timeoutMs: 1n }));
  assert.equal(text, `{"version":1,"module":"${"ab".repeat(32)}","fuel":5,"memory_bytes":65536,"timeout_ms":1}`);
  assert.throws(() => specBytes({ module: "ab".repeat(32), fuel: 0n, memoryBytes: 65_536n, timeoutMs: 1n }), /fuel is 0/);
  assert.throws(() => specBytes({ module: "AB".repeat(32), fuel: 1n, memoryBytes: 65_536n, timeoutMs: 1n }), RangeError);
});

test("artifacts of another hash, or too long, do not get through", async () => {
  const bytes = new Uint8Array(100).fill(7);
  const hash = hex(sha256(bytes));
  const says = (body: BodyInit | null, status = 200) => new Artifacts("http://127.0.0.1:1/", async () => new Response(body, { status }));
  assert.deepEqual(await says(bytes).get(hash), bytes);
  assert.deepEqual(await says(bytes).get(sha256(bytes)), bytes);
  await assert.rejects(says(bytes.map((byte) => byte + 1)).get(hash), /damaged/);
  await assert.rejects(says(bytes).get(hash, 99), /longer than 99/);
  await assert.rejects(says("no such artifact", 404).get(hash), /404 no such artifact/);
  assert.equal(await says(JSON.stringify({ hash })).put(bytes), hash);
  await assert.rejects(says(JSON.stringify({ hash: "00" })).put(bytes), /calls it 00/);
  await assert.rejects(says(null).get("no hash"), RangeError);
});
