//! The rooms, in the order in which they are shown, and which of them is open.

use client::{Room, RoomId, RoomKind, Standing};
use engine::view::fits;

use crate::text::steady;

/// The rooms.
#[derive(Debug, Default)]
pub(crate) struct RoomList {
    rooms: Vec<Room>,
    open: Option<RoomId>,
}

/// What a person calls a room, safe to show.
pub(crate) fn label(room: &Room) -> String {
    steady(&room.called())
}

impl RoomList {
    /// All of them: invitations first, then the newest.
    pub(crate) fn all(&self) -> &[Room] {
        &self.rooms
    }

    /// Takes over what the device has.
    pub(crate) fn set(&mut self, rooms: Vec<Room>) {
        self.rooms = rooms;
        self.sort();
    }

    /// Takes over one room.
    pub(crate) fn update(&mut self, room: Room) {
        self.rooms.retain(|other| other.id != room.id);
        self.rooms.push(room);
        self.sort();
    }

    fn sort(&mut self) {
        let class = |room: &Room| match room.standing {
            Standing::Invited => 0,
            Standing::Left => 2,
            Standing::Joining
            | Standing::Rejoining
            | Standing::Member
            | Standing::Paused
            | Standing::Refused => 1,
        };
        self.rooms
            .sort_by(|a, b| class(a).cmp(&class(b)).then(b.time_ms.cmp(&a.time_ms)).then(a.id.cmp(&b.id)));
    }

    /// A room by its id.
    pub(crate) fn get(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }

    /// The one that is open.
    pub(crate) fn open(&self) -> Option<&Room> {
        self.get(self.open?)
    }

    /// Its id.
    pub(crate) const fn open_id(&self) -> Option<RoomId> {
        self.open
    }

    /// Opens another.
    pub(crate) const fn set_open(&mut self, room: RoomId) {
        self.open = Some(room);
    }

    /// The word for a room on a command line. What others call a room may mean something to a shell, and
    /// several may be called the same.
    pub(crate) fn word(&self, id: RoomId) -> String {
        let digits = || id.to_string().chars().take(8).collect();
        let Some(room) = self.get(id) else { return digits() };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        match (room.kind, &room.peer) {
            (RoomKind::Direct, Some(peer)) => peer.to_string(),
            (RoomKind::Group, _)
                if !room.name.is_empty()
                    && room.name.chars().all(is_plain)
                    && self.rooms.iter().filter(|other| other.name == room.name).count() == 1 =>
            {
                format!("\"#{}\"", room.name)
            }
            _ => digits(),
        }
    }

    /// The one after the open one, or before it, round and round.
    pub(crate) fn next(&self, down: bool) -> Option<RoomId> {
        let count = self.rooms.len();
        let here = self.open.and_then(|open| self.rooms.iter().position(|room| room.id == open));
        let there = match (here, down) {
            (None, _) => 0,
            (Some(here), true) => (here + 1) % count.max(1),
            (Some(here), false) => (here + count - 1) % count.max(1),
        };
        self.rooms.get(there).map(|room| room.id)
    }

    /// The next one with something unread: mentions and invitations first.
    pub(crate) fn next_unread(&self) -> Option<RoomId> {
        let others = || self.rooms.iter().filter(|room| Some(room.id) != self.open);
        let urgent = |room: &&Room| room.standing == Standing::Invited || room.mentions > 0;
        others().find(urgent).or_else(|| others().find(|room| room.unread > 0)).map(|room| room.id)
    }

    /// Those that some letters fit: those that one is in first, then the best.
    pub(crate) fn find(&self, letters: &str) -> Vec<&Room> {
        let mut found: Vec<(i64, usize, &Room)> = self
            .rooms
            .iter()
            .enumerate()
            .filter_map(|(place, room)| Some((fits(letters, &room.called())?, place, room)))
            .collect();
        let class = |room: &Room| match room.standing {
            Standing::Member | Standing::Invited | Standing::Paused | Standing::Rejoining => 0,
            Standing::Joining | Standing::Refused => 1,
            Standing::Left => 2,
        };
        found.sort_by(|a, b| class(a.2).cmp(&class(b.2)).then(b.0.cmp(&a.0)).then(a.1.cmp(&b.1)));
        found.into_iter().map(|(_, _, room)| room).collect()
    }

    /// Messages and invitations that wait in all of them.
    pub(crate) fn unread(&self) -> u64 {
        self.rooms.iter().map(|room| room.unread).sum()
    }
}
