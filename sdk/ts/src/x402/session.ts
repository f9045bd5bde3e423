// One channel's account: what may be asked for, what is owed, what the next voucher says. No clock, no network, no disk, and no
// key. The same rules as crates/client's.
//
// Requests overlap, and their receipts come in any order. A voucher pays for receipts without a gap from the first one on; a
// receipt that came early waits until those before it are there.

import { equal } from "../bytes.js";
import { contextOf, type Deployment } from "../context.js";
import { Receipt, type Order, type Voucher } from "../formats.js";
import { overcharges, unitsOf, type Prices } from "../prices.js";
import { Verifier } from "../signing.js";
import { checkReceipt, type Answer, type Rules } from "./check.js";
import { Account, noChanges, replay, type Caught, type Changes, type Kept } from "./kept.js";
import { Objection } from "./objection.js";
import { Stop } from "./stop.js";
import type { Signed } from "./wire.js";

/** What the chain says of a channel, as much of it as a session goes by. */
export interface ChannelFacts extends Deployment {
  address: Uint8Array;
  /** The provider's key, which signs receipts. */
  authority: Uint8Array;
  prices: Prices;
  /** The most that vouchers may ever pay: what is reserved, and what the session may spend, whichever is less. */
  most: bigint;
  sessionExpiresAt: bigint;
  /** Receipts that the voucher pays for which was settled last. */
  settled: bigint;
}

/** How far the payer wants to go, beside what the channel allows. */
export interface Limits {
  /** The most that all receipts of the channel may come to, in base units. */
  budget: bigint;
  /** Requests that may be under way or unpaid at once. */
  window: number;
  /** Seconds that a voucher must still be good for, or the provider does not take it. */
  margin: bigint;
}

/** What is to be signed, once what the session has noted is written down. */
export interface Draft {
  order: Order;
  /** Null before the first receipt. */
  voucher: Voucher | null;
}

/** An order without a receipt, and who waits for its answer: somebody here, nobody any longer, somebody in a process that was killed. */
interface Begun {
  order: Order;
  waits: "here" | "given_up" | "killed";
}

/** Answers that may be missed before nothing more is asked for, whatever window a provider offers. */
const missable = (window: number) => Math.min(Math.max(window, 4), 16);

export class Session {
  private readonly rules: Rules;
  private readonly account: Account;
  private newest: Voucher | null;
  private nextNonce: bigint;
  private readonly begun = new Map<bigint, Begun>();
  /** By number: receipts that were checked and wait for those before them. */
  private readonly early = new Map<bigint, { nonce: bigint; receipt: Signed<Receipt> }>();
  /** The most that `begun` may cost, and what `early` does. */
  private atStake = 0n;
  private proof: Caught | null;
  private missedInARow: number;
  /** What an earlier process was killed in the middle of is counted as one missed answer. */
  private killedCounted = false;
  private changes = noChanges();

  /** From what was kept; nothing, for a channel that was never used. Throws when that cannot be true. */
  constructor(readonly channel: ChannelFacts, private readonly limits: Limits, kept: Kept) {
    this.account = replay(kept, channel.settled);
    this.rules = { context: contextOf("receipt", channel, channel.address), provider: new Verifier(channel.authority), prices: channel.prices };
    this.newest = kept.voucher;
    this.nextNonce = kept.nextNonce;
    this.proof = kept.caught;
    this.missedInARow = kept.missed;
    for (const [nonce, order] of kept.orders) {
      this.begun.set(nonce, { order, waits: kept.givenUp.has(nonce) ? "given_up" : "killed" });
      this.atStake += order.maxAmount;
    }
  }

  /** The sum of all receipts that are paid for or will be with the next voucher, in base units. */
  get billed(): bigint {
    return this.account.billed;
  }

  /** How many those are. */
  get receipts(): number {
    return this.account.frontier.size;
  }

  get caught(): Caught | null {
    return this.proof;
  }

  /** Orders whose answers somebody waits for. */
  get underWay(): number {
    return [...this.begun.values()].filter(({ waits }) => waits === "here").length;
  }

  /** Orders of which nobody knows what became. */
  get gaps(): number {
    return this.begun.size - this.underWay;
  }

  /** Answers in a row that did not come, in whatever process, and that are paid or will be. */
  get missed(): number {
    return this.missedInARow;
  }

  /** What must be written down before any draft that was given out until now is signed. */
  takeChanges(): Changes {
    const changes = this.changes;
    this.changes = noChanges();
    return changes;
  }

  /** Asks for one more request, whose body has this hash and which costs at most `most`. Throws a `Stop`. */
  begin(requestHash: Uint8Array, most: bigint, now: bigint, expiresAt: bigint): Draft {
    this.admit(most, now);
    const nonce = this.nextNonce;
    const order = { context: contextOf("order", this.channel, this.channel.address), nonce, requestHash, maxAmount: most, expiresAt };
    this.nextNonce += 1n;
    this.changes.nextNonce = this.nextNonce;
    this.changes.begun.push(order);
    this.begun.set(nonce, { order, waits: "here" });
    this.atStake += most;
    return { order, voucher: this.voucher() };
  }

  private admit(most: bigint, now: bigint): void {
    if (this.proof) throw new Stop("caught", `the provider was caught: ${this.proof.why}`);
    const ends = this.channel.sessionExpiresAt;
    if (ends < now + this.limits.margin) throw new Stop("session_ends", `the session ends at ${ends}, too soon for the provider to settle`);
    const window = Math.max(this.limits.window, 1);
    if (this.missedInARow >= missable(window)) {
      throw new Stop("missed", `${this.missedInARow} answers in a row never came and had to be paid: nothing more is asked for through this channel`);
    }
    // Those that may be missed yet are counted too, so that no more than these can be paid in a row.
    const isFull = this.begun.size + this.early.size >= window || this.begun.size + this.missedInARow >= Math.max(window, missable(window));
    if (isFull) throw new Stop("wait", "other requests have to end first");
    const [billed, allowed, budget] = [this.billed, this.channel.most, this.limits.budget];
    if (billed + this.atStake + most <= (allowed < budget ? allowed : budget)) return;
    // What is under way may cost less than its orders allow.
    if (this.atStake > 0n) throw new Stop("wait", "other requests have to end first");
    const spent = `${billed} are spent, and the next request may cost ${most}: that is above`;
    throw budget <= allowed ? new Stop("budget", `${spent} the budget of ${budget}`) : new Stop("channel", `${spent} the ${allowed} of the channel and its session`);
  }

  /** The same order once more, with what is the newest voucher now. Null when it is over, or lost. */
  again(nonce: bigint): Draft | null {
    const begun = this.begun.get(nonce);
    return begun?.waits === "here" ? { order: begun.order, voucher: this.voucher() } : null;
  }

  /** For all receipts without a gap. One number always says the same: it is written once, and repeated until the next. */
  voucher(): Voucher | null {
    const sequence = BigInt(this.receipts);
    if (sequence > (this.newest?.sequence ?? 0n)) {
      this.newest = {
        context: contextOf("voucher", this.channel, this.channel.address), sequence, cumulative: this.billed, units: unitsOf(this.account.used),
        expiresAt: this.channel.sessionExpiresAt, usageRoot: this.account.frontier.root(),
      };
      this.changes.voucher = this.newest;
    }
    return this.newest;
  }

  /** The provider has said that it does not serve this order. */
  release(nonce: bigint): void {
    const begun = this.begun.get(nonce);
    if (!begun) return;
    this.begun.delete(nonce);
    this.atStake -= begun.order.maxAmount;
    this.changes.released.push(nonce);
  }

  /** Nobody waits any longer, and nobody knows what became of an order; its receipt may turn up. */
  lose(nonce: bigint): void {
    const begun = this.begun.get(nonce);
    if (begun?.waits !== "here") return;
    begun.waits = "given_up";
    this.changes.givenUp.push(nonce);
  }

  /** Until when orders without a receipt may still be served; null when there are none. */
  get gapsUntil(): bigint | null {
    const ends = [...this.begun.values()].filter(({ waits }) => waits !== "here").map(({ order }) => order.expiresAt);
    return ends.length === 0 ? null : ends.reduce((a, b) => (a > b ? a : b));
  }

  /** Takes the receipt for an order into the account. Throws an `Objection` if it is not right: nothing is owed for it, and the session ends. */
  accept(nonce: bigint, signed: Signed<Receipt>, answer: Answer): void {
    const begun = this.begun.get(nonce);
    if (!begun) throw new Objection("Unknown", "the receipt is for a request that was never sent");
    try {
      checkReceipt(this.rules, signed, begun.order, answer);
      this.checkNumber(signed.message.sequence);
    } catch (objection) {
      this.catch(begun.order, signed, (objection as Objection).message);
      this.lose(nonce);
      throw objection;
    }
    this.enter(nonce, begun.order, signed);
    this.count(answer, begun.waits);
  }

  /**
   * Pays for the receipt that asked for too much, so that it can be proven on chain: a proof is about what was paid for. Costs no more than
   * its order allowed. False when there is no such receipt, or those before it are missing.
   */
  concede(): boolean {
    const { order, receipt } = this.proof ?? { order: null, receipt: null };
    if (!order || !receipt) return false;
    const { message } = receipt;
    const isNext = message.sequence === BigInt(this.receipts) + 1n;
    const isBounded = message.amount <= order.maxAmount && this.begun.has(order.nonce);
    if (!isNext || !isBounded || !this.isSaid(receipt) || !overcharges(message, this.channel.prices)) return false;
    this.enter(order.nonce, order, receipt);
    return true;
  }

  /** Whether the provider has signed it, for this channel. */
  isSaid({ message, signature }: Signed<Receipt>): boolean {
    return equal(message.context, this.rules.context) && this.rules.provider.verify(Receipt.encode(message), signature);
  }

  /** There cannot be more receipts than orders. */
  private checkNumber(got: bigint): void {
    const first = BigInt(this.receipts) + 1n;
    const last = first - 1n + BigInt(this.begun.size + this.early.size);
    if (got >= first && got <= last && !this.early.has(got)) return;
    throw new Objection("Sequence", `the receipt has number ${got}; only ${first} to ${last} can be new`);
  }

  private enter(nonce: bigint, order: Order, receipt: Signed<Receipt>): void {
    this.begun.delete(nonce);
    this.atStake += receipt.message.amount - order.maxAmount;
    this.early.set(receipt.message.sequence, { nonce, receipt });
    for (let next; (next = this.early.get(BigInt(this.receipts) + 1n)); ) {
      this.early.delete(next.receipt.message.sequence);
      this.atStake -= next.receipt.message.amount;
      this.account.take(next.receipt.message);
      this.changes.receipts.push(next);
    }
  }

  private count(answer: Answer, waits: Begun["waits"]): void {
    const before = this.missedInARow;
    if (answer.kind === "whole") this.missedInARow = 0;
    else if (answer.kind !== "lost" || waits === "given_up") this.missedInARow += 1;
    else if (waits === "killed" && !this.killedCounted) {
      // Whoever was killed may not have waited long for any of them.
      this.killedCounted = true;
      this.missedInARow += 1;
    }
    if (this.missedInARow !== before) this.changes.missed = this.missedInARow;
  }

  private catch(order: Order | null, receipt: Signed<Receipt>, why: string): void {
    if (this.proof) return;
    this.proof = { order, receipt, why };
    this.changes.caught = this.proof;
  }

  /**
   * Takes receipts for orders whose answers were lost, out of all that the provider says are unpaid. Only while nothing is under
   * way: a receipt says which body it is for, and two orders may have the same. Throws an `Objection`.
   */
  recover(unpaid: Signed<Receipt>[]): void {
    if (this.underWay > 0) return;
    for (const signed of unpaid) {
      const { sequence, requestHash, amount } = signed.message;
      // Whoever was caught may show another receipt now for the one it was caught with: too late.
      const isLate = this.proof !== null && sequence >= this.proof.receipt.message.sequence;
      if (sequence <= BigInt(this.receipts) || this.early.has(sequence) || isLate) continue;
      const fitting = [...this.begun.values()].map(({ order }) => order).filter((order) => equal(order.requestHash, requestHash));
      // The one that allows least of those that allow enough.
      const enough = fitting.filter(({ maxAmount }) => maxAmount >= amount).sort((a, b) => (a.maxAmount < b.maxAmount ? -1 : 1));
      const order = enough[0] ?? fitting[0];
      if (!order) {
        const objection = new Objection("Unknown", "the receipt is for a request that was never sent");
        this.catch(null, signed, objection.message);
        throw objection;
      }
      this.accept(order.nonce, signed, { kind: "lost" });
      this.prolong(order);
    }
  }

  /** A receipt may have been for another order with the same body: those that are left live as long as any of them. They are never signed again. */
  private prolong(taken: Order): void {
    for (const begun of this.begun.values()) {
      if (!equal(begun.order.requestHash, taken.requestHash) || taken.expiresAt <= begun.order.expiresAt) continue;
      begun.order = { ...begun.order, expiresAt: taken.expiresAt };
      this.changes.begun.push(begun.order);
    }
  }

  /** Gives up lost orders that expired before `now`, once the provider has said that none is being served. */
  forget(now: bigint): void {
    for (const [nonce, { order, waits }] of [...this.begun]) {
      // The order that somebody was caught with is a part of the proof.
      if (waits !== "here" && order.expiresAt < now && this.proof?.order?.nonce !== nonce) this.release(nonce);
    }
  }
}
