// Key files in Solana's format: a JSON list of 64 bytes.

import { Keypair } from "@solana/web3.js";
import { readFileSync } from "node:fs";

/** Throws an error that names the file. */
export function readKey(path: string): Keypair {
  try {
    return Keypair.fromSecretKey(Uint8Array.from(JSON.parse(readFileSync(path, "utf8")) as number[]));
  } catch (error) {
    throw new Error(`cannot use key file ${path}: ${(error as Error).message}`);
  }
}
