// Server-sent events: where one ends in a stream of bytes, and what it carries.

import { concat } from "../bytes.js";

const [LF, CR] = [10, 13];

/** Cuts bytes into events, and keeps what is not whole yet. */
export class Splitter {
  private rest: Uint8Array = new Uint8Array();
  /** How much of `rest` holds no end of an event. */
  private searched = 0;

  /** Adds what came in; returns the events that are whole now, each with the empty line that ends it. */
  push(bytes: Uint8Array): Uint8Array[] {
    this.rest = concat([this.rest, bytes]);
    const events: Uint8Array[] = [];
    // An end may straddle what was searched before.
    for (let end; (end = endOf(this.rest, Math.max(0, this.searched - 3))) !== null; this.searched = 0) {
      events.push(this.rest.slice(0, end));
      this.rest = this.rest.subarray(end);
    }
    this.searched = this.rest.length;
    return events;
  }
}

/** Where the first empty line ends; lines end with LF, CRLF or CR. */
function endOf(bytes: Uint8Array, from: number): number | null {
  for (let at = from; at < bytes.length; at += 1) {
    const [a, b, c, d] = bytes.subarray(at, at + 4);
    if ((a === LF && b === LF) || (a === CR && b === CR)) return at + 2;
    if (a === LF && b === CR && c === LF) return at + 3;
    if (a === CR && b === LF && c === CR && d === LF) return at + 4;
  }
  return null;
}

/** The event's `data`, its lines joined; empty for comments. */
export function dataOf(event: Uint8Array): string {
  const lines = new TextDecoder().decode(event).split(/[\n\r]/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice("data:".length).replace(/^ /, "")).join("\n");
}

/** What ends an OpenAI stream. */
export const DONE = "[DONE]";
