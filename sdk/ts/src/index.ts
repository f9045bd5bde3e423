// Joule for TypeScript. `Joule` is jobs and channels of somebody on a cluster, `payingFetch` requests that pay for themselves.
// Under them: what is signed off chain (formats, context, signing, prices, limits, tree), what is paid with (x402), and what goes
// on chain (accounts, build, events, errors, names, pda, precompile, programs, v1).

export * from "./accounts.js";
export { inTokens, unitsIn, type Amount, type Token } from "./amount.js";
export { Artifacts, type ArtifactStore } from "./artifacts.js";
export { build, type Args, type Named } from "./build.js";
export { base64, compare, concat, equal, hex, unbase64, unhex, utf8 } from "./bytes.js";
export { type Settings } from "./chain.js";
export { type ChannelOrder } from "./channel/open.js";
export { freeOf } from "./channel/payer.js";
export * from "./context.js";
export { secondsIn, type Duration } from "./duration.js";
export * from "./errors/index.js";
export { events, eventsIn, eventsOf, type Following, type JouleEvent } from "./events.js";
export * from "./formats.js";
export * from "./idls.js";
export { type JobAt } from "./job/accounts.js";
export { type JobOrder } from "./job/post.js";
export { type Watched, type Watching } from "./job/watch.js";
export { Joule } from "./joule.js";
export { refusal, type Limits as VoucherLimits, type Refusal } from "./limits.js";
export * from "./names.js";
export type { Accounts, Events } from "./plain.js";
export * from "./precompile.js";
export * from "./prices.js";
export * from "./programs.js";
export { keyWallet, send, type Wallet } from "./send.js";
export * from "./signing.js";
export { specBytes, type JobSpec } from "./spec.js";
export { balanceOf, createAssociated, readMint, type Mint } from "./token.js";
export * from "./tree.js";
export * from "./x402/index.js";
export * as pda from "./pda.js";
export * as v1 from "./v1.js";
