// What a client does with its job, and anybody with one whose time has come. Each returns the transaction's signature.

import type { PublicKey } from "@solana/web3.js";
import { hashText } from "../artifacts.js";
import { build } from "../build.js";
import { unhex } from "../bytes.js";
import type { Chain } from "../chain.js";
import * as pda from "../pda.js";
import { backing, bondVault, earnings, jobAt, refund, type JobAt } from "./accounts.js";

const PANEL_EPOCH = 604_800;

/** Pays the provider at once. Of a job that was read before, what is agreed to is the result that it had then. */
export async function approve(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  const state = await jobAt(chain, job);
  return chain.send([build("escrow", "approve", { resultHash: state.resultHash }, {
    client: state.client, ...(await earnings(chain, state)), ...backing(state),
  })]);
}

/** Takes the budget back, while nobody has taken the job. */
export async function cancel(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  const state = await jobAt(chain, job);
  return chain.send([build("escrow", "cancel", {}, { client: state.client, ...(await refund(chain, state)) })]);
}

/** Stops work that is paid by the second, and pays for at most `seconds` of it. */
export async function stop(chain: Chain, job: PublicKey | JobAt, seconds: number): Promise<string> {
  const state = await jobAt(chain, job);
  return chain.send([build("escrow", "stop", { seconds }, { client: state.client, ...(await earnings(chain, state)), ...backing(state) })]);
}

/**
 * Says that another result is right, by its hash, and puts in as much as the provider has locked (`exposure`). Anybody may, while
 * the review window is open, where a quorum or a panel decides.
 */
export async function challenge(chain: Chain, job: PublicKey | JobAt, counterResult: string | Uint8Array): Promise<string> {
  const state = await jobAt(chain, job);
  const { me } = chain;
  const tokenProgram = await chain.programOf(state.mint);
  const tokens = pda.associatedToken(me, state.mint, tokenProgram);
  const epoch = state.verification === "panel" ? BigInt(Math.floor((await chain.now()) / PANEL_EPOCH)) : null;
  return chain.send([build("escrow", "challenge", { counterResult: unhex(hashText(counterResult)) }, {
    payer: me, challenger: me, job: state.address, dispute: pda.dispute(state.address), vault: state.vault,
    panel: epoch === null ? null : pda.panel(state.mint, epoch),
    source: tokens, account: tokens, tokenProgram,
  })]);
}

/** Gives the job to a bid, while bids are taken. */
export async function pickBid(chain: Chain, job: PublicKey | JobAt, bid: PublicKey): Promise<string> {
  const state = await jobAt(chain, job);
  const { rentPayer } = await chain.read("escrow", "bid", bid);
  return chain.send([build("escrow", "pickBid", {}, { client: state.client, job: state.address, bid, bidPayer: rentPayer })]);
}

/** Pays the provider when the review window has passed in silence. Anybody may. */
export async function settle(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  const state = await jobAt(chain, job);
  return chain.send([build("escrow", "settle", {}, { ...(await earnings(chain, state)), ...backing(state) })]);
}

/** Refunds a job that nobody accepted in time. Anybody may. */
export async function expire(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  return chain.send([build("escrow", "expire", {}, await refund(chain, await jobAt(chain, job)))]);
}

/** Refunds a job that was not delivered in time, and slashes the provider's claim. Anybody may. */
export async function fail(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  const state = await jobAt(chain, job);
  return chain.send([build("escrow", "fail", {}, {
    ...(await refund(chain, state)), feeVault: state.feeVault, ...backing(state), bondVault: bondVault(state),
  })]);
}

/** Pays by the verdict once a dispute is over, or as if nobody had challenged if there is none. Anybody may. */
export async function resolve(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  const state = await jobAt(chain, job);
  if (!state.challengerAccount) throw new Error(`job ${state.address} is ${state.status}: nobody has challenged it`);
  return chain.send([build("escrow", "resolve", {}, {
    ...(await earnings(chain, state)), dispute: pda.dispute(state.address), challenger: state.challengerAccount,
    ...backing(state), bondVault: bondVault(state),
  })]);
}

/** Pays what a settled or refunded job still owes, as far as it can be paid. Anybody may. */
export async function payOut(chain: Chain, job: PublicKey | JobAt): Promise<string> {
  const state = await jobAt(chain, job);
  return chain.send([build("escrow", "pay", {}, { ...(await earnings(chain, state)), challenger: state.challengerAccount ?? state.refund })]);
}

/** Has whatever I am owed for a job paid into another token account. */
export async function redirect(chain: Chain, job: PublicKey, account: PublicKey): Promise<string> {
  return chain.send([build("escrow", "redirect", {}, { payee: chain.me, job, account })]);
}
