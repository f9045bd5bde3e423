//! The gateway over real HTTP on loopback, in front of real upstreams; the chain is a list of channels here, and real in
//! the workspace's stories.

mod attacks;
mod crowd;
mod faults;
mod model;
mod money;
mod support;
