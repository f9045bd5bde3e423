// Modules, inputs and outputs by their sha256, over HTTP: `PUT /v1/artifacts`, `GET /v1/artifacts/{hash}`.

import { concat, equal, hex, unhex } from "./bytes.js";
import { sha256 } from "./context.js";

/** Bytes in, hash out; hash in, checked bytes out. */
export interface ArtifactStore {
  /** Returns the sha256 in hex. Storing twice is the same as storing once. */
  put(bytes: Uint8Array): Promise<string>;
  /** The bytes of this hash, and no more than `most` of them. Throws for bytes that hash to something else. */
  get(hash: string | Uint8Array, most?: number): Promise<Uint8Array>;
}

/** Of an artifact, in bytes, if nothing else is said. */
export const MOST_BYTES = 64 * 1024 * 1024;

/** Throws a RangeError for what is no sha256. */
export function hashText(hash: string | Uint8Array): string {
  const bytes = typeof hash === "string" ? unhex(hash) : hash;
  if (bytes.length !== 32) throw new RangeError(`a sha256 has 32 bytes, not ${bytes.length}`);
  return hex(bytes);
}

export function checkHash(hash: string | Uint8Array, bytes: Uint8Array, where: string): Uint8Array {
  const wanted = hashText(hash);
  if (!equal(sha256(bytes), unhex(wanted))) throw new Error(`artifact ${wanted} at ${where} is damaged: its bytes hash to ${hex(sha256(bytes))}`);
  return bytes;
}

/** Of whatever a service says that is no artifact. */
const MOST_SAID = 64 * 1024;

/** An artifact service. */
export class Artifacts implements ArtifactStore {
  private readonly base: string;

  /** `url` such as `http://127.0.0.1:7730`. */
  constructor(url: string | URL, private readonly http: typeof fetch = (...args) => fetch(...args)) {
    this.base = `${String(url).replace(/\/+$/, "")}/v1/artifacts`;
  }

  async put(bytes: Uint8Array): Promise<string> {
    const answer = await this.http(this.base, { method: "PUT", body: bytes as BodyInit, headers: { "content-type": "application/octet-stream" } });
    if (!answer.ok) throw new Error(`${this.base} does not store ${bytes.length} bytes: ${await complaint(answer)}`);
    const { hash } = JSON.parse(new TextDecoder().decode(await bounded(answer, MOST_SAID, this.base))) as { hash?: unknown };
    const wanted = hex(sha256(bytes));
    if (hash !== wanted) throw new Error(`${this.base} stored ${wanted} and calls it ${String(hash)}`);
    return wanted;
  }

  async get(hash: string | Uint8Array, most = MOST_BYTES): Promise<Uint8Array> {
    const url = `${this.base}/${hashText(hash)}`;
    const answer = await this.http(url);
    if (!answer.ok) throw new Error(`${url}: ${await complaint(answer)}`);
    return checkHash(hash, await bounded(answer, most, url), url);
  }
}

/** All of a body, if it is no more than `most` bytes. */
export async function bounded(answer: Response, most: number, url: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = answer.body?.getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
    if (length > most) {
      await reader.cancel();
      throw new RangeError(`${url} is longer than ${most} bytes`);
    }
    parts.push(value);
  }
  return concat(parts);
}

async function complaint(answer: Response): Promise<string> {
  const text = await bounded(answer, MOST_SAID, answer.url).then((bytes) => new TextDecoder().decode(bytes), () => "");
  return `${answer.status} ${text.slice(0, 300) || answer.statusText}`;
}
