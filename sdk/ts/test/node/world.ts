// A local network with an indexer, a provider's node and, if it is wanted, a gateway: the binaries of the build.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { createWriteStream, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { BINARIES, REPOSITORY } from "./repository.js";

/** As much of localnet.json as is used here. */
interface Network extends Record<"rpc" | "ws" | "grpc" | "mint" | "symbol" | "artifacts", string> {
  personas: Record<string, string>;
}

/** How long anything may take: only failures wait for it. */
const PATIENCE_MS = 120_000;

export class World {
  readonly folder = mkdtempSync(join(tmpdir(), "joule-sdk-"));
  readonly stateDir = join(this.folder, "state");
  private readonly children: ChildProcess[] = [];
  network: Network = { rpc: "", ws: "", grpc: "", mint: "", symbol: "", artifacts: "", personas: {} };
  indexer = "";

  /** With a provider, `north`, that is registered, bonded and takes jobs. */
  static async start(): Promise<World> {
    const world = new World();
    try {
      const programs = join(REPOSITORY, "target/deploy");
      const ports = ["--rpc-port", "0", "--ws-port", "0", "--grpc-port", "0", "--store-port", "0", "--slot-time", "100ms"];
      world.network = JSON.parse(await world.spawn("joule-localnet", ["--state-dir", world.stateDir, "--programs-dir", programs, ...ports, "--json"], /^(\{.*\})$/));
      world.indexer = await world.spawn("joule-indexer", ["--config", world.settings("indexer", "")], /^joule-indexer: (http\S+)/);
      await world.joule("provider", "register", "--as", "north");
      await world.joule("provider", "bond", "open", "100", "--as", "north");
      const node = world.settings("node", "[node]\nlisten = 'off'\npoll = '200ms'\n");
      void world.spawn("joule-node", ["run", "--config", node], /never/).catch(() => {});
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  key(persona: string): string {
    return join(this.stateDir, "keys", `${persona}.json`);
  }

  /** `joule ..`, its JSON. */
  async joule(...args: string[]): Promise<any> {
    const { stdout } = await promisify(execFile)(this.binary("joule"), [...args, "--json", "--state-dir", this.stateDir], { env: ENV });
    return stdout.trim() === "" ? null : JSON.parse(stdout);
  }

  /** `bob`'s model, sold by `north` through a gateway: by x402's `exact` too, if `float` is reserved for that. */
  async sell(origins: string[] = [], float?: string): Promise<{ gateway: string; model: string }> {
    const { model } = await this.joule("model", "create", "--as", "bob");
    const published = await this.joule("model", "publish", model, "--request", "0.001", "--input", "1", "--output", "5", "--as", "bob");
    const digits = join(REPOSITORY, "workloads/digits/digits.wasm");
    const upstream = await this.spawn("joule-gateway", ["upstream", "--listen", "127.0.0.1:0", "--module", digits], /^joule-gateway upstream: (http\S+)/);
    const exact = float === undefined ? "" : `[gateway.exact]\nchannels = ['${await this.house(model, float)}']\n`;
    const gateway = this.settings("gateway", `[gateway]
listen = '127.0.0.1:0'\npublic_url = 'http://127.0.0.1/'\nledger = 'gateway.sqlite'\ncors_origins = ${JSON.stringify(origins)}
[gateway.risk]\nrefresh = '200ms'\n[gateway.settle]\nevery = '200ms'\nfee = '0 units'
[[gateway.model]]\nname = 'digits'\nmodel = '${model}'\nprices = ['${published.prices}']\nupstream = '${upstream}'\nmax_output_tokens = 64\n${exact}`);
    return { model, gateway: await this.spawn("joule-gateway", ["run", "--config", gateway], /^joule-gateway: (http\S+)/) };
  }

  /** A channel by which `north` pays itself what comes in by transactions. */
  private async house(model: string, float: string): Promise<string> {
    const north = this.network.personas.north!;
    const terms = ["--provider", north, "--session-signer", north, "--backing", "0", "--session", "365d", "--as", "north", "--yes"];
    return (await this.joule("channel", "open", model, float, ...terms)).channel;
  }

  /** A joule.toml for one service. */
  private settings(service: string, section: string): string {
    const { rpc, grpc, mint, symbol, artifacts } = this.network;
    const shared = { rpc, mint, symbol, artifacts, key: this.key("north"), indexer: this.indexer };
    const path = join(this.folder, `${service}.toml`);
    const top = Object.entries(shared).filter(([, value]) => value).map(([name, value]) => `${name} = '${value}'\n`).join("");
    const index = `[indexer]\ngrpc = '${grpc}'\ndatabase = 'index.sqlite'\nlisten = '127.0.0.1:0'\n`;
    writeFileSync(path, `${top}${service === "indexer" ? index : section}`);
    return path;
  }

  private binary(name: string): string {
    const path = join(BINARIES, name);
    if (!existsSync(path)) throw new Error(`${path} is not there: \`make build\` makes it`);
    return path;
  }

  /** Starts a service, and waits until it says what `ready` matches: the first group. */
  private spawn(name: string, args: string[], ready: RegExp): Promise<string> {
    const child = spawn(this.binary(name), args, { env: ENV, stdio: ["ignore", "pipe", "pipe"] });
    this.children.push(child);
    const log: string[] = [];
    const file = createWriteStream(join(this.folder, `${name}.log`), { flags: "a" });
    return new Promise((resolve, reject) => {
      const fail = (why: string) => reject(new Error(`${name} ${why}:\n${log.slice(-20).join("\n")}`));
      const timer = setTimeout(() => fail("says nothing"), PATIENCE_MS);
      timer.unref();
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on("line", (line) => {
          log.push(line);
          file.write(`${line}\n`);
          const found = ready.exec(line);
          if (found) (clearTimeout(timer), resolve(found[1]!));
        });
      }
      child.on("exit", (code) => fail(`ended with ${code}`));
      child.on("error", (error) => fail(error.message));
    });
  }

  async stop(): Promise<void> {
    const ended = this.children.map((child) => child.exitCode === null && child.signalCode === null && new Promise((done) => child.on("exit", done)));
    this.children.reverse().forEach((child) => child.kill("SIGTERM"));
    const late = setTimeout(() => this.children.forEach((child) => child.kill("SIGKILL")), 10_000);
    await Promise.all(ended);
    clearTimeout(late);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Nothing of the caller's settings reaches the services. */
const ENV = Object.fromEntries(["PATH", "HOME", "TMPDIR"].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
