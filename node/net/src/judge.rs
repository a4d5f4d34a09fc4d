//! Carries questions about secrets from the core's thread to whoever judges them, and the answers
//! back into its queue.

use std::sync::Arc;

use domain::{Authenticator, Input, ProofId, Question, Reply};
use tokio::runtime::Handle;

use crate::to_core::ToCore;

/// The way to the authenticator and back.
#[derive(Clone, Debug)]
pub(crate) struct Judge {
    authenticator: Arc<dyn Authenticator>,
    to_core: ToCore,
    runtime: Handle,
}

impl Judge {
    /// Must be called on the runtime that carries the answers.
    pub(crate) fn new(authenticator: Arc<dyn Authenticator>, to_core: ToCore) -> Self {
        Self { authenticator, to_core, runtime: Handle::current() }
    }

    /// Asks. The answer may come from any thread, also one that must not wait for the core's queue: a
    /// task does that, and there are never more than the core has asked questions.
    pub(crate) fn ask(&self, proof: ProofId, question: Question) {
        let (to_core, runtime) = (self.to_core.clone(), self.runtime.clone());
        let reply = Reply::new(move |verdict| {
            runtime.spawn(async move { to_core.input(Input::Proved { proof, verdict }).await });
        });
        self.authenticator.ask(question, reply);
    }
}
