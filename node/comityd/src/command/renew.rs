//! `comityd renew`: a new domain document at once.

use identity::KeyKind;
use net::now;

use crate::{
    args::Renew,
    config::Config,
    data::DataDir,
    documents,
    failure::{Exit, Failure},
    keys,
    passphrase::Source,
    system::print,
};

/// Issues the next document. A running node shows it to others once it is published, or after its next start.
pub(crate) fn renew(args: &Renew) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let config = Config::read(&data.config(), &Vec::new())?;
    let mut documents = documents::read(&data, &config.domain)?;
    let path = args.root_key.clone().unwrap_or_else(|| keys::path(&data, KeyKind::Root));
    if !path.exists() {
        let what = format!("the root key is not here: there is no {}", path.display());
        let hint = "give the place where it is kept: `--root-key FILE`";
        return Err(Failure::new(Exit::Storage, "KeyElsewhere", what, hint));
    }
    let stored = keys::stored(&path, KeyKind::Root)?;
    let root = match (&args.passphrase_file, config.open_root(&stored)?) {
        (None, Some(root)) => root,
        (file, _) => stored.open(&path, &Source { file: file.clone() })?,
    };
    documents::renew(&data, &mut documents, &root, &args.endpoints, now())?;
    print(&format!(
        "domain document {} is issued; to put it into force: comity domain publish",
        documents.newest.seq()
    ));
    Ok(())
}
