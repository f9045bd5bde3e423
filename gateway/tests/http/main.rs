//! The gateway over real HTTP on loopback, in front of real upstreams; the chain is a list of channels here, and real in
//! the workspace's stories.

mod alive;
mod attacks;
mod crowd;
mod dawdlers;
mod exact;
mod faults;
mod forged;
mod model;
mod money;
mod pages;
mod probes;
mod strangers;
mod support;
mod trust;
mod upstreams;
