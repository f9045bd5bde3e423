//! Counts what a thread asks of the allocator.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
};

/// The system's allocator, with a count for each thread.
pub struct Counting;

/// What was asked for, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    pub largest: usize,
    pub total: usize,
}

thread_local! {
    static ASKED: Cell<Asked> = const { Cell::new(Asked { largest: 0, total: 0 }) };
}

fn count(size: usize) {
    // A thread that ends asks after its own variables are gone.
    let _ = ASKED.try_with(|asked| {
        let Asked { largest, total } = asked.get();
        asked.set(Asked { largest: largest.max(size), total: total.saturating_add(size) });
    });
}

/// What this thread asks for meanwhile: nothing, unless [`Counting`] is the allocator.
pub fn during<T>(act: impl FnOnce() -> T) -> (T, Asked) {
    ASKED.set(Asked::default());
    let done = act();
    (done, ASKED.get())
}

// SAFETY: every call is the system allocator's, with the same arguments; counting neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}
