// Which vouchers a channel takes.

import { equal } from "./bytes.js";
import type { Voucher } from "./formats.js";

/** What a channel's next voucher must keep to. */
export interface Limits {
  /** Of the channel's vouchers. */
  context: Uint8Array;
  /** The sum that was admitted last. */
  settled: bigint;
  /** The most that may ever be admitted: what is reserved and what the session may spend, whichever is less. */
  most: bigint;
  /** The last second that a voucher may live to. */
  sessionExpiresAt: bigint;
}

export type Refusal = "WrongContext" | "PaysNothing" | "AboveLimit" | "OutlivesSession" | "Expired";

/** All that the chain asks but the signature; null when the voucher is good at `now`, in Unix seconds. */
export function refusal(limits: Limits, voucher: Voucher, now: bigint): Refusal | null {
  if (!equal(voucher.context, limits.context)) return "WrongContext";
  if (voucher.cumulative <= limits.settled) return "PaysNothing";
  if (voucher.cumulative > limits.most) return "AboveLimit";
  if (voucher.expiresAt > limits.sessionExpiresAt) return "OutlivesSession";
  if (now > voucher.expiresAt) return "Expired";
  return null;
}
