// Bytes joined, compared, and as text; the same in Node and in browsers.

export function concat(parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, n) => byte === b[n]);
}

/** Which comes first: as `Array.sort` wants it. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, n) => byte !== b[n]);
  return at < 0 ? a.length - b.length : a[at]! - (b[at] ?? -1);
}

export const utf8 = (text: string) => new TextEncoder().encode(text);

export const hex = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Throws a RangeError for what is not lower-case hex. */
export function unhex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new RangeError(`${JSON.stringify(text.slice(0, 80))} is not hex, lower case`);
  return Uint8Array.from({ length: text.length / 2 }, (_, n) => parseInt(text.slice(2 * n, 2 * n + 2), 16));
}

export function base64(bytes: Uint8Array): string {
  let text = "";
  // As many at once as a call surely takes.
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

/** Throws a RangeError for what is not base64. */
export function unbase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  } catch {
    throw new RangeError("it is not base64");
  }
}

/** A number as its bytes, the least first. Throws a RangeError when it does not fit. */
export function little(number: bigint, size: number): Uint8Array {
  if (number < 0n || number >= 1n << BigInt(size * 8)) throw new RangeError(`${number} does not fit into ${size} bytes`);
  return Uint8Array.from({ length: size }, (_, n) => Number((number >> BigInt(8 * n)) & 0xffn));
}

/** The number that such bytes are. */
export const unlittle = (bytes: Uint8Array) => bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
