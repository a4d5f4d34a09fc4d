//! What a node keeps, as rows and one trait, so that the domain does not know which database it
//! runs on. Here stand the rows, the trait, the suite that every backend passes, and the backend in
//! memory whose durability the simulator controls. No SQL, no runtime.

mod batch;
mod error;
pub mod memory;
pub mod row;
mod store;
#[cfg(any(test, feature = "suite"))]
pub mod suite;

pub use batch::{Batch, Write};
pub use error::StoreError;
pub use store::Store;
