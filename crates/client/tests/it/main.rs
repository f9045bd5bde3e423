//! A session against a provider: honest and crooked ones, in every order, with crashes; and the journal and the wallet on disk.

mod crooked;
mod disk;
mod interleavings;
mod page;
mod served;
mod spending;
mod world;
