// The messages, byte by byte: fields of fixed size one after the other, numbers little endian. The same as crates/voucher.

import { concat } from "./bytes.js";

type Kind = "bytes32" | "u64" | "i64";
type Shape = Record<string, Kind>;
/** What a message of some shape holds. */
export type Fields<S extends Shape> = { -readonly [K in keyof S]: S[K] extends "bytes32" ? Uint8Array : bigint };

const SIZE: Record<Kind, number> = { bytes32: 32, u64: 8, i64: 8 };

export class Format<S extends Shape> {
  /** In bytes. */
  readonly size: number;

  constructor(readonly name: string, private readonly shape: S) {
    this.size = Object.values(shape).reduce((sum, kind) => sum + SIZE[kind], 0);
  }

  /** Throws a RangeError for a number that does not fit, or 32 bytes that are not 32. */
  encode(fields: Fields<S>): Uint8Array {
    const bytes = new Uint8Array(this.size);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [name, kind] of Object.entries(this.shape)) {
      const value: Uint8Array | bigint = fields[name as keyof S];
      if (typeof value !== "bigint") {
        if (value.length !== 32) throw new RangeError(`${name} has ${value.length} bytes instead of 32`);
        bytes.set(value, at);
      } else if (kind === "i64") {
        if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${name} does not fit into an i64: ${value}`);
        view.setBigInt64(at, value, true);
      } else {
        if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${name} does not fit into a u64: ${value}`);
        view.setBigUint64(at, value, true);
      }
      at += SIZE[kind];
    }
    return bytes;
  }

  /** Throws a RangeError when there are not `size` bytes. */
  decode(bytes: Uint8Array): Fields<S> {
    if (bytes.length !== this.size) throw new RangeError(`a ${this.name} has ${this.size} bytes, not ${bytes.length}`);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    const fields = Object.entries(this.shape).map(([name, kind]) => {
      const start = at;
      at += SIZE[kind];
      if (kind === "bytes32") return [name, bytes.slice(start, at)];
      return [name, kind === "i64" ? view.getBigInt64(start, true) : view.getBigUint64(start, true)];
    });
    return Object.fromEntries(fields) as Fields<S>;
  }
}

/** Pays for everything on one channel up to here. Signed by the channel's session key. */
export const Voucher = new Format("voucher", {
  context: "bytes32",
  /** How many receipts it pays for. */
  sequence: "u64",
  /** The sum of their amounts, in base units. */
  cumulative: "u64",
  /** The sum of their usage in one number, for statistics only. */
  units: "u64",
  /** The last second in which it can be settled. */
  expiresAt: "i64",
  /** The root of the tree over them. */
  usageRoot: "bytes32",
} as const);
export type Voucher = ReturnType<typeof Voucher.decode>;

/** The bill for one request. Signed by the provider. */
export const Receipt = new Format("receipt", {
  context: "bytes32",
  /** From 1, each number once. */
  sequence: "u64",
  requestHash: "bytes32",
  responseHash: "bytes32",
  inputTokens: "u64",
  outputTokens: "u64",
  images: "u64",
  milliseconds: "u64",
  /** In base units. */
  amount: "u64",
  /** Unix seconds. */
  at: "i64",
} as const);
export type Receipt = ReturnType<typeof Receipt.decode>;

/** Asks for one request to be served before it is paid. Signed by the channel's session key. */
export const Order = new Format("order", {
  context: "bytes32",
  /** Never used twice on one channel. */
  nonce: "u64",
  requestHash: "bytes32",
  /** The most that the receipt may ask for, in base units. */
  maxAmount: "u64",
  /** The last second in which the request may begin. */
  expiresAt: "i64",
} as const);
export type Order = ReturnType<typeof Order.decode>;

const Head = new Format("batch", { context: "bytes32", expiresAt: "i64", usageRoot: "bytes32" } as const);
const Entry = new Format("batch entry", { sequence: "u64", cumulative: "u64" } as const);
/** What a voucher says, for one channel of a batch. */
export type Entry = ReturnType<typeof Entry.decode>;
/** Vouchers for many channels of one payer account under one signature. */
export type Batch = ReturnType<typeof Head.decode> & { entries: Entry[] };

/** The most channels in one batch. */
export const MAX_ENTRIES = 64;

export const Batch = {
  /** Throws a RangeError without an entry, or with more than `MAX_ENTRIES`. */
  encode(batch: Batch): Uint8Array {
    checkCount(batch.entries.length);
    return concat([Head.encode(batch), ...batch.entries.map((entry) => Entry.encode(entry))]);
  },

  /** Throws a RangeError for the sizes that `encode` does not make. */
  decode(bytes: Uint8Array): Batch {
    const count = (bytes.length - Head.size) / Entry.size;
    checkCount(count);
    const entry = (_: unknown, n: number) => Entry.decode(bytes.subarray(Head.size + n * Entry.size).subarray(0, Entry.size));
    return { ...Head.decode(bytes.subarray(0, Head.size)), entries: Array.from({ length: count }, entry) };
  },
};

function checkCount(entries: number): void {
  if (!Number.isInteger(entries) || entries < 1 || entries > MAX_ENTRIES) {
    throw new RangeError(`a batch has 1 to ${MAX_ENTRIES} entries, not ${entries}`);
  }
}
