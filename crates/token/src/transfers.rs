//! Several transfers out of one vault: one call where the token program takes batches.

use core::{mem::MaybeUninit, slice};
use joule_units::Amount;
use pinocchio::{
    account::AccountView,
    cpi::{invoke_signed_unchecked, CpiAccount, Signer},
    instruction::{InstructionAccount, InstructionView},
    Address,
};

/// The most that go into one call.
pub const MOST: usize = 8;

/// p-token's `Batch`: this byte, and for each call the number of its accounts, the length of its data, and the data.
const BATCH: u8 = 255;
/// `Transfer`: this byte, and the amount.
const TRANSFER: u8 = 3;
const ACCOUNTS: usize = 3;
const DATA: usize = 9;

/// One transfer within a batch.
#[repr(C, packed)]
struct Entry {
    accounts: u8,
    len: u8,
    transfer: u8,
    amount: u64,
}

const ENTRY: usize = size_of::<Entry>();
const _: () = assert!(ENTRY == 2 + DATA);

/// Vault and authority come once, whatever the number of transfers.
const SHARED: usize = 2;

/// Transfers that are written down one by one and then made all at once. The vault and whoever is paid must not be borrowed for
/// writing by then.
pub struct Transfers<'a> {
    vault: &'a Address,
    authority: &'a Address,
    count: usize,
    data: [MaybeUninit<u8>; 1 + MOST * ENTRY],
    metas: [MaybeUninit<[InstructionAccount<'a>; ACCOUNTS]>; MOST],
    views: [MaybeUninit<CpiAccount<'a>>; SHARED + MOST],
}

impl<'a> Transfers<'a> {
    #[inline(always)]
    pub fn new(vault: &'a AccountView, authority: &'a AccountView) -> Self {
        let mut new = Self {
            vault: vault.address(),
            authority: authority.address(),
            count: 0,
            data: [const { MaybeUninit::uninit() }; 1 + MOST * ENTRY],
            metas: [const { MaybeUninit::uninit() }; MOST],
            views: [const { MaybeUninit::uninit() }; SHARED + MOST],
        };
        new.data[0].write(BATCH);
        new.views[0].write(CpiAccount::from(vault));
        new.views[1].write(CpiAccount::from(authority));
        new
    }

    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Writes one down. There must be no more than [`MOST`].
    #[inline(always)]
    pub fn push(&mut self, to: &'a AccountView, amount: Amount) {
        let place = self.count;
        assert!(place < MOST, "a batch of too many transfers");
        let entry =
            Entry { accounts: ACCOUNTS as u8, len: DATA as u8, transfer: TRANSFER, amount: amount.get().to_le() };
        // SAFETY: fewer than `MOST` are written, so that there is room for one more, and an `Entry` is aligned to nothing.
        unsafe { self.data.as_mut_ptr().add(1 + place * ENTRY).cast::<Entry>().write(entry) };
        self.metas[place].write([
            InstructionAccount::writable(self.vault),
            InstructionAccount::writable(to.address()),
            InstructionAccount::readonly_signer(self.authority),
        ]);
        self.views[SHARED + place].write(CpiAccount::from(to));
        self.count = place + 1;
    }

    /// Makes them all, in the authority's name, by one of the two token programs.
    #[inline(always)]
    pub fn send(&self, token_program: &Address, signer: &Signer) {
        let signers = slice::from_ref(signer);
        // No more than `MOST`, for which nothing here overflows. The VM pays fifty compute units to find that out.
        let count = self.count;
        let (len, metas) = (1 + count.wrapping_mul(ENTRY), count.wrapping_mul(ACCOUNTS));
        // SAFETY: `push` has written the first `count` entries of each list, and `new` what comes before them.
        let (data, metas, views) = unsafe {
            (
                slice::from_raw_parts(self.data.as_ptr().cast::<u8>(), len),
                slice::from_raw_parts(self.metas.as_ptr().cast::<InstructionAccount>(), metas),
                slice::from_raw_parts(self.views.as_ptr().cast::<CpiAccount>(), SHARED.wrapping_add(count)),
            )
        };
        if first_word(token_program) == first_word(&pinocchio_token::ID) {
            let batch = InstructionView { program_id: token_program, accounts: metas, data };
            // SAFETY: whoever calls this borrows neither the vault nor any account that is paid.
            unsafe { invoke_signed_unchecked(&batch, views, signers) };
            return;
        }
        for (accounts, entry) in metas.chunks_exact(ACCOUNTS).zip(data[1..].chunks_exact(ENTRY)) {
            let transfer = InstructionView { program_id: token_program, accounts, data: &entry[2..] };
            // SAFETY: as above.
            unsafe { invoke_signed_unchecked(&transfer, views, signers) };
        }
    }
}

/// All that the two token programs' addresses need to be told apart.
#[inline(always)]
const fn first_word(program: &Address) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *program.as_array();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

const _: () = assert!(first_word(&pinocchio_token::ID) != first_word(&pinocchio_token_2022::ID));
