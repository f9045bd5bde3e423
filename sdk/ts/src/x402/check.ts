// What a receipt must keep to.

import { equal } from "../bytes.js";
import { Receipt, type Order } from "../formats.js";
import { amountOf, type Prices } from "../prices.js";
import type { Verifier } from "../signing.js";
import type { Counted } from "./count.js";
import { Objection } from "./objection.js";
import type { Signed } from "./wire.js";

/** What came with a receipt. */
export type Answer =
  /** All of it; or all that came, of one that broke off or that is an error. */
  | { kind: "whole" | "part"; hash: Uint8Array; counted: Counted }
  /** It did not come, and its receipt did when the order was sent again. */
  | { kind: "missed"; counted: Counted }
  /** There was none: the receipt came when the order was sent for the first time. */
  | { kind: "withheld" }
  /** It was lost on its way, and nobody knows the request any more. */
  | { kind: "lost" };

/** What receipts of one channel are held against. */
export interface Rules {
  context: Uint8Array;
  provider: Verifier;
  prices: Prices;
}

/** Everything but the receipt's number. Throws an `Objection`. */
export function checkReceipt({ context, provider, prices }: Rules, { message: receipt, signature }: Signed<Receipt>, order: Order, answer: Answer): void {
  if (!equal(receipt.context, context)) throw new Objection("Context", "the receipt is for another channel, cluster or program");
  // First, so that every other objection is one to what the provider has really said.
  if (!provider.verify(Receipt.encode(receipt), signature)) throw new Objection("Signature", "the receipt is not signed by the provider");
  if (!equal(receipt.requestHash, order.requestHash)) throw new Objection("Request", "the receipt is for another request than the one that was sent");
  if ("hash" in answer && !equal(receipt.responseHash, answer.hash)) throw new Objection("Response", "the receipt is for another answer than the one that came");
  // Less is a gift.
  const fair = amountOf(prices, receipt);
  if (fair === null) throw new Objection("Unpayable", "the receipt says usage that no amount can pay");
  if (receipt.amount > fair) throw new Objection("Overcharged", `the receipt asks for ${receipt.amount}; the price of its usage is ${fair}`);
  if (receipt.amount > order.maxAmount) throw new Objection("AboveOrder", `the receipt asks for ${receipt.amount}; the order allowed ${order.maxAmount}`);
  if ("hash" in answer) answer.counted.check(receipt);
  else if (answer.kind === "missed") answer.counted.checkUnseen(receipt);
  else if (answer.kind === "withheld") throw new Objection("Withheld", "the receipt came in the place of an answer, to an order that was sent for the first time");
}
