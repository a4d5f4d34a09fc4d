//! Cores wired to each other without sockets: every behaviour of a node over the store in memory.

mod claim;
mod crash;
mod device;
mod direct;
mod enrol;
mod invitation;
mod link;
mod membership;
mod message;
mod origin;
mod refused;
mod storage_full;
mod world;
