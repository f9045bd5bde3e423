// Paying for HTTP requests, as x402 version 2 words it: docs/wire.md.

export { payingFetch, type Paying, type PayingExactly, type PayingFetch } from "./fetch.js";
export { EXACT, type Paid } from "./exact.js";
export { PaymentError, type PaymentErrorCode } from "./failure.js";
export { Objection, type ObjectionCode } from "./objection.js";
export { Stop, type StopCode } from "./stop.js";
export { memoryStore } from "./memory.js";
export { keptOf, readChanges, writeChanges, type ChannelStore, type Journal } from "./journal.js";
export { ChannelWallet } from "./wallet.js";
export { readProof, writeProof, type Proof } from "./proof.js";
export { Session, type ChannelFacts, type Draft, type Limits } from "./session.js";
export type { Answer } from "./check.js";
export type { Caught, Changes, Kept } from "./kept.js";
export { apply, nothingKept } from "./kept.js";
export { Counted, askedOf, mostOf, openFor, textBytes, type Asked } from "./count.js";
export { Splitter, dataOf } from "./sse.js";
export { Stream } from "./stream.js";
export * from "./wire.js";
