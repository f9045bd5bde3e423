// Channels: money that is reserved for one provider and one model, and spent by vouchers.

import { PublicKey } from "@solana/web3.js";
import type { Channel } from "../accounts.js";
import type { Amount } from "../amount.js";
import { build } from "../build.js";
import type { Chain } from "../chain.js";
import { secondsIn, type Duration } from "../duration.js";
import { Service } from "../names.js";
import * as pda from "../pda.js";
import { createAssociated } from "../token.js";
import { deposited, filling, payerOf, reclaim } from "./payer.js";

export interface ChannelOrder {
  model: PublicKey;
  /** The provider's key for work. */
  provider: PublicKey;
  /** The most that the channel can ever pay. */
  cap: Amount;
  /** Who signs vouchers. */
  signer: PublicKey;
  /** The price list [default: the model's newest]. */
  prices?: PublicKey;
  /** How long the signer's vouchers are good [default: 1d]. */
  session?: Duration;
  /** How long the provider has after notice to settle; before, the rest is not free [default: 1h]. */
  grace?: Duration;
  /** What of its earnings the provider locks of its bond, in basis points [default: 10,000]. */
  backingBps?: number;
}

/** Where my next channel will be; its session's key can be put there before the channel is opened. */
export async function nextChannel(chain: Chain): Promise<{ channel: PublicKey; number: bigint }> {
  const number = (await deposited(chain))?.nextChannel ?? 0n;
  return { channel: pda.channel(payerOf(chain), number), number };
}

/** Deposits what is missing, and opens a channel. Returns its address. */
export async function openChannel(chain: Chain, order: ChannelOrder): Promise<PublicKey> {
  const { me, mint } = chain;
  const cap = chain.units(order.cap);
  const [provider, protocol, model] = await Promise.all([
    chain.read("registry", "provider", pda.provider(order.provider)),
    chain.read("treasury", "protocol", pda.protocol()),
    chain.read("registry", "model", order.model),
  ]);
  if (!order.prices && model.version === 0) throw new Error(`model ${order.model} has no price list yet`);
  const missing = await filling(chain, cap);
  if (missing.length > 0) await chain.send(missing);
  const { channel, number } = await nextChannel(chain);
  const terms = {
    cap, limit: cap, signer: order.signer, grace: secondsIn(order.grace ?? "1h"), backingBps: order.backingBps ?? 10_000,
    sessionExpiresAt: BigInt((await chain.now()) + secondsIn(order.session ?? "1d")),
    // No more than it is now.
    maxFeeBps: protocol.feeBps[Service.number("billing")]!,
  };
  const open = build("billing", "open", { number, terms }, {
    rentPayer: me, owner: me, payer: payerOf(chain), channel, provider: pda.provider(order.provider),
    payout: chain.tokensOf(provider.payoutOwner), model: order.model, prices: order.prices ?? pda.prices(order.model, model.version),
    acceptedMint: pda.acceptedMint(mint.address),
  });
  await chain.send([createAssociated(me, provider.payoutOwner, mint.address, mint.program), open]);
  return channel;
}

/** Deposits what is missing, and reserves so much more, which the session may spend. */
export async function topUp(chain: Chain, channel: PublicKey, amount: Amount): Promise<string> {
  const more = chain.units(amount);
  const state = await chain.read("billing", "channel", channel);
  const { signer, limit, expiresAt } = state.session;
  return chain.send([
    ...(await filling(chain, more)),
    build("billing", "topUp", { amount: more }, { owner: state.owner, payer: state.payer, channel }),
    build("billing", "setSession", { signer, limit: limit + more, expiresAt }, { owner: state.owner, channel }),
  ]);
}

/** Gives notice: what is settled until `closesAt`, the provider gets. */
export async function requestClose(chain: Chain, channel: PublicKey): Promise<{ closesAt: number }> {
  let state = await chain.read("billing", "channel", channel);
  if (state.closesAt === 0n) {
    await chain.send([build("billing", "requestClose", {}, { party: chain.me, channel })]);
    state = await chain.read("billing", "channel", channel);
  }
  return { closesAt: Number(state.closesAt) };
}

/** Once it is closed: frees what was not spent, and takes it back. Returns how much came back, in base units. */
export async function closeChannel(chain: Chain, channel: PublicKey): Promise<bigint> {
  const state: Channel | null = await chain.find("billing", "channel", channel);
  if (state) {
    const left = Number(state.closesAt) - (await chain.now());
    if (state.closesAt === 0n) throw new Error(`channel ${channel} is open: give notice first`);
    if (left > 0) throw new Error(`the provider has ${left} more seconds to settle on channel ${channel}`);
    await chain.send([build("billing", "close", {}, { payer: state.payer, channel, rentPayer: state.rentPayer })]);
  }
  return reclaim(chain);
}
