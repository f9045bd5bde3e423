// Errors of programs that are not ours, by number, in words.

export type Words = Record<number, readonly [name: string, text: string]>;

/** SPL Token and Token-2022 share their first numbers. */
export const TOKEN: Words = {
  0: ["NotRentExempt", "The account holds too few lamports to be exempt from rent"],
  1: ["InsufficientFunds", "The token account holds too few tokens"],
  2: ["InvalidMint", "That is no mint"],
  3: ["MintMismatch", "The token account is of another mint"],
  4: ["OwnerMismatch", "The token account is somebody else's, or whoever signs may not spend from it"],
  5: ["FixedSupply", "This token's supply is fixed: nobody may mint more of it"],
  6: ["AlreadyInUse", "The token account or mint exists already"],
  7: ["InvalidNumberOfProvidedSigners", "Too many or too few keys sign for the token account"],
  8: ["InvalidNumberOfRequiredSigners", "So many keys cannot be required to sign"],
  9: ["UninitializedState", "The token account or mint does not exist yet"],
  10: ["NativeNotSupported", "This does not work with wrapped SOL"],
  11: ["NonNativeHasBalance", "The token account can be closed when it holds no tokens any more"],
  12: ["InvalidInstruction", "The token program knows no such instruction"],
  13: ["InvalidState", "The token account is in no state for this"],
  14: ["Overflow", "The amount is more than a token account can hold"],
  15: ["AuthorityTypeNotSupported", "The account has no authority of this kind"],
  16: ["MintCannotFreeze", "Nobody can freeze accounts of this token"],
  17: ["AccountFrozen", "The token account is frozen"],
  18: ["MintDecimalsMismatch", "The token has another number of decimals"],
  19: ["NonNativeNotSupported", "This works with wrapped SOL only"],
};

export const SYSTEM: Words = {
  0: ["AccountAlreadyInUse", "An account exists already at that address"],
  1: ["ResultWithNegativeLamports", "The account holds too few lamports"],
  2: ["InvalidProgramId", "No account can belong to that program"],
  3: ["InvalidAccountDataLength", "No account can have so many bytes"],
  4: ["MaxSeedLengthExceeded", "The seed is too long"],
  5: ["AddressWithSeedMismatch", "The address is not the one that the seed makes"],
  6: ["NonceNoRecentBlockhashes", "There is no recent blockhash for the nonce"],
  7: ["NonceBlockhashNotExpired", "The nonce's blockhash has not expired"],
  8: ["NonceUnexpectedBlockhashValue", "The nonce's blockhash is another one"],
};

export const ASSOCIATED_TOKEN: Words = {
  0: ["InvalidOwner", "The associated token account belongs to somebody else by now"],
};

/** What Anchor 2 raises itself and no IDL lists. */
export const ANCHOR: Words = {
  2000: ["ConstraintMut", "An account must be writable"],
  2001: ["ConstraintHasOne", "An account does not name another one that it should"],
  2003: ["ConstraintRaw", "A constraint of an account does not hold"],
  2005: ["ConstraintRentExempt", "An account holds too few lamports to be exempt from rent"],
  2007: ["ConstraintExecutable", "An account must be a program"],
  2011: ["ConstraintClose", "An account cannot be closed into itself"],
  2012: ["ConstraintAddress", "An account is not the one expected"],
  2013: ["ConstraintZero", "An account must be fresh and zeroed"],
  2019: ["ConstraintSpace", "An account does not have the size expected"],
  2020: ["ConstraintAccountIsNone", "An account that may be left out is needed here"],
  2040: ["ConstraintDuplicateMutableAccount", "One account is in two places, and may be written in one of them"],
  2500: ["RequireViolated", "A condition does not hold"],
  2501: ["RequireEqViolated", "Two values must be equal"],
  2502: ["RequireKeysEqViolated", "Two addresses must be equal"],
  2503: ["RequireNeqViolated", "Two values must differ"],
  2504: ["RequireKeysNeqViolated", "Two addresses must differ"],
  2505: ["RequireGtViolated", "A value must be greater than another"],
  2506: ["RequireGteViolated", "A value must not be less than another"],
};

/** The runtime's own, of an instruction or a whole transaction. Those that are not here are said by their names. */
export const RUNTIME: Record<string, string> = {
  AccountAlreadyInitialized: "An account exists already at that address",
  AccountBorrowFailed: "An account is in two places, and may be in one of them",
  AccountDataTooSmall: "An account does not exist yet, or is of another kind",
  AccountInUse: "Another transaction is writing one of the accounts: try again",
  AccountNotFound: "The account that is to pay the fee does not exist on this cluster: it has never had any SOL",
  AlreadyProcessed: "This very transaction has been processed already",
  BlockhashNotFound: "The blockhash is too old, or another cluster's",
  ComputationalBudgetExceeded: "The transaction ran out of compute units",
  IllegalOwner: "An account belongs to another program than it should",
  IncorrectProgramId: "An account or instruction belongs to another program",
  InsufficientFunds: "An account holds too few lamports",
  InsufficientFundsForFee: "The fee payer holds too few lamports for the fee",
  InsufficientFundsForRent: "An account would be left with too few lamports to be exempt from rent",
  InvalidAccountData: "An account is of another kind than expected",
  InvalidAccountOwner: "An account belongs to another program than it should",
  InvalidArgument: "An argument is out of range",
  InvalidInstructionData: "The program cannot read the instruction",
  InvalidSeeds: "An address is not the one that its seeds make",
  MaxComputeUnitsExceeded: "The transaction ran out of compute units",
  MissingRequiredSignature: "Whoever must sign has not",
  NotEnoughAccountKeys: "Accounts are missing",
  ProgramAccountNotFound: "There is no such program on this cluster",
  ProgramFailedToComplete: "The program stopped in the middle",
  SanitizeFailure: "The transaction is malformed",
  SignatureFailure: "A signature does not fit",
  UninitializedAccount: "An account does not exist yet",
  UnsupportedProgramId: "There is no such program on this cluster",
  WouldExceedMaxBlockCostLimit: "The block is full: try again",
};
