// Why a request was not answered, where money is concerned. What the model says of a request itself is an answer like any other.

import type { Receipt } from "../formats.js";

export type PaymentErrorCode =
  /** The provider takes no payment that can be made here, or its terms are not what the chain says. */
  | "terms"
  /** It refuses the payment: `reason` is its word. */
  | "refused"
  /** One request may cost more than was allowed for one. */
  | "too_dear"
  /** The answer came without a receipt: it costs nothing, and nobody can be held to it. */
  | "no_receipt"
  /** The answer was lost or broke off on its way, and its receipt is paid. */
  | "answer_lost"
  /** Nobody knows whether it was served; if it was, its receipt will be found later. */
  | "unknown"
  /** Requests of before have no receipt and are not over yet. */
  | "gaps"
  /** The answer is longer than is read. */
  | "too_long";

export class PaymentError extends Error {
  override readonly name = "PaymentError";

  constructor(readonly code: PaymentErrorCode, message: string, readonly reason: string | null = null, readonly receipt: Receipt | null = null) {
    super(message);
  }
}
