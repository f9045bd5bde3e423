/// At the root of a program, after `#[program]`: an entrypoint that differs from the one that Anchor writes in two things.
///
/// What fails is logged by name: of the enums that are listed, since what a program reads of another's accounts may break the other's
/// rules too. And the table of accounts, which Anchor's has on the stack, lies at the start of the heap, before what
/// is allocated: its address is one instruction, on the stack it would be two, and the branch for errors is one. So a call that
/// succeeds costs what it would cost with Anchor's.
#[macro_export]
macro_rules! entrypoint {
    ($($errors:path),+) => {
        #[cfg(all(target_os = "solana", feature = "entrypoint"))]
        mod entrypoint {
            use $crate::anchor_lang::{
                pinocchio::{
                    self,
                    entrypoint::{BumpAllocator, HEAP_START_ADDRESS, MAX_HEAP_LENGTH},
                },
                AccountView,
            };

            /// As Anchor's table has.
            const MAX_ACCOUNTS: usize = 256;
            const TABLE: usize = MAX_ACCOUNTS * size_of::<AccountView>();
            const _: () = assert!(
                HEAP_START_ADDRESS as usize % align_of::<AccountView>() == 0 && TABLE % align_of::<usize>() == 0
            );

            pinocchio::default_panic_handler!();

            // SAFETY: the heap is this program's alone, and the allocator has all of it but the table.
            #[global_allocator]
            static ALLOCATOR: BumpAllocator = unsafe {
                BumpAllocator::new_unchecked(HEAP_START_ADDRESS as usize + TABLE, MAX_HEAP_LENGTH as usize - TABLE)
            };

            /// # Safety
            /// The loader calls it once, with its input and the address of the instruction's data.
            #[export_name = "entrypoint"]
            unsafe extern "C" fn entrypoint(input: *mut u8, data: *const u8) -> u64 {
                // SAFETY: the loader's promise; the table is aligned, of the length that Anchor counts on, and nobody else's.
                let number =
                    unsafe { super::__anchor_dispatch_internal(input, data, HEAP_START_ADDRESS as *mut AccountView) };
                if number == 0 {
                    return number;
                }
                named(number)
            }

            /// What a program returns for `Custom(number)` is the number, and for the runtime's errors something above 32 bits.
            #[cold]
            #[inline(never)]
            fn named(number: u64) -> u64 {
                if let Ok(number) = u32::try_from(number) {
                    let _ = $(<$errors>::log_name(number))||+;
                }
                number
            }
        }
    };
}
