//! The provider's daemon: finds jobs, runs them, delivers results and claims the pay.
//!
//! `daemon` is the loop, `table` what it remembers, `policy` and `plan` what it decides, `work` what is done for one job,
//! `executor` and `runner` how a job is run, `fault` whose doing it is if it cannot be, `kept` what promises need on the disk,
//! `court` what is done about others' results, `chain` and `feed` how the world is seen.

pub mod chain;
pub mod config;
pub mod court;
pub mod daemon;
pub mod executor;
pub mod fault;
mod feed;
mod insist;
pub mod kept;
pub mod logging;
mod meter;
mod outage;
pub mod plan;
pub mod policy;
pub mod runner;
mod table;
pub mod work;
