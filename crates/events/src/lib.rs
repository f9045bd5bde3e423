//! Reading a program's events back from the bytes that `emit_cpi!` wrote.

#![no_std]

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
