//! One page of what a room holds; cursors are seqs.

use client::{Client, ClientError, Cursor, Page, RoomId};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    output::{MessageAlone, MessageShown, room_label, short},
};

/// Which room, and which page.
#[derive(Debug, clap::Args)]
pub(super) struct Paging {
    /// `bob@umbrella.test`, `#name`, or the beginning of a room's id
    #[arg(value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// Only what is before this seq
    #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
    before: Option<u64>,
    /// Only what is after this seq, the oldest first
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,
}

impl Paging {
    /// Shows what `read` finds on the page, and how `verb` shows the pages beside it.
    ///
    /// # Errors
    /// Those of finding the room and of `read`.
    pub(super) async fn show(
        self,
        context: &Context,
        verb: &str,
        read: impl AsyncFnOnce(&Client, RoomId, Cursor) -> Result<Page, ClientError>,
    ) -> Result<(), CliError> {
        context.check_fields(MessageShown::FIELDS)?;
        let (room, page) = device::with(context, async |client| {
            device::catch_up(context, client).await?;
            let room = device::find_joined(client, &self.room).await?;
            let cursor = Cursor { before: self.before, after: self.after, limit: self.limit };
            let page = read(client, room.id, cursor).await;
            Ok((room, page.map_err(|error| device::failed("cannot read the room", error))?))
        })
        .await?;
        let label = room_label(&room);
        // What is not sent yet has no place.
        let placed = page.messages.iter().map(|message| message.seq).filter(|seq| *seq > 0);
        let (first, last) = (placed.clone().min(), placed.max());
        for message in page.messages {
            context.show(&MessageAlone(MessageShown::new(message, &label)))?;
        }
        let id = short(&room.id);
        if let (true, Some(first)) = (page.older, first) {
            context.hint(&format!("older: {verb} {id} --before {first}"));
        }
        if let (true, Some(last)) = (page.newer, last) {
            context.hint(&format!("newer: {verb} {id} --after {last}"));
        }
        Ok(())
    }
}
