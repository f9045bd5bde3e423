//! What a node calls: `memory` (exported by the linker), `alloc(len) -> ptr`, `run(ptr, len) -> (out_ptr << 32) | out_len`.

use alloc::{
    alloc::{alloc as allocate, GlobalAlloc, Layout},
    boxed::Box,
};
use core::{
    arch::wasm32::{memory_grow, memory_size, unreachable},
    cell::Cell,
    slice,
};

const PAGE: usize = 65_536;

/// Hands out ascending addresses and frees only what was handed out last. An instance runs one job and is thrown
/// away, and the job's long-lived memory is its input and its output.
struct Bump {
    next: Cell<usize>,
}

// SAFETY: the module has no threads (it imports nothing, and its memory is not shared).
unsafe impl Sync for Bump {}

extern "C" {
    /// Set by the linker: where the memory that nobody uses begins.
    static __heap_base: u8;
}

// SAFETY: every block lies above `__heap_base`, below the end of memory, and above every block handed out before and
// not freed; `next` is moved past it before it is returned.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let floor = match self.next.get() {
            0 => (&raw const __heap_base) as usize,
            next => next,
        };
        let Some(start) = floor.checked_next_multiple_of(layout.align()) else { return core::ptr::null_mut() };
        let Some(end) = start.checked_add(layout.size()) else { return core::ptr::null_mut() };
        let have = memory_size(0) * PAGE;
        if end > have && memory_grow(0, (end - have).div_ceil(PAGE)) == usize::MAX {
            return core::ptr::null_mut();
        }
        self.next.set(end);
        start as *mut u8
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let last = block as usize + layout.size() == self.next.get();
        if last {
            self.next.set(block as usize);
        }
        // SAFETY: the caller's promise about `layout.align()` carries over.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if moved.is_null() {
            if last {
                self.next.set(block as usize + layout.size());
            }
        } else if moved != block {
            // SAFETY: the new block lies above the old one, which stays untouched.
            unsafe { core::ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
        }
        moved
    }
}

#[global_allocator]
static HEAP: Bump = Bump { next: Cell::new(0) };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    unreachable()
}

/// A place for `len` bytes of input. Traps when there is no memory.
#[no_mangle]
extern "C" fn alloc(len: usize) -> *mut u8 {
    let Ok(layout) = Layout::from_size_align(len.max(1), 8) else { unreachable() };
    // SAFETY: the size is not zero.
    let block = unsafe { allocate(layout) };
    if block.is_null() {
        unreachable()
    }
    block
}

/// Runs the job on the `len` bytes at `ptr`, which came from `alloc`.
#[no_mangle]
extern "C" fn run(ptr: *const u8, len: usize) -> u64 {
    // SAFETY: the node wrote `len` bytes there; a pointer outside memory traps.
    let input = unsafe { slice::from_raw_parts(ptr, len) };
    let output = Box::leak(crate::answer(input).into_boxed_str());
    ((output.as_ptr() as u64) << 32) | output.len() as u64
}
