//! Stating a program's events on chain, and reading them back off it.

#![no_std]

use anchor_lang::{bytemuck::Pod, event::EVENT_IX_TAG_LE, Event};
use pinocchio::{
    cpi::{invoke_signed_unchecked, CpiAccount, Seed, Signer},
    instruction::{InstructionAccount, InstructionView},
    AccountView, Address,
};

/// `["__event_authority"]`: the address that signs a program's events.
pub const AUTHORITY_SEED: &[u8] = b"__event_authority";

/// What the program calls itself with: tag, discriminator, event.
#[repr(C)]
pub struct Message<E> {
    tag: [u8; 8],
    discriminator: [u8; 8],
    pub event: E,
}

impl<E: Event + Pod> Message<E> {
    #[inline(always)]
    pub fn new(event: E) -> Self {
        const { assert!(align_of::<E>() == 1, "events are made of alignment-1 types, so that a message has no padding") };
        let mut message = Self { tag: [0; 8], discriminator: [0; 8], event };
        message.tag.copy_from_slice(EVENT_IX_TAG_LE);
        message.discriminator.copy_from_slice(E::DISCRIMINATOR);
        message
    }

    /// Does what Anchor's `emit_cpi!` does, to the byte, for events of fixed size: without its three heap buffers, which
    /// cost more than half as much as the call itself.
    #[inline(always)]
    pub fn emit(&self, program: &Address, authority: &AccountView, bump: u8) {
        // SAFETY: `Message<E>` is `repr(C)` of three parts of alignment 1, so that it has no padding, and all of it is
        // initialised.
        let data = unsafe { core::slice::from_raw_parts((&raw const *self).cast::<u8>(), size_of::<Self>()) };
        let accounts = [InstructionAccount::readonly_signer(authority.address())];
        let instruction = InstructionView { program_id: program, accounts: &accounts, data };
        let bump = [bump];
        let seeds = [Seed::from(AUTHORITY_SEED), Seed::from(&bump)];
        // SAFETY: the one account is the event authority, which holds no data that anything here could have borrowed.
        unsafe { invoke_signed_unchecked(&instruction, &[CpiAccount::from(authority)], &[Signer::from(&seeds)]) };
    }
}

/// Like Anchor's `emit_cpi!`: inside a handler whose context is called `ctx` and whose accounts are `#[event_cpi]`.
///
/// An event that is written out field by field is written straight into the message: what is built first is copied twice.
#[macro_export]
macro_rules! emit_event {
    ($ctx:expr, $event:ident { $($field:ident $(: $value:expr)?),+ $(,)? }) => {{
        let mut message = $crate::Message::<$event>::new(anchor_lang::bytemuck::Zeroable::zeroed());
        $(message.event.$field = $crate::emit_event!(@value $field $($value)?);)+
        // Does not compile when a field is missing.
        let $event { $($field: _),+ } = &message.event;
        $crate::emit_event!(@call $ctx, message)
    }};
    (@value $field:ident) => { $field };
    (@value $field:ident $value:expr) => { $value };
    (@call $ctx:expr, $message:expr) => {
        $message.emit(
            $ctx.program_id,
            anchor_lang::AnchorAccount::account(&$ctx.accounts.event_authority),
            $ctx.bumps.event_authority,
        )
    };
    ($ctx:expr, $event:expr) => {{
        let message = $crate::Message::new($event);
        $crate::emit_event!(@call $ctx, message)
    }};
}

/// Declares `AnyEvent`: one variant for each `#[event(bytemuck)]` named, and how to tell them apart.
///
/// The calling crate must depend on `anchor-lang`.
#[macro_export]
macro_rules! any_event {
    ($($name:ident),+ $(,)?) => {
        /// Any event of this program.
        #[derive(Clone, Copy)]
        #[allow(clippy::large_enum_variant)]
        pub enum AnyEvent {
            $($name($name)),+
        }

        impl AnyEvent {
            /// Reads what follows the event tag in the instruction data: the discriminator and the event.
            /// `None` when it is not one of this program's events, or not of its size.
            pub fn decode(data: &[u8]) -> Option<Self> {
                $(
                    if let Some(body) = data.strip_prefix(<$name as anchor_lang::Discriminator>::DISCRIMINATOR) {
                        return anchor_lang::bytemuck::try_pod_read_unaligned(body).ok().map(Self::$name);
                    }
                )+
                None
            }

            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name)),+
                }
            }
        }
    };
}
