//! A program that is ended with its test.

use std::process::Child;

/// A program that runs until it is dropped.
pub(crate) struct Watching(pub(crate) Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
