// The accounts that a job's instructions take, as far as the job says them.

import type { PublicKey } from "@solana/web3.js";
import type { Job } from "../accounts.js";
import type { Named } from "../build.js";
import type { Chain } from "../chain.js";
import * as pda from "../pda.js";

/** A job and where it is. */
export type JobAt = Job & { address: PublicKey };

/** The job at an address; one that was read before stays as it was. Throws when there is none. */
export async function jobAt(chain: Chain, job: PublicKey | JobAt): Promise<JobAt> {
  return "client" in job ? job : { ...(await chain.read("escrow", "job", job)), address: job };
}

export async function refund(chain: Chain, job: JobAt): Promise<Named> {
  const { address, vault, refund, rentPayer, mint } = job;
  return { job: address, vault, refund, rentPayer, tokenProgram: await chain.programOf(mint) };
}

export async function earnings(chain: Chain, job: JobAt): Promise<Named> {
  // A job that nobody took has no payout account, and nothing to pay into it.
  return { ...(await refund(chain, job)), payout: job.payout ?? job.refund, feeVault: job.feeVault };
}

/** The claim on the provider's bond. Throws when nobody has taken the job yet. */
export function backing({ address, providerAuthority, mint, claim, claimPayer, status }: JobAt): Named {
  if (!providerAuthority || !claim || !claimPayer) throw new Error(`job ${address} is ${status}: nobody has taken it`);
  return { bond: pda.bond(providerAuthority, mint), claim, claimPayer };
}

export const bondVault = ({ providerAuthority, mint }: JobAt) => pda.bondVault(pda.bond(providerAuthority!, mint));
