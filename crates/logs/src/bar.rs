//! A bar below the log lines, on a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::{
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

/// The one that is drawn: what is logged meanwhile goes above it.
static DRAWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Drawn until it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn drawn(total: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {elapsed}  {msg}") {
            bar.set_style(style);
        }
        *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Self(bar)
    }

    /// So much of the total is done, and this is being done.
    pub fn at(&self, done: u64, doing: &'static str) {
        self.0.set_message(doing);
        self.0.set_position(done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        *DRAWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.finish_and_clear();
    }
}

/// Standard error, above the bar where there is one.
pub(crate) struct Above;

impl Write for Above {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match drawn {
            Some(bar) => bar.suspend(|| io::stderr().write(line)),
            None => io::stderr().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
