//! The people of the demo: devices as any program would hold them.

use std::{path::Path, time::Duration};

use client::{Client, Cursor, Happening, Level, Message, MessageBody, Outgoing, Room, RoomId, Sent};
use tokio::time::{Instant, timeout};
use wire::proto::{self, admin_request::Request, admin_response::Response};

use super::{nodes::Node, stage::Stage};
use crate::{
    admin,
    command::user::invite::ticket,
    device,
    error::CliError,
    output::{level, passed},
};

/// How long one thing may take before it counts as not verified.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody with a device.
pub(super) struct Person {
    /// The part before the `@`.
    pub(super) name: &'static str,
    /// The account.
    pub(super) account: client::Account,
    /// The device.
    pub(super) client: Client,
}

impl Person {
    /// Invited by the node's administrator, and logged in.
    pub(super) async fn enrol(name: &'static str, node: &Node, home: &Path) -> Result<Self, CliError> {
        let account = format!("{name}@{}", node.domain());
        let request = Request::InviteUser(proto::InviteUser { account: account.clone() });
        let Response::Invite(invite) = node.ask(request).await? else {
            return Err(admin::unexpected("inviting"));
        };
        let ticket = ticket(&invite).map_err(|code| CliError::wire("cannot invite", code.into()))?;
        let client = Client::login(&home.join(&account), &ticket)
            .await
            .map_err(|error| device::failed("cannot log in", error))?;
        let person = Self { name, account: ticket.account.clone(), client };
        person
            .until("is up to date", async || {
                let status = person.client.status().await.ok()?;
                status.caught_up.then_some(())
            })
            .await?;
        Ok(person)
    }

    /// Looks again after each happening until something is there.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        look: impl AsyncFn() -> Option<T>,
    ) -> Result<T, CliError> {
        let mut happenings = self.client.watch();
        let looking = async {
            loop {
                if let Some(found) = look().await {
                    return Some(found);
                }
                happenings.next().await?;
            }
        };
        let late = || CliError::failed(format!("not verified: {} {what}", self.name));
        timeout(PATIENCE, looking).await.ok().flatten().ok_or_else(late)
    }

    /// Waits for a room.
    pub(super) async fn room(&self, what: &str, fits: impl Fn(&Room) -> bool) -> Result<Room, CliError> {
        self.until(what, async || {
            let rooms = self.client.rooms().await.ok()?;
            rooms.into_iter().find(|room| fits(room))
        })
        .await
    }

    /// Everything that was said in a room.
    pub(super) async fn texts(&self, room: RoomId) -> Result<Vec<Message>, CliError> {
        let cursor = Cursor { limit: 200, ..Cursor::default() };
        let page =
            self.client.messages(room, cursor).await.map_err(|error| device::failed("cannot read", error))?;
        let said = |message: &Message| matches!(message.body, MessageBody::Text(_));
        Ok(page.messages.into_iter().filter(said).collect())
    }

    /// Waits until a text is there, and marks it as read.
    pub(super) async fn read(&self, room: RoomId, text: &str) -> Result<Message, CliError> {
        let message = self
            .until("reads the message", async || {
                let texts = self.texts(room).await.ok()?;
                texts.into_iter().find(|message| body(message) == text)
            })
            .await?;
        self.client
            .mark_read(room, message.seq)
            .await
            .map_err(|error| device::failed("cannot mark as read", error))?;
        Ok(message)
    }

    /// Sends, and shows each acknowledgement as it arrives, up to `wanted`.
    pub(super) async fn say(
        &self,
        stage: &Stage<'_>,
        to: To<'_>,
        text: &str,
        wanted: Level,
    ) -> Result<(Sent, Vec<Level>), CliError> {
        let happenings = self.client.watch();
        let began = Instant::now();
        let text = Outgoing::text(text);
        let sent = match to {
            To::Account(account) => self.client.send_to(account, text).await,
            To::Room(room) => self.client.send(room, text).await,
        };
        let sent = sent.map_err(|error| device::failed("cannot send", error))?;
        let levels = self.follow(stage, happenings, sent, (Level::Queued, wanted), began).await?;
        Ok((sent, levels))
    }

    /// Shows how a message comes from one level to another.
    pub(super) async fn follow(
        &self,
        stage: &Stage<'_>,
        mut happenings: client::Happenings,
        sent: Sent,
        (before, wanted): (Level, Level),
        began: Instant,
    ) -> Result<Vec<Level>, CliError> {
        let mut levels = Vec::new();
        let mut shown: Vec<String> = Vec::new();
        let following = async {
            while levels.last().is_none_or(|last| *last < wanted) {
                match happenings.next().await {
                    Some(Happening::Delivery { intent, level: Some(reached), failed: None, .. })
                        if intent == sent.intent
                            && levels.last().is_none_or(|last| *last < reached)
                            && reached > before =>
                    {
                        let passed = passed(levels.last().copied().unwrap_or(before), reached);
                        shown.push(format!("{passed} {} ms", began.elapsed().as_millis()));
                        levels.push(reached);
                        stage.live(&shown.join(" → "));
                    }
                    Some(Happening::Delivery { intent, failed: Some(code), .. }) if intent == sent.intent => {
                        return Err(CliError::wire("the message failed", code.into()));
                    }
                    Some(_) => {}
                    None => return Err(CliError::failed("the device was closed")),
                }
            }
            Ok(())
        };
        let outcome = timeout(PATIENCE, following).await;
        stage.settle();
        stage.say(&format!("acknowledged to {}: {}", self.name, shown.join(" → ")))?;
        match outcome {
            Ok(outcome) => outcome?,
            Err(_) => {
                return Err(CliError::failed(format!("not verified: the message is {}", level(wanted))));
            }
        }
        Ok(levels)
    }
}

/// Where somebody says something.
#[derive(Clone, Copy)]
pub(super) enum To<'a> {
    /// The direct room with an account.
    Account(&'a client::Account),
    /// A room.
    Room(RoomId),
}

/// The text of a message.
pub(super) fn body(message: &Message) -> &str {
    match &message.body {
        MessageBody::Text(text) => text,
        _ => "",
    }
}
