// The account of a channel, where it outlives the process. It must never go back in time: whoever restores an old copy and goes on
// signs second vouchers for numbers that were used, and for two of one number the channel can be taken.

import { base64, unbase64 } from "../bytes.js";
import { Order, Receipt, Voucher } from "../formats.js";
import { apply, noChanges, nothingKept, type Changes, type Kept } from "./kept.js";
import { readSigned, writeSigned } from "./wire.js";

/** One process at a time holds one. */
export interface Journal {
  /** Everything that was written. */
  read(): Promise<Kept>;
  /** All of these changes together, or none; they are safe when it returns. */
  write(changes: Changes[]): Promise<void>;
  close(): Promise<void>;
}

/** Where keys and journals of channels are kept. */
export interface ChannelStore {
  /** Makes the key that is to sign for a channel, unless there is one, and keeps it before it returns. The 32 bytes of its seed. */
  makeKey(channel: string): Promise<Uint8Array>;
  /** Null when the channel's key is not here. */
  key(channel: string): Promise<Uint8Array | null>;
  /** Throws when another process has it open. `context` is the channel's, and tells one cluster from another. */
  journal(channel: string, context: Uint8Array): Promise<Journal>;
}

/** Changes as a line of text. */
export function writeChanges({ nextNonce, begun, givenUp, missed, released, receipts, voucher, caught }: Changes): string {
  return JSON.stringify({
    nextNonce: nextNonce?.toString(),
    begun: begun.length > 0 ? begun.map((order) => base64(Order.encode(order))) : undefined,
    givenUp: givenUp.length > 0 ? givenUp.map(String) : undefined,
    missed,
    released: released.length > 0 ? released.map(String) : undefined,
    receipts: receipts.length > 0 ? receipts.map(({ nonce, receipt }) => [String(nonce), writeSigned(Receipt, receipt)]) : undefined,
    voucher: voucher && base64(Voucher.encode(voucher)),
    caught: caught && { order: caught.order && base64(Order.encode(caught.order)), receipt: writeSigned(Receipt, caught.receipt), why: caught.why },
  });
}

/** Throws for what `writeChanges` has not written. */
export function readChanges(line: string): Changes {
  const json = JSON.parse(line) as Record<string, any>;
  const order = (text: string) => Order.decode(unbase64(text));
  return {
    ...noChanges(),
    begun: (json.begun ?? []).map(order),
    givenUp: (json.givenUp ?? []).map(BigInt),
    released: (json.released ?? []).map(BigInt),
    receipts: (json.receipts ?? []).map(([nonce, receipt]: [string, string]) => ({ nonce: BigInt(nonce), receipt: readSigned(Receipt, receipt) })),
    ...(json.nextNonce && { nextNonce: BigInt(json.nextNonce) }),
    ...(json.missed !== undefined && { missed: json.missed }),
    ...(json.voucher && { voucher: Voucher.decode(unbase64(json.voucher)) }),
    ...(json.caught && {
      caught: { order: json.caught.order && order(json.caught.order), receipt: readSigned(Receipt, json.caught.receipt), why: json.caught.why },
    }),
  };
}

/** Of all lines that were written, in their order. */
export function keptOf(lines: string[]): Kept {
  const kept = nothingKept();
  lines.forEach((line) => apply(kept, readChanges(line)));
  return kept;
}
