//! What people write, and how they are answered: settings in `joule.toml`, amounts in tokens, names that stand for codes,
//! moments on their own clock. One vocabulary for the command line and all services.

mod amount;
mod causes;
mod example;
mod file;
mod moment;
mod named;
mod nearest;
mod report;
mod secret;
mod span;

pub use amount::{group, symbol, Amount, AmountError, Token};
pub use causes::Causes;
pub use example::{uncommented, EXAMPLE};
pub use file::{File, FileError, NAME, SECTIONS, SHARED};
pub use moment::{moment, unix_seconds, until};
pub use named::{Code, CodeError, GpuModel, Region};
pub use nearest::{nearest, or_nearest};
pub use report::{Finding, Grade, Refused, Report};
pub use secret::{Secret, Url};
pub use span::{bytes, duration, seconds, Size, Span, SpanError};
