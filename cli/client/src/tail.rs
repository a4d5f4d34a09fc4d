//! Follows the messages of rooms without a gap and without saying one twice. What happens is only a
//! reason to look; what is told comes from the device's disk, in order, after a cursor.

use std::collections::{BTreeMap, BTreeSet};

use wire::RoomId;

use crate::{
    Client, ClientError, Happenings,
    view::{Cursor, Happening, Message, Standing},
};

/// Messages that are read at once.
const PAGE: u32 = 200;

/// What came of waiting.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The next messages of a room, oldest first.
    Messages(Vec<Message>),
    /// Something else happened.
    Happening(Happening),
}

/// Follows rooms, each from a place of its own.
#[derive(Debug)]
pub struct Tail {
    client: Client,
    happenings: Happenings,
    rooms: Option<BTreeSet<RoomId>>,
    places: BTreeMap<RoomId, u64>,
    look: BTreeSet<RoomId>,
    from: Begin,
}

/// Where a room begins that has no place yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// With what comes from now on; a room that is joined later, with all of it.
    Now,
    /// With what is unread.
    Unread,
}

impl Tail {
    /// Follows these rooms, or all of them, also those that are joined later.
    ///
    /// # Errors
    /// As [`Client::rooms`].
    pub async fn new(
        client: &Client,
        rooms: Option<BTreeSet<RoomId>>,
        from: Begin,
    ) -> Result<Self, ClientError> {
        let mut tail = Self {
            happenings: client.watch(),
            client: client.clone(),
            rooms,
            places: BTreeMap::new(),
            look: BTreeSet::new(),
            from,
        };
        tail.look_at_all(true).await?;
        Ok(tail)
    }

    /// Goes on after this seq of a room.
    pub fn seek(&mut self, room: RoomId, after: u64) {
        self.places.insert(room, after);
        self.look.insert(room);
    }

    /// The next messages, or the next thing that happens; `None` once the client is closed. A call
    /// that is dropped loses nothing but what happened beside the messages.
    ///
    /// # Errors
    /// As [`Client::messages`].
    pub async fn next(&mut self) -> Result<Option<Next>, ClientError> {
        loop {
            while let Some(room) = self.look.first().copied() {
                let messages = self.read(room).await?;
                if !messages.is_empty() {
                    return Ok(Some(Next::Messages(messages)));
                }
            }
            match self.happenings.next().await {
                None => return Ok(None),
                Some(Happening::Message(message)) if self.follows(message.room) => {
                    self.look.insert(message.room);
                    return Ok(Some(Next::Happening(Happening::Message(message))));
                }
                Some(Happening::Message(_)) => {}
                Some(
                    missed @ (Happening::Missed
                    | Happening::Unlocked
                    | Happening::Connected(true)
                    | Happening::CaughtUp),
                ) => {
                    self.look_at_all(false).await?;
                    return Ok(Some(Next::Happening(missed)));
                }
                Some(other) => return Ok(Some(Next::Happening(other))),
            }
        }
    }

    fn follows(&self, room: RoomId) -> bool {
        self.rooms.as_ref().is_none_or(|rooms| rooms.contains(&room))
    }

    /// Reads on in a room, and takes it off the list when there is nothing more.
    async fn read(&mut self, room: RoomId) -> Result<Vec<Message>, ClientError> {
        let after = self.places.get(&room).copied().unwrap_or(0);
        let cursor = Cursor { after: Some(after), before: None, limit: PAGE };
        let page = match self.client.messages(room, cursor).await {
            // The owner of the directory ended: whoever takes over says `Missed`.
            Err(ClientError::Owner(_)) => {
                self.look.remove(&room);
                return Ok(Vec::new());
            }
            page => page?,
        };
        if !page.newer {
            self.look.remove(&room);
        }
        if let Some((_, last)) = page.span {
            self.places.insert(room, last.max(after));
        }
        // What this device has not sent yet has no place.
        Ok(page.messages.into_iter().filter(|message| message.seq > after).collect())
    }

    async fn look_at_all(&mut self, first: bool) -> Result<(), ClientError> {
        let rooms = match self.client.rooms().await {
            Err(ClientError::Owner(_)) => return Ok(()),
            rooms => rooms?,
        };
        for room in rooms.iter().filter(|room| room.standing != Standing::Invited) {
            if !self.follows(room.id) {
                continue;
            }
            let begins = match (self.from, first) {
                (Begin::Now, true) => room.seq,
                (Begin::Now, false) => 0,
                (Begin::Unread, _) => room.read_seq,
            };
            self.places.entry(room.id).or_insert(begins);
            self.look.insert(room.id);
        }
        Ok(())
    }
}
