//! What strangers, peers and devices may throw at a node: each bad input is a row with the error that
//! it must get, while honest traffic beside it goes on. `README.md` says where each row stands.

#[cfg(test)]
mod admin;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod client;
#[cfg(test)]
mod data_directory;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod hand;
#[cfg(test)]
mod home;
#[cfg(test)]
mod peer;
#[cfg(test)]
mod room;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod transport;
