//! `comityd renew`: a new domain document at once.

use net::now;

use crate::{args::Renew, config::Config, data::DataDir, documents, failure::Failure, system::print};

/// Issues the next document. A running node shows it to others after its next start.
pub(crate) fn renew(args: &Renew) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let config = Config::read(&data.config(), &Vec::new())?;
    let mut documents = documents::read(&data, &config.domain)?;
    documents::renew(&data, &mut documents, &args.endpoints, now())?;
    print(&format!("domain document {} is issued; restart comityd to publish it", documents.newest.seq()));
    Ok(())
}
