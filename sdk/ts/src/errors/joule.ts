// What a cluster refused, in the programs' own words.

/** Of which instruction, which program, which rule. */
export interface Failure {
  /** The rule's name, such as `ReviewWindowOpen`, `InsufficientFunds` or `BlockhashNotFound`. */
  code: string;
  /** Its number; null for the runtime's errors, which have names alone. */
  number: number | null;
  /** `escrow`, `billing`, `registry`, `staking`, `treasury`, `token`, `system`, an address; null for the transaction's own errors. */
  program: string | null;
  /** Index of the instruction in the transaction, if it was one; it may have called the program that failed. */
  instruction: number | null;
  /** A sentence. */
  text: string;
}

/** A transaction that was refused or that failed, with the rule that it broke. */
export class JouleError extends Error implements Failure {
  override readonly name = "JouleError";
  readonly code: string;
  readonly number: number | null;
  readonly program: string | null;
  readonly instruction: number | null;
  readonly text: string;
  /** Without the line that names the error: for that line Anchor's client would throw an error of its own in place of this one. */
  readonly logs: string[];

  constructor(failure: Failure, logs: string[], readonly signature: string | null, cause: unknown) {
    const { code, number, program, instruction, text } = failure;
    const which = number === null ? code : `${code}, error ${number}${program === null ? "" : ` of ${program}`}`;
    super(`${text} (${which}${instruction === null ? "" : `, instruction ${instruction}`})`, { cause });
    this.logs = logs.filter((line) => !line.startsWith("Program log: AnchorError "));
    this.code = code;
    this.number = number;
    this.program = program;
    this.instruction = instruction;
    this.text = text;
  }
}
