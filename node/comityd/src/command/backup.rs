//! `comityd backup`: the domain as it is now, in a directory of its own.

use crate::{
    args::Backup,
    backup::{Written, write},
    data::DataDir,
    failure::Failure,
    passphrase::Source,
    system::print,
};

/// Makes the backup and says what is in it.
pub(crate) fn backup(args: &Backup) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let source = Source { file: args.passphrase_file.clone() };
    let seals = args.seal || args.passphrase_file.is_some();
    let passphrase = seals.then(|| source.new_one("the keys in the backup")).transpose()?;
    let Written { manifest, left_out } =
        write(&data, &args.destination, passphrase.as_ref().map(|word| word.as_str()))?;
    let place = args.destination.display();
    if args.json {
        let told = serde_json::json!({
            "backup": args.destination,
            "manifest": manifest.summary(),
            "left_out": left_out,
        });
        print(&told.to_string());
        return Ok(());
    }
    print(&format!("backup    {place}"));
    manifest.lines().iter().for_each(|line| print(line));
    for path in &left_out {
        print(&format!("left out  {}: no file of a domain", path.escape_debug()));
    }
    print("");
    match seals {
        true => print(
            "Its keys are sealed by the passphrase. Whether it is good says, here or on another machine:",
        ),
        false => {
            print("It holds the domain's secret keys. Whether it is good says, here or on another machine:")
        }
    }
    print("");
    print(&format!("  comityd verify {place}"));
    Ok(())
}
