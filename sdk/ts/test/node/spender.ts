// Buys answers until it is killed: `spender.js STATE_DIR GATEWAY MODEL STORE`. Prints its channel with each receipt.

import { payingFetch } from "../../src/index.js";
import { fileStore, localnet } from "../../src/node/index.js";

export const question = (n: number, stream = false) => {
  const rows = ["...##...", "..#..#..", ".#....#.", ".#....#.", ".#....#.", ".#....#.", "..#..#..", "...##..."];
  return { method: "POST", body: JSON.stringify({ model: "digits", stream, messages: [{ role: "user", content: [n, ...rows].join("\n") }] }) };
};

const [stateDir, gateway, model, store] = process.argv.slice(2);
if (process.argv[1]?.endsWith("spender.js")) {
  const pay = payingFetch(await localnet("bob", stateDir), {
    gateway: gateway!, model: model!, budget: "2 JOULE", store: fileStore(store!), onReceipt: () => console.log(String(pay.channel)),
  });
  for (let n = 0; ; n += 1) await pay("/v1/chat/completions", question(n));
}
