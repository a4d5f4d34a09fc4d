//! SIGHUP: the configuration is read again; what can be changed in a running node is changed, and
//! what cannot is said.

use std::path::PathBuf;

use net::AdminPort;
use wire::proto::{AdminRequest, ContactPolicy, SetDefaultPolicy, admin_request::Request};

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
    pub(crate) level: logging::Level,
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
        self.level.set(&new.log_level);
        config.log_level.clone_from(&new.log_level);
        if new.contact_policy != config.contact_policy && set_policy(port, new.contact_policy).await {
            config.contact_policy = new.contact_policy;
        }
        for (key, changed) in [
            ("domain", new.domain != config.domain),
            ("listen", new.listen != config.listen),
            ("log.format", new.log_format != config.log_format),
            ("health.listen", new.health != config.health),
        ] {
            if changed {
                tracing::warn!(key, "the change needs a restart");
            }
        }
        tracing::info!("the configuration was read again");
    }
}

async fn set_policy(port: &AdminPort, policy: ContactPolicy) -> bool {
    let request = Request::SetDefaultPolicy(SetDefaultPolicy { policy: policy.into() });
    match port.ask(AdminRequest { request: Some(request) }).await {
        Ok(_) => true,
        Err(error) => {
            tracing::error!(%error, "the contact policy is as before");
            false
        }
    }
}
