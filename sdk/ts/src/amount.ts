// Amounts as people write them: tokens with a decimal point, or base units said as such.

/** Base units as a bigint; or `"2.5"`, `"2.5 JOULE"`, `"2500000 units"`. A number is refused: nobody could say what it is of. */
export type Amount = bigint | string;

/** What amounts are read and written in. */
export interface Token {
  /** As people call it; null when nobody has said. */
  symbol: string | null;
  /** Digits after the point of one token; a base unit is the last of them. */
  decimals: number;
}

const U64_MAX = (1n << 64n) - 1n;

/** In base units. Throws a RangeError for what is no amount, for another token's symbol, and for digits that the token does not have. */
export function unitsIn(amount: Amount, { symbol, decimals }: Token): bigint {
  const bad = (why: string) => new RangeError(`${typeof amount === "string" ? JSON.stringify(amount) : String(amount)} is not an amount: ${why}`);
  if (typeof amount === "bigint") return fit(amount, bad);
  const [, whole, point, fraction, word] = /^\s*(\d*)(\.?)(\d*)\s*([^\s\d.,_'-][^\s,]*)?\s*$/.exec(String(amount)) ?? [];
  if (typeof amount !== "string" || whole === undefined || whole + fraction! === "") {
    throw bad('write digits with at most one point, such as "12.5 JOULE", or "12500000 units", or base units as a bigint');
  }
  if (word === "units" || word === "unit") {
    if (point) throw bad("base units are whole");
    return fit(BigInt(whole), bad);
  }
  if (word !== undefined && word.toUpperCase() !== symbol?.toUpperCase()) {
    throw bad(symbol === null ? `this token's symbol is not known: leave ${word} out` : `the token is ${symbol}`);
  }
  if (fraction!.length > decimals) throw bad(`${symbol ?? "the token"} has ${decimals} decimals`);
  return fit(BigInt(whole + fraction!.padEnd(decimals, "0")), bad);
}

function fit(units: bigint, bad: (why: string) => RangeError): bigint {
  if (units < 0n || units > U64_MAX) throw bad("it does not fit into 64 bits of base units");
  return units;
}

/** To the last unit, without zeros at the end, with the symbol if there is one: `12.5 JOULE`. */
export function inTokens(units: bigint, { symbol, decimals }: Token): string {
  const digits = units.toString().padStart(decimals + 1, "0");
  const [whole, fraction] = [digits.slice(0, digits.length - decimals), digits.slice(digits.length - decimals).replace(/0+$/, "")];
  return `${whole}${fraction && `.${fraction}`}${symbol === null ? "" : ` ${symbol}`}`;
}
