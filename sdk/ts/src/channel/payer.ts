// A payer's deposit: what channels reserve from.

import type { TransactionInstruction } from "@solana/web3.js";
import type { Payer } from "../accounts.js";
import type { Amount } from "../amount.js";
import { build } from "../build.js";
import type { Chain } from "../chain.js";
import * as pda from "../pda.js";

export const payerOf = (chain: Chain) => pda.payer(chain.me, chain.mint.address);

/** My deposit; null before the first. */
export const deposited = (chain: Chain): Promise<Payer | null> => chain.find("billing", "payer", payerOf(chain));

/** Base units that no channel and no plan has reserved, at `now`, as the program counts. */
export function freeOf({ balance, reserved, rate, syncedAt }: Payer, now: number): bigint {
  const free = balance - reserved;
  const elapsed = BigInt(now) - syncedAt;
  if (rate === 0n || elapsed <= 0n) return free;
  const seconds = elapsed < free / rate ? elapsed : free / rate;
  return free - rate * seconds;
}

/** Puts `amount` into my deposit, which is made if there is none. Returns the transaction's signature. */
export async function deposit(chain: Chain, amount: Amount): Promise<string> {
  return chain.send(depositing(chain, chain.units(amount), await deposited(chain)));
}

/** What brings the free part of my deposit up to `amount`; nothing when it is. Throws when I do not hold enough. */
export async function filling(chain: Chain, amount: bigint): Promise<TransactionInstruction[]> {
  const known = await deposited(chain);
  const missing = amount - (known ? freeOf(known, await chain.now()) : 0n);
  if (missing <= 0n) return [];
  const holds = await chain.balance();
  if (holds < missing) throw new Error(`${chain.format(missing)} must be deposited, and ${chain.me} has ${chain.format(holds)}`);
  return depositing(chain, missing, known);
}

function depositing(chain: Chain, amount: bigint, known: Payer | null): TransactionInstruction[] {
  const { me, mint, tokens } = chain;
  const payer = payerOf(chain);
  const vault = pda.payerVault(payer);
  const create = build("billing", "createPayer", {}, {
    rentPayer: me, owner: me, acceptedMint: pda.acceptedMint(mint.address), mint: mint.address, payer, vault, tokenProgram: mint.program,
  });
  const put = build("billing", "deposit", { amount }, { depositor: me, payer, vault, source: tokens, tokenProgram: mint.program });
  return known ? [put] : [create, put];
}

/** Takes `amount`, or all that is free, back into my token account. Returns how much that was, in base units. */
export async function reclaim(chain: Chain, amount?: Amount): Promise<bigint> {
  const known = await deposited(chain);
  const units = amount === undefined ? (known ? freeOf(known, await chain.now()) : 0n) : chain.units(amount);
  if (units === 0n) return 0n;
  const payer = payerOf(chain);
  await chain.send([build("billing", "reclaim", { amount: units }, {
    owner: chain.me, payer, vault: pda.payerVault(payer), destination: chain.tokens, tokenProgram: chain.mint.program,
  })]);
  return units;
}
