// Posting a job: what the provider needs is stored first, so that whoever sees the job can run it.

import { PublicKey } from "@solana/web3.js";
import type { Amount } from "../amount.js";
import { hashText } from "../artifacts.js";
import { build } from "../build.js";
import { unhex } from "../bytes.js";
import type { Chain } from "../chain.js";
import { secondsIn, type Duration } from "../duration.js";
import { JouleError } from "../errors/index.js";
import { Pricing, Verification } from "../names.js";
import * as pda from "../pda.js";
import { specBytes } from "../spec.js";

export interface JobOrder {
  /** The WebAssembly module, or its sha256 in hex if it is stored. */
  module: Uint8Array | string;
  /** The input, or its sha256 in hex if it is stored. */
  input: Uint8Array | string;
  /** The most that is paid. */
  budget: Amount;
  /** About one unit for each WebAssembly instruction [default: 10,000,000,000]. */
  fuel?: bigint;
  /** [default: 64 MiB] */
  memoryBytes?: bigint;
  /** Longest time the module may run [default: a minute]. */
  timeoutMs?: bigint;
  /** How long a provider may take to accept [default: 10m]. */
  acceptWindow?: Duration;
  /** How long the provider may take to deliver [default: 10m]. */
  workWindow?: Duration;
  /** How long the result can be looked at before silence pays [default: 10m]. */
  reviewWindow?: Duration;
  /** Takes bids for so long; left out, whoever comes first has the job. */
  bidWindow?: Duration;
  /** Who decides whether a challenged result is right [default: review, nobody]. */
  verification?: Verification;
  /** Votes without which nothing is decided, or members of a first panel: odd [default: 3]. */
  jurors?: number;
  /** How long each step of a dispute takes [default: 1h]. */
  voteWindow?: Duration;
  /** What the provider locks of its bond, in basis points of its price [default: 10,000]. */
  bondBps?: number;
  /** Pays for each second that the provider reports, at most so much a second. */
  perSecond?: Amount;
  /** The registry's `Requirements` that a provider must meet. */
  requirements?: PublicKey;
}

/** What the program keeps of it. */
export function termsOf(chain: Chain, order: JobOrder, specHash: Uint8Array, inputHash: Uint8Array) {
  const { verification = "review", perSecond } = order;
  const isJudged = verification !== "review";
  if (!isJudged && (order.jurors !== undefined || order.voteWindow !== undefined)) {
    throw new RangeError("jurors and voteWindow go with the verification quorum or panel");
  }
  return {
    budget: chain.units(order.budget),
    specHash,
    inputHash,
    acceptWindow: secondsIn(order.acceptWindow ?? "10m"),
    bidWindow: secondsIn(order.bidWindow ?? 0),
    workWindow: secondsIn(order.workWindow ?? "10m"),
    reviewWindow: secondsIn(order.reviewWindow ?? "10m"),
    voteWindow: isJudged ? secondsIn(order.voteWindow ?? "1h") : 0,
    bondBps: order.bondBps ?? 10_000,
    verification: Verification.number(verification),
    pricing: Pricing.number(perSecond === undefined ? "fixed" : "per_second"),
    jurors: isJudged ? (order.jurors ?? 3) : 0,
    maxRate: perSecond === undefined ? 0n : chain.units(perSecond),
  };
}

/** Returns the job's address, and the signature of the transaction that opened it. */
export async function postJob(chain: Chain, order: JobOrder): Promise<{ job: PublicKey; signature: string }> {
  const { me, artifacts } = chain;
  // Before anything is stored: what cannot be is found out.
  termsOf(chain, order, new Uint8Array(32), new Uint8Array(32));
  const stored = async (what: Uint8Array | string) => (typeof what === "string" ? hashText(what) : artifacts.put(what));
  const [module, input] = [await stored(order.module), await stored(order.input)];
  const { fuel = 10_000_000_000n, memoryBytes = 64n << 20n, timeoutMs = 60_000n } = order;
  const spec = await artifacts.put(specBytes({ module, fuel, memoryBytes, timeoutMs }));
  const terms = termsOf(chain, order, unhex(spec), unhex(input));
  const pool = pda.pool(chain.mint.address);
  const [counter, stake] = await Promise.all([
    chain.find("escrow", "client", pda.client(me)),
    chain.find("staking", "stake", pda.stake(pool, me)),
  ]);
  const id = counter?.nextJob ?? 0n;
  const job = pda.job(me, id);
  const open = build("escrow", "open", { id, terms }, {
    payer: me, client: me, clientAccount: pda.client(me), job, vault: pda.vault(job),
    source: chain.tokens, refund: chain.tokens, mint: chain.mint.address, acceptedMint: pda.acceptedMint(chain.mint.address),
    requirements: order.requirements ?? null,
    // A stake makes the fee lower.
    stake: stake && pda.stake(pool, me), pool: stake && pool,
    tokenProgram: chain.mint.program,
  });
  try {
    return { job, signature: await chain.send([open]) };
  } catch (error) {
    throw await inNumbers(chain, error, terms.budget);
  }
}

/** How many tokens there are and how many it would take; the token program does not say. */
async function inNumbers(chain: Chain, error: unknown, budget: bigint): Promise<unknown> {
  if (!(error instanceof JouleError) || error.program !== "token" || error.code !== "InsufficientFunds") return error;
  const text = `${chain.me} has ${chain.format(await chain.balance())}, and the budget is ${chain.format(budget)}`;
  return new JouleError({ ...error, text }, error.logs, error.signature, error.cause);
}
