//! `comityd check` and `comityd doctor`: is everything as it must be, and what is to be done?

use crate::{
    args::{Check, Doctor},
    examine::{self, Findings},
    failure::Failure,
};

/// Looks at everything that needs no running node.
pub(crate) fn check(args: &Check) -> Result<(), Failure> {
    let mut findings = Findings::default();
    examine::directory(&args.data.directory, &mut findings);
    findings.report(args.json)
}

/// Looks at the node and its peers as well.
pub(crate) fn doctor(args: &Doctor) -> Result<(), Failure> {
    let mut findings = Findings::default();
    if let Some((data, config)) = examine::directory(&args.data.directory, &mut findings) {
        examine::running(&data, config.as_ref(), &mut findings);
    }
    findings.report(args.json)
}
