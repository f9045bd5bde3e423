// Errors by name and in words.

export { explain, explained, failureOf, ruleOf } from "./explain.js";
export { JouleError, type Failure } from "./joule.js";
export { explaining } from "./provider.js";
export { said, type Said, type TransactionError } from "./said.js";
