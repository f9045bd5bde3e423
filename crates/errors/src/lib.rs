//! A program's errors by name in its log: the `AnchorError` line by which Anchor's clients know them.
//!
//! Anchor 2 returns a number and logs nothing, and the clients do not find the number once a node has put the log into its message.
//! See docs/decisions/an-error-names-itself-in-the-log.md.

#![no_std]

mod entrypoint;
mod named;

#[doc(hidden)]
pub use anchor_lang;
#[doc(hidden)]
pub use named::{bytes, log, Named};

/// An enum of errors as `#[error_code(offset = ..)]` makes it, of which every variant has a `#[msg]`, and a function `log_name(number)`
/// that logs the line of the error with that number, be it one of these or Anchor's own, and says whether there is one.
#[macro_export]
macro_rules! errors {
    (
        #[error_code(offset = $offset:tt)]
        pub enum $errors:ident { $(#[msg($text:tt)] $name:ident,)* }
    ) => {
        #[anchor_lang::error_code(offset = $offset)]
        pub enum $errors {
            $(#[msg($text)] $name,)*
        }

        impl $errors {
            pub fn log_name(number: u32) -> bool {
                const LIST: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
                static NAMED: $crate::Named<{ LIST.len() }, { $crate::bytes(LIST) }> = $crate::Named::of(LIST);
                $crate::log(number, $offset, &NAMED)
            }
        }
    };
}
