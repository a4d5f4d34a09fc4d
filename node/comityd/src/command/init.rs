//! `comityd init`: a new domain.

use identity::{DomainKeys, fingerprint};
use net::now;
use wire::{DomainName, name::Endpoint};

use crate::{
    args::Init,
    config::template,
    data::{DataDir, make_private_directory, write_private},
    documents,
    failure::{Exit, Failure},
    keys,
    system::{SystemEntropy, print},
};

/// Makes the data directory and says what comes next. The configuration is written last: a
/// directory without it is not a domain, and `init` can be repeated there.
pub(crate) fn init(args: &Init) -> Result<(), Failure> {
    let data = DataDir::new(&args.data.directory);
    if data.config().exists() {
        return Err(Failure::new(
            Exit::Storage,
            "DomainExists",
            format!("{} holds a domain already", data.path().display()),
            format!("`comityd run --data {}`, or give another directory", data.path().display()),
        ));
    }
    let endpoints = endpoints(args)?;
    make_private_directory(data.path())?;
    let domain_keys = DomainKeys::generate(&mut SystemEntropy);
    let document = domain_keys.first_document(&args.domain, &endpoints, now()).map_err(|_| {
        Failure::new(Exit::Usage, "TooManyEndpoints", "there are too many endpoints", "give at most 8")
    })?;
    keys::write_all(&data, &domain_keys)?;
    documents::write(&data, &document)?;
    let config = template::filled(&args.domain, args.listen);
    write_private(&data.config(), config.as_bytes())?;
    let fingerprint = fingerprint(document.root_key());
    match args.json {
        true => report_json(args, &fingerprint, &endpoints),
        false => report(args, &fingerprint, &endpoints),
    }
    Ok(())
}

fn endpoints(args: &Init) -> Result<Vec<Endpoint>, Failure> {
    if !args.endpoints.is_empty() {
        return Ok(args.endpoints.clone());
    }
    let default = format!("{}:{}", args.domain, args.listen.port()).parse().map_err(|_| {
        Failure::new(
            Exit::Usage,
            "EndpointMissing",
            "with port 0 nobody can know where to reach this node",
            "add `--endpoint HOST:PORT`",
        )
    })?;
    Ok(vec![default])
}

fn report(args: &Init, fingerprint: &[u8; 32], endpoints: &[Endpoint]) {
    let directory = args.data.directory.display();
    let domain: &DomainName = &args.domain;
    let endpoint = endpoints.first().map_or("", Endpoint::as_str);
    let digits = data_encoding::HEXLOWER.encode(fingerprint);
    let groups: Vec<&str> = (0..digits.len()).step_by(4).filter_map(|at| digits.get(at..at + 4)).collect();
    print(&format!("domain       {domain}"));
    print(&format!("fingerprint  {}", groups.join(" ")));
    print(&format!("listens on   {} (UDP)", args.listen));
    print(&format!("reached at   {endpoint} (UDP)"));
    print("");
    print("Keep keys/next-root.key and keys/recovery.key somewhere else, offline: they take the domain");
    print("back if this machine is lost. Then:");
    print("");
    print(&format!("  comityd run --data {directory}"));
    print(&format!("  comity user invite NAME@{domain} --data {directory}"));
    print("");
    print("Another domain's administrator lets you in with:");
    print("");
    print(&format!("  comity peer pin {domain} --endpoint {endpoint} --fingerprint {digits}"));
}

fn report_json(args: &Init, fingerprint: &[u8; 32], endpoints: &[Endpoint]) {
    let endpoints: Vec<&str> = endpoints.iter().map(Endpoint::as_str).collect();
    let result = serde_json::json!({
        "domain": args.domain.as_str(),
        "fingerprint": data_encoding::HEXLOWER.encode(fingerprint),
        "listen": args.listen.to_string(),
        "endpoints": endpoints,
        "data": args.data.directory,
    });
    print(&result.to_string());
}
