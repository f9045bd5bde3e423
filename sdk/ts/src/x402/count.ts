// What a client counts itself, by the gateway's own rule: a token is at least a byte of text, but for the one that ends an
// answer; images are those that came; time passed here while it passed there. All of it is in docs/wire.md.

import { utf8 } from "../bytes.js";
import { amountOf, type Prices, type Usage } from "../prices.js";
import { Objection } from "./objection.js";

/** Tokens of an answer that have no text: the one that ends it. */
export const END = 1n;
/** The longest answer, in tokens, that a body which leaves that open is ever taken to ask for. */
const LONGEST = 1n << 20n;
const U64_MAX = (1n << 64n) - 1n;
/** Two clocks may differ by this much in what they call a second: one part in so many; and by so many milliseconds more. */
const DRIFT = 100n;
const SLACK = 20n;

type Json = any;
const parse = (bytes: Uint8Array): Json => {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Json;
  } catch {
    return null;
  }
};
const natural = (value: unknown): bigint | null => (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : null);
const most = (...numbers: bigint[]) => numbers.reduce((a, b) => (a > b ? a : b));
const capped = (number: bigint) => (number > U64_MAX ? U64_MAX : number);

/** One request, as far as its price depends on it. */
export interface Asked {
  /** Bytes of the body: a token is at least one. */
  bytes: bigint;
  /** Answers that are made, of which each may be as long as it may; 0 where no text comes back. */
  answers: bigint;
  /** Tokens of one answer; null when the body leaves it open. */
  output: bigint | null;
  images: bigint;
}

/** Of a `body` that goes to `path`, such as `/v1/chat/completions`. */
export function askedOf(path: string, body: Uint8Array): Asked {
  const json = parse(body) ?? {};
  const count = most(natural(json.n) ?? 1n, natural(json.best_of) ?? 1n);
  const ofImages = path.endsWith("/images/generations");
  const prompts = Array.isArray(json.prompt) && !json.prompt.every((item: unknown) => typeof item === "number") ? BigInt(json.prompt.length) : 1n;
  const answers = ofImages || path.endsWith("/embeddings") ? 0n : path.endsWith("/chat/completions") ? count : count * prompts;
  const limits = [natural(json.max_tokens), natural(json.max_completion_tokens)].filter((limit) => limit !== null);
  return { bytes: BigInt(body.length), answers, output: limits.length > 0 ? most(...limits) : null, images: ofImages ? count : 0n };
}

/** The most that it can cost, where an answer has at most `open` tokens if the body does not say. Null when no amount holds it. */
export function mostOf(asked: Asked, prices: Prices, open: bigint, milliseconds: bigint): bigint | null {
  const outputTokens = capped(((asked.output ?? open) + END) * asked.answers);
  return amountOf(prices, { inputTokens: asked.bytes, outputTokens, images: asked.images, milliseconds });
}

/** How long an answer is that `amount` is the most for, in tokens. */
export function openFor(asked: Asked, prices: Prices, amount: bigint, milliseconds: bigint): bigint {
  let [fits, above] = [0n, LONGEST + 1n];
  while (above - fits > 1n) {
    const middle = (fits + above) / 2n;
    const cost = mostOf({ ...asked, output: null }, prices, middle, milliseconds);
    if (cost !== null && cost <= amount) fits = middle;
    else above = middle;
  }
  return fits;
}

/** The most that a receipt can say of one request. */
export class Counted {
  private text = 0n;
  private images = 0n;
  private readonly choices = new Set<number>();
  private milliseconds = 0n;

  constructor(private readonly asked: Asked) {}

  /** A whole answer, or what one event of a stream carries. */
  add(answer: Json): void {
    const choices: Json[] = Array.isArray(answer?.choices) ? answer.choices : [];
    for (const choice of choices) {
      for (const field of ["delta", "message", "text"]) this.text += textBytes(choice?.[field]);
      this.choices.add(Number(natural(choice?.index) ?? 0n));
    }
    const images: Json[] = Array.isArray(answer?.data) ? answer.data : [];
    const holds = (value: unknown) => typeof value === "string" && value !== "";
    this.images += BigInt(images.filter((image) => holds(image?.b64_json) || holds(image?.url)).length);
  }

  /** From the request's first byte to the answer's last, in milliseconds. */
  took(milliseconds: number): void {
    this.milliseconds = BigInt(Math.ceil(milliseconds));
  }

  /** Of an answer that came. Throws an `Objection`. */
  check(usage: Usage): void {
    // No more answers than were asked for, whatever numbers the provider invents.
    const came = BigInt(this.choices.size);
    const answers = came < this.asked.answers ? came : this.asked.answers;
    above("output tokens", usage.outputTokens, this.text + END * answers);
    above("images", usage.images, this.images < this.asked.images ? this.images : this.asked.images);
    this.checkUnseen(usage);
  }

  /** As much as can be known of one that did not. */
  checkUnseen(usage: Usage): void {
    above("input tokens", usage.inputTokens, this.asked.bytes);
    above("images", usage.images, this.asked.images);
    above("milliseconds", usage.milliseconds, this.milliseconds + this.milliseconds / DRIFT + SLACK);
  }
}

function above(what: string, claimed: bigint, most: bigint): void {
  if (claimed > most) throw new Objection("Usage", `the receipt says ${claimed} ${what}; there cannot have been more than ${most}`);
}

/** Not counted: images, sound, and the names of roles and types. */
const NOT_TEXT = ["role", "type", "id", "object", "finish_reason", "image_url", "input_audio"];

/** Bytes of all text in there. */
export function textBytes(value: Json): bigint {
  if (typeof value === "string") return BigInt(utf8(value).length);
  if (Array.isArray(value)) return value.reduce((sum: bigint, item) => sum + textBytes(item), 0n);
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).reduce((sum, [name, own]) => sum + (NOT_TEXT.includes(name) ? 0n : textBytes(own)), 0n);
  }
  // A prompt in tokens: each is about one.
  return typeof value === "number" ? 1n : 0n;
}

/** Whether a server says an error instead of an answer, whatever the status. */
export function isError(json: Json): boolean {
  const error = json?.error;
  // Many servers send the field with every answer.
  if (error === undefined || error === null || error === false || error === "") return false;
  return typeof error !== "object" || Array.isArray(error) || Object.keys(error).length > 0;
}
