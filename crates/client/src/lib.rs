//! The payer's side of per-request payment: asks, checks what comes back, pays for it, and remembers what it has promised.
//!
//! - `session` is one channel's account as rules without clock, network or disk: what may be asked for, which receipts are
//!   owed, what the next voucher says. It holds no key: whoever signs has first written down what it would sign.
//! - `asked` is the most that a request can cost; `check` and `count` are what a receipt must keep to, and what a client can
//!   count itself.
//! - `journal` is the account on disk, `wallet` the one place that signs, `http` the requests; `shown` is what of their answers may
//!   stand on a terminal.

mod asked;
mod body;
mod channel;
mod check;
mod count;
mod http;
mod journal;
mod kept;
mod missed;
mod session;
pub mod shown;
mod stream;
mod wallet;

pub use asked::Asked;
pub use body::{json, BadBody};
pub use channel::Channel;
pub use check::{Answer, Objection};
pub use count::Counted;
pub use http::{client, Answered, Buyer, Failed, Said, Standing};
pub use journal::{Journal, JournalError};
pub use kept::{Caught, Changes, Corrupt, Kept};
pub use session::{Draft, Limits, Session, Stop};
pub use stream::Stream;
pub use wallet::{Wallet, WalletError};
