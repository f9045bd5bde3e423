//! Every way in which an `exact` payment is not good enough, by name.

/// Why a transaction is not signed, or has paid nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("this model is not sold by the scheme exact here")]
    NotSold,

    // Of the transaction as it is written.
    #[error("the payment is not the base64 of a transaction as the network takes it")]
    Encoding,
    #[error("only legacy transactions and those of version 0 are taken")]
    Version,
    #[error("transactions with address lookup tables are not taken")]
    LookupTables,
    #[error("the transaction must be signed by the fee payer of the terms, and by the payer alone")]
    Signers,
    #[error("the payer has not signed this transaction")]
    Signature,
    #[error("the transaction has {0} instructions beside a wallet's guards; 3 to 6 are taken")]
    Count(usize),
    #[error("the transaction has {count} guards of a wallet; at most {most} are taken")]
    Guards { count: usize, most: usize },
    #[error("instruction {0}, counted from 0, is a guard about another account than the payer's, the one it pays from, and the fee payer's")]
    GuardAccount(usize),
    #[error("too many payments with guards of a wallet have failed: pay without, or come again later")]
    GuardsPaused,
    #[error("an instruction is about the fee payer, and is no assertion of Lighthouse")]
    FeePayerUsed,
    #[error("the first instruction must set the compute unit limit")]
    NoUnitLimit,
    #[error("the compute unit limit is {asked}; at most {most} are paid for")]
    UnitLimit { asked: u32, most: u32 },
    #[error("the second instruction must set the compute unit price")]
    NoUnitPrice,
    #[error("the compute unit price is {asked} micro-lamports; at most {most} are paid")]
    UnitPrice { asked: u64, most: u64 },
    #[error("instruction {0}, counted from 0, is none that may stand there: only memos may, and assertions of Lighthouse about one account")]
    UnknownInstruction(usize),
    #[error("a memo is UTF-8, at most 256 bytes, and signed by the payer if by anybody")]
    Memo,

    // Of the transfer.
    #[error("the third instruction must be a TransferChecked with four accounts")]
    NoTransfer,
    #[error("the transfer is of another token")]
    Mint,
    #[error("the transfer is by another token program than the mint's")]
    TokenProgram,
    #[error("the transfer says {said} decimals; the mint has {are}")]
    Decimals { said: u8, are: u8 },
    #[error("the transfer is to another account than the one of the terms")]
    Destination,
    #[error("the transfer is from the account that it should be to")]
    Source,
    #[error("the transfer's authority is not who has signed")]
    Authority,
    #[error("the transfer is of {paid}; this request costs {wanted}")]
    Amount { paid: u64, wanted: u64 },

    #[error(
        "the account that the transfer is from has {has} of the token for whoever signed; this request costs {wanted}"
    )]
    Funds { has: u64, wanted: u64 },

    // Of what became of it.
    #[error("this transaction is paying for a request already")]
    Duplicate,
    #[error("another payment of the same wallet is under way: one at a time")]
    PayerBusy,
    #[error("this transaction is on the chain already; each pays for one request")]
    Used,
    #[error("the transaction would fail: {0}")]
    WouldFail(String),
    #[error("the transaction has failed, and nothing was served: {0}")]
    Failed(String),
}

impl Refusal {
    /// One word for it, for programs; `duplicate_settlement` is the specification's.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotSold => "exact_not_sold",
            Self::Encoding => "exact_encoding",
            Self::Version => "exact_version",
            Self::LookupTables => "exact_lookup_tables",
            Self::Signers => "exact_signers",
            Self::Signature => "exact_signature",
            Self::Count(_) => "exact_instruction_count",
            Self::Guards { .. } => "exact_guards",
            Self::GuardAccount(_) => "exact_guard_account",
            Self::GuardsPaused => "exact_guards_paused",
            Self::FeePayerUsed => "exact_fee_payer_used",
            Self::NoUnitLimit => "exact_no_unit_limit",
            Self::UnitLimit { .. } => "exact_unit_limit",
            Self::NoUnitPrice => "exact_no_unit_price",
            Self::UnitPrice { .. } => "exact_unit_price",
            Self::UnknownInstruction(_) => "exact_unknown_instruction",
            Self::Memo => "exact_memo",
            Self::NoTransfer => "exact_no_transfer",
            Self::Mint => "exact_mint",
            Self::TokenProgram => "exact_token_program",
            Self::Decimals { .. } => "exact_decimals",
            Self::Destination => "exact_destination",
            Self::Source => "exact_source",
            Self::Authority => "exact_authority",
            Self::Amount { .. } => "exact_amount",
            Self::Funds { .. } => "exact_funds",
            Self::Duplicate => "duplicate_settlement",
            Self::PayerBusy => "payment_under_way",
            Self::Used => "exact_used",
            Self::WouldFail(_) => "exact_would_fail",
            Self::Failed(_) => "transaction_failed",
        }
    }
}
