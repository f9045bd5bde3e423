import assert from "node:assert/strict";
import { Buffer } from "buffer";
import { test } from "node:test";
import { Connection, Ed25519Program, PublicKey, SystemProgram } from "@solana/web3.js";
import {
  IDLS, JobStatus, PROGRAMS, Signer, Verification, billing, build, escrow, pda, precompileInstruction, registry, staking, treasury,
} from "../src/index.js";

const provider = { connection: new Connection("http://127.0.0.1:8899") };
const address = (byte: number) => new PublicKey(new Uint8Array(32).fill(byte));

test("every program is a client of its own IDL", () => {
  const programs = {
    billing: billing(provider), escrow: escrow(provider), registry: registry(provider), staking: staking(provider), treasury: treasury(provider),
  };
  assert.deepEqual(Object.keys(programs), Object.keys(IDLS));
  for (const [name, program] of Object.entries(programs)) {
    assert.ok(program.programId.equals(PROGRAMS[name as keyof typeof PROGRAMS]));
  }
  assert.equal(new Set(Object.values(PROGRAMS).map(String)).size, 5);
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
  const ours = build("registry", "admitAttestor", { metadataHash: new Uint8Array(32).fill(7) }, { payer, governor: payer, protocol: subject, authority, attestor: pda.attestor(authority) });
  assert.deepEqual(ours.data, instruction.data);
  assert.deepEqual(ours.keys.map(({ pubkey }) => String(pubkey)), instruction.keys.map(({ pubkey }) => String(pubkey)));
});

test("what an instruction lacks, or does not have, is named", () => {
  const [client, job] = [address(1), address(2)];
  assert.throws(() => build("escrow", "report", { seconds: 1, progressHash: new Uint8Array(32) }, { job }), /needs the account authority/);
  assert.throws(() => build("escrow", "report", { seconds: 1 }, { job, authority: client }), /needs the argument progressHash/);
  assert.throws(() => build("escrow", "report", {}, { job, authority: client, client }), /has no account client, but authority, job/);
  assert.throws(() => build("escrow", "repot", {}, {}), /there is no instruction escrow's repot/);
});

test("an account that is left out is the program, as Anchor has it", () => {
  const at = (n: number) => address(n);
  const challenge = build("escrow", "challenge", { counterResult: new Uint8Array(32) }, {
    payer: at(1), challenger: at(1), job: at(2), dispute: at(3), vault: at(4), source: at(5), account: at(5), panel: null,
  });
  const panel = challenge.keys[4]!;
  assert.ok(panel.pubkey.equals(PROGRAMS.escrow) && !panel.isWritable && !panel.isSigner);
});

test("every seed makes another address", () => {
  const [owner, mint] = [address(1), address(2)];
  const [payer, model, job, bond, pool] = [pda.payer(owner, mint), pda.model(owner, 1n), pda.job(owner, 1n), pda.bond(owner, mint), pda.pool(mint)];
  const [channel, dispute, panel, signer] = [pda.channel(payer, 1n), pda.dispute(job), pda.panel(mint, 1n), pda.claimSigner(PROGRAMS.escrow)];
  const all = [
    payer, pda.payer(mint, owner), pda.payerVault(payer), channel, pda.channel(payer, 256n), pda.plan(channel), pda.cluster(),
    model, pda.model(owner, 2n), pda.prices(model, 1), pda.prices(model, 2), pda.provider(owner), pda.attestor(owner),
    pda.attestations(owner), pda.requirements(owner, mint.toBytes()), pda.client(owner), job, pda.job(owner, 2n), pda.vault(job),
    pda.bid(job, owner), dispute, pda.vote(dispute, 0, owner), pda.vote(dispute, 1, owner), panel, pda.panel(mint, 2n),
    pda.seatClaim(panel, owner), pool, pda.poolVault(pool), pda.stake(pool, owner), pda.service(0), pda.service(1), signer,
    pda.claimSigner(PROGRAMS.billing), bond, pda.bondVault(bond), pda.claim(signer, job), pda.protocol(), pda.acceptedMint(mint),
    pda.feeVault(mint), pda.eventAuthority(PROGRAMS.escrow), pda.eventAuthority(PROGRAMS.billing), pda.associatedToken(owner, mint),
    pda.associatedToken(owner, mint, pda.TOKEN_2022_PROGRAM), pda.programData(PROGRAMS.escrow),
  ];
  assert.equal(new Set(all.map(String)).size, all.length);
  assert.throws(() => pda.channel(payer, -1n), RangeError);
  assert.throws(() => pda.prices(model, 2 ** 32), RangeError);
});

test("numbers in seeds are little endian", () => {
  const payer = address(1);
  const seeds = [Buffer.from("channel"), payer.toBytes(), Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0)];
  assert.equal(String(pda.channel(payer, 0x0102n)), String(PublicKey.findProgramAddressSync(seeds, PROGRAMS.billing)[0]));
});

test("numbers have names, and names numbers", () => {
  assert.equal(JobStatus.of(3), "delivered");
  assert.equal(JobStatus.number("challenged"), 6);
  assert.throws(() => JobStatus.of(9), /no status of a job has number 9/);
  assert.throws(() => Verification.number("judge" as never), /"judge" is no way of verifying: one of review, quorum, panel/);
});

test("the precompile's instruction is the one that web3.js builds", () => {
  const [signer, message] = [new Signer(new Uint8Array(32).fill(5)), new Uint8Array(96).fill(6)];
  const signature = signer.sign(message);
  assert.deepEqual(
    precompileInstruction(signer.publicKey, signature, message),
    Ed25519Program.createInstructionWithPublicKey({ publicKey: signer.publicKey, message, signature }),
  );
});
