// What gateways answer beside answers: terms, refusals, where a channel stands.

import { bounded } from "../artifacts.js";
import { Receipt } from "../formats.js";
import { PaymentError } from "./failure.js";
import { PAYMENT_REQUIRED, readSigned, readTerms, type Signed, type Terms } from "./wire.js";

/** Bytes that are read of anything but an answer. */
const MOST_OTHER = 1 << 20;
/** Characters of what a provider says that are passed on. */
const MOST_SAID = 1_000;
/** Where a channel stands, by the provider. */
export interface Standing {
  /** Requests that are being served. */
  serving: number;
  unpaid: Signed<Receipt>[];
}

export async function textOf(answer: Response): Promise<string> {
  return new TextDecoder().decode(await bounded(answer, MOST_OTHER, answer.url));
}

/** The terms of a 402. Throws a `PaymentError`. */
export function termsOf(answer: Response, network: string): Terms {
  const header = answer.headers.get(PAYMENT_REQUIRED);
  try {
    if (header === null) throw new RangeError("the answer has no payment-required header (in a browser: is this page among the gateway's cors_origins?)");
    return readTerms(header, network);
  } catch (error) {
    throw new PaymentError("terms", `the provider takes no payment that can be made here: ${(error as Error).message}`);
  }
}

/** The code and message of an OpenAI error. */
export async function complaintOf(answer: Response): Promise<{ code: string; message: string }> {
  const text = await textOf(answer).catch((error: Error) => error.message);
  let error: any = null;
  try {
    error = JSON.parse(text)?.error;
  } catch {
    // Then the text says it.
  }
  const message = typeof error?.message === "string" ? error.message : text;
  // It is shown to people.
  return { code: typeof error?.code === "string" ? error.code : String(answer.status), message: message.replace(/\p{Cc}/gu, "").slice(0, MOST_SAID) };
}

export async function standingOf(answer: Response): Promise<Standing> {
  const { serving, unpaid } = JSON.parse(await textOf(answer)) as { serving: number; unpaid: unknown[] };
  return { serving, unpaid: unpaid.map((receipt) => readSigned(Receipt, receipt)) };
}

/** It may be better in a moment; the order is as good as before. */
export const isPassing = (status: number) => status === 429 || status === 408 || status >= 500;

/** Milliseconds after which it may be asked again; 0 when it does not say. */
export function retryAfter(answer: Response): number {
  const seconds = Number(answer.headers.get("retry-after") ?? "0");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

export const isStream = (answer: Response) => (answer.headers.get("content-type") ?? "").startsWith("text/event-stream");
