// Anchor's deploy step: creates the protocol, admits its tokens, opens them for stakes, admits escrow and billing as services
// that may lock bonds, and tells billing which cluster this is. Running it again changes only what is missing; a service that is
// admitted later than a day after the protocol was created is in force ten days after that.
//
// `anchor migrate` calls the exported function with a provider; `run.ts` does the same without the Anchor CLI. The wallet
// must be the upgrade authority of the treasury program, which becomes the protocol's authority.

import { AnchorProvider, BN, Program, setProvider } from "@anchor-lang/core";
import { PublicKey } from "@solana/web3.js";
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

export async function initialise(provider: AnchorProvider, settings: Settings): Promise<void> {
  setProvider(provider);
  const treasury = new Program<JouleTreasury>(idlOf("treasury"), provider);
  const staking = new Program<JouleStaking>(idlOf("staking"), provider);
  const billing = new Program<JouleBilling>(idlOf("billing"), provider);
  await createProtocol(treasury, settings);
  await admit(treasury, staking, "escrow");
  await admit(treasury, staking, "billing");
  await nameCluster(treasury, billing);
  for (const mint of settings.mints) {
    await acceptMint(treasury, mint);
    if (mint.pool) await createPool(treasury, staking, new PublicKey(mint.mint), mint.pool);
  }
}

function at(program: { programId: PublicKey }, ...seeds: Uint8Array[]): PublicKey {
  return PublicKey.findProgramAddressSync(seeds, program.programId)[0];
}

/** Does what makes an account, unless it is there. */
async function once(provider: AnchorProvider, account: PublicKey, what: string, done: string, make: () => Promise<string>) {
  if (await provider.connection.getAccountInfo(account)) console.log(`${what} is ${done}`);
  else console.log(`${what} ${done} in ${await make()}`);
}

async function createProtocol(treasury: Program<JouleTreasury>, settings: Settings): Promise<void> {
  const provider = treasury.provider as AnchorProvider;
  const authority = provider.wallet.publicKey;
  const protocol = at(treasury, seed("protocol"));
  const [programData] = PublicKey.findProgramAddressSync([treasury.programId.toBytes()], LOADER);
  const fees = Array.from({ length: SERVICE_SLOTS }, (_, n) => (n < SERVICES.length ? settings.feeBps[SERVICES[n]] : 0));
  const guardian = settings.guardian ? new PublicKey(settings.guardian) : authority;
  await once(provider, protocol, `protocol ${protocol}`, "created", () =>
    treasury.methods
      .initializeProtocol(guardian, fees)
      .accountsPartial({ authority, protocol, programData })
      .rpc({ commitment: "confirmed" }),
  );
}

async function admit(
  treasury: Program<JouleTreasury>,
  staking: Program<JouleStaking>,
  name: "escrow" | "billing",
): Promise<void> {
  const provider = staking.provider as AnchorProvider;
  const program = new PublicKey(idlOf(name).address);
  const number = SERVICES.indexOf(name);
  const service = at(staking, seed("service"), Uint8Array.of(number));
  await once(provider, service, `service ${program}`, "admitted", () =>
    staking.methods
      .admitService(program, number)
      .accountsPartial({ authority: provider.wallet.publicKey, protocol: at(treasury, seed("protocol")), service })
      .rpc({ commitment: "confirmed" }),
  );
}

/** Everything that is signed off chain is bound to the cluster's genesis. */
async function nameCluster(treasury: Program<JouleTreasury>, billing: Program<JouleBilling>): Promise<void> {
  const provider = billing.provider as AnchorProvider;
  const cluster = at(billing, seed("cluster"));
  const genesis = new PublicKey(await provider.connection.getGenesisHash());
  await once(provider, cluster, `cluster ${genesis}`, "named", () =>
    billing.methods
      .initialize([...genesis.toBytes()])
      .accountsPartial({ authority: provider.wallet.publicKey, protocol: at(treasury, seed("protocol")), cluster })
      .rpc({ commitment: "confirmed" }),
  );
}

async function acceptMint(treasury: Program<JouleTreasury>, settings: Settings["mints"][number]): Promise<void> {
  const provider = treasury.provider as AnchorProvider;
  const mint = new PublicKey(settings.mint);
  const acceptedMint = at(treasury, seed("mint"), mint.toBytes());
  await once(provider, acceptedMint, `mint ${mint}`, "accepted", async () =>
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
  );
}

async function createPool(
  treasury: Program<JouleTreasury>,
  staking: Program<JouleStaking>,
  mint: PublicKey,
  settings: Pool,
): Promise<void> {
  const provider = staking.provider as AnchorProvider;
  const pool = at(staking, seed("pool"), mint.toBytes());
  const params = {
    maxLock: settings.maxLockDays * DAY,
    coolDown: settings.coolDownDays * DAY,
    drip: settings.dripDays * DAY,
    tiers: settings.tiers.map(({ minWeight, discountBps }) => ({ minWeight: new BN(minWeight), discountBps })),
  };
  await once(provider, pool, `pool of ${mint}`, "created", async () =>
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
  );
}

async function tokenProgramOf(provider: AnchorProvider, mint: PublicKey): Promise<PublicKey> {
  const account = await provider.connection.getAccountInfo(mint);
  if (!account) throw new Error(`there is no mint ${mint} on this cluster`);
  return account.owner;
}

/** The cluster's name in config.json, by its address. */
export function clusterOf(url: string): string {
  const named = ["devnet", "testnet", "mainnet"].find((name) => url.includes(name));
  return process.env.JOULE_CLUSTER ?? named ?? "localnet";
}

export default async function (provider: AnchorProvider): Promise<void> {
  await initialise(provider, settingsFor(clusterOf(provider.connection.rpcEndpoint)));
}
