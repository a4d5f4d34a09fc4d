//! `comityd restore`: a backup becomes a domain again.

use data_encoding::HEXLOWER;

use crate::{
    args::Restore,
    backup::{self, Outcome},
    data::DataDir,
    failure::Failure,
    passphrase::Source,
    system::{groups, print},
};

/// Restores, and says what comes back by itself and what does not.
pub(crate) fn restore(args: &Restore) -> Result<(), Failure> {
    let data = DataDir::new(&args.data.directory);
    let source = Source { file: args.passphrase_file.clone() };
    let Outcome { verified, restored } = backup::restore(&args.backup, &data, args.fingerprint, &source)?;
    let directory = args.data.directory.display();
    if args.json {
        let result = serde_json::json!({
            "data": args.data.directory,
            "fingerprint": HEXLOWER.encode(&verified.fingerprint),
            "manifest": verified.manifest.summary(),
            "rooms_ordered": restored.rooms_ordered,
            "rooms_alone": restored.rooms_alone,
            "rooms_followed": restored.rooms_followed,
            "codes_voided": restored.codes_voided,
            "passwords_voided": restored.passwords_voided,
            "peers": restored.peers,
        });
        print(&result.to_string());
        return Ok(());
    }
    print(&format!("restored  {directory}"));
    verified.manifest.lines().iter().for_each(|line| print(line));
    print(&format!("root key  {}", groups(&verified.fingerprint)));
    print("");
    print("What happened since that moment:");
    print(&format!("  {} rooms of other domains are pulled from them", restored.rooms_followed));
    print(&format!(
        "  {} rooms of this domain are closed until the other domains in them have given back what they have",
        restored.rooms_ordered
    ));
    print(&format!(
        "  {} rooms of this domain have members here only: what was written in them since is lost, and who",
        restored.rooms_alone
    ));
    print("    had read it is told that the room has two histories");
    print(&format!("  {} unused invitations are void: invite again", restored.codes_voided));
    print(&format!("  {} passwords that nobody had used are void: set them anew", restored.passwords_voided));
    print("  accounts, devices and rooms that were made since are unknown: invite and found anew");
    print(
        "  deletions and suspensions of accounts, and denials of peers, are undone: look at the old audit log,",
    );
    print("    if you have it, and repeat them");
    print("");
    print("The node of the old directory must never run again. Then:");
    print("");
    print(&format!("  comityd run --data {directory}"));
    Ok(())
}
