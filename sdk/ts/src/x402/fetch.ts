// A `fetch` that pays: requests to one gateway, each for itself, through a channel.

import { PublicKey } from "@solana/web3.js";
import type { Amount } from "../amount.js";
import { contextOf } from "../context.js";
import type { Duration } from "../duration.js";
import type { Joule } from "../joule.js";
import * as pda from "../pda.js";
import { Signer } from "../signing.js";
import { complaintOf, termsOf } from "./answers.js";
import { Buyer, type Told } from "./buyer.js";
import { Endpoint } from "./endpoint.js";
import { EXACT, Purse, type Paid } from "./exact.js";
import { PaymentError } from "./failure.js";
import type { ChannelStore } from "./journal.js";
import { checkOffer, factsOf } from "./offer.js";
import type { Proof } from "./proof.js";
import { ChannelWallet, isKeyOf } from "./wallet.js";
import { networkOf, SCHEME, type Terms } from "./wire.js";

interface Buying {
  /** Where the model is sold, such as `http://127.0.0.1:8402`. Requests to anywhere else are not paid for. */
  gateway: string | URL;
  /** The model's address. */
  model: PublicKey | string;
  /** The most that is spent from now on. */
  budget: Amount;
  /** The most that one request may cost [default: the budget]. */
  maxPerRequest?: Amount;
  /** What requests are sent with [default: the global one]. */
  fetch?: typeof fetch;
}

/** Through a channel, which is cheaper by far. */
export interface Paying extends Buying, Told {
  scheme?: typeof SCHEME;
  /** Where the channel's key and journal are kept; `fileStore` in Node, `browserStore` in browsers. */
  store: ChannelStore;
  /** Pays through a channel that is open [default: a new one with the first request, which reserves the budget]. */
  channel?: PublicKey | string;
  /** Of a new channel: how long it can be used [default: 1d]. */
  session?: Duration;
  /** Of a new channel: how long the provider may settle after notice [default: what it wants, a day at most]. */
  grace?: Duration;
}

/** Each request by a transaction of its own, where the gateway takes that: at the price of all that the request may use, with nothing given back. */
export interface PayingExactly extends Buying {
  scheme: typeof EXACT;
  /** Each payment that has bought an answer. */
  onPaid?: ((paid: Paid) => void) | undefined;
}

export interface PayingFetch {
  /** As `fetch`; throws a `PaymentError`, an `Objection` or a `Stop` where money is concerned. */
  (input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Null before the first paid request. */
  readonly wallet: ChannelWallet | null;
  /** Null before the first paid request. */
  readonly channel: PublicKey | null;
  /** What convicts the provider, for `joule channel dispute --proof`: see `ChannelWallet.proof`. Null when there is nothing. */
  proof(): Promise<Proof | null>;
  /** Hands in the newest voucher, for the last of the requests. */
  settle(): Promise<void>;
  /** The same, and lets go of the journal: the channel stays open. */
  stop(): Promise<void>;
  /** The same, and gives notice; from `closesAt` on `joule.closeChannel` brings the rest back. Null when nothing was bought. */
  close(): Promise<{ channel: PublicKey; closesAt: number } | null>;
}

const USUAL_GRACE = 86_400;

export function payingFetch(joule: Joule, paying: Paying | PayingExactly): PayingFetch {
  if (paying.scheme === EXACT) return payingExactly(joule, paying);
  const shop = new Shop(joule, paying);
  const pay = (input: string | URL | Request, init?: RequestInit) => shop.fetch(input, init);
  return Object.defineProperties(pay as PayingFetch, {
    wallet: { get: () => shop.buyer?.wallet ?? null },
    channel: { get: () => (shop.buyer ? new PublicKey(shop.buyer.wallet.channel.address) : null) },
    proof: { value: async () => (await shop.buyer?.wallet.proof()) ?? null },
    settle: { value: async () => shop.buyer?.pay() },
    stop: { value: () => shop.stop() },
    close: { value: () => shop.close() },
  });
}

function payingExactly(joule: Joule, paying: PayingExactly): PayingFetch {
  const counter = new Counter(joule, paying);
  const purse = new Purse(joule, counter.http, counter.limits, paying.onPaid);
  const pay = async (input: string | URL | Request, init?: RequestInit) => {
    const sold = await counter.sold(input, init);
    return sold instanceof Request ? counter.http(sold) : purse.buy(sold.url, sold.body, sold.rest);
  };
  const nothing = { value: async () => {} };
  return Object.defineProperties(pay as PayingFetch, {
    wallet: { value: null }, channel: { value: null }, proof: { value: async () => null }, settle: nothing, stop: nothing, close: { value: async () => null },
  });
}

/** What the gateway sells, and what is wanted of it. */
class Counter {
  readonly base: URL;
  readonly http: typeof fetch;
  readonly limits: { model: PublicKey; budget: bigint; ceiling: bigint };

  constructor(joule: Joule, buying: Buying) {
    this.base = new URL(buying.gateway);
    this.http = buying.fetch ?? ((...args) => fetch(...args));
    const budget = joule.units(buying.budget);
    const ceiling = buying.maxPerRequest === undefined ? budget : joule.units(buying.maxPerRequest);
    this.limits = { model: new PublicKey(buying.model), budget, ceiling };
  }

  /** A request that costs something, taken apart; any other as it is. */
  async sold(input: string | URL | Request, init: RequestInit = {}): Promise<Request | { url: URL; body: Uint8Array; rest: RequestInit }> {
    const request = input instanceof Request ? new Request(input, init) : new Request(new URL(input, this.base), init);
    const url = new URL(request.url);
    if (url.origin !== this.base.origin || request.method !== "POST" || !url.pathname.startsWith("/v1/")) return request;
    return { url, body: new Uint8Array(await request.arrayBuffer()), rest: { headers: request.headers, signal: request.signal } };
  }
}

class Shop {
  buyer: Buyer | null = null;
  private opening: Promise<Buyer> | null = null;
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly base: URL;
  private readonly http: typeof fetch;
  private readonly model: PublicKey;
  private readonly budget: bigint;
  private readonly ceiling: bigint;
  private readonly counter: Counter;

  constructor(private readonly joule: Joule, private readonly paying: Paying) {
    this.counter = new Counter(joule, paying);
    ({ base: this.base, http: this.http } = this.counter);
    ({ model: this.model, budget: this.budget, ceiling: this.ceiling } = this.counter.limits);
  }

  async fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    const sold = await this.counter.sold(input, init);
    if (sold instanceof Request) return this.http(sold);
    const { url, body, rest } = sold;
    const endpoint = this.endpoints.get(url.href) ?? (await this.learn(url, body, rest));
    // What is wrong with the request itself costs nothing.
    if (endpoint instanceof Response) return endpoint;
    this.opening ??= this.open(endpoint, body);
    try {
      this.buyer = await this.opening;
    } catch (error) {
      this.opening = null;
      throw error;
    }
    return this.buyer.buy(endpoint, body, rest);
  }

  /** Asks for the terms by asking without paying. */
  private async learn(url: URL, body: Uint8Array, init: RequestInit): Promise<Endpoint | Response> {
    const answer = await this.http(url, { ...init, method: "POST", body: body as BodyInit, redirect: "error" });
    if (answer.status !== 402) return answer;
    const cluster = await this.joule.read("billing", "cluster", pda.cluster());
    const terms = termsOf(answer, networkOf(cluster.genesisHash));
    await answer.body?.cancel();
    await checkOffer(this.joule, terms, this.model);
    if (terms.amount > this.ceiling) {
      throw new PaymentError("too_dear", `one request may cost up to ${this.joule.format(terms.amount)}; at most ${this.joule.format(this.ceiling)} is to be paid for it`);
    }
    const endpoint = new Endpoint(url, terms, body, this.ceiling);
    this.endpoints.set(url.href, endpoint);
    return endpoint;
  }

  private async open({ terms, url }: Endpoint, body: Uint8Array): Promise<Buyer> {
    const { joule, paying } = this;
    const address = paying.channel === undefined ? await this.reserve(terms, url, body) : new PublicKey(paying.channel);
    const facts = await factsOf(joule, address);
    if (!facts.model.equals(this.model) || !new PublicKey(facts.authority).equals(terms.authority)) {
      throw new PaymentError("terms", `channel ${address} is for another provider or model`);
    }
    const seed = await paying.store.key(address.toBase58());
    if (!seed || !isKeyOf(seed, facts.signer.toBytes())) throw new Error(`the key of channel ${address} is not in this store: it is ${facts.signer}'s to sign for`);
    const journal = await paying.store.journal(address.toBase58(), contextOf("voucher", facts, facts.address));
    try {
      const spent = (await journal.read()).voucher?.cumulative ?? 0n;
      const limits = { budget: spent + this.budget, window: terms.window, margin: BigInt(terms.settleMargin) };
      const wallet = await ChannelWallet.open(facts, limits, seed, journal);
      const buyer = new Buyer(this.http, this.base.origin, wallet, paying);
      if (wallet.gaps > 0) await buyer.recover();
      return buyer;
    } catch (error) {
      await journal.close();
      throw error;
    }
  }

  /** Opens a channel for the budget, once the gateway has said that it would serve the request. */
  private async reserve(terms: Terms, url: URL, body: Uint8Array): Promise<PublicKey> {
    const { joule, paying } = this;
    await this.probe(url, body);
    if (paying.grace === undefined && terms.minGrace > USUAL_GRACE) {
      throw new PaymentError("terms", `the provider wants ${terms.minGrace} seconds to settle once the channel closes, and the rest is not free before: name \`grace\` to say yes to it`);
    }
    const { channel } = await joule.nextChannel();
    const key = new PublicKey(new Signer(await paying.store.makeKey(channel.toBase58())).publicKey);
    return joule.openChannel({
      model: this.model, provider: terms.authority, cap: this.budget, signer: key, prices: terms.priceList,
      session: paying.session ?? "1d", grace: paying.grace ?? Math.max(terms.minGrace, 60),
    });
  }

  private async probe(url: URL, body: Uint8Array): Promise<void> {
    const path = url.pathname.replace(/^\/v1\//, "/joule/v1/probe/");
    const answer = await this.http(new URL(path, this.base), { method: "POST", body: body as BodyInit, headers: { "content-type": "application/json" }, redirect: "error" }).catch(() => null);
    // Not every provider says.
    if (answer?.status !== 200) return;
    const { serves, status, error } = (await answer.json().catch(() => ({ serves: true }))) as { serves: boolean; status?: number; error?: unknown };
    if (serves) return;
    const said = await complaintOf(new Response(JSON.stringify({ error }), { status: status && status >= 200 && status < 600 ? status : 500 }));
    throw new PaymentError("refused", `the model would not answer this: ${said.message}`, said.code);
  }

  async stop(): Promise<void> {
    const { buyer } = this;
    if (!buyer) return;
    [this.buyer, this.opening] = [null, null];
    try {
      await buyer.pay();
    } finally {
      await buyer.wallet.close();
    }
  }

  async close(): Promise<{ channel: PublicKey; closesAt: number } | null> {
    const { buyer } = this;
    if (!buyer) return null;
    const channel = new PublicKey(buyer.wallet.channel.address);
    await this.stop();
    return { channel, ...(await this.joule.requestClose(channel)) };
  }
}
