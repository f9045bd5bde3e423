// The SDK in headless Chromium: the tests that need nothing of Node's, a journal in the browser's database, and an answer that a
// page buys from a gateway.

import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { bundle } from "./bundle.js";
import { REPOSITORY, SDK } from "./repository.js";
import { World } from "./world.js";

const CHROMIUM = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, process.env.CHROMIUM ?? "chromium")).find(existsSync);
const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

let browser: Browser;
let server: Server;
let origin: string;
const pages = new Map<string, string>();

/** A page whose script is bundled from this text. */
async function open(name: string, text: string, alias: Record<string, string> = {}): Promise<Page> {
  pages.set(`/${name}.js`, (await bundle(text, alias)).code);
  pages.set(`/${name}`, `<!doctype html><title>${name}</title><script type="module" src="/${name}.js"></script>`);
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => console.error(`${name}: ${error.stack}`));
  await page.goto(`${origin}/${name}`);
  return page;
}

/** What the page's script leaves in `globalThis.done`. */
const done = <T>(page: Page) => page.waitForFunction("globalThis.done", undefined, { timeout: 120_000 }).then((value) => value.jsonValue() as Promise<T>);

before(async () => {
  assert.ok(CHROMIUM, "there is no chromium on the PATH: `make setup` installs it, or CHROMIUM names another");
  server = createServer((request, answer) => {
    const text = pages.get(request.url ?? "");
    answer.writeHead(text === undefined ? 404 : 200, { "content-type": request.url?.endsWith(".js") ? "text/javascript" : "text/html" });
    answer.end(text);
  }).listen(0, "127.0.0.1");
  await new Promise((listens) => server.once("listening", listens));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});
after(async () => {
  await browser?.close();
  server?.close();
});

test("all tests that are not Node's own pass in the browser", async () => {
  const files = readdirSync(join(SDK, "dist/test")).filter((name) => name.endsWith(".test.js"));
  const text = `${files.map((name) => `import "./test/${name}";`).join("\n")}
    import { runAll } from "./test/browser/test.js";
    globalThis.done = await runAll();`;
  const shims = { "node:test": join(SDK, "dist/test/browser/test.js"), "node:assert/strict": join(SDK, "dist/test/browser/assert.js") };
  const { passed, failed } = await done<{ passed: number; failed: string[] }>(await open("tests", text, shims));
  assert.deepEqual(failed, []);
  assert.ok(passed > 50, `${passed} tests`);
});

test("a journal outlives its page, and is one page's at a time", async () => {
  const text = `
    import { browserStore } from "./src/browser/index.js";
    const store = browserStore();
    const context = new Uint8Array(32);
    const tried = await store.journal("channel", context).then(async (journal) => {
      const { nextNonce } = await journal.read();
      await journal.write([{ nextNonce: nextNonce + 1n, begun: [], givenUp: [], released: [], receipts: [] }]);
      return String(nextNonce);
    }, (error) => error.message);
    globalThis.done = { tried, key: Array.from(await store.makeKey("channel")).join() };`;
  const first = await open("journal", text);
  const one = await done<{ tried: string; key: string }>(first);
  assert.equal(one.tried, "1");
  // The first page still has it; storage is shared by the pages of one context.
  const second = await first.context().newPage();
  await second.goto(`${origin}/journal`);
  assert.match((await done<{ tried: string }>(second)).tried, /another page has this channel's journal/);
  await first.close();
  await second.reload();
  assert.deepEqual(await done(second), { tried: "2", key: one.key });
});

test("a page posts a job, reads what was delivered, and buys an answer whose receipt it has checked", async () => {
  const world = await World.start();
  try {
    const { gateway, model } = await world.sell([origin]);
    const secret = JSON.parse(readFileSync(world.key("alice"), "utf8")) as number[];
    const { rpc, ws, mint, artifacts } = world.network;
    const read = (path: string) => readFileSync(join(REPOSITORY, "workloads/digits", path)).toString("base64");
    const text = `
      import { Keypair } from "@solana/web3.js";
      import { Joule, payingFetch } from "./src/index.js";
      import { browserStore } from "./src/browser/index.js";
      const wallet = Keypair.fromSecretKey(Uint8Array.from(${JSON.stringify(secret)}));
      const run = async () => {
        const joule = await Joule.connect({ rpc: "${rpc}", ws: "${ws}", mint: "${mint}", symbol: "JOULE", wallet, artifacts: "${artifacts}" });
        const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const { job } = await joule.postJob({ module: bytes("${read("digits.wasm")}"), input: bytes("${read("data/test_images.bin")}"), budget: "5 JOULE", reviewWindow: "1h" });
        await joule.jobIs(job, "delivered");
        const output = new TextDecoder().decode(await joule.output(job));
        await joule.approve(job);
        const refused = await joule.artifacts.get("00".repeat(32)).catch((error) => error.message);
        const amounts = [];
        const pay = payingFetch(joule, { gateway: "${gateway}", model: "${model}", budget: "2 JOULE", store: browserStore(), onReceipt: ({ amount }, isWhole) => amounts.push([String(amount), isWhole]) });
        const ask = (stream) => pay("/v1/chat/completions", { method: "POST", body: JSON.stringify({ model: "digits", stream, messages: [{ role: "user", content: ["...##...", "..#..#..", ".#....#.", ".#....#.", ".#....#.", ".#....#.", "..#..#..", "...##..."].join("\\n") }] }) });
        const plain = await (await ask(false)).json();
        const streamed = await (await ask(true)).text();
        await pay.settle();
        return { output, refused, content: plain.choices[0].message.content, streamed, amounts };
      };
      globalThis.done = await run().catch((error) => ({ error: String(error.stack) }));`;
    const bought = await done<any>(await open("buys", text));
    assert.equal(bought.error, undefined);
    assert.equal(bought.output, readFileSync(join(REPOSITORY, "workloads/digits/data/expected.json"), "utf8"), "through the artifact service");
    assert.match(bought.refused, /404 .*is not here/);
    assert.ok(bought.content.length > 0);
    assert.match(bought.streamed, /data: \[DONE\]/);
    assert.deepEqual(bought.amounts.map(([, isWhole]: [string, boolean]) => isWhole), [true, true]);
  } finally {
    await world.stop();
  }
});

