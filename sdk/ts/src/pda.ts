// Where the programs keep what billing needs. `billing` is the billing program's address.

import { PublicKey } from "@solana/web3.js";
import { PROGRAMS } from "./programs.js";

type Seed = string | PublicKey | Uint8Array;

function find(program: PublicKey, ...seeds: Seed[]): PublicKey {
  const bytes = (seed: Seed) => (typeof seed === "string" ? Buffer.from(seed) : seed instanceof PublicKey ? seed.toBytes() : seed);
  return PublicKey.findProgramAddressSync(seeds.map(bytes), program)[0];
}

function little(number: bigint, size: 4 | 8): Uint8Array {
  if (number < 0n || number >= 1n << BigInt(size * 8)) throw new RangeError(`${number} does not fit into ${size} bytes`);
  return Uint8Array.from({ length: size }, (_, n) => Number((number >> BigInt(8 * n)) & 0xffn));
}

/** An owner's account for one mint. */
export const payer = (billing: PublicKey, owner: PublicKey, mint: PublicKey) => find(billing, "payer", owner, mint);
/** A payer account's channel by its number. */
export const channel = (billing: PublicKey, payer: PublicKey, number: bigint) => find(billing, "channel", payer, little(number, 8));
/** The standing payment on a channel. */
export const plan = (billing: PublicKey, channel: PublicKey) => find(billing, "plan", channel);
/** Where the genesis hash is written down. */
export const cluster = (billing: PublicKey) => find(billing, "cluster");

export const model = (creator: PublicKey, id: bigint) => find(PROGRAMS.registry, "model", creator, little(id, 8));
/** One version of a model's price list. */
export const prices = (model: PublicKey, version: number) => find(PROGRAMS.registry, "prices", model, little(BigInt(version), 4));
/** A provider by its authority. */
export const provider = (authority: PublicKey) => find(PROGRAMS.registry, "provider", authority);
