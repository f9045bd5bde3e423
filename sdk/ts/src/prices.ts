// What usage costs, and what is asked above it.

import type { Receipt } from "./formats.js";

const U64_MAX = (1n << 64n) - 1n;

/** What one request used. */
export interface Usage {
  inputTokens: bigint;
  outputTokens: bigint;
  images: bigint;
  milliseconds: bigint;
}

/** A price list, in base units. */
export interface Prices {
  perRequest: bigint;
  perMillionInput: bigint;
  perMillionOutput: bigint;
  perImage: bigint;
  perSecond: bigint;
}

const ceil = (number: bigint, by: bigint) => (number + by - 1n) / by;
const capped = (number: bigint) => (number > U64_MAX ? U64_MAX : number);

/** Tokens once for all and time once are rounded up: the payee keeps the dust. Null when no u64 holds it. */
export function amountOf(prices: Prices, usage: Usage): bigint | null {
  const tokens = ceil(usage.inputTokens * prices.perMillionInput + usage.outputTokens * prices.perMillionOutput, 1_000_000n);
  const time = ceil(usage.milliseconds * prices.perSecond, 1_000n);
  const total = prices.perRequest + tokens + usage.images * prices.perImage + time;
  return total > U64_MAX ? null : total;
}

/** All usage in one number, for statistics: tokens, images and whole seconds. Stops at the largest u64. */
export function unitsOf({ inputTokens, outputTokens, images, milliseconds }: Usage): bigint {
  return capped(inputTokens + outputTokens + images + milliseconds / 1_000n);
}

/** Both together, to be counted before seconds are rounded. */
export function sumOf(a: Usage, b: Usage): Usage {
  return {
    inputTokens: capped(a.inputTokens + b.inputTokens),
    outputTokens: capped(a.outputTokens + b.outputTokens),
    images: capped(a.images + b.images),
    milliseconds: capped(a.milliseconds + b.milliseconds),
  };
}

/** Whether a receipt asks for more than the price list makes of its own usage. */
export function overcharges(receipt: Receipt, prices: Prices): boolean {
  const fair = amountOf(prices, receipt);
  return fair !== null && receipt.amount > fair;
}
