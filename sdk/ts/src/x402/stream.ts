// An answer that comes in events, and the receipt at its end.

import { sha256 as hasher } from "@noble/hashes/sha2";
import { utf8, equal } from "../bytes.js";
import { isError, type Counted } from "./count.js";
import { DONE, dataOf, Splitter } from "./sse.js";
import { RECEIPT_COMMENT, readSettlement, type Settlement } from "./wire.js";

const COMMENT = utf8(RECEIPT_COMMENT);

/** Reads a stream as it comes: what is hashed, what is counted, whether it is whole. */
export class Stream {
  private readonly splitter = new Splitter();
  private readonly hash = hasher.create();
  /** The last thing that looked like a receipt, and the hash of all bytes before it. */
  private receipt: { settlement: Settlement; hash: Uint8Array } | null = null;
  private done = false;
  private ended = false;
  private failed = false;

  /** Of a request that was counted. */
  constructor(readonly counted: Counted) {}

  /** Adds what came in. */
  push(bytes: Uint8Array): void {
    this.splitter.push(bytes).forEach((event) => this.event(event));
  }

  private event(event: Uint8Array): void {
    const data = dataOf(event);
    if (data === DONE) {
      this.done = this.ended = true;
      return;
    }
    // A model may write the same words: the receipt is what nothing else comes after.
    const settlement = equal(event.subarray(0, COMMENT.length), COMMENT) ? readSettlement(new TextDecoder().decode(event.subarray(COMMENT.length)).trim()) : null;
    this.receipt = settlement && { settlement, hash: this.hash.clone().digest() };
    this.hash.update(event);
    let json: any;
    try {
      json = JSON.parse(data);
    } catch {
      return;
    }
    this.counted.add(json);
    this.failed ||= isError(json);
    // Not every server says that it is done.
    this.done ||= Array.isArray(json?.choices) && json.choices.some((choice: any) => (choice?.finish_reason ?? null) !== null);
  }

  /** The receipt, and the hash that it must name; null when the stream broke off before it. */
  end(): { settlement: Settlement; hash: Uint8Array } | null {
    return this.receipt;
  }

  /** Whether it has said that nothing more comes. */
  get isOver(): boolean {
    return this.ended;
  }

  /** Whether the model had said all it had to say, and not that it failed. */
  get isWhole(): boolean {
    return this.done && !this.failed;
  }
}
