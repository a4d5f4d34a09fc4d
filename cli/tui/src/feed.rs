//! The part of a room's timeline that is held to be shown, and where in it the reader is.

use client::{Cursor, ErrorCode, Level, Message, MessageBody, MessageId, Page, RoomId};

use crate::effect::Part;

/// Messages that are asked for at once.
const PAGE: u32 = 100;
/// Messages that are held; beyond, the far end is let go.
const HELD: usize = 1_000;

/// Where the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// At the newest message.
    Bottom,
    /// The last row of the window is this row of this message.
    At(MessageId, usize),
}

/// Whether something is being read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Reading {
    #[default]
    Idle,
    /// It is.
    Under,
    /// It is, and has to be read once more.
    Again,
}

/// A part of a room's timeline.
#[derive(Debug)]
pub(crate) struct Feed {
    pub(crate) room: RoomId,
    /// Oldest first; what is not ordered yet last.
    pub(crate) messages: Vec<Message>,
    /// Older ones exist than are held.
    pub(crate) older: bool,
    /// Newer ones do.
    pub(crate) newer: bool,
    /// It was read once.
    pub(crate) loaded: bool,
    /// Everything up to this seq had been read when the room was opened.
    pub(crate) read_to: u64,
    pub(crate) anchor: Anchor,
    pub(crate) chosen: Option<MessageId>,
    /// Long messages that are shown whole.
    pub(crate) whole: Vec<MessageId>,
    newest: Reading,
    sideways: Reading,
    /// The first and the last seq that were looked at: what is not shown may lie at either end.
    span: Option<(u64, u64)>,
}

impl Feed {
    pub(crate) const fn new(room: RoomId, read_to: u64) -> Self {
        Self {
            room,
            messages: Vec::new(),
            older: false,
            newer: false,
            loaded: false,
            read_to,
            anchor: Anchor::Bottom,
            chosen: None,
            whole: Vec::new(),
            newest: Reading::Idle,
            sideways: Reading::Idle,
            span: None,
        }
    }

    /// What to read to show the newest; `None` if that is under way.
    pub(crate) fn read_newest(&mut self) -> Option<(Part, Cursor)> {
        if self.newest != Reading::Idle {
            self.newest = Reading::Again;
            return None;
        }
        self.newest = Reading::Under;
        Some((Part::Newest, Cursor { limit: PAGE, ..Cursor::default() }))
    }

    /// What to read to see more upwards.
    pub(crate) fn read_older(&mut self) -> Option<(Part, Cursor)> {
        let (first, _) = self.span?;
        if !self.older || self.sideways != Reading::Idle {
            return None;
        }
        self.sideways = Reading::Under;
        Some((Part::Older, Cursor { before: Some(first), after: None, limit: PAGE }))
    }

    /// What to read to see more downwards.
    pub(crate) fn read_newer(&mut self) -> Option<(Part, Cursor)> {
        let (_, last) = self.span?;
        if !self.newer || self.sideways != Reading::Idle {
            return None;
        }
        self.sideways = Reading::Under;
        Some((Part::Newer, Cursor { before: None, after: Some(last), limit: PAGE }))
    }

    /// What to read to see a message among its neighbours.
    pub(crate) fn read_around(seq: u64) -> (Part, Cursor) {
        let after = Some(seq.saturating_sub(u64::from(PAGE) / 2));
        (Part::Around(seq), Cursor { before: None, after, limit: PAGE })
    }

    /// What to read to see one message as it is now.
    pub(crate) fn read_one(seq: u64) -> (Part, Cursor) {
        (Part::One, Cursor { before: Some(seq + 1), after: Some(seq.saturating_sub(1)), limit: 1 })
    }

    /// Takes over what was read; whether the newest have to be read once more.
    pub(crate) fn take(&mut self, part: Part, page: Option<Page>) -> bool {
        let again = match part {
            Part::Newest => std::mem::take(&mut self.newest) == Reading::Again,
            Part::Older | Part::Newer => {
                self.sideways = Reading::Idle;
                false
            }
            Part::Around(_) | Part::One => false,
        };
        if let Some(page) = page {
            self.loaded = true;
            match part {
                Part::Newest if self.newer => {}
                Part::Newest => self.join_newest(page),
                Part::Older => self.join_older(page),
                Part::Newer => self.join_newer(page),
                Part::Around(seq) => self.replace(page, seq),
                Part::One => self.join_one(page),
            }
        }
        again
    }

    fn join_newest(&mut self, page: Page) {
        let looked = looked(&page);
        let first = page.messages.iter().map(|message| message.seq).find(|seq| *seq > 0);
        let keep = match first {
            Some(first) if page.older => {
                let meets = self.messages.iter().any(|message| message.seq >= first);
                if meets { self.messages.partition_point(|m| m.seq > 0 && m.seq < first) } else { 0 }
            }
            _ => 0,
        };
        self.messages.truncate(keep);
        if keep == 0 {
            self.older = page.older;
            self.span = looked;
        } else if let (Some(span), Some((_, last))) = (&mut self.span, looked) {
            span.1 = last;
        }
        self.messages.extend(page.messages);
        self.let_go_of_oldest();
    }

    /// The oldest are let go where too many are held.
    fn let_go_of_oldest(&mut self) {
        if self.messages.len() > HELD {
            let surplus = self.messages.len() - HELD;
            self.messages.drain(..surplus);
            self.older = true;
            if let (Some(span), Some(first)) = (&mut self.span, self.messages.first()) {
                span.0 = first.seq;
            }
        }
    }

    fn join_older(&mut self, page: Page) {
        let looked = looked(&page);
        let first = self.messages.first().map_or(0, |message| message.seq);
        let mut messages = page.messages;
        messages.retain(|message| message.seq > 0 && message.seq < first);
        self.older = page.older && looked.is_some();
        if let (Some(span), Some((first, _))) = (&mut self.span, looked) {
            span.0 = span.0.min(first);
        }
        messages.append(&mut self.messages);
        self.messages = messages;
        if self.messages.len() > HELD {
            self.messages.truncate(HELD);
            self.newer = true;
            if let (Some(span), Some(last)) = (&mut self.span, self.messages.last()) {
                span.1 = last.seq;
            }
        }
    }

    fn join_newer(&mut self, page: Page) {
        let last = self.messages.last().map_or(0, |message| message.seq);
        let looked = looked(&page);
        self.newer = page.newer && looked.is_some();
        if let (Some(span), Some((_, last))) = (&mut self.span, looked) {
            span.1 = span.1.max(last);
        }
        self.messages.extend(page.messages.into_iter().filter(|m| m.seq == 0 || m.seq > last));
        self.let_go_of_oldest();
    }

    fn join_one(&mut self, page: Page) {
        for message in page.messages.into_iter().filter(|message| message.seq > 0) {
            if let Some(held) = self.messages.iter_mut().find(|held| held.seq == message.seq) {
                *held = message;
            }
        }
    }

    fn replace(&mut self, page: Page, seq: u64) {
        self.older = page.older;
        self.newer = page.newer;
        self.span = looked(&page);
        self.messages = page.messages;
        let found = self.messages.iter().find(|message| message.seq == seq).map(|message| message.id);
        self.chosen = found;
        self.anchor = found.map_or(Anchor::Bottom, |id| Anchor::At(id, usize::MAX));
    }

    /// The newest are to be shown, whatever was shown before; what to read for that.
    pub(crate) fn go_to_bottom(&mut self) -> Option<(Part, Cursor)> {
        self.anchor = Anchor::Bottom;
        self.chosen = None;
        if !self.newer {
            return None;
        }
        self.newer = false;
        self.older = false;
        self.messages.clear();
        self.span = None;
        self.loaded = false;
        self.read_newest()
    }

    /// How far an own message is; whether it is held.
    pub(crate) fn delivered(
        &mut self,
        intent: MessageId,
        level: Option<Level>,
        failed: Option<ErrorCode>,
    ) -> bool {
        let held = self.messages.iter_mut().rev().find(|message| message.intent == Some(intent));
        let Some(message) = held else { return false };
        if failed.is_some() {
            message.failed = failed;
        } else if level > message.level {
            message.level = level;
        }
        // Being ordered it gets its place: the page has to be read again for that.
        message.seq > 0 || level < Some(Level::Ordered)
    }

    /// The message with this id.
    pub(crate) fn get(&self, id: MessageId) -> Option<&Message> {
        self.messages.iter().find(|message| message.id == id)
    }

    /// The message that is chosen.
    pub(crate) fn chosen(&self) -> Option<&Message> {
        self.get(self.chosen?)
    }

    /// Chooses the text before or after the chosen one; whether there was one.
    pub(crate) fn choose(&mut self, down: bool) -> bool {
        let can = |message: &&Message| is_said(message);
        let here = self.chosen.and_then(|id| self.messages.iter().position(|message| message.id == id));
        let next = match (here, down) {
            (None, _) => self.messages.iter().rfind(can),
            (Some(here), true) => self.messages.iter().skip(here + 1).find(can),
            (Some(here), false) => self.messages.iter().take(here).rfind(can),
        };
        match next.map(|message| message.id) {
            Some(id) => {
                self.chosen = Some(id);
                true
            }
            None => false,
        }
    }

    /// The newest own text.
    pub(crate) fn own_last(&self) -> Option<&Message> {
        self.messages.iter().rfind(|message| message.own && matches!(message.body, MessageBody::Text(_)))
    }

    /// The newest text by somebody else.
    pub(crate) fn other_last(&self) -> Option<&Message> {
        self.messages.iter().rfind(|message| !message.own && matches!(message.body, MessageBody::Text(_)))
    }

    /// The newest place that somebody else's text has.
    pub(crate) fn other_seq(&self) -> u64 {
        self.messages
            .iter()
            .rfind(|message| !message.own && is_said(message))
            .map_or(0, |message| message.seq)
    }
}

/// The first and the last seq that a page is about.
fn looked(page: &Page) -> Option<(u64, u64)> {
    let mut seqs = page.messages.iter().map(|message| message.seq).filter(|seq| *seq > 0);
    let first = seqs.next();
    page.span.or(first.map(|first| (first, seqs.next_back().unwrap_or(first))))
}

/// Whether a person says it.
pub(crate) const fn is_said(message: &Message) -> bool {
    matches!(
        message.body,
        MessageBody::Text(_) | MessageBody::File(_) | MessageBody::Deleted | MessageBody::Unreadable(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(seq: u64) -> Message {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&seq.to_be_bytes());
        Message {
            room: RoomId::new([1; 32]),
            id: MessageId::new(id),
            intent: None,
            seq,
            sender: "bob@acme.test".parse().ok(),
            own: false,
            time_ms: seq,
            body: MessageBody::Text(format!("text {seq}")),
            edited: false,
            reply_to: None,
            reactions: Vec::new(),
            level: None,
            failed: None,
        }
    }

    fn page(range: std::ops::Range<u64>, older: bool, newer: bool) -> Option<Page> {
        Some(Page { messages: range.map(message).collect(), older, newer, span: None })
    }

    fn seqs(feed: &Feed) -> Vec<u64> {
        feed.messages.iter().map(|message| message.seq).collect()
    }

    fn feed() -> Feed {
        Feed::new(RoomId::new([1; 32]), 0)
    }

    #[test]
    fn pages_join_without_gap_or_repetition() {
        let mut feed = feed();
        assert!(feed.read_newest().is_some());
        assert!(feed.read_newest().is_none(), "one at a time");
        assert!(feed.take(Part::Newest, page(100..200, true, false)), "asked for meanwhile");
        assert_eq!(feed.read_older().map(|(_, cursor)| cursor.before), Some(Some(100)));
        assert!(feed.read_older().is_none());
        feed.take(Part::Older, page(50..100, true, false));
        assert_eq!(seqs(&feed), (50..200).collect::<Vec<_>>());
        assert!(feed.older);
        feed.read_newest();
        feed.take(Part::Newest, page(150..250, true, false));
        assert_eq!(seqs(&feed), (50..250).collect::<Vec<_>>());
        // So much came that the pages do not meet: nothing is shown as if it followed.
        feed.read_newest();
        feed.take(Part::Newest, page(400..500, true, false));
        assert_eq!(seqs(&feed), (400..500).collect::<Vec<_>>());
        assert!(feed.older);
    }

    #[test]
    fn what_is_held_has_a_bound_at_both_ends() {
        let mut feed = feed();
        feed.take(Part::Newest, page(5_000..5_100, true, false));
        for n in 1..=12 {
            feed.take(Part::Older, page(5_000 - n * 100..5_100 - n * 100, true, false));
        }
        assert_eq!(feed.messages.len(), HELD);
        assert!(feed.newer, "the newest were let go");
        feed.take(Part::Newest, page(5_000..5_101, true, false));
        assert_eq!(feed.messages.first().map(|m| m.seq), Some(3_800), "the newest do not follow here");
        feed.take(Part::Newer, page(4_800..4_900, true, true));
        assert_eq!(feed.messages.last().map(|m| m.seq), Some(4_899));
        assert_eq!(feed.messages.len(), HELD);
        assert!(feed.go_to_bottom().is_some());
        feed.take(Part::Newest, page(5_001..5_101, true, false));
        assert_eq!(seqs(&feed), (5_001..5_101).collect::<Vec<_>>());
    }

    #[test]
    fn a_message_is_shown_as_it_became() {
        let mut feed = feed();
        feed.take(Part::Newest, page(1..4, false, false));
        let changed = Message { edited: true, ..message(2) };
        feed.take(Part::One, Some(Page { messages: vec![changed], ..Page::default() }));
        assert_eq!(feed.messages.iter().map(|m| m.edited).collect::<Vec<_>>(), [false, true, false]);
        let intent = MessageId::new([9; 16]);
        feed.messages.push(Message {
            seq: 0,
            own: true,
            intent: Some(intent),
            level: Some(Level::Queued),
            ..message(9)
        });
        assert!(feed.delivered(intent, Some(Level::Accepted), None));
        assert!(!feed.delivered(intent, Some(Level::Ordered), None), "its place is to be read");
        assert!(!feed.delivered(MessageId::new([8; 16]), Some(Level::Read), None));
        assert_eq!(feed.own_last().and_then(|m| m.level), Some(Level::Ordered));
    }

    #[test]
    fn only_what_is_said_can_be_chosen() {
        let mut feed = feed();
        assert!(!feed.choose(false));
        feed.take(Part::Newest, page(1..4, false, false));
        feed.messages[1].body = MessageBody::Renamed { name: String::new(), topic: String::new() };
        let mut chosen = Vec::new();
        for down in [false, false, false, true, true] {
            feed.choose(down);
            chosen.push(feed.chosen().map(|m| m.seq));
        }
        assert_eq!(chosen, [Some(3), Some(1), Some(1), Some(3), Some(3)]);
    }
}
