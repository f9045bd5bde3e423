//! A chain's updates in a file: recorded, made large, served and followed. The README says how and why.

pub mod compare;
pub mod drive;
pub mod file;
pub mod kinds;
pub mod programs;
pub mod record;
pub mod scale;
pub mod serve;
pub mod show;
pub mod trial;
pub mod truth;
pub mod wire;
