//! The room and the message that a verb concerns.

use client::{Client, Message, Room};

use crate::{
    context::Context,
    device::{self, MessageWord, Word},
    error::CliError,
};

/// Which message.
#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// The beginning of the message's id, or `@` and its seq
    #[arg(value_name = "MESSAGE", value_parser = device::message_word)]
    message: MessageWord,
}

impl Target {
    /// The message as it is now, and its room.
    ///
    /// # Errors
    /// As `device::find_joined` and `device::find_message`.
    pub(super) async fn find(&self, context: &Context, client: &Client) -> Result<(Room, Message), CliError> {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &self.room).await?;
        let message = device::find_message(client, room.id, &self.message).await?;
        Ok((room, message))
    }

    /// As [`Self::find`], if it is a text of one's own that stands in its room.
    ///
    /// # Errors
    /// `Forbidden` if somebody else wrote it; usage if it is no text, or not ordered yet.
    pub(super) async fn find_own(
        &self,
        context: &Context,
        client: &Client,
        what: &str,
    ) -> Result<(Room, Message), CliError> {
        let (room, message) = self.find(context, client).await?;
        if !message.own {
            return Err(CliError::found_by_verb(what, client::ErrorCode::Forbidden)
                .cause("somebody else wrote it")
                .hint("only its author can do that"));
        }
        check_text(&message, what)?;
        Ok((room, message))
    }
}

/// That a message is a text and has its place.
///
/// # Errors
/// Usage.
pub(super) fn check_text(message: &Message, what: &str) -> Result<(), CliError> {
    if !matches!(message.body, client::MessageBody::Text(_)) {
        return Err(CliError::usage(what).cause("it is no text, or it was taken back"));
    }
    if message.seq == 0 {
        return Err(CliError::usage(what)
            .cause("it has no place in the room yet")
            .hint("wait until it is ordered: comity status"));
    }
    Ok(())
}
