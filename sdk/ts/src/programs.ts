// The programs, as Anchor's client sees them: `escrow(provider).methods.open(..)` builds instructions from the committed IDL.

import { Program, type Idl, type Provider } from "@anchor-lang/core";
import { PublicKey } from "@solana/web3.js";
import { createRequire } from "node:module";
import type { JouleEscrow } from "../../../idl/escrow.js";
import type { JouleRegistry } from "../../../idl/registry.js";
import type { JouleStaking } from "../../../idl/staking.js";
import type { JouleTreasury } from "../../../idl/treasury.js";

export type { JouleEscrow, JouleRegistry, JouleStaking, JouleTreasury };

const load = createRequire(import.meta.url);

function client<I extends Idl>(name: string) {
  const idl: I = load(`../../../idl/${name}.json`);
  return { id: new PublicKey(idl.address), at: (provider: Provider) => new Program<I>(idl, provider) };
}

const clients = {
  escrow: client<JouleEscrow>("escrow"),
  registry: client<JouleRegistry>("registry"),
  staking: client<JouleStaking>("staking"),
  treasury: client<JouleTreasury>("treasury"),
};

/** Where each program is. */
export const PROGRAMS = {
  escrow: clients.escrow.id,
  registry: clients.registry.id,
  staking: clients.staking.id,
  treasury: clients.treasury.id,
} as const;

export const escrow = clients.escrow.at;
export const registry = clients.registry.at;
export const staking = clients.staking.at;
export const treasury = clients.treasury.at;
