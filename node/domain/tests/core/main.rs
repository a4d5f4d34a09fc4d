//! Cores wired to each other without sockets: every behaviour of a node over the store in memory.

#[cfg(test)]
mod abuse;
#[cfg(test)]
mod administration;
#[cfg(test)]
mod claim;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod device;
#[cfg(test)]
mod direct;
#[cfg(test)]
mod enrol;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod invitation;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod link;
#[cfg(test)]
mod media;
#[cfg(test)]
mod membership;
#[cfg(test)]
mod message;
#[cfg(test)]
mod origin;
#[cfg(test)]
mod password;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod rejoin;
#[cfg(test)]
mod restored;
#[cfg(test)]
mod storage_full;
#[cfg(test)]
mod turns;
#[cfg(test)]
mod world;
