//! The provider's daemon: finds jobs, runs them, delivers results and claims the pay.

pub mod runner;
