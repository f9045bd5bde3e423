// The five programs: their IDLs and where they are.

import { PublicKey } from "@solana/web3.js";
import { IDL as billingIdl, type JouleBilling } from "./idl/billing.js";
import { IDL as escrowIdl, type JouleEscrow } from "./idl/escrow.js";
import { IDL as registryIdl, type JouleRegistry } from "./idl/registry.js";
import { IDL as stakingIdl, type JouleStaking } from "./idl/staking.js";
import { IDL as treasuryIdl, type JouleTreasury } from "./idl/treasury.js";

export type { JouleBilling, JouleEscrow, JouleRegistry, JouleStaking, JouleTreasury };

/** The IDLs, as they are committed: names in snake case. */
export const IDLS = { billing: billingIdl, escrow: escrowIdl, registry: registryIdl, staking: stakingIdl, treasury: treasuryIdl } as const;
export type ProgramName = keyof typeof IDLS;
/** The IDL's type of each program: names in camel case. */
export interface Programs {
  billing: JouleBilling;
  escrow: JouleEscrow;
  registry: JouleRegistry;
  staking: JouleStaking;
  treasury: JouleTreasury;
}

/** Where each program is. */
export const PROGRAMS = {
  billing: new PublicKey(billingIdl.address),
  escrow: new PublicKey(escrowIdl.address),
  registry: new PublicKey(registryIdl.address),
  staking: new PublicKey(stakingIdl.address),
  treasury: new PublicKey(treasuryIdl.address),
} as const;

/** The program at this address, if it is one of ours. */
export function programAt(address: PublicKey | string): ProgramName | null {
  const text = String(address);
  return (Object.keys(PROGRAMS) as ProgramName[]).find((name) => PROGRAMS[name].toBase58() === text) ?? null;
}
