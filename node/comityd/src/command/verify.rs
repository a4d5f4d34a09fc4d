//! `comityd verify`: is this backup good?

use data_encoding::HEXLOWER;

use crate::{
    args::Verify,
    backup::{self, Verified},
    failure::Failure,
    system::{groups, print},
};

/// Says what the backup is, if it is good.
pub(crate) fn verify(args: &Verify) -> Result<(), Failure> {
    let Verified { manifest, fingerprint } = backup::verify(&args.backup)?;
    if args.json {
        let result = serde_json::json!({
            "backup": args.backup,
            "good": true,
            "fingerprint": HEXLOWER.encode(&fingerprint),
            "manifest": manifest.summary(),
        });
        print(&result.to_string());
        return Ok(());
    }
    print(&format!("good      {}", args.backup.display()));
    manifest.lines().iter().for_each(|line| print(line));
    print(&format!("root key  {}", groups(&fingerprint)));
    Ok(())
}
