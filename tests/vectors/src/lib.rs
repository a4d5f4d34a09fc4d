//! Writes and runs `spec/vectors`: cases that describe themselves, most of them negative, each
//! negative one naming its error. A second implementation runs the same files.

pub mod case;
mod field;
pub mod make;
pub mod procedure;

pub use case::{Case, Vectors};
