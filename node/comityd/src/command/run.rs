//! `comityd run`: from the data directory to a node that serves, and to its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use auth::Passwords;
use blobs::{Directory, Shelf};
use domain::{Core, CoreConfig};
use identity::KeyKind;
use net::{Bound, NetConfig, now};
use sqlite::Sqlite;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    admin,
    args::Run,
    config::Config,
    data::{DataDir, sweep_secrets},
    documents::{self, Documents},
    failure::{Exit, Failure},
    health::{self, Health, Stage},
    keys::{self, NodeKeys},
    logging,
    reload::Reload,
    signals::Signals,
    supervisor,
    system::SystemEntropy,
};

/// How often a running node looks whether its document is due.
const DUE_CHECK: Duration = Duration::from_secs(24 * 60 * 60);
/// How often it looks for files that are over.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// Serves until a signal.
pub(crate) fn run(args: &Run) -> Result<(), Failure> {
    let data = DataDir::open(&args.data.directory)?;
    let flags = args.overrides.flags();
    let config = Config::read(&data.config(), &flags)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io(data.path(), &error))?;
    let collector = config.collector.clone();
    let log = logging::begin(config.log_format, &config.log_level, collector, runtime.handle());
    let passwords = Passwords::start(config.password_cost, config.password_workers)
        .map_err(|error| Failure::io(data.path(), &error))?;
    let reload = Reload { path: data.config(), flags, log, passwords: Arc::new(passwords) };
    let mut documents = documents::read(&data, &config.domain)?;
    documents::check_clock(&data, &documents.newest, now())?;
    // The lock is taken before anything is written: a second process must find all as the first
    // left it.
    let store = Sqlite::open(data.path()).map_err(|error| storage(&error, &data))?;
    if let Err(Failure { what, hint, .. }) = sweep_secrets(&data.keys()) {
        tracing::warn!(reason = what, hint, "what an interrupted command has left of keys stays");
    }
    if documents::is_due(&documents.newest, now()) {
        match renew(&data, &config, &mut documents) {
            Ok(()) => tracing::info!(seq = documents.newest.seq(), "the domain document was renewed"),
            Err(failure) => {
                let Failure { what, hint, .. } = failure;
                tracing::warn!(reason = what, hint, "the domain document could not be renewed");
            }
        }
    }
    let keys = keys::read_checked(&data, &documents.newest, now())?;
    runtime.block_on(serve(Parts { data, config, reload, documents, keys, store }))
}

fn renew(data: &DataDir, config: &Config, documents: &mut Documents) -> Result<(), Failure> {
    let root = config.open_root(&keys::stored(&keys::path(data, KeyKind::Root), KeyKind::Root)?)?;
    let root = root.ok_or_else(|| {
        let hint = "`comityd renew` asks for the passphrase";
        Failure::new(Exit::Storage, "KeySealed", "the root key is sealed by a passphrase", hint)
    })?;
    documents::renew(data, documents, &root, &[], now())
}

/// What a node is made of.
struct Parts {
    data: DataDir,
    config: Config,
    reload: Reload,
    documents: Documents,
    keys: NodeKeys,
    store: Sqlite,
}

async fn serve(parts: Parts) -> Result<(), Failure> {
    let Parts { data, config, reload, documents, keys, store } = parts;
    let mut signals = Signals::install().map_err(|error| Failure::io(data.path(), &error))?;
    let listener = admin::bind(&data.socket())?;
    let shelf = shelf(&data, &config)?;
    let net = NetConfig {
        domain: config.domain.clone(),
        listen: config.listen,
        tls_key: keys.tls.clone(),
        shelf: Arc::clone(&shelf),
    };
    let bound = Bound::bind(&net).map_err(|error| port(&error))?;
    let listen = bound.local_addr().map_err(|error| Failure::io(data.path(), &error))?;
    let newest = documents.newest.clone();
    let (stage, health) = watch_over(&config, &data, &newest).await?;
    let core_config = core_config(&config, documents, keys, listen);
    let make = move || Core::new(core_config, store, SystemEntropy, now());
    let authenticator = Arc::clone(&reload.passwords);
    let running = bound.serve(make, authenticator).await.map_err(|error| {
        Failure::new(
            Exit::Storage,
            "StoreUnreadable",
            error.to_string(),
            "restore the directory from a backup",
        )
    })?;
    stage.send_replace(Stage::Serving(running.admin()));
    tracing::info!(domain = %config.domain, version = env!("CARGO_PKG_VERSION"), "listening on {listen}");
    let socket = tokio::spawn(admin::serve(listener, running.admin()));
    let due = tokio::spawn(remind(newest));
    let swept = tokio::spawn(sweep(shelf));
    let watched = tokio::spawn(supervisor::be_watched(running.admin()));
    supervisor::ready(&format!("serves {} on {listen}", config.domain));
    let signal = reload.until_end(config, &mut signals, &running.admin()).await;
    tracing::info!(signal, "ending in good order; a second signal ends at once");
    supervisor::stopping();
    stage.send_replace(Stage::Draining);
    for task in [socket, due, watched, swept] {
        task.abort();
    }
    tokio::select! {
        () = running.drain() => {
            tracing::info!("ended");
            reload.log.end();
        }
        signal = signals.end() => tracing::warn!(signal, "ended at once; nothing acknowledged is lost"),
    }
    health.abort();
    // A socket that stays behind does no harm: the next start removes it.
    let _ = std::fs::remove_file(data.socket());
    Ok(())
}

/// Begins to answer health checks, if the configuration says where.
async fn watch_over(
    config: &Config,
    data: &DataDir,
    newest: &identity::DomainDocument,
) -> Result<(watch::Sender<Stage>, JoinHandle<()>), Failure> {
    let (sender, stage) = watch::channel(Stage::Starting);
    let Some(address) = config.health else { return Ok((sender, tokio::spawn(async {}))) };
    let listener = health::bind(address).await?;
    let bound = listener.local_addr().map_err(|error| Failure::io(data.path(), &error))?;
    tracing::info!("health and metrics on http://{bound}");
    let told = health::Told::default();
    let health = Health { stage, data: data.path().to_owned(), document_expires: newest.expires(), told };
    Ok((sender, tokio::spawn(health::serve(listener, health))))
}

fn core_config(config: &Config, documents: Documents, keys: NodeKeys, listen: SocketAddr) -> CoreConfig {
    CoreConfig {
        domain: config.domain.clone(),
        documents: documents.signed,
        event_key: keys.event,
        binding_key: keys.binding,
        policy: config.contact_policy,
        presence: config.presence,
        passwords: config.passwords,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        listen: listen.to_string(),
    }
}

/// The files that are kept here.
fn shelf(data: &DataDir, config: &Config) -> Result<Arc<Shelf>, Failure> {
    let open = || Shelf::open(Box::new(Directory::open(&data.media())?), config.media);
    open().map(Arc::new).map_err(|error| Failure::io(&data.media(), &error))
}

/// Removes files that are over, now and then.
async fn sweep(shelf: Arc<Shelf>) {
    loop {
        let shelf = Arc::clone(&shelf);
        // It fails only if the process ends.
        let _ = tokio::task::spawn_blocking(move || shelf.sweep(now())).await;
        tokio::time::sleep(SWEEP).await;
    }
}

async fn remind(newest: identity::DomainDocument) {
    let newest = Arc::new(newest);
    loop {
        tokio::time::sleep(DUE_CHECK).await;
        if documents::is_due(&newest, now()) {
            tracing::warn!("the domain document is due for renewal: restart comityd");
        }
    }
}

fn port(error: &net::BindError) -> Failure {
    let hint = "choose another `listen` in comity.toml, or stop the program that has the port \
                (`ss -lunp` shows it)";
    Failure::new(Exit::Failed, "PortUnavailable", error.to_string(), hint)
}

/// Why the database cannot be used, with its name.
pub(crate) fn storage(error: &sqlite::OpenError, data: &DataDir) -> Failure {
    use sqlite::OpenError;
    let directory = data.path().display();
    let (name, what, hint) = match error {
        OpenError::Locked { pid, .. } => {
            let process = pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            (
                "Locked",
                format!("another comityd{process} runs on {directory}"),
                "stop it first, or use the one that runs",
            )
        }
        OpenError::NewerSchema { .. } => (
            "NewerSchema",
            format!("{directory}: {error}"),
            "install the newer comityd again; a database does not go back",
        ),
        OpenError::NotADatabase(_) | OpenError::Foreign => {
            ("NotADatabase", error.to_string(), "restore comity.db from a backup")
        }
        OpenError::Full(_) => ("StorageFull", error.to_string(), "free space, then start again"),
        _ => ("StoreUnusable", format!("{directory}: {error}"), "check the disk; restore from a backup"),
    };
    Failure::new(Exit::Storage, name, what, hint)
}
