// A channel and the provider at its other end, with keys that are known: receipts can be as right or as wrong as a test wants.

import { PublicKey } from "@solana/web3.js";
import {
  Counted, Order, PROGRAMS, Receipt, Signer, amountOf, askedOf, contextOf, nothingKept, sha256, Session, type Answer, type ChannelFacts, type Kept,
  type Limits, type Signed, type Usage,
} from "../src/index.js";

const filled = (byte: number) => new Uint8Array(32).fill(byte);

export const PROVIDER = new Signer(filled(2));
export const SESSION_KEY = new Signer(filled(1));
export const PRICES = { perRequest: 10n, perMillionInput: 1_000_000n, perMillionOutput: 2_000_000n, perImage: 0n, perSecond: 0n };
export const FACTS: ChannelFacts = {
  address: filled(4), program: PROGRAMS.billing.toBytes(), genesis: filled(3), authority: PROVIDER.publicKey, prices: PRICES,
  most: 1_000_000n, sessionExpiresAt: 2_000_000_000n, settled: 0n,
};
export const LIMITS: Limits = { budget: 100_000n, window: 4, margin: 3_600n };
export const NOW = 1_900_000_000n;
export const CHANNEL = new PublicKey(FACTS.address);

export const session = (kept: Kept = nothingKept(), limits: Partial<Limits> = {}, facts: Partial<ChannelFacts> = {}) =>
  new Session({ ...FACTS, ...facts }, { ...LIMITS, ...limits }, kept);

export const BODY = new TextEncoder().encode(JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }], max_tokens: 5 }));
const ANSWER = { choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }] };
export const ANSWER_BYTES = new TextEncoder().encode(JSON.stringify(ANSWER));
export const USAGE: Usage = { inputTokens: 4n, outputTokens: 2n, images: 0n, milliseconds: 0n };

/** What the provider signs for an order. */
export function receiptFor(order: Order, sequence: bigint, change: Partial<Receipt> = {}, signer = PROVIDER): Signed<Receipt> {
  const message: Receipt = {
    context: contextOf("receipt", FACTS, FACTS.address), sequence, requestHash: order.requestHash, responseHash: sha256(ANSWER_BYTES),
    ...USAGE, amount: amountOf(PRICES, USAGE)!, at: NOW, ...change,
  };
  return { message, signature: signer.sign(Receipt.encode(message)) };
}

/** The answer as it came. */
export function came(kind: "whole" | "part" = "whole"): Answer {
  const counted = new Counted(askedOf("/v1/chat/completions", BODY));
  counted.add(ANSWER);
  counted.took(100);
  return { kind, hash: sha256(ANSWER_BYTES), counted };
}

export const missed = (): Answer => ({ kind: "missed", counted: new Counted(askedOf("/v1/chat/completions", BODY)) });
