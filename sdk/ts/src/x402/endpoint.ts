// One endpoint of a gateway: what it asks for, and what one request may cost there.

import { askedOf, mostOf, openFor, type Asked } from "./count.js";
import type { Prices } from "../prices.js";
import type { Terms } from "./wire.js";

/** The longest that an order lives, in seconds, whatever the provider allows. */
const ORDER_LIFE = 20;
/** The longest that an answer may take, in seconds, whatever the provider says. */
const LONGEST_ANSWER = 3_600;

export class Endpoint {
  readonly longestMs: number;
  readonly orderLife: bigint;
  /** Tokens of an answer whose request does not limit it, as the first quote has it. */
  private readonly open: bigint;
  /** The most that one request was said to cost; the next order allows as much. */
  private quote: bigint;

  /** `terms` are those for the body `first`; `ceiling` is the most that the payer wants to pay for one request. */
  constructor(readonly url: URL, readonly terms: Terms, first: Uint8Array, private readonly ceiling: bigint) {
    this.longestMs = Math.min(Math.max(terms.maxTimeoutSeconds, 1), LONGEST_ANSWER) * 1_000;
    this.orderLife = BigInt(Math.min(Math.max(terms.orderLife, 1), ORDER_LIFE));
    this.open = openFor(askedOf(url.pathname, first), terms.prices, terms.amount, BigInt(this.longestMs));
    this.quote = terms.amount;
  }

  asked(body: Uint8Array): Asked {
    return askedOf(this.url.pathname, body);
  }

  /** The most that any receipt for a request can come to, by the channel's prices and what the payer wants. */
  most(asked: Asked, prices: Prices): bigint {
    const most = mostOf(asked, prices, this.open, BigInt(this.longestMs));
    return most === null || most > this.ceiling ? this.ceiling : most;
  }

  /** What an order allows. */
  allowed(asked: Asked, prices: Prices): bigint {
    const most = this.most(asked, prices);
    return most < this.quote ? most : this.quote;
  }

  /** The provider has said that a request costs more. */
  raise(quote: bigint): void {
    if (quote > this.quote) this.quote = quote;
  }
}
