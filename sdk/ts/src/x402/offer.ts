// Who sells, and whether what it says is what the chain says.

import type { PublicKey } from "@solana/web3.js";
import type { Chain } from "../chain.js";
import { PROGRAMS } from "../idls.js";
import * as pda from "../pda.js";
import { PaymentError } from "./failure.js";
import type { ChannelFacts } from "./session.js";
import type { Terms } from "./wire.js";

/** Throws a `PaymentError` unless the chain bears the terms out, and they are for `model` and in our own token. */
export async function checkOffer(chain: Chain, terms: Terms, model: PublicKey): Promise<void> {
  const lie = (what: string) => new PaymentError("terms", `the provider's terms are not what the chain says: ${what}`);
  if (!terms.program.equals(PROGRAMS.billing)) throw lie("another billing program");
  if (!terms.model.equals(model)) throw lie("another model");
  if (!terms.asset.equals(chain.mint.address)) throw new PaymentError("terms", `the provider wants to be paid in token ${terms.asset}, not in ${chain.mint.address}`);
  if (!terms.provider.equals(pda.provider(terms.authority))) throw lie("no such provider");
  const [provider, list] = await Promise.all([
    chain.find("registry", "provider", terms.provider),
    chain.find("registry", "priceList", terms.priceList),
  ]);
  if (provider?.status !== "active") throw lie("no such provider");
  const { prices } = terms;
  const isList = list && list.model.equals(model) && list.mint.equals(terms.asset);
  if (!isList || Object.entries(list.prices).some(([name, price]) => prices[name as keyof typeof prices] !== price)) throw lie("other prices");
}

/** What the chain says of a channel, as a session goes by it. */
export async function factsOf(chain: Chain, address: PublicKey): Promise<ChannelFacts & { signer: PublicKey; model: PublicKey }> {
  const state = await chain.read("billing", "channel", address);
  const [list, cluster] = await Promise.all([
    chain.read("registry", "priceList", state.prices),
    chain.read("billing", "cluster", pda.cluster()),
  ]);
  const { signer, limit, expiresAt } = state.session;
  return {
    address: address.toBytes(), program: PROGRAMS.billing.toBytes(), genesis: cluster.genesisHash, authority: state.authority.toBytes(),
    prices: list.prices, most: state.cap < limit ? state.cap : limit, sessionExpiresAt: expiresAt, settled: state.sequence,
    signer, model: state.model,
  };
}
