//! What the verbs that send return, and how far they wait for what was sent.

use std::time::Duration;

use client::{Client, Happening, Level, Sent};
use tokio::time::timeout;

use crate::{
    context::Context,
    device,
    error::{self, CliError},
    output::{Label, Paper, PeerShown, Show, line},
};

/// How far something that changes a message is to come before the verb returns.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Until {
    /// Return when it is as far as this
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Step::Accepted)]
    wait: Step,
    /// Stop waiting after so many seconds; it goes on by itself [default: 30]
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Step {
    /// On this device's disk
    Queued,
    /// The home node has it and owns its delivery
    Accepted,
    /// The hub gave it its place in the room
    Ordered,
}

/// Something on its way.
#[derive(Debug, serde::Serialize)]
pub(super) struct Shown {
    pub(super) room: String,
    pub(super) message: String,
    pub(super) seq: u64,
    pub(super) level: Level,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["room", "message", "seq", "level"];

    fn show(&self, paper: &mut Paper) {
        let level = crate::output::level(self.level);
        let id: String =
            if paper.terminal() { self.message.chars().take(8).collect() } else { self.message.clone() };
        if paper.terminal() {
            paper.line(&format!("{} {}", paper.paint(Label::Good, level), paper.paint(Label::Id, &id)));
        } else {
            paper.line(&format!("{level}\t{}\t{id}", self.room));
        }
    }
}

/// Why nothing more can be said of a message.
pub(super) const WAITS: &str = "the message is stored on this device and waits";

impl Until {
    /// Waits for what was sent about a message, and says how far it came.
    ///
    /// # Errors
    /// `Pending` when the time is over; why it will never be done.
    pub(super) async fn reached(
        self,
        context: &Context,
        client: &Client,
        sent: Sent,
        message: &client::Message,
    ) -> Result<Shown, CliError> {
        let wanted = match self.wait {
            Step::Queued => Level::Queued,
            Step::Accepted => Level::Accepted,
            Step::Ordered => Level::Ordered,
        };
        let seconds = context.timeout(self.timeout);
        let reached = timeout(Duration::from_secs(seconds), client.reached(sent, wanted));
        match device::unless_suspended(client, WAITS, reached).await? {
            Ok(Ok(level)) => Ok(Shown {
                room: sent.room.to_string(),
                message: message.id.to_string(),
                seq: message.seq,
                level,
            }),
            Ok(Err(error)) => Err(device::failed("it will not be sent", error)),
            Err(_) => Err(late(client, wanted, seconds).await),
        }
    }
}

/// Follows a message until it is as far as wanted, and shows each step on the way.
///
/// # Errors
/// As [`Until::reached`].
pub(super) async fn follow(
    context: &Context,
    client: &Client,
    sent: Sent,
    wanted: Level,
    seconds: u64,
) -> Result<Shown, CliError> {
    let mut happenings = client.watch();
    let reached = client.wait(sent, wanted);
    tokio::pin!(reached);
    let following = async {
        let mut steps: Vec<String> = Vec::new();
        let mut last = Level::Queued;
        loop {
            tokio::select! {
                biased;
                message = &mut reached => return message,
                happening = happenings.next() => {
                    if let Some(Happening::Delivery { intent, level: Some(level), .. }) = happening
                        && intent == sent.intent
                        && level > last
                    {
                        steps.push(crate::output::passed(last, level));
                        last = level;
                        context.live(&steps.join(" → "));
                    }
                }
            }
        }
    };
    let following = timeout(Duration::from_secs(seconds), following);
    let outcome = device::unless_suspended(client, WAITS, following).await;
    context.live("");
    match outcome? {
        Ok(Ok(message)) => Ok(Shown {
            room: message.room.to_string(),
            message: message.id.to_string(),
            seq: message.seq,
            level: message.level.unwrap_or(wanted),
        }),
        Ok(Err(error)) => Err(device::failed("the message will not be sent", error)),
        Err(_) => Err(late(client, wanted, seconds).await),
    }
}

async fn late(client: &Client, wanted: Level, seconds: u64) -> CliError {
    let wanted = crate::output::level(wanted);
    let mut error =
        CliError::pending(format!("the message is not {wanted} after {}", error::seconds(seconds)))
            .cause("it is kept and goes on by itself");
    if let Ok(status) = client.status().await {
        if !status.connected {
            let why = status.problem.unwrap_or_else(|| "nothing answers".to_owned());
            error = error.cause(format!("no session with {}: {}", line(&status.endpoint), line(&why)));
        }
        for peer in &status.peers {
            let peer = PeerShown::of_view(peer);
            error = error.cause(peer.sentence(crate::context::now_ms()));
        }
    }
    error.hint("comity status")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown { room: String::new(), message: String::new(), seq: 0, level: Level::Read };
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
