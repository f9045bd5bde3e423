// What happened, from the events that the programs call themselves with (Anchor's event_cpi): of one transaction, or as they come.

import { utils } from "@anchor-lang/core";
import type { Connection, Finality, PublicKey, VersionedTransactionResponse } from "@solana/web3.js";
import { coder } from "./accounts.js";
import { Bell } from "./bell.js";
import { base64, equal } from "./bytes.js";
import { PROGRAMS, programAt, type ProgramName } from "./idls.js";
import * as pda from "./pda.js";
import { plain, type Events } from "./plain.js";

/** Where it was found. */
interface Found {
  /** Of the transaction. */
  signature: string;
  slot: number;
  /** Unix seconds of the block; null when the node does not know. */
  blockTime: number | null;
  /** One of a kind: signature, instruction, inner instruction. */
  id: string;
}
/** An event: `program` and `name` say which, and so what `data` holds. */
export type JouleEvent = {
  [P in ProgramName]: { [N in keyof Events<P> & string]: Found & { program: P; name: N; data: Events<P>[N] } }[keyof Events<P> & string];
}[ProgramName];

/** What an event's call begins with. */
const TAG = Uint8Array.of(0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d);

/**
 * All events of a transaction that went through, in their order. Nobody can forge one: only a program itself can sign as its event
 * authority. `getTransaction` must have been asked with `maxSupportedTransactionVersion`.
 */
export function eventsOf(transaction: VersionedTransactionResponse): JouleEvent[] {
  const { meta, slot, blockTime, transaction: { message, signatures } } = transaction;
  if (!meta || meta.err) return [];
  const { loadedAddresses } = meta;
  const keys = message.getAccountKeys(loadedAddresses ? { accountKeysFromLookups: loadedAddresses } : undefined);
  const signature = signatures[0]!;
  return (meta.innerInstructions ?? []).flatMap(({ index, instructions }) =>
    instructions.flatMap(({ programIdIndex, accounts, data }, inner) => {
      const program = programAt(keys.get(programIdIndex) ?? "");
      const authority = accounts.length === 1 ? keys.get(accounts[0]!) : undefined;
      if (!program || !authority?.equals(pda.eventAuthority(PROGRAMS[program]))) return [];
      const bytes = new Uint8Array(utils.bytes.bs58.decode(data));
      if (!equal(bytes.subarray(0, TAG.length), TAG)) return [];
      const event = coder(program).events.decode(base64(bytes.subarray(TAG.length)));
      if (!event) return [];
      const found = { signature, slot, blockTime: blockTime ?? null, id: `${signature}:${index}:${inner}` };
      return [{ ...found, program, name: event.name, data: plain(event.name, event.data) } as unknown as JouleEvent];
    }),
  );
}

/** Null while the node does not have the transaction. */
export async function eventsIn(connection: Connection, signature: string, commitment: Finality = "confirmed"): Promise<JouleEvent[] | null> {
  const transaction = await connection.getTransaction(signature, { commitment, maxSupportedTransactionVersion: VERSION });
  return transaction && eventsOf(transaction);
}

/** The newest version of transactions that is read. */
const VERSION = 1;

export interface Following {
  /** Whose [default: all five]. */
  programs?: ProgramName[];
  /** Only what names this account, such as a job or a channel. */
  account?: PublicKey;
  /** Goes on after this transaction; left out, after the newest one that there is. */
  since?: string;
  commitment?: Finality;
  /** Ends the stream. */
  signal?: AbortSignal;
  /** Milliseconds between looks when nothing is heard [default: 2,000]. */
  pollMs?: number;
}

/**
 * Events as they come, each once and in the order of their slots. What the subscription says is only when to look: what was missed
 * while it was cut off comes as well, and nothing is lost as long as the node has the history.
 */
export async function* events(connection: Connection, { programs, account, since, commitment = "confirmed", signal, pollMs = 2_000 }: Following = {}): AsyncGenerator<JouleEvent> {
  const wanted = programs ?? (Object.keys(PROGRAMS) as ProgramName[]);
  const sources = account ? [account] : wanted.map((name) => PROGRAMS[name]);
  const bell = new Bell(signal);
  const subscriptions = sources.map((source) => connection.onLogs(source, () => bell.ring(), commitment));
  try {
    const from = await Promise.all(sources.map(async (source) => since ?? (await connection.getSignaturesForAddress(source, { limit: 1 }, commitment))[0]?.signature));
    while (!signal?.aborted) {
      const fresh = await Promise.all(sources.map((source, n) => after(connection, source, from[n], commitment)));
      fresh.forEach((found, n) => (from[n] = found.at(-1)?.signature ?? from[n]));
      const unique = new Map(fresh.flat().map((found) => [found.signature, found]));
      for (const { signature } of [...unique.values()].sort((a, b) => a.slot - b.slot)) {
        for (const event of (await patiently(connection, signature, commitment)) ?? []) if (wanted.includes(event.program)) yield event;
      }
      await bell.rung(pollMs);
    }
  } finally {
    subscriptions.forEach((id) => void connection.removeOnLogsListener(id).catch(() => {}));
  }
}

/** Transactions that name `source`, after one, the oldest first; those that failed have no events. */
async function after(connection: Connection, source: PublicKey, until: string | undefined, commitment: Finality) {
  const all: { signature: string; slot: number; err: unknown }[] = [];
  for (;;) {
    const before = all.at(-1)?.signature;
    const page = await connection.getSignaturesForAddress(source, { ...(before && { before }), ...(until && { until }), limit: 1_000 }, commitment);
    all.push(...page);
    if (page.length < 1_000) break;
  }
  return all.filter(({ err }) => err === null).reverse();
}

/** A node may list a transaction a moment before it can show it. */
async function patiently(connection: Connection, signature: string, commitment: Finality): Promise<JouleEvent[] | null> {
  for (let tries = 0; tries < 20; tries += 1) {
    const found = await eventsIn(connection, signature, commitment);
    if (found) return found;
    await new Promise((done) => setTimeout(done, 250));
  }
  throw new Error(`the RPC node lists transaction ${signature} and does not show it: it keeps too little history`);
}
