// What must outlive the process, and what of it has changed.

import { equal } from "../bytes.js";
import { Receipt, type Order, type Voucher } from "../formats.js";
import { sumOf, type Usage } from "../prices.js";
import { Frontier, leafOf } from "../tree.js";
import type { Signed } from "./wire.js";

/** A receipt that was not paid, and why: what a proof against the provider begins with. */
export interface Caught {
  /** Null when the receipt is for no order. */
  order: Order | null;
  receipt: Signed<Receipt>;
  why: string;
}

/** All of it. */
export interface Kept {
  /** Above every nonce that was used. */
  nextNonce: bigint;
  /** Orders that may have been sent and have no receipt yet, by nonce. */
  orders: Map<bigint, Order>;
  /** Those of them that nobody waited for any longer; whoever waited for the others was killed. */
  givenUp: Set<bigint>;
  /** Answers that did not come since one last did, and whose receipts are taken all the same. */
  missed: number;
  /** Every receipt that is paid for, or will be with the next voucher; number 1 comes first. */
  receipts: Signed<Receipt>[];
  /** The newest one that may have been signed. */
  voucher: Voucher | null;
  caught: Caught | null;
}

/** What came to it. Nothing that is in here may leave the process before it is written down. */
export interface Changes {
  nextNonce?: bigint;
  /** New orders, and those that are to be read differently. */
  begun: Order[];
  /** Nonces of orders that nobody waits for any longer. */
  givenUp: bigint[];
  /** Answers in a row that did not come, when that has changed. */
  missed?: number;
  /** Nonces of orders that are over without a receipt. */
  released: bigint[];
  receipts: { nonce: bigint; receipt: Signed<Receipt> }[];
  voucher?: Voucher;
  caught?: Caught;
}

export const noChanges = (): Changes => ({ begun: [], givenUp: [], released: [], receipts: [] });
export const nothingKept = (): Kept => ({
  nextNonce: 1n, orders: new Map(), givenUp: new Set(), missed: 0, receipts: [], voucher: null, caught: null,
});

export function isEmpty({ begun, givenUp, released, receipts, ...rest }: Changes): boolean {
  return [begun, givenUp, released, receipts].every((list) => list.length === 0) && Object.values(rest).every((value) => value === undefined);
}

/** As journals do it. */
export function apply(kept: Kept, changes: Changes): void {
  if (changes.nextNonce !== undefined && changes.nextNonce > kept.nextNonce) kept.nextNonce = changes.nextNonce;
  for (const order of changes.begun) kept.orders.set(order.nonce, order);
  for (const nonce of changes.givenUp) kept.givenUp.add(nonce);
  for (const nonce of [...changes.released, ...changes.receipts.map(({ nonce }) => nonce)]) {
    kept.orders.delete(nonce);
    kept.givenUp.delete(nonce);
  }
  kept.missed = changes.missed ?? kept.missed;
  kept.receipts.push(...changes.receipts.map(({ receipt }) => receipt));
  kept.voucher = changes.voucher ?? kept.voucher;
  kept.caught ??= changes.caught ?? null;
}

/** The sum of receipts. */
export class Account {
  readonly frontier = new Frontier();
  billed = 0n;
  used: Usage = { inputTokens: 0n, outputTokens: 0n, images: 0n, milliseconds: 0n };

  take(receipt: Receipt): void {
    this.frontier.append(leafOf(Receipt.encode(receipt)));
    this.billed += receipt.amount;
    this.used = sumOf(this.used, receipt);
  }
}

/**
 * Where the account stands. Throws when what is kept is not one account, or an old copy of it: whoever signs on from there may
 * contradict itself, and lose the channel for it. `settled` is what the chain has seen a voucher for.
 */
export function replay(kept: Kept, settled: bigint): Account {
  const account = new Account();
  let atVoucher: [Uint8Array, bigint] | null = null;
  for (const { message } of kept.receipts) {
    const wanted = BigInt(account.frontier.size + 1);
    if (message.sequence !== wanted) throw new Error(`the journal has receipt ${message.sequence} where ${wanted} should be`);
    account.take(message);
    if (kept.voucher?.sequence === message.sequence) atVoucher = [account.frontier.root(), account.billed];
  }
  const { voucher } = kept;
  const isTheirs = voucher === null || (atVoucher !== null && equal(voucher.usageRoot, atVoucher[0]) && voucher.cumulative === atVoucher[1]);
  if (!isTheirs) throw new Error("the journal's newest voucher is not the one that its receipts make");
  const size = BigInt(account.frontier.size);
  if (size < settled) {
    throw new Error(`the journal ends at receipt ${size}; the chain has seen a voucher for ${settled}. It is an old copy, or another machine's: nothing more can be signed`);
  }
  return account;
}
