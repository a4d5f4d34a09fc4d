//! Every bound of the protocol, generated from `spec/limits.toml`.

include!(concat!(env!("OUT_DIR"), "/limits.rs"));
