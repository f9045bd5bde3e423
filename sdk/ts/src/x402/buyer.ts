// Requests that are paid: sent, sent again when they were lost, their receipts checked and taken into the account.

import { PublicKey } from "@solana/web3.js";
import { bounded } from "../artifacts.js";
import { sha256 } from "../context.js";
import type { Receipt } from "../formats.js";
import { complaintOf, isPassing, isStream, retryAfter, standingOf, termsOf } from "./answers.js";
import type { Answer } from "./check.js";
import { Counted, isError, type Asked } from "./count.js";
import type { Endpoint } from "./endpoint.js";
import { PaymentError } from "./failure.js";
import { handOn } from "./handon.js";
import { Objection } from "./objection.js";
import { Stop } from "./stop.js";
import { Stream } from "./stream.js";
import type { ChannelWallet } from "./wallet.js";
import { PAYMENT_RESPONSE, PAYMENT_SIGNATURE, readSettlement, writePayment, type Payment, type Signed } from "./wire.js";

/** How often one request is sent before it is given up. */
const TRIES = 8;
const [PAUSE_MS, LONGEST_PAUSE_MS] = [50, 2_000];
/** The longest that a provider may say is waited; who is to come later is told so. */
const MOST_WAITED_MS = 10_000;
/** How long orders that nobody knows about are waited for, and how often the provider is asked about them. */
const [GAPS_MS, ASK_EVERY_MS] = [22_000, 1_000];
/** How much longer than the model may take is waited for an answer. */
const SLACK_MS = 30_000;
/** Of an answer, bytes. */
const MOST_ANSWER = 64 << 20;

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const now = () => BigInt(Math.floor(Date.now() / 1_000));

/** What came of one try: an answer, the same order again, a new one since the old one is over and cost nothing. */
type Try = { answer: Response } | { again: string; afterMs: number; said?: Response } | { anew: true };

/** An order that is out. */
interface Out {
  nonce: bigint;
  asked: Asked;
  since: number;
  isFirst: boolean;
}

export interface Told {
  /** Each receipt that was taken, and whether its answer came whole. */
  onReceipt?: ((receipt: Receipt, isWhole: boolean) => void) | undefined;
  /** Why a stream has failed that was being handed on: some browsers show whoever reads it a TypeError in its place. */
  onFailure?: ((error: unknown) => void) | undefined;
  /** Why a request is sent again. */
  onRetry?: ((why: string) => void) | undefined;
}

export class Buyer {
  constructor(private readonly http: typeof fetch, private readonly origin: string, readonly wallet: ChannelWallet, private readonly told: Told) {}

  /** Buys an answer to `body`; a stream is passed on as it comes. Throws a `PaymentError`, an `Objection` or a `Stop`. */
  async buy(endpoint: Endpoint, body: Uint8Array, init: RequestInit): Promise<Response> {
    const [hash, asked] = [sha256(body), endpoint.asked(body)];
    const begin = async (): Promise<[Out, Payment]> => {
      const { nonce, payment } = await this.begin(endpoint, hash, asked);
      return [{ nonce, asked, since: performance.now(), isFirst: true }, payment];
    };
    let [out, payment] = await begin();
    let [pause, why, last] = [PAUSE_MS, "its orders were over too soon", null as Response | null];
    try {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const outcome = await this.attempt(endpoint, out, payment, body, init);
        out.isFirst = false;
        if ("answer" in outcome) return outcome.answer;
        if ("anew" in outcome) {
          [out, payment] = await begin();
          continue;
        }
        [why, last] = [outcome.again, outcome.said ?? null];
        if (outcome.afterMs > MOST_WAITED_MS) break;
        this.told.onRetry?.(why);
        await sleep(Math.max(outcome.afterMs, pause));
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
        payment = await this.wallet.again(out.nonce);
      }
    } catch (error) {
      await this.lose(out.nonce);
      throw error;
    }
    // Its receipt may turn up, whatever was said.
    await this.lose(out.nonce);
    if (last) return last;
    throw new PaymentError("unknown", `no answer came in ${TRIES} tries (${why}); if one was served, its receipt will be found later`);
  }

  private async lose(nonce: bigint): Promise<void> {
    this.wallet.lose(nonce);
    await this.wallet.flush();
  }

  /** An order, once there is room for it. */
  private async begin(endpoint: Endpoint, hash: Uint8Array, asked: Asked): Promise<{ nonce: bigint; payment: Payment }> {
    const deadline = performance.now() + GAPS_MS;
    for (let asks = 0; ; ) {
      const most = endpoint.allowed(asked, this.wallet.channel.prices);
      try {
        return await this.wallet.begin(hash, most, now(), now() + endpoint.orderLife);
      } catch (stop) {
        if (!(stop instanceof Stop) || stop.code !== "wait") throw stop;
      }
      if (this.wallet.underWay > 0) await this.wallet.room();
      else if (performance.now() > deadline) throw new PaymentError("gaps", `${this.wallet.gaps} orders have no receipt and are not over yet; try again later`);
      else {
        if (asks++ > 0) await sleep(ASK_EVERY_MS);
        await this.recover();
      }
    }
  }

  private async attempt(endpoint: Endpoint, out: Out, payment: Payment, body: Uint8Array, init: RequestInit): Promise<Try> {
    const counted = new Counted(out.asked);
    const sentAt = performance.now();
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error("nothing whole came in time")), endpoint.longestMs + SLACK_MS);
    const stop = () => abort.abort(init.signal?.reason);
    init.signal?.addEventListener("abort", stop);
    const over = () => (clearTimeout(timer), init.signal?.removeEventListener("abort", stop));
    if (init.signal?.aborted) stop();
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    headers.set(PAYMENT_SIGNATURE, writePayment(payment));
    try {
      const answer = await this.http(endpoint.url, { ...init, method: "POST", headers, body: body as BodyInit, redirect: "error", signal: abort.signal });
      if (answer.status === 200 && isStream(answer)) return { answer: this.passOn(endpoint, out, answer, new Stream(counted), sentAt, body, init, over) };
      try {
        return await this.heard(endpoint, out, answer, counted, sentAt);
      } finally {
        over();
      }
    } catch (error) {
      over();
      if (init.signal?.aborted || error instanceof PaymentError || error instanceof Objection) throw error;
      return { again: `it broke off: ${(error as Error).message}`, afterMs: PAUSE_MS };
    }
  }

  private async heard(endpoint: Endpoint, out: Out, answer: Response, counted: Counted, sentAt: number): Promise<Try> {
    if (answer.status === 200) return { answer: await this.whole(out, answer, counted, sentAt) };
    if (answer.status === 402) return this.refused(endpoint, out, answer);
    if (answer.status === 409) return this.conflict(out, answer);
    if (isPassing(answer.status)) {
      const said = new Response(await answer.arrayBuffer(), answer);
      return { again: `the provider says: ${(await complaintOf(said.clone())).message}`, afterMs: retryAfter(answer), said };
    }
    // What a model says of the request itself; nobody is billed for it.
    this.wallet.release(out.nonce);
    await this.wallet.flush();
    return { answer };
  }

  private async whole(out: Out, answer: Response, counted: Counted, sentAt: number): Promise<Response> {
    let bytes: Uint8Array;
    try {
      bytes = await bounded(answer, MOST_ANSWER, answer.url);
    } catch (error) {
      if (error instanceof RangeError) throw new PaymentError("too_long", error.message);
      throw error;
    }
    counted.took(performance.now() - sentAt);
    let json: unknown = null;
    try {
      json = JSON.parse(new TextDecoder().decode(bytes));
      counted.add(json);
    } catch {
      // Then nothing in it counts.
    }
    const isWhole = json !== null && !isError(json);
    const receipt = readSettlement(answer.headers.get(PAYMENT_RESPONSE))?.receipt;
    if (receipt) await this.take(out.nonce, receipt, { kind: isWhole ? "whole" : "part", hash: sha256(bytes), counted });
    else if (isWhole) throw new PaymentError("no_receipt", "the answer came without a receipt");
    else await this.lose(out.nonce);
    return new Response(bytes as BodyInit, answer);
  }

  private async take(nonce: bigint, receipt: Signed<Receipt>, answer: Answer): Promise<void> {
    try {
      this.wallet.accept(nonce, receipt, answer);
    } finally {
      // An objection is a proof: it is kept.
      await this.wallet.flush();
    }
    this.told.onReceipt?.(receipt.message, answer.kind === "whole");
  }

  private passOn(endpoint: Endpoint, out: Out, answer: Response, stream: Stream, sentAt: number, body: Uint8Array, init: RequestInit, over: () => void): Response {
    const finish = async (isCut: boolean) => {
      const end = isCut ? null : stream.end();
      stream.counted.took(performance.now() - sentAt);
      const receipt = end?.settlement.receipt;
      if (receipt) return this.take(out.nonce, receipt, { kind: stream.isWhole ? "whole" : "part", hash: end.hash, counted: stream.counted });
      // Cut off before its receipt: asking again brings it.
      const paid = await this.ask(endpoint, { ...out, isFirst: false }, body, init);
      throw new PaymentError("answer_lost", "the answer broke off", null, paid);
    };
    const lost = async (error?: unknown) => {
      await this.lose(out.nonce);
      if (error !== undefined) this.told.onFailure?.(error);
    };
    return handOn(answer, stream, MOST_ANSWER, { finish, lost, over });
  }

  /** Sends an order again whose answer broke off, for its receipt. Null when it was not served, or nobody knows. */
  private async ask(endpoint: Endpoint, out: Out, body: Uint8Array, init: RequestInit): Promise<Receipt | null> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      await sleep(Math.min(PAUSE_MS << tries, LONGEST_PAUSE_MS));
      try {
        const outcome = await this.attempt(endpoint, out, await this.wallet.again(out.nonce), body, { ...init, signal: null });
        // An answer that comes now is whole, and paid for; nobody can hand the rest of it on.
        if ("answer" in outcome) await outcome.answer.body?.pipeTo(new WritableStream());
        if (!("again" in outcome)) return null;
      } catch (error) {
        if (error instanceof PaymentError && error.code === "answer_lost") return error.receipt;
        throw error;
      }
    }
    return null;
  }

  private async refused(endpoint: Endpoint, out: Out, answer: Response): Promise<Try> {
    const code = readSettlement(answer.headers.get(PAYMENT_RESPONSE))?.errorReason ?? "";
    const { asked, nonce } = out;
    switch (code) {
      case "order_too_small": {
        const terms = termsOf(answer, this.wallet.network);
        this.wallet.release(nonce);
        const most = endpoint.most(asked, this.wallet.channel.prices);
        if (terms.amount > most) {
          throw new PaymentError("too_dear", `it wants an order for ${terms.amount}; by its prices and what you allow, the request costs at most ${most}`, code);
        }
        endpoint.raise(terms.amount);
        return { anew: true };
      }
      case "order_expired":
      case "old_nonce":
        this.wallet.release(nonce);
        return { anew: true };
      // It passes when what is under way has ended, or the provider has settled.
      case "window_full":
      case "unpaid":
      case "risk":
      case "unsettled":
        return { again: `the provider says: ${(await complaintOf(answer)).message}`, afterMs: PAUSE_MS };
      default: {
        this.wallet.release(nonce);
        const said = await complaintOf(answer);
        throw new PaymentError("refused", `the provider does not serve this: ${said.message}`, code || said.code);
      }
    }
  }

  /** The provider knows this order. */
  private async conflict(out: Out, answer: Response): Promise<Try> {
    const settlement = readSettlement(answer.headers.get(PAYMENT_RESPONSE));
    if (settlement?.receipt) {
      const counted = new Counted(out.asked);
      counted.took(performance.now() - out.since);
      await this.take(out.nonce, settlement.receipt, out.isFirst ? { kind: "withheld" } : { kind: "missed", counted });
      throw new PaymentError("answer_lost", "the answer was lost on its way after it had been served; its receipt is paid", null, settlement.receipt.message);
    }
    if (settlement?.errorReason !== "order_broken") return { again: "the provider is still serving it", afterMs: PAUSE_MS };
    this.wallet.release(out.nonce);
    return { anew: true };
  }

  /** Finds the receipts of answers that were lost, by this process or an earlier one. Throws an `Objection`. */
  async recover(): Promise<void> {
    const address = new PublicKey(this.wallet.channel.address);
    const { serving, unpaid } = await standingOf(await this.at(`/joule/v1/channels/${address}`, {}));
    try {
      this.wallet.recover(unpaid, serving === 0, now());
    } finally {
      await this.wallet.flush();
    }
  }

  /** Hands in the newest voucher, for the last of the requests. */
  async pay(): Promise<void> {
    const payment = await this.wallet.payment();
    if (payment) await this.at("/joule/v1/vouchers", { method: "POST", headers: { [PAYMENT_SIGNATURE]: writePayment(payment) } });
  }

  private async at(path: string, init: RequestInit): Promise<Response> {
    for (let tries = 1; ; tries += 1) {
      const answer = await this.http(new URL(path, this.origin), { ...init, redirect: "error" });
      if (answer.ok) return answer;
      const waitMs = Math.max(retryAfter(answer), PAUSE_MS);
      const said = await complaintOf(answer);
      if (!isPassing(answer.status) || tries === TRIES || waitMs > MOST_WAITED_MS) throw new PaymentError("refused", `the provider says: ${said.message}`, said.code);
      await sleep(waitMs);
    }
  }
}
