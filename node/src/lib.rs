//! The provider's daemon: finds jobs, runs them, delivers results and claims the pay.
//!
//! `daemon` is the loop, `table` what it remembers, `policy` and `plan` what it decides, `work` what is done for one job,
//! `executor` and `runner` how a job is run, `fault` whose doing it is if it cannot be, `kept` what promises need on the disk,
//! `court` what is done about others' results, `electorate` who may vote about them, `chain` and `feed` how the world is seen,
//! `tokens` what amounts are in, `start` and `check` what is looked at first, `monitor` and `telemetry` what others see.

pub mod chain;
pub mod check;
pub mod config;
pub mod court;
pub mod daemon;
mod electorate;
pub mod executor;
pub mod fault;
mod feed;
mod insist;
pub mod kept;
pub mod logging;
mod meter;
pub mod monitor;
pub mod outage;
pub mod plan;
pub mod policy;
pub mod runner;
pub mod start;
mod table;
pub mod telemetry;
pub mod tokens;
pub mod work;
