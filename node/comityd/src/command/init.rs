//! `comityd init`: a new domain, asking only for what cannot be known.

mod answers;
mod plan;
mod tell;

use identity::{DomainKeys, fingerprint};
use net::now;

use self::plan::Plan;
use crate::{
    args::Init,
    config::{Config, template},
    data::{DataDir, make_private_directory, write_private},
    documents,
    failure::{Exit, Failure},
    keys,
    system::SystemEntropy,
};

/// Makes the data directory and says what comes next. The configuration is written last: a
/// directory without it is not a domain, and `init` can be repeated there.
pub(crate) fn init(args: &Init) -> Result<(), Failure> {
    let data = DataDir::new(&args.data.directory);
    let mut plan = Plan::begin(args)?;
    if data.is_domain()? {
        return known(args, &plan);
    }
    plan.complete(args)?;
    let domain = plan.domain()?.clone();
    let endpoints = plan.endpoints()?;
    make_private_directory(data.path())?;
    let domain_keys = DomainKeys::generate(&mut SystemEntropy);
    let document = domain_keys.first_document(&domain, &endpoints, now()).map_err(|_| {
        Failure::new(Exit::Usage, "TooManyEndpoints", "there are too many endpoints", "give at most 8")
    })?;
    keys::write_all(&data, &domain_keys, plan.passphrase.as_ref().map(|word| word.as_str()))?;
    documents::write(&data, &document)?;
    let config = template::filled(&domain, plan.listen);
    write_private(&data.config(), config.as_bytes())?;
    let made = tell::Made {
        changed: true,
        data: &args.data.directory,
        domain: &domain,
        fingerprint: fingerprint(document.root_key()),
        listen: plan.listen,
        endpoints: &endpoints,
        sealed: plan.passphrase.is_some(),
    };
    made.tell(args.json);
    Ok(())
}

/// The domain is there already: nothing is changed, and what is there is told.
fn known(args: &Init, plan: &Plan) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let config = Config::read(&data.config(), &Vec::new())?;
    if plan.domain.as_ref().is_some_and(|domain| *domain != config.domain) {
        let what = format!("{} holds the domain {} already", data.path().display(), config.domain);
        return Err(Failure::new(Exit::Storage, "DomainExists", what, "give another directory"));
    }
    let newest = documents::read(&data, &config.domain)?.newest;
    let root = keys::path(&data, identity::KeyKind::Root);
    let made = tell::Made {
        changed: false,
        data: &args.data.directory,
        domain: &config.domain,
        fingerprint: fingerprint(newest.root_key()),
        listen: config.listen,
        endpoints: newest.endpoints(),
        sealed: root.exists()
            && matches!(keys::stored(&root, identity::KeyKind::Root)?, keys::Stored::Sealed(_)),
    };
    made.tell(args.json);
    Ok(())
}
