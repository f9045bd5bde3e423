// Anchor's deploy step: creates the protocol, admits its tokens, opens them for stakes, admits escrow and billing as services
// that may lock bonds, and tells billing which cluster this is. Running it again makes only what is missing, and nothing at all
// if what is there is not what the settings say. A service that is admitted later than a day after the protocol was created is
// in force ten days after that.
//
// `anchor migrate` calls the exported function with a provider; `run.ts` does the same without the Anchor CLI. The wallet
// must be the upgrade authority of the treasury program, which becomes the protocol's authority.

import { AnchorProvider, BN, Idl, Program, setProvider } from "@anchor-lang/core";
import { Connection, PublicKey } from "@solana/web3.js";
import { readFileSync } from "fs";
import { join } from "path";
import type { JouleBilling } from "../idl/billing";
import type { JouleStaking } from "../idl/staking";
import type { JouleTreasury } from "../idl/treasury";

const LOADER = new PublicKey("BPFLoaderUpgradeab1e11111111111111111111111");
/** Order of the service numbers on the chain, which has room for eight. */
const SERVICES = ["escrow", "billing", "dataMarket", "depin"] as const;
const SERVICE_SLOTS = 8;
/** Seconds. */
const DAY = 24 * 60 * 60;

export interface Settings {
  /** Basis points of the price, by service. */
  feeBps: Record<(typeof SERVICES)[number], number>;
  /** May pause, and nothing else; without one, the authority itself. */
  guardian: string | null;
  /** Tokens that services take, the smallest payment, and the most that may leave the fee vault a day; in base units. */
  mints: { mint: string; minAmount: string; dailyOutflow: string; pool: Pool | null }[];
}

/** How a token's stakes are treated; null for a token that is not staked. */
export interface Pool {
  maxLockDays: number;
  coolDownDays: number;
  /** Over how long rewards are divided. */
  dripDays: number;
  /** Four, from the lowest weight, in base units, and discount to the highest. */
  tiers: { minWeight: string; discountBps: number }[];
}

/** What `make idl` wrote about a program. */
function idlOf(name: string) {
  return JSON.parse(readFileSync(join(__dirname, `../idl/${name}.json`), "utf8"));
}

const seed = (text: string) => Buffer.from(text);

/** Settings for a cluster, from config.json, or from the file that JOULE_MIGRATION_CONFIG names. */
export function settingsFor(cluster: string): Settings {
  const file = process.env.JOULE_MIGRATION_CONFIG ?? join(__dirname, "config.json");
  const settings = JSON.parse(readFileSync(file, "utf8"))[cluster];
  if (!settings) throw new Error(`${file} has no settings for the cluster ${cluster}`);
  return settings;
}

/** One account, as the settings want it. */
interface Wanted {
  /** What it is, in words. */
  what: string;
  /** What is done to it, in a participle. */
  done: string;
  /** What the settings say that the account there does not; `null` when there is none. */
  differences: string[] | null;
  make: () => Promise<string>;
}

export async function initialise(provider: AnchorProvider, settings: Settings): Promise<void> {
  setProvider(provider);
  const treasury = new Program<JouleTreasury>(idlOf("treasury"), provider);
  const staking = new Program<JouleStaking>(idlOf("staking"), provider);
  const billing = new Program<JouleBilling>(idlOf("billing"), provider);
  const wanted = [
    await protocolOf(treasury, settings),
    await serviceOf(treasury, staking, "escrow"),
    await serviceOf(treasury, staking, "billing"),
    await clusterNamed(treasury, billing),
  ];
  for (const mint of settings.mints) {
    wanted.push(await mintOf(treasury, mint));
    if (mint.pool) wanted.push(await poolOf(treasury, staking, new PublicKey(mint.mint), mint.pool));
  }
  const differences = wanted.flatMap(({ what, differences }) => (differences ?? []).map((each) => `${what}: ${each}`));
  if (wanted.some(({ differences }) => !differences)) differences.push(...(await othersProtocol(treasury)));
  if (differences.length > 0) {
    throw new Error(
      `the chain is not what the settings say, and nothing was changed:\n  ${differences.join("\n  ")}\n` +
        "change the settings, or the chain by the authority's instructions, and run this again",
    );
  }
  for (const { what, done, differences, make } of wanted) {
    if (differences) console.log(`${what} is ${done}`);
    else console.log(`${what} ${done} in ${await make()}`);
  }
}

function at(program: { programId: PublicKey }, ...seeds: Uint8Array[]): PublicKey {
  return PublicKey.findProgramAddressSync(seeds, program.programId)[0];
}

/** The account of this kind that is there. Lamports that a stranger has sent to its address are none. */
async function find<T extends Idl>(program: Program<T>, kind: string, address: PublicKey): Promise<any | null> {
  const found = await program.provider.connection.getAccountInfo(address);
  return found?.owner.equals(program.programId) ? program.coder.accounts.decode(kind as never, found.data) : null;
}

/** What is other than it should be, field by field: a name, what is there, what was wanted. */
function compare(...fields: [name: string, is: { toString(): string }, wanted: { toString(): string }][]): string[] {
  const others = fields.filter(([, is, wanted]) => is.toString() !== wanted.toString());
  return others.map(([name, is, wanted]) => `${name} is ${is}, and the settings say ${wanted}`);
}

async function protocolOf(treasury: Program<JouleTreasury>, settings: Settings): Promise<Wanted> {
  const provider = treasury.provider as AnchorProvider;
  const authority = provider.wallet.publicKey;
  const protocol = at(treasury, seed("protocol"));
  const [programData] = PublicKey.findProgramAddressSync([treasury.programId.toBytes()], LOADER);
  const fees = Array.from({ length: SERVICE_SLOTS }, (_, n) => (n < SERVICES.length ? settings.feeBps[SERVICES[n]] : 0));
  const found = await find(treasury, "protocol", protocol);
  const guardian = new PublicKey(settings.guardian ?? found?.authority ?? authority);
  return {
    what: `protocol ${protocol}`,
    done: "created",
    differences:
      found &&
      compare(
        ["guardian", found.guardian, guardian],
        ...fees.map((fee, n): [string, number, number] => [`fee of ${SERVICES[n] ?? `service ${n}`}`, found.feeBps[n], fee]),
      ),
    make: () =>
      treasury.methods
        .initializeProtocol(guardian, fees)
        .accountsPartial({ authority, protocol, programData })
        .rpc({ commitment: "confirmed" }),
  };
}

/** Whoever makes what is missing must be the protocol's authority, if there is a protocol. */
async function othersProtocol(treasury: Program<JouleTreasury>): Promise<string[]> {
  const protocol = await find(treasury, "protocol", at(treasury, seed("protocol")));
  const wallet = (treasury.provider as AnchorProvider).wallet.publicKey;
  if (!protocol || protocol.authority.equals(wallet)) return [];
  return [`something is missing, and only the authority ${protocol.authority} can make it; the wallet is ${wallet}`];
}

async function serviceOf(
  treasury: Program<JouleTreasury>,
  staking: Program<JouleStaking>,
  name: "escrow" | "billing",
): Promise<Wanted> {
  const provider = staking.provider as AnchorProvider;
  const program = new PublicKey(idlOf(name).address);
  const number = SERVICES.indexOf(name);
  const service = at(staking, seed("service"), Uint8Array.of(number));
  const found = await find(staking, "service", service);
  return {
    what: `service ${name}`,
    done: "admitted",
    differences: found && compare(["program", found.program, program]),
    make: () =>
      staking.methods
        .admitService(program, number)
        .accountsPartial({ authority: provider.wallet.publicKey, protocol: at(treasury, seed("protocol")), service })
        .rpc({ commitment: "confirmed" }),
  };
}

/** Everything that is signed off chain is bound to the cluster's genesis. */
async function clusterNamed(treasury: Program<JouleTreasury>, billing: Program<JouleBilling>): Promise<Wanted> {
  const provider = billing.provider as AnchorProvider;
  const cluster = at(billing, seed("cluster"));
  const genesis = new PublicKey(await provider.connection.getGenesisHash());
  const found = await find(billing, "cluster", cluster);
  return {
    what: `cluster ${genesis}`,
    done: "named",
    differences: found && compare(["genesis", new PublicKey(found.genesisHash), genesis]),
    make: () =>
      billing.methods
        .initialize([...genesis.toBytes()])
        .accountsPartial({ authority: provider.wallet.publicKey, protocol: at(treasury, seed("protocol")), cluster })
        .rpc({ commitment: "confirmed" }),
  };
}

async function mintOf(treasury: Program<JouleTreasury>, settings: Settings["mints"][number]): Promise<Wanted> {
  const provider = treasury.provider as AnchorProvider;
  const mint = new PublicKey(settings.mint);
  const acceptedMint = at(treasury, seed("mint"), mint.toBytes());
  const found = await find(treasury, "acceptedMint", acceptedMint);
  return {
    what: `mint ${mint}`,
    done: "accepted",
    differences:
      found &&
      compare(
        ["enabled", found.enabled === 1, true],
        ["minAmount", found.minAmount, new BN(settings.minAmount)],
        ["dailyOutflow", found.outflowLimit, new BN(settings.dailyOutflow)],
        ["seconds in which an outflow fades", found.outflowWindow, DAY],
      ),
    make: async () =>
      treasury.methods
        .acceptMint(new BN(settings.minAmount), new BN(settings.dailyOutflow), DAY)
        .accountsPartial({
          authority: provider.wallet.publicKey,
          protocol: at(treasury, seed("protocol")),
          mint,
          acceptedMint,
          feeVault: at(treasury, seed("fee_vault"), mint.toBytes()),
          tokenProgram: await tokenProgramOf(provider, mint),
        })
        .rpc({ commitment: "confirmed" }),
  };
}

async function poolOf(
  treasury: Program<JouleTreasury>,
  staking: Program<JouleStaking>,
  mint: PublicKey,
  settings: Pool,
): Promise<Wanted> {
  const provider = staking.provider as AnchorProvider;
  const pool = at(staking, seed("pool"), mint.toBytes());
  const params = {
    maxLock: settings.maxLockDays * DAY,
    coolDown: settings.coolDownDays * DAY,
    drip: settings.dripDays * DAY,
    tiers: settings.tiers.map(({ minWeight, discountBps }) => ({ minWeight: new BN(minWeight), discountBps })),
  };
  const found = await find(staking, "pool", pool);
  return {
    what: `pool of ${mint}`,
    done: "created",
    differences:
      found &&
      compare(
        ["maxLockDays", found.maxLock / DAY, settings.maxLockDays],
        ["coolDownDays", found.coolDown / DAY, settings.coolDownDays],
        ["dripDays", found.drip / DAY, settings.dripDays],
        ["minWeight of the tiers", found.tierWeights, params.tiers.map(({ minWeight }) => minWeight)],
        ["discountBps of the tiers", found.tierDiscountsBps, settings.tiers.map(({ discountBps }) => discountBps)],
      ),
    make: async () =>
      staking.methods
        .createPool(params)
        .accountsPartial({
          authority: provider.wallet.publicKey,
          protocol: at(treasury, seed("protocol")),
          acceptedMint: at(treasury, seed("mint"), mint.toBytes()),
          mint,
          pool,
          vault: at(staking, seed("pool_vault"), pool.toBytes()),
          tokenProgram: await tokenProgramOf(provider, mint),
        })
        .rpc({ commitment: "confirmed" }),
  };
}

async function tokenProgramOf(provider: AnchorProvider, mint: PublicKey): Promise<PublicKey> {
  const account = await provider.connection.getAccountInfo(mint);
  if (!account) throw new Error(`there is no mint ${mint} on this cluster`);
  return account.owner;
}

/** The public clusters, by what cannot be mistaken: the hash of their genesis. */
const PUBLIC: Record<string, string> = {
  "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet",
  "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY": "testnet",
  EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG: "devnet",
};

/** Which settings are meant: a public cluster's own, of any other those that were named. An address says nothing. */
export async function clusterOf(connection: Connection, named: string | undefined): Promise<string> {
  const genesis = await connection.getGenesisHash();
  const known = PUBLIC[genesis];
  const { rpcEndpoint: url } = connection;
  if (named && (known ?? named) !== named) throw new Error(`${url} is ${known}, not ${named}: check JOULE_CLUSTER`);
  if (named && !known && Object.values(PUBLIC).includes(named)) {
    throw new Error(`${url} is not ${named}: its genesis is ${genesis}; check JOULE_CLUSTER`);
  }
  if (!named && !known) {
    throw new Error(`${url} is no public cluster: say with JOULE_CLUSTER which settings it gets, such as JOULE_CLUSTER=localnet`);
  }
  return known ?? named!;
}

/** `named` is the cluster's name, where the address was found by it. */
export default async function (provider: AnchorProvider, named?: string): Promise<void> {
  const cluster = await clusterOf(provider.connection, process.env.JOULE_CLUSTER ?? named);
  await initialise(provider, settingsFor(cluster));
}
