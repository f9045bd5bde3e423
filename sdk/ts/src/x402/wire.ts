// The three headers: base64 of JSON, fields as x402 version 2 names them. docs/wire.md has all of it.

import { PublicKey } from "@solana/web3.js";
import { base64, concat, unbase64, utf8 } from "../bytes.js";
import { Order, Receipt, Voucher } from "../formats.js";
import type { Prices } from "../prices.js";

/** Of a 402, what is wanted. */
export const PAYMENT_REQUIRED = "payment-required";
/** Of a request, what pays for it. */
export const PAYMENT_SIGNATURE = "payment-signature";
/** Of an answer, the receipt or why there is none. */
export const PAYMENT_RESPONSE = "payment-response";
/** What a stream's receipt begins with: a comment, before `data: [DONE]`. */
export const RECEIPT_COMMENT = ": payment-response ";
export const VERSION = 2;
export const SCHEME = "joule-channel";

/** CAIP-2 of a cluster: the first 32 characters of its genesis hash. */
export const networkOf = (genesis: Uint8Array) => `solana:${new PublicKey(genesis).toBase58().slice(0, 32)}`;

/** A message and its signature. */
export interface Signed<M> {
  message: M;
  signature: Uint8Array;
}
interface Format<M> {
  name: string;
  size: number;
  encode(message: M): Uint8Array;
  decode(bytes: Uint8Array): M;
}

/** In JSON one base64 of both. */
export function writeSigned<M>(format: Format<M>, { message, signature }: Signed<M>): string {
  return base64(concat([format.encode(message), signature]));
}

export function readSigned<M>(format: Format<M>, text: unknown): Signed<M> {
  const bytes = unbase64(string(text, `a ${format.name}`));
  if (bytes.length !== format.size + 64) throw new RangeError(`${bytes.length} bytes are not the ${format.size + 64} of ${format.name} and signature`);
  return { message: format.decode(bytes.subarray(0, format.size)), signature: bytes.slice(format.size) };
}

/** How to pay by our own scheme. Amounts in base units, times in seconds. */
export interface Terms {
  network: string;
  /** The most that this request may cost: an order must allow at least that. */
  amount: bigint;
  /** The mint. */
  asset: PublicKey;
  payTo: PublicKey;
  maxTimeoutSeconds: number;
  /** The billing program. */
  program: PublicKey;
  /** The registry's `Provider`. */
  provider: PublicKey;
  /** Who signs receipts. */
  authority: PublicKey;
  model: PublicKey;
  priceList: PublicKey;
  prices: Prices;
  /** Of a channel: less is not served. */
  minGrace: number;
  /** For so long voucher and session must still be good. */
  settleMargin: number;
  /** That an order may live. */
  orderLife: number;
  /** Requests of one channel that may be unpaid, this one included. */
  window: number;
  /** Bytes of text that count as a token where the model does not say. */
  bytesPerToken: number;
}

/** What an answer carries. */
export interface Settlement {
  success: boolean;
  errorReason: string | null;
  receipt: Signed<Receipt> | null;
}

/** What is sent: an order with a request, a voucher for all receipts before. */
export interface Payment {
  network: string;
  channel: Uint8Array;
  order: Signed<Order> | null;
  voucher: Signed<Voucher> | null;
}

export function writePayment({ network, channel, order, voucher }: Payment): string {
  const payload = {
    channel: new PublicKey(channel).toBase58(),
    ...(order && { order: writeSigned(Order, order) }),
    ...(voucher && { voucher: writeSigned(Voucher, voucher) }),
  };
  return encode({ x402Version: VERSION, accepted: { scheme: SCHEME, network }, payload });
}

/** The terms of our own scheme on `network`. Throws when there are none, or they are not whole. */
export function readTerms(header: string, network: string): Terms {
  const required = object(decode(header), "what is required");
  const accepts = Array.isArray(required.accepts) ? required.accepts : [];
  const ours = accepts.find((one) => one?.scheme === SCHEME && one?.network === network);
  if (required.x402Version !== VERSION || !ours) throw new RangeError(`it does not sell by ${SCHEME} on ${network}`);
  const extra = object(ours.extra, "extra");
  const prices = object(extra.prices, "prices");
  return {
    network,
    amount: decimal(ours.amount, "amount"),
    asset: address(ours.asset, "asset"),
    payTo: address(ours.payTo, "payTo"),
    maxTimeoutSeconds: number(ours.maxTimeoutSeconds, "maxTimeoutSeconds"),
    program: address(extra.program, "program"),
    provider: address(extra.provider, "provider"),
    authority: address(extra.authority, "authority"),
    model: address(extra.model, "model"),
    priceList: address(extra.priceList, "priceList"),
    prices: {
      perRequest: decimal(prices.perRequest, "perRequest"),
      perMillionInput: decimal(prices.perMillionInput, "perMillionInput"),
      perMillionOutput: decimal(prices.perMillionOutput, "perMillionOutput"),
      perImage: decimal(prices.perImage, "perImage"),
      perSecond: decimal(prices.perSecond, "perSecond"),
    },
    minGrace: number(extra.minGrace, "minGrace"),
    settleMargin: number(extra.settleMargin, "settleMargin"),
    orderLife: number(extra.orderLife, "orderLife"),
    window: number(extra.window, "window"),
    bytesPerToken: number(extra.bytesPerToken, "bytesPerToken"),
  };
}

/** Null for what is no settlement. */
export function readSettlement(header: string | null): Settlement | null {
  if (header === null) return null;
  try {
    const settlement = object(decode(header), "a settlement");
    const { success, errorReason } = settlement;
    if (typeof success !== "boolean") return null;
    const receipt = success && settlement.extra ? readSigned(Receipt, object(settlement.extra, "extra").receipt) : null;
    return { success, errorReason: typeof errorReason === "string" ? errorReason : null, receipt };
  } catch {
    return null;
  }
}

export const encode = (json: unknown) => base64(utf8(JSON.stringify(json)));

export function decode(header: string): unknown {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(unbase64(header.trim()));
  return JSON.parse(text) as unknown;
}

function object(value: unknown, what: string): Record<string, any> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new RangeError(`${what} is no object`);
  return value;
}

function string(value: unknown, what: string): string {
  if (typeof value !== "string") throw new RangeError(`${what} is no text`);
  return value;
}

function number(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new RangeError(`${what} is no whole number`);
  return value;
}

function decimal(value: unknown, what: string): bigint {
  const text = string(value, what);
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 1n << 64n) throw new RangeError(`${what} is ${JSON.stringify(text)}, and no amount`);
  return BigInt(text);
}

function address(value: unknown, what: string): PublicKey {
  return new PublicKey(string(value, what));
}
