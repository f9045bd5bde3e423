// Hashes, and what a signature is for.

import { sha256 as hasher } from "@noble/hashes/sha2";
import { utf8 } from "./bytes.js";
import { MAX_ENTRIES } from "./formats.js";

const DOMAINS = {
  voucher: "joule voucher v1",
  batch: "joule batch v1\0\0",
  receipt: "joule receipt v1",
  order: "joule order v1\0\0",
} as const;

/** A cluster and the billing program on it. */
export interface Deployment {
  /** The hash of the cluster's first block. */
  genesis: Uint8Array;
  program: Uint8Array;
}

/** sha256 of the parts, one after the other. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const hash = hasher.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function context(domain: keyof typeof DOMAINS, { genesis, program }: Deployment, subject: Uint8Array[]): Uint8Array {
  for (const part of [genesis, program, ...subject]) {
    if (part.length !== 32) throw new RangeError(`an address has 32 bytes, not ${part.length}`);
  }
  return sha256(utf8(DOMAINS[domain]), genesis, program, ...subject);
}

/** Of one channel's vouchers, receipts or orders. */
export function contextOf(format: "voucher" | "receipt" | "order", deployment: Deployment, channel: Uint8Array): Uint8Array {
  return context(format, deployment, [channel]);
}

/** Of a batch for these channels of one payer account, in this order. Throws a RangeError for more than `MAX_ENTRIES`. */
export function batchContext(deployment: Deployment, payer: Uint8Array, channels: Uint8Array[]): Uint8Array {
  if (channels.length > MAX_ENTRIES) throw new RangeError(`a batch has at most ${MAX_ENTRIES} channels`);
  return context("batch", deployment, [payer, ...channels]);
}
