// One object for what a dApp does: jobs, channels, events.

import type { Keypair, PublicKey } from "@solana/web3.js";
import type { Channel, Payer } from "./accounts.js";
import type { Amount } from "./amount.js";
import { hashText } from "./artifacts.js";
import { hex } from "./bytes.js";
import { Chain, type Settings } from "./chain.js";
import { closeChannel, nextChannel, openChannel, requestClose, topUp, type ChannelOrder } from "./channel/open.js";
import { deposit, deposited, reclaim } from "./channel/payer.js";
import { events, type Following, type JouleEvent } from "./events.js";
import { jobAt, type JobAt } from "./job/accounts.js";
import * as decide from "./job/decide.js";
import { postJob, type JobOrder } from "./job/post.js";
import { jobIs, watchJob, type Watched, type Watching } from "./job/watch.js";
import type { JobStatus } from "./names.js";

type AJob = PublicKey | JobAt;

export class Joule extends Chain {
  /** Looks the token up on the cluster. */
  static async connect(settings: Settings): Promise<Joule> {
    return new Joule(...(await Chain.open(settings)));
  }

  /** The same as somebody else. */
  as(wallet: Keypair | Settings["wallet"]): Promise<Joule> {
    const artifacts = this.hasArtifacts ? this.artifacts : undefined;
    return Joule.connect({
      rpc: this.connection, wallet, mint: this.mint.address, symbol: this.token.symbol ?? undefined, artifacts, commitment: this.commitment,
    });
  }

  // A job, in the order of its life.

  /** Stores module, input and limits, and locks the budget. */
  postJob(order: JobOrder): Promise<{ job: PublicKey; signature: string }> {
    return postJob(this, order);
  }

  /** The job as it is. Throws when it is over: its account is gone. */
  job(job: PublicKey): Promise<JobAt> {
    return jobAt(this, job);
  }

  /** The job whenever it has changed, until it is over; the last one is `closed`. Of one that was over before, only status and address. */
  watch(job: PublicKey, watching?: Watching): AsyncGenerator<Watched> {
    return watchJob(this, job, watching);
  }

  /** Waits until a job is so far, or further; throws when it ends in another way. */
  jobIs(job: PublicKey, status: JobStatus, watching?: Watching): Promise<Watched> {
    return jobIs(this, job, status, watching);
  }

  /** What the provider delivered, checked against the hash that it stands for on the chain. */
  async output(job: AJob, most?: number): Promise<Uint8Array> {
    const { resultHash, address, status } = await jobAt(this, job);
    if (resultHash.every((byte) => byte === 0)) throw new Error(`job ${address} is ${status}: nothing has been delivered`);
    return this.artifacts.get(hashText(hex(resultHash)), most);
  }

  /** Pays the provider at once. */
  approve(job: AJob): Promise<string> {
    return decide.approve(this, job);
  }

  /** Takes the budget back, while nobody has taken the job. */
  cancel(job: AJob): Promise<string> {
    return decide.cancel(this, job);
  }

  /** Stops work that is paid by the second, and pays for at most `seconds` of it. */
  stop(job: AJob, seconds: number): Promise<string> {
    return decide.stop(this, job, seconds);
  }

  /** Says that another result is right, by its sha256, and puts in as much as the provider has locked. */
  challenge(job: AJob, counterResult: string | Uint8Array): Promise<string> {
    return decide.challenge(this, job, counterResult);
  }

  /** Gives the job to a bid, while bids are taken. */
  pickBid(job: AJob, bid: PublicKey): Promise<string> {
    return decide.pickBid(this, job, bid);
  }

  /** Anybody's, once its time has come: pays after silence, refunds what was not accepted or not delivered, carries out a verdict. */
  readonly crank = {
    settle: (job: AJob) => decide.settle(this, job),
    expire: (job: AJob) => decide.expire(this, job),
    fail: (job: AJob) => decide.fail(this, job),
    resolve: (job: AJob) => decide.resolve(this, job),
    payOut: (job: AJob) => decide.payOut(this, job),
  };

  /** Has whatever I am owed for a job paid into another token account. */
  redirect(job: PublicKey, account: PublicKey): Promise<string> {
    return decide.redirect(this, job, account);
  }

  // A payer and its channels.

  /** My deposit; null before the first. */
  deposited(): Promise<Payer | null> {
    return deposited(this);
  }

  deposit(amount: Amount): Promise<string> {
    return deposit(this, amount);
  }

  /** Takes what is free of my deposit back. Returns how much, in base units. */
  reclaim(amount?: Amount): Promise<bigint> {
    return reclaim(this, amount);
  }

  channel(channel: PublicKey): Promise<Channel> {
    return this.read("billing", "channel", channel);
  }

  /** Where my next channel will be. */
  nextChannel(): Promise<{ channel: PublicKey; number: bigint }> {
    return nextChannel(this);
  }

  /** Deposits what is missing, and opens a channel. Returns its address. */
  openChannel(order: ChannelOrder): Promise<PublicKey> {
    return openChannel(this, order);
  }

  topUp(channel: PublicKey, amount: Amount): Promise<string> {
    return topUp(this, channel, amount);
  }

  /** Gives notice; `closesAt` is in Unix seconds. */
  requestClose(channel: PublicKey): Promise<{ closesAt: number }> {
    return requestClose(this, channel);
  }

  /** Once its grace has passed: takes back what was not spent. Returns how much, in base units. */
  closeChannel(channel: PublicKey): Promise<bigint> {
    return closeChannel(this, channel);
  }

  /** What happens on the chain, as it happens. */
  events(following?: Following): AsyncGenerator<JouleEvent> {
    return events(this.connection, { ...(this.commitment === "finalized" && { commitment: "finalized" as const }), ...following });
  }
}
