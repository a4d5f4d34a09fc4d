//! Looks at everything that must be right for a node to serve, and says of each finding what to do.

mod directory;
mod files;
mod finding;
mod machine;
mod running;

pub(crate) use directory::directory;
pub(crate) use finding::{Finding, Findings, Severity};
pub(crate) use running::running;
