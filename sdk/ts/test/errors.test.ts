import assert from "node:assert/strict";
import { test } from "node:test";
import { SendTransactionError } from "@solana/web3.js";
import { IDLS, JouleError, PROGRAMS, explain, failureOf, pda, ruleOf } from "../src/index.js";

const ESCROW = PROGRAMS.escrow.toBase58();
const STAKING = PROGRAMS.staking.toBase58();
const TOKEN = pda.TOKEN_PROGRAM.toBase58();
const SYSTEM = "11111111111111111111111111111111";
const invoked = (program: string, depth: number) => `Program ${program} invoke [${depth}]`;
const failed = (program: string, code: string) => `Program ${program} failed: custom program error: ${code}`;

/** As web3.js throws it when preflight fails. */
const preflight = (message: string, logs: string[]) =>
  new SendTransactionError({ action: "simulate", signature: "", transactionMessage: message, logs });

test("what preflight leaves as a number is a rule with a name and a sentence", () => {
  const logs = [invoked(ESCROW, 1), failed(ESCROW, "0x183c")];
  const error = explain(preflight("Transaction simulation failed: Error processing Instruction 0: custom program error: 0x183c", logs));
  assert.ok(error instanceof JouleError);
  const { code, number, program, instruction } = error as JouleError;
  assert.deepEqual({ code, number, program, instruction }, { code: "WrongId", number: 6204, program: "escrow", instruction: 0 });
  assert.match((error as JouleError).message, /\(WrongId, error 6204 of escrow, instruction 0\)$/);
  assert.deepEqual((error as JouleError).logs, logs);
});

test("the line by which a program names its error is not handed on: Anchor's client would put its own error in place of ours", () => {
  const named = "Program log: AnchorError occurred. Error Code: WrongId. Error Number: 6204. Error Message: A job's id is the client's next number.";
  const error = explain(preflight("Error processing Instruction 0: custom program error: 0x183c", [invoked(ESCROW, 1), named, failed(ESCROW, "0x183c")]));
  assert.equal((error as JouleError).code, "WrongId");
  assert.deepEqual((error as JouleError).logs, [invoked(ESCROW, 1), failed(ESCROW, "0x183c")]);
});

test("every error of every program has a name and a text, and a number of its own", () => {
  const seen = new Set<number>();
  for (const [program, idl] of Object.entries(IDLS)) {
    for (const { code } of idl.errors as readonly { code: number }[]) {
      assert.equal(seen.has(code), false);
      seen.add(code);
      const rule = ruleOf(code)!;
      assert.equal(rule.program, program);
      assert.match(rule.code, /^[A-Z]\w+$/);
      assert.notEqual(rule.text, rule.code);
    }
  }
});

test("the program that failed is the one that was called, not its caller", () => {
  const logs = [invoked(ESCROW, 1), invoked(TOKEN, 2), failed(TOKEN, "0x1"), failed(ESCROW, "0x1")];
  const failure = failureOf({ error: { InstructionError: [2, { Custom: 1 }] }, logs })!;
  assert.deepEqual({ ...failure }, { code: "InsufficientFunds", number: 1, program: "token", instruction: 2, text: "The token account holds too few tokens" });
  const inner = failureOf({ error: null, logs: [invoked(ESCROW, 1), invoked(STAKING, 2), failed(STAKING, "0x7d1"), failed(ESCROW, "0x7d1")] })!;
  assert.deepEqual([inner.code, inner.program], ["ConstraintHasOne", "staking"]);
});

test("the system program's numbers are said", () => {
  const logs = [invoked(SYSTEM, 1), "Transfer: insufficient lamports 5, need 100", failed(SYSTEM, "0x1")];
  const failure = failureOf({ error: { InstructionError: [0, { Custom: 1 }] }, logs })!;
  assert.equal(failure.text, "The account holds 5 lamports, and 100 are needed");
  const inUse = failureOf({ error: null, logs: [invoked(SYSTEM, 2), `Allocate: account Address { address: ${ESCROW}, base: None } already in use`, failed(SYSTEM, "0x0")] })!;
  assert.deepEqual([inUse.code, inUse.text], ["AccountAlreadyInUse", `An account exists already at ${ESCROW}`]);
});

test("errors of the runtime are said in words, whoever says them", () => {
  for (const [thrown, code] of [
    [{ err: { InstructionError: [1, "InvalidSeeds"] } }, "InvalidSeeds"],
    [{ InstructionError: [1, "MissingRequiredSignature"] }, "MissingRequiredSignature"],
    [{ err: "BlockhashNotFound" }, "BlockhashNotFound"],
    [{ value: { err: { InsufficientFundsForRent: { account_index: 2 } } } }, "InsufficientFundsForRent"],
    [preflight("Transaction simulation failed: Blockhash not found", []), "BlockhashNotFound"],
    [preflight("Transaction simulation failed: Attempt to debit an account but found no record of a prior credit.", []), "AccountNotFound"],
    [preflight("Transaction simulation failed: Error processing Instruction 0: missing required signature for instruction", []), "MissingRequiredSignature"],
    [preflight("Transaction simulation failed: Error processing Instruction 0: account data too small for instruction: 3 log messages:\n  Program x", []), "AccountDataTooSmall"],
    [new Error('Raw transaction 5x failed ({"err":{"InstructionError":[0,{"Custom":6401}]}})'), "Paused"],
    [{ meta: { err: { InstructionError: [0, { Custom: 6459 }] }, logMessages: [] } }, "NoContradiction"],
  ] as const) {
    const error = explain(thrown) as JouleError;
    assert.ok(error instanceof JouleError, code);
    assert.equal(error.code, code);
    assert.match(error.message, /^[A-Z].* .*\(/);
  }
});

test("what has nothing to do with a transaction stays as it was", () => {
  for (const thrown of [new TypeError("fetch failed"), "text", null, undefined, 7, { logs: [] }, new Error("")]) assert.equal(explain(thrown), thrown);
});

test("a number that nobody knows is shown with its program", () => {
  const stranger = "Stake11111111111111111111111111111111111111";
  const failure = failureOf({ error: { InstructionError: [0, { Custom: 77 }] }, logs: [failed(stranger, "0x4d")] })!;
  assert.deepEqual([failure.code, failure.number, failure.program], ["Custom77", 77, stranger]);
});
