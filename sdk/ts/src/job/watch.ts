// Following a job until it is over.

import type { PublicKey } from "@solana/web3.js";
import { Bell } from "../bell.js";
import type { Chain } from "../chain.js";
import { eventsIn } from "../events.js";
import type { JobStatus } from "../names.js";
import type { JobAt } from "./accounts.js";

/** A job as it is, or, `closed`, as it ended: its account is gone. */
export type Watched = JobAt & { closed: boolean };

export interface Watching {
  signal?: AbortSignal;
  /** Milliseconds between looks when nothing is heard [default: 2,000]. */
  pollMs?: number;
}

const ENDED: JobStatus[] = ["settled", "refunded"];

/** The job whenever something about it has changed, from now until it is paid or refunded to the last unit. */
export async function* watchJob(chain: Chain, address: PublicKey, { signal, pollMs = 2_000 }: Watching = {}): AsyncGenerator<Watched> {
  const { connection, commitment } = chain;
  const bell = new Bell(signal);
  const subscription = connection.onAccountChange(address, () => bell.ring(), { commitment });
  let last: Watched | null = null;
  try {
    while (!signal?.aborted) {
      const account = await chain.find("escrow", "job", address);
      if (!account) {
        const status = await outcome(chain, address);
        if (!status && !last) throw new Error(`there is no job at ${address}, and never was one that this RPC node remembers`);
        if (status) {
          yield { ...(last ?? ({ address } as Watched)), status, closed: true };
          return;
        }
      } else if (!last || print(last) !== print(account)) {
        last = { ...account, address, closed: false };
        yield last;
      }
      await bell.rung(pollMs);
    }
  } finally {
    await connection.removeAccountChangeListener(subscription).catch(() => {});
  }
}

/** Waits until a job is so far, or further. Throws when it ends in another way. */
export async function jobIs(chain: Chain, address: PublicKey, status: JobStatus, watching?: Watching): Promise<Watched> {
  const order: JobStatus[] = ["open", "accepted", "delivered", "challenged"];
  const wanted = order.indexOf(status);
  for await (const job of watchJob(chain, address, watching)) {
    if (job.status === status || (wanted >= 0 && order.indexOf(job.status) > wanted)) return job;
    if (ENDED.includes(job.status)) throw new Error(`job ${address} was ${job.status} before it was ${status}`);
  }
  throw new Error(`nobody waited any longer for job ${address} to be ${status}`);
}

const print = (job: object) => JSON.stringify(job, (name, value: unknown) => (name === "address" || name === "closed" ? undefined : typeof value === "bigint" ? `${value}` : value));

/** How a job ended whose account is gone: its last transactions say it. Null if the node does not know yet. */
async function outcome({ connection }: Chain, address: PublicKey): Promise<JobStatus | null> {
  for (const { signature } of await connection.getSignaturesForAddress(address, { limit: 20 }, "confirmed")) {
    for (const event of ((await eventsIn(connection, signature)) ?? []).reverse()) {
      if (event.program !== "escrow" || !("job" in event.data) || !event.data.job.equals(address)) continue;
      if (event.name === "jobSettled") return "settled";
      if (event.name === "jobRefunded") return "refunded";
      if (event.name === "disputeResolved") return event.data.verdict === "stands" || event.data.verdict === "undecided" ? "settled" : "refunded";
    }
  }
  return null;
}
