// The programs, as Anchor's client sees them: `escrow(provider).methods.open(..)` builds instructions from the committed IDL,
// and what it sends and the chain refuses is a JouleError.

import { Program, type Idl, type Provider } from "@anchor-lang/core";
import { provideBuffer } from "./buffer.js";
import { explaining } from "./errors/provider.js";
import { IDLS, type JouleBilling, type JouleEscrow, type JouleRegistry, type JouleStaking, type JouleTreasury } from "./idls.js";

const client = <I extends Idl>(idl: I) => (provider: Provider) => {
  provideBuffer();
  return new Program<I>(idl, explaining(provider));
};

export const billing = client<JouleBilling>(IDLS.billing);
export const escrow = client<JouleEscrow>(IDLS.escrow);
export const registry = client<JouleRegistry>(IDLS.registry);
export const staking = client<JouleStaking>(IDLS.staking);
export const treasury = client<JouleTreasury>(IDLS.treasury);
