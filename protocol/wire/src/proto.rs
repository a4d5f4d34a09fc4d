//! The messages of `spec/proto`, generated. `bytes` fields are reference-counted slices.
#![allow(missing_docs, clippy::all, reason = "generated; the documentation is in spec/proto")]

include!(concat!(env!("OUT_DIR"), "/comity.v1.rs"));
