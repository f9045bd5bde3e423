// Somebody on the local network.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Joule } from "../joule.js";
import { artifactFolder } from "./folder.js";
import { readKey } from "./keys.js";

/** As `persona`, such as `alice`, on the network that `joule-localnet` runs, by its state folder [default: JOULE_STATE_DIR, or .localnet]. */
export async function localnet(persona: string, stateDir = process.env.JOULE_STATE_DIR ?? ".localnet"): Promise<Joule> {
  const file = join(stateDir, "localnet.json");
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new Error(`${file} is not there: is joule-localnet running, with --state-dir ${resolve(stateDir)}?`);
  }
  const { rpc, ws, mint, symbol, artifacts } = JSON.parse(text) as Record<"rpc" | "ws" | "mint" | "symbol" | "artifacts", string>;
  return Joule.connect({
    rpc, ws, mint, symbol,
    wallet: readKey(join(stateDir, "keys", `${persona}.json`)),
    artifacts: /^https?:/.test(artifacts) ? artifacts : artifactFolder(resolve(stateDir, artifacts)),
  });
}
