// What Anchor decodes, as plain values: bigints for numbers of 64 bits and more, Uint8Arrays for bytes, names for what has one,
// null for what is not there. Bumps and reserved bytes are left out.

import type { IdlAccounts, IdlEvents } from "@anchor-lang/core";
import { PublicKey } from "@solana/web3.js";
import BN from "bn.js";
import type { ProgramName, Programs } from "./idls.js";
import {
  Against, DisputeStatus, JobStatus, ModelStatus, PlanStatus, Pricing, ProviderStatus, RefundReason, Service, Side, Verdict,
  Verification, type NameOf,
} from "./names.js";

/** Fields whose numbers have names, by account or event. One that is 0 and has no name for it is null. */
const NAMED = {
  job: { status: JobStatus, verification: Verification, pricing: Pricing },
  dispute: { status: DisputeStatus, mode: Verification, verdict: Verdict, appellant: Side },
  vote: { choice: Verdict },
  provider: { status: ProviderStatus },
  model: { status: ModelStatus },
  plan: { status: PlanStatus },
  channel: { disputed: Against },
  service: { number: Service },
  jobOpened: { verification: Verification, pricing: Pricing },
  jobRefunded: { reason: RefundReason },
  jobChallenged: { mode: Verification },
  disputeAppealed: { side: Side },
  disputeResolved: { verdict: Verdict },
  voteClosed: { choice: Verdict },
  voteRevealed: { choice: Verdict },
  billDisputed: { verdict: Against },
  providerStatusChanged: { status: ProviderStatus },
  serviceAdmitted: { number: Service },
  serviceNamed: { number: Service },
  feeStaged: { service: Service },
  feeChanged: { service: Service },
  feeCancelled: { service: Service },
  servicePaused: { service: Service },
  serviceUnpaused: { service: Service },
} as const;

/** Addresses that may be missing, which the programs write as zeros. */
const OPTIONAL = {
  job: ["provider", "providerAuthority", "payoutOwner", "payout", "requirements", "claim", "claimPayer", "challenger", "challengerAccount", "bestBid"],
  dispute: ["panel"],
  model: ["base"],
  jobOpened: ["requirements"],
  jobAccepted: ["bid"],
  jobRefunded: ["provider"],
  jobChallenged: ["panel"],
} as const;

/** Numbers that say yes or no. */
const FLAGS = ["approved", "closed", "disputed", "hasPlan", "enabled", "expired", "named"] as const;
/** Of no use to whoever reads; and room that is left, which is bytes. */
const DROPPED = ["bump", "vaultBump"] as const;
const ROOM = ["reserved", "unused"] as const;
/** Lists of numbers; every other list of small numbers is bytes. */
const LISTS = ["feeBps", "stagedFeeBps", "tierDiscountsBps", "regions"] as const;

type Entry<Table, T> = T extends keyof Table ? Table[T] : {};
type Value<T, K, V> = K extends keyof Entry<typeof NAMED, T>
  ? NameOf<Entry<typeof NAMED, T>[K]> | (T extends "dispute" | "vote" | "channel" | "voteClosed" ? null : never)
  : K extends Extract<Entry<typeof OPTIONAL, T>, readonly unknown[]>[number]
    ? PublicKey | null
    : K extends (typeof FLAGS)[number]
      ? boolean
      : K extends (typeof LISTS)[number]
        ? number[]
        : Bare<V>;
type Dropped<K, V> = K extends (typeof DROPPED)[number] ? true : K extends (typeof ROOM)[number] ? (V extends number[] ? true : false) : false;
type Bare<V> = V extends BN
  ? bigint
  : V extends PublicKey
    ? PublicKey
    : V extends number[]
      ? Uint8Array
      : V extends (infer E)[]
        ? Bare<E>[]
        : V extends object
          ? { [K in keyof V as Dropped<K, V[K]> extends true ? never : K]: Value<never, K, V[K]> }
          : V;

/** `V`, which Anchor decodes for the account or event `T`. */
export type Plain<T, V> = { [K in keyof V as Dropped<K, V[K]> extends true ? never : K]: Value<T, K, V[K]> };

/** Accounts and events of a program, by name. */
export type Accounts<P extends ProgramName> = { [T in keyof IdlAccounts<Programs[P]>]: Plain<T, IdlAccounts<Programs[P]>[T]> };
export type Events<P extends ProgramName> = { [T in keyof IdlEvents<Programs[P]>]: Plain<T, IdlEvents<Programs[P]>[T]> };

const isDropped = (name: string, value: unknown) => has(DROPPED, name) || (has(ROOM, name) && Array.isArray(value));
const has = (list: readonly string[], name: string) => list.includes(name);

/** Of the account or event `type`. */
export function plain(type: string, fields: Record<string, unknown>): Record<string, unknown> {
  const named: Record<string, { of(number: number): string }> = (NAMED as Record<string, object>)[type] as never ?? {};
  const optional: readonly string[] = (OPTIONAL as Record<string, readonly string[]>)[type] ?? [];
  const value = (name: string, value: unknown): unknown => {
    const table = named[name];
    if (table) return nameOf(table, value as number);
    if (has(FLAGS, name) && typeof value === "number") return value !== 0;
    if (has(optional, name) && value instanceof PublicKey) return value.equals(PublicKey.default) ? null : value;
    return bare(name, value);
  };
  return Object.fromEntries(Object.entries(fields).filter(([name, own]) => !isDropped(name, own)).map(([name, own]) => [name, value(name, own)]));
}

function nameOf(table: { of(number: number): string }, number: number): string | null {
  if (number !== 0) return table.of(number);
  try {
    return table.of(0);
  } catch {
    return null;
  }
}

function bare(name: string, value: unknown): unknown {
  if (BN.isBN(value)) return BigInt(value.toString());
  if (value instanceof PublicKey) return value;
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === "number")) return has(LISTS, name) ? value : Uint8Array.from(value);
    return value.map((item) => bare(name, item));
  }
  if (typeof value === "object" && value !== null) return plain("", value as Record<string, unknown>);
  return value;
}
