import assert from "node:assert/strict";
import { test } from "node:test";
import { Connection, Ed25519Program, PublicKey, SystemProgram } from "@solana/web3.js";
import { PROGRAMS, Signer, escrow, pda, precompileInstruction, registry, staking, treasury } from "../src/index.js";

const provider = { connection: new Connection("http://127.0.0.1:8899") };
const address = (byte: number) => new PublicKey(new Uint8Array(32).fill(byte));

test("every program is a client of its own IDL", () => {
  const programs = { escrow: escrow(provider), registry: registry(provider), staking: staking(provider), treasury: treasury(provider) };
  for (const [name, program] of Object.entries(programs)) {
    assert.ok(program.programId.equals(PROGRAMS[name as keyof typeof PROGRAMS]));
  }
  assert.equal(new Set(Object.values(PROGRAMS).map(String)).size, 4);
});

test("an instruction is built from the IDL, and its PDAs are ours", async () => {
  const [payer, authority, subject] = [address(1), address(2), address(3)];
  const admit = registry(provider).methods.admitAttestor(Array(32).fill(7)).accountsPartial({ payer, governor: payer, protocol: subject, authority });
  const instruction = await admit.instruction();
  assert.ok(instruction.programId.equals(PROGRAMS.registry));
  assert.equal(instruction.data.length, 8 + 32);
  assert.ok(instruction.keys.some(({ pubkey }) => pubkey.equals(SystemProgram.programId)));
  const register = registry(provider).methods.register({} as never).accountsPartial({ payer, authority });
  assert.equal(String((await register.pubkeys()).provider), String(pda.provider(authority)));
});

test("addresses of billing are told apart by every seed", () => {
  const [billing, owner, mint] = [address(9), address(1), address(2)];
  const payer = pda.payer(billing, owner, mint);
  const channel = pda.channel(billing, payer, 1n);
  const model = pda.model(owner, 1n);
  const all = [
    payer, pda.payer(billing, mint, owner), pda.payer(address(8), owner, mint), channel, pda.channel(billing, payer, 256n),
    pda.plan(billing, channel), pda.cluster(billing), model, pda.model(owner, 2n), pda.prices(model, 1), pda.prices(model, 2),
  ];
  assert.equal(new Set(all.map(String)).size, all.length);
  assert.throws(() => pda.channel(billing, payer, -1n), RangeError);
  assert.throws(() => pda.prices(model, 2 ** 32), RangeError);
});

test("numbers in seeds are little endian", () => {
  const [payer, billing] = [address(1), address(9)];
  const seeds = [Buffer.from("channel"), payer.toBytes(), Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0)];
  assert.deepEqual(pda.channel(billing, payer, 0x0102n), PublicKey.findProgramAddressSync(seeds, billing)[0]);
});

test("the precompile's instruction is the one that web3.js builds", () => {
  const [signer, message] = [new Signer(new Uint8Array(32).fill(5)), new Uint8Array(96).fill(6)];
  const signature = signer.sign(message);
  assert.deepEqual(
    precompileInstruction(signer.publicKey, signature, message),
    Ed25519Program.createInstructionWithPublicKey({ publicKey: signer.publicKey, message, signature }),
  );
});
