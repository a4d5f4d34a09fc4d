//! SIGHUP: the configuration is read again; what can be changed in a running node is changed, and
//! what cannot is said.

use std::{path::PathBuf, sync::Arc};

use auth::Passwords;
use net::AdminPort;
use wire::proto::{AdminRequest, SetDefaultPolicy, SetPasswordSignIn, admin_request::Request};

use crate::{
    config::{Config, Flags},
    failure::Failure,
    logging,
    signals::{Order, Signals},
    supervisor,
};

/// What is needed to read the configuration again and to apply it.
pub(crate) struct Reload {
    /// The file.
    pub(crate) path: PathBuf,
    /// What the command line said: it goes before the file this time too.
    pub(crate) flags: Flags,
    /// The log.
    pub(crate) log: logging::Log,
    /// Who judges passwords.
    pub(crate) passwords: Arc<Passwords>,
}

impl Reload {
    /// Obeys SIGHUP until a signal to end comes; its name.
    pub(crate) async fn until_end(
        &self,
        mut config: Config,
        signals: &mut Signals,
        port: &AdminPort,
    ) -> &'static str {
        loop {
            match signals.next().await {
                Order::End(signal) => return signal,
                Order::Reload => {
                    supervisor::reloading();
                    let status = self.once(&mut config, port).await;
                    supervisor::ready(status);
                }
            }
        }
    }

    /// What came of reading it again.
    async fn once(&self, config: &mut Config, port: &AdminPort) -> &'static str {
        match Config::read(&self.path, &self.flags) {
            Ok(new) => {
                self.apply(config, new, port).await;
                "serves with the configuration as it is now"
            }
            Err(Failure { what, hint, .. }) => {
                tracing::error!(reason = what, hint, "the configuration is as before");
                "serves; the configuration has a fault and was not taken up"
            }
        }
    }

    async fn apply(&self, config: &mut Config, new: Config, port: &AdminPort) {
        self.log.set_level(&new.log_level);
        config.log_level.clone_from(&new.log_level);
        let policy = new.contact_policy;
        let request = Request::SetDefaultPolicy(SetDefaultPolicy { policy: policy.into() });
        if policy != config.contact_policy && taken_up(port, "contact_policy", request).await {
            config.contact_policy = policy;
        }
        let request = Request::SetPasswordSignIn(SetPasswordSignIn { allowed: new.passwords });
        if new.passwords != config.passwords && taken_up(port, "auth.password", request).await {
            config.passwords = new.passwords;
        }
        self.passwords.set_cost(new.password_cost);
        config.password_cost = new.password_cost;
        for (key, changed) in [
            ("domain", new.domain != config.domain),
            ("listen", new.listen != config.listen),
            ("presence", new.presence != config.presence),
            ("auth.workers", new.password_workers != config.password_workers),
            ("log.format", new.log_format != config.log_format),
            ("health.listen", new.health != config.health),
            ("telemetry.otlp_endpoint", new.collector != config.collector),
        ] {
            if changed {
                tracing::warn!(key, "the change needs a restart");
            }
        }
        tracing::info!("the configuration was read again");
    }
}

async fn taken_up(port: &AdminPort, key: &str, request: Request) -> bool {
    match port.ask(AdminRequest { request: Some(request) }).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(%error, key, "the value is as before");
            false
        }
    }
}
