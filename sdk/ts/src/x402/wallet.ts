// The one place that signs for a channel: first what is to be signed is written down, then it is signed.

import { PublicKey } from "@solana/web3.js";
import { equal, hex } from "../bytes.js";
import { Order, Receipt, Voucher } from "../formats.js";
import { Signer } from "../signing.js";
import type { Answer } from "./check.js";
import type { Journal } from "./journal.js";
import { isEmpty, type Caught, type Changes } from "./kept.js";
import type { Proof } from "./proof.js";
import { Session, type ChannelFacts, type Draft, type Limits } from "./session.js";
import { networkOf, type Payment, type Signed } from "./wire.js";

/** A session, its key, and its journal. Shared by all requests of the channel. */
export class ChannelWallet {
  readonly network: string;
  private waiting: Changes[] = [];
  private writing: Promise<void> = Promise.resolve();
  private broken: unknown = null;
  private ended = () => {};
  private end = new Promise<void>((done) => (this.ended = done));

  private constructor(private readonly session: Session, private readonly signer: Signer, private readonly journal: Journal) {
    this.network = networkOf(session.channel.genesis);
  }

  /** Goes on where the journal ends. Throws when what is kept cannot be true. `seed` is the session key's. */
  static async open(channel: ChannelFacts, limits: Limits, seed: Uint8Array, journal: Journal): Promise<ChannelWallet> {
    return new ChannelWallet(new Session(channel, limits, await journal.read()), new Signer(seed), journal);
  }

  get channel(): ChannelFacts {
    return this.session.channel;
  }

  /** Base units of all receipts, paid or not. */
  get billed(): bigint {
    return this.session.billed;
  }

  get receipts(): number {
    return this.session.receipts;
  }

  /** The receipt that ended this session, if one did. */
  get caught(): Caught | null {
    return this.session.caught;
  }

  get underWay(): number {
    return this.session.underWay;
  }

  /** Orders of which nobody knows what became. */
  get gaps(): number {
    return this.session.gaps;
  }

  get gapsUntil(): bigint | null {
    return this.session.gapsUntil;
  }

  /** Answers in a row that did not come, in whatever process, and that are paid or will be. */
  get missed(): number {
    return this.session.missed;
  }

  /** Asks for one more request. Throws a `Stop`. */
  async begin(requestHash: Uint8Array, most: bigint, now: bigint, expiresAt: bigint): Promise<{ nonce: bigint; payment: Payment }> {
    const draft = this.session.begin(requestHash, most, now, expiresAt);
    await this.flush();
    return { nonce: draft.order.nonce, payment: this.signed(draft) };
  }

  /** What to send with a request that is sent again. */
  async again(nonce: bigint): Promise<Payment> {
    const draft = this.session.again(nonce);
    if (!draft) throw new Error("the order is over");
    await this.flush();
    return this.signed(draft);
  }

  /** The newest voucher by itself; null before the first receipt. */
  async payment(): Promise<Payment | null> {
    const voucher = this.session.voucher();
    await this.flush();
    return voucher && this.signed({ order: null, voucher });
  }

  /**
   * What convicts the provider, if it was caught with what can be proven: a receipt that asks for too much, or two of one number. Null if it
   * was not. A receipt that asks for too much is paid from here on, since the chain looks at what was settled: the voucher is in the proof.
   */
  async proof(): Promise<Proof | null> {
    if (!this.caught) return null;
    await this.flush();
    const { receipts, caught } = await this.journal.read();
    const other = caught!.receipt;
    const taken = receipts[Number(other.message.sequence) - 1];
    const channel = { network: this.network, channel: new PublicKey(this.channel.address) };
    const differs = taken && !equal(Receipt.encode(taken.message), Receipt.encode(other.message));
    if (differs && this.session.isSaid(other)) return { ...channel, receipts, other, voucher: null };
    if (!taken && !this.session.concede()) return null;
    const voucher = (await this.payment())?.voucher ?? null;
    // With it those are taken that had come early.
    const all = (await this.journal.read()).receipts;
    return { ...channel, receipts: voucher ? all.slice(0, Number(voucher.message.sequence)) : all, other: null, voucher };
  }

  /** Comes after its content is written down, and nowhere else. */
  private signed({ order, voucher }: Pick<Draft, "voucher"> & { order: Order | null }): Payment {
    const by = <M>(format: { encode(message: M): Uint8Array }, message: M): Signed<M> => ({ message, signature: this.signer.sign(format.encode(message)) });
    return { network: this.network, channel: this.channel.address, order: order && by(Order, order), voucher: voucher && by(Voucher, voucher) };
  }

  /** Throws an `Objection`. */
  accept(nonce: bigint, receipt: Signed<Receipt>, answer: Answer): void {
    this.change(() => this.session.accept(nonce, receipt, answer));
  }

  release(nonce: bigint): void {
    this.change(() => this.session.release(nonce));
  }

  lose(nonce: bigint): void {
    this.change(() => this.session.lose(nonce));
  }

  /** `idle` when the provider says that it serves nothing. Throws an `Objection`. */
  recover(unpaid: Signed<Receipt>[], idle: boolean, now: bigint): void {
    this.change(() => {
      this.session.recover(unpaid);
      if (idle && this.session.underWay === 0) this.session.forget(now);
    });
  }

  private change(act: () => void): void {
    try {
      act();
    } finally {
      this.ended();
      this.end = new Promise((done) => (this.ended = done));
    }
  }

  /** Returns when something has ended, if anything is under way. */
  async room(): Promise<void> {
    if (this.underWay > 0) await this.end;
  }

  /** All that was noted until now, safe. After an error nothing more is written, and so nothing more is signed. */
  async flush(): Promise<void> {
    const changes = this.session.takeChanges();
    if (!isEmpty(changes)) this.waiting.push(changes);
    this.writing = this.writing.then(async () => {
      if (this.broken) throw this.broken;
      const all = this.waiting;
      this.waiting = [];
      if (all.length === 0) return;
      try {
        await this.journal.write(all);
      } catch (error) {
        this.broken = error;
        throw error;
      }
    });
    await this.writing;
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.journal.close();
    }
  }
}

/** Whether `seed` is that of the key that a channel's session names. */
export const isKeyOf = (seed: Uint8Array, key: Uint8Array) => hex(new Signer(seed).publicKey) === hex(key);
