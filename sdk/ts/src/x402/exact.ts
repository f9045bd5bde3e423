// x402's standard scheme `exact` on Solana: each request is paid by a transaction of its own, that the seller sends and pays the fee
// of. What was signed counts as spent, whatever came of it: the seller may send it for as long as its blockhash lives.

import { Buffer } from "buffer";
import { ComputeBudgetProgram, PublicKey, Transaction, TransactionInstruction } from "@solana/web3.js";
import { bounded } from "../artifacts.js";
import { base64, equal, hex, little, unbase64, utf8 } from "../bytes.js";
import type { Chain } from "../chain.js";
import { sha256 } from "../context.js";
import { Receipt } from "../formats.js";
import * as pda from "../pda.js";
import { Verifier } from "../signing.js";
import { complaintOf, isPassing, isStream, retryAfter, termsOf } from "./answers.js";
import { Counted, askedOf } from "./count.js";
import { Endpoint } from "./endpoint.js";
import { PaymentError } from "./failure.js";
import { handOn } from "./handon.js";
import { Objection } from "./objection.js";
import { checkOffer } from "./offer.js";
import { Stream } from "./stream.js";
import { PAYMENT_REQUIRED, PAYMENT_RESPONSE, PAYMENT_SIGNATURE, VERSION, decode, encode, networkOf, readSettlement, type Signed, type Terms } from "./wire.js";

export const EXACT = "exact";
const MEMO = new PublicKey("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr");
/** Compute units that a transfer and a memo need at most, and micro-lamports for each: the seller's to pay, within what it takes. */
const [UNIT_LIMIT, UNIT_PRICE] = [60_000, 1];
const TRANSFER_CHECKED = 12;
/** Base58 of 64 bytes. */
const SIGNATURE = /^[1-9A-HJ-NP-Za-km-z]{64,88}$/;
/** How often one payment is sent; the same one, so that it pays once. */
const TRIES = 6;
const [PAUSE_MS, MOST_WAITED_MS] = [200, 10_000];
const MOST_ANSWER = 64 << 20;
/** What a gateway says of a transaction that it was sent before. */
const SENT_BEFORE = ["duplicate_settlement", "exact_used"];

/** As much of an entry of `accepts` as is used; the whole of it is sent back. */
export interface Exact {
  entry: Record<string, unknown>;
  amount: bigint;
  asset: PublicKey;
  payTo: PublicKey;
  feePayer: PublicKey;
}

/** What was paid for one request. */
export interface Paid {
  /** Base units. */
  amount: bigint;
  /** The transaction's signature. */
  transaction: string;
  /** Says which answer it was for. Missing where the seller had lost it, or not all of the answer was read. */
  receipt: Receipt | null;
}

/** The entry of this scheme in a 402's terms. Throws a `PaymentError` when there is none, or it is not whole. */
export function exactOf(answer: Response, network: string): Exact {
  try {
    const header = answer.headers.get(PAYMENT_REQUIRED);
    const { accepts } = decode(header ?? "") as { accepts?: Record<string, any>[] };
    const entry = accepts?.find((one) => one?.scheme === EXACT && one?.network === network);
    if (!entry) throw new RangeError(`it does not sell by ${EXACT} on ${network}`);
    if (typeof entry.amount !== "string" || !/^\d{1,20}$/.test(entry.amount)) throw new RangeError(`${JSON.stringify(entry.amount)} is no amount`);
    const [asset, payTo, feePayer] = [entry.asset, entry.payTo, entry.extra?.feePayer].map((address) => new PublicKey(address));
    return { entry, amount: BigInt(entry.amount), asset: asset!, payTo: payTo!, feePayer: feePayer! };
  } catch (error) {
    throw new PaymentError("terms", `the provider takes no payment that can be made here: ${(error as Error).message}`);
  }
}

/** A transaction that pays, signed by the chain's wallet and not yet by the fee payer. No two are the same. */
async function signed(chain: Chain, { amount, payTo, feePayer }: Exact): Promise<string> {
  if (feePayer.equals(chain.me)) throw new PaymentError("terms", "the provider would have its customer pay the fee too");
  const { address, program, decimals } = chain.mint;
  const key = (pubkey: PublicKey, isSigner: boolean, isWritable: boolean) => ({ pubkey, isSigner, isWritable });
  const transfer = new TransactionInstruction({
    programId: program,
    keys: [key(chain.tokens, false, true), key(address, false, false), key(chain.tokensOf(payTo), false, true), key(chain.me, true, false)],
    data: Buffer.from([TRANSFER_CHECKED, ...little(amount, 8), decimals]),
  });
  const memo = new TransactionInstruction({ programId: MEMO, keys: [], data: Buffer.from(utf8(hex(crypto.getRandomValues(new Uint8Array(8))))) });
  const { blockhash, lastValidBlockHeight } = await chain.connection.getLatestBlockhash(chain.commitment);
  const transaction = new Transaction({ feePayer, blockhash, lastValidBlockHeight }).add(
    ComputeBudgetProgram.setComputeUnitLimit({ units: UNIT_LIMIT }), ComputeBudgetProgram.setComputeUnitPrice({ microLamports: UNIT_PRICE }), transfer, memo,
  );
  const done = await chain.wallet.signTransaction(transaction);
  return base64(done.serialize({ requireAllSignatures: false }));
}

/** Pays request by request, within a budget. */
export class Purse {
  /** Base units of all that was signed. */
  private spent = 0n;

  constructor(
    private readonly chain: Chain,
    private readonly http: typeof fetch,
    private readonly limits: { model: PublicKey; budget: bigint; ceiling: bigint },
    private readonly onPaid: ((paid: Paid) => void) | undefined,
  ) {}

  /** Asks without paying, since every request has a price of its own, and then pays. Throws a `PaymentError` or an `Objection`. */
  async buy(url: URL, body: Uint8Array, init: RequestInit): Promise<Response> {
    const answer = await this.http(url, { ...init, method: "POST", body: body as BodyInit, redirect: "error" });
    // What is wrong with the request itself costs nothing.
    if (answer.status !== 402) return answer;
    const cluster = await this.chain.read("billing", "cluster", pda.cluster());
    const network = networkOf(cluster.genesisHash);
    // The other scheme's terms say what is sold and by whom, and the chain bears that out.
    const [terms, exact] = [termsOf(answer, network), exactOf(answer, network)];
    await answer.body?.cancel();
    await checkOffer(this.chain, terms, this.limits.model);
    this.allow(exact, terms, new Endpoint(url, terms, body, this.limits.ceiling), body);
    const transaction = await signed(this.chain, exact).catch((error: unknown) => {
      this.spent -= exact.amount;
      throw error;
    });
    return this.pay(url, exact, terms, transaction, body, init);
  }

  private async pay(url: URL, exact: Exact, terms: Terms, transaction: string, body: Uint8Array, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    headers.set(PAYMENT_SIGNATURE, encode({ x402Version: VERSION, accepted: exact.entry, payload: { transaction } }));
    for (let tries = 1; ; tries += 1) {
      const answer = await this.http(url, { ...init, method: "POST", headers, body: body as BodyInit, redirect: "error" }).catch((error: Error) => error);
      if (answer instanceof Error) {
        if (init.signal?.aborted) throw answer;
        if (tries === TRIES) throw new PaymentError("unknown", `nobody knows whether the provider has taken ${this.chain.format(exact.amount)} for this: ${answer.message}`);
        await pause(PAUSE_MS * tries);
        continue;
      }
      if (answer.status === 200) return this.take(answer, exact, terms, url, body);
      const waitMs = Math.max(retryAfter(answer), PAUSE_MS * tries);
      const said = await complaintOf(answer.clone());
      const isUnpaid = (isPassing(answer.status) && said.code !== "transaction_unconfirmed") || said.code === "payment_under_way";
      if (isUnpaid && tries < TRIES && waitMs <= MOST_WAITED_MS) {
        await pause(waitMs);
        continue;
      }
      // What a model says of the request itself is an answer like any other.
      if (answer.status !== 402 && !isPassing(answer.status)) return answer;
      if (tries > 1 && SENT_BEFORE.includes(said.code)) {
        throw new PaymentError("unknown", `an answer was lost that ${this.chain.format(exact.amount)} may have been paid for: ${said.message}`, said.code);
      }
      // Without a word of the gateway's somebody between has said it, who does not know either.
      const isKnown = said.code !== String(answer.status) && (isUnpaid || answer.status === 402);
      throw new PaymentError(isKnown ? "refused" : "unknown", `the provider does not serve this: ${said.message}`, said.code);
    }
  }

  /** Nothing is signed that would be above the limits, or above what the request can cost by the price list that is on chain. */
  private allow({ amount, asset, payTo }: Exact, terms: Terms, endpoint: Endpoint, body: Uint8Array): void {
    const { chain, limits } = this;
    if (!asset.equals(chain.mint.address)) throw new PaymentError("terms", `the provider wants to be paid in token ${asset}, not in ${chain.mint.address}`);
    if (!payTo.equals(terms.authority)) throw new PaymentError("terms", `the provider would have ${payTo} paid, and is ${terms.authority}`);
    if (amount > limits.ceiling) throw new PaymentError("too_dear", `the request costs ${chain.format(amount)}; at most ${chain.format(limits.ceiling)} is to be paid for it`);
    const most = endpoint.allowed(endpoint.asked(body), terms.prices);
    if (amount > most) throw new PaymentError("too_dear", `the provider wants ${chain.format(amount)}; by its price list and its own terms the request costs at most ${chain.format(most)}`);
    if (this.spent + amount > limits.budget) {
      throw new PaymentError("too_dear", `the request costs ${chain.format(amount)}, and ${chain.format(limits.budget - this.spent)} of the budget of ${chain.format(limits.budget)} is left`);
    }
    this.spent += amount;
  }

  private async take(answer: Response, exact: Exact, terms: Terms, url: URL, body: Uint8Array): Promise<Response> {
    const header = answer.headers.get(PAYMENT_RESPONSE);
    const transaction = transactionIn(header);
    let isTold = false;
    const told = (receipt: Signed<Receipt> | null, hash: Uint8Array | null) => {
      if (isTold) return;
      isTold = true;
      if (receipt && hash) check(receipt, exact, terms, sha256(body), hash);
      this.onPaid?.({ amount: exact.amount, transaction, receipt: receipt?.message ?? null });
    };
    if (!isStream(answer)) {
      const bytes = await bounded(answer, MOST_ANSWER, answer.url).catch((error: Error) => {
        told(null, null);
        throw new PaymentError(error instanceof RangeError ? "too_long" : "answer_lost", `what was paid for is lost: ${error.message}`);
      });
      told(readSettlement(header)?.receipt ?? null, sha256(bytes));
      return new Response(bytes as BodyInit, answer);
    }
    const stream = new Stream(new Counted(askedOf(url.pathname, body)));
    const finish = async (isCut: boolean) => {
      const end = stream.end();
      told(end?.settlement.receipt ?? null, end?.hash ?? null);
      if (isCut) throw new PaymentError("answer_lost", "the answer broke off; all of it was paid for", null, end?.settlement.receipt?.message ?? null);
    };
    return handOn(answer, stream, MOST_ANSWER, { finish, lost: async () => told(null, null), over: () => {} });
  }
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** A receipt that the seller has signed for another request or answer, or for more, is one that it must not be believed with. */
function check({ message, signature }: Signed<Receipt>, { amount }: Exact, { authority }: Terms, request: Uint8Array, response: Uint8Array): void {
  if (!new Verifier(authority.toBytes()).verify(Receipt.encode(message), signature)) throw new Objection("Signature", "the receipt is not signed by the provider");
  if (!equal(message.requestHash, request)) throw new Objection("Request", "the receipt is for another request than the one that was sent");
  if (!equal(message.responseHash, response)) throw new Objection("Response", "the receipt is for another answer than the one that came");
  if (message.amount > amount) throw new Objection("AboveOrder", `the receipt asks for ${message.amount}; ${amount} was paid`);
}

function transactionIn(header: string | null): string {
  try {
    const { success, transaction } = JSON.parse(new TextDecoder().decode(unbase64((header ?? "").trim()))) as { success?: boolean; transaction?: string };
    if (success === true && typeof transaction === "string" && SIGNATURE.test(transaction)) return transaction;
  } catch {
    // Said below.
  }
  throw new PaymentError("no_receipt", "the answer does not say which transaction has paid for it");
}
