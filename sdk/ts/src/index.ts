// Joule for TypeScript. What is signed off chain is in formats, context, signing, prices, limits and tree; what goes on chain
// in precompile, programs, pda and v1.

export * from "./formats.js";
export * from "./context.js";
export * from "./signing.js";
export * from "./prices.js";
export * from "./limits.js";
export * from "./tree.js";
export * from "./precompile.js";
export * from "./programs.js";
export * as pda from "./pda.js";
export * as v1 from "./v1.js";
