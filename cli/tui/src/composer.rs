//! What is being written to a room, what for, and what was written before.

use std::collections::{BTreeMap, VecDeque};

use client::{Message, MessageBody, MessageId, Outgoing, RoomId};

use crate::editor::Editor;

/// Bytes of one message (`CONTENT_BODY_BYTES_MAX`).
pub(crate) const BODY_MAX: usize = 65_536;
/// Texts that are remembered to be sent again.
const HISTORY: usize = 100;
/// Rooms in which something unsent is kept.
const DRAFTS: usize = 256;

/// What a text will be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A message.
    #[default]
    New,
    /// The answer to a message.
    Reply(MessageId),
    /// Another text for a message of one's own.
    Edit(MessageId),
}

/// What is being written.
#[derive(Debug)]
pub(crate) struct Composer {
    pub(crate) editor: Editor,
    pub(crate) purpose: Purpose,
    drafts: BTreeMap<RoomId, (Editor, Purpose)>,
    history: VecDeque<String>,
    /// How far back in the history the shown text is, and what stood there before.
    looking: Option<(usize, String)>,
}

impl Composer {
    pub(crate) fn new() -> Self {
        Self {
            editor: Editor::new(BODY_MAX),
            purpose: Purpose::New,
            drafts: BTreeMap::new(),
            history: VecDeque::new(),
            looking: None,
        }
    }

    /// Goes from one room to another: what was not sent stays where it was written.
    pub(crate) fn move_to(&mut self, from: Option<RoomId>, to: RoomId) {
        let editor = std::mem::replace(&mut self.editor, Editor::new(BODY_MAX));
        let purpose = std::mem::take(&mut self.purpose);
        self.looking = None;
        if let Some(from) = from
            && !editor.is_empty()
            && self.drafts.len() < DRAFTS
        {
            self.drafts.insert(from, (editor, purpose));
        }
        if let Some((editor, purpose)) = self.drafts.remove(&to) {
            (self.editor, self.purpose) = (editor, purpose);
        }
    }

    /// Whether something unsent waits in a room that is not open.
    pub(crate) fn has_draft(&self, room: RoomId) -> bool {
        self.drafts.contains_key(&room)
    }

    /// What is to be sent, unless nothing was written.
    pub(crate) fn send(&mut self) -> Option<Outgoing> {
        if self.editor.text().trim().is_empty() {
            return None;
        }
        let body = self.editor.take();
        self.remember(body.clone());
        Some(match std::mem::take(&mut self.purpose) {
            Purpose::New => Outgoing::text(body),
            Purpose::Reply(target) => Outgoing::Text { body, reply_to: Some(target) },
            Purpose::Edit(target) => Outgoing::Edit { target, body },
        })
    }

    /// Keeps a text where the arrow up finds it.
    pub(crate) fn remember(&mut self, text: String) {
        self.looking = None;
        self.history.retain(|earlier| *earlier != text);
        if self.history.len() == HISTORY {
            self.history.pop_back();
        }
        self.history.push_front(text);
    }

    /// Begins to write another text for a message.
    pub(crate) fn edit(&mut self, message: &Message) {
        if let MessageBody::Text(text) = &message.body {
            self.editor.set(text);
            self.purpose = Purpose::Edit(message.id);
        }
    }

    /// Begins an answer; what was written stays.
    pub(crate) fn reply(&mut self, message: MessageId) {
        if matches!(self.purpose, Purpose::Edit(_)) {
            self.editor.clear();
        }
        self.purpose = Purpose::Reply(message);
    }

    /// Neither answer nor edit any more; whether it was.
    pub(crate) fn give_up(&mut self) -> bool {
        match std::mem::take(&mut self.purpose) {
            Purpose::New => false,
            Purpose::Reply(_) => true,
            Purpose::Edit(_) => {
                self.editor.clear();
                true
            }
        }
    }

    /// An older or a newer text of the history in place of what is shown.
    pub(crate) fn look_back(&mut self, older: bool) {
        let next = match (&self.looking, older) {
            (None, true) => Some(0),
            (Some((at, _)), true) => Some(at + 1),
            (Some((at, _)), false) => at.checked_sub(1),
            (None, false) => return,
        };
        match next {
            Some(at) => {
                let Some(text) = self.history.get(at).cloned() else { return };
                let before = match self.looking.take() {
                    Some((_, before)) => before,
                    None => self.editor.text().to_owned(),
                };
                self.looking = Some((at, before));
                self.editor.set(&text);
            }
            None => {
                if let Some((_, before)) = self.looking.take() {
                    self.editor.set(&before);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(composer: &mut Composer, text: &str) -> Option<Outgoing> {
        composer.editor.set(text);
        composer.send()
    }

    #[test]
    fn the_history_goes_back_and_comes_forward_to_what_was_being_written() {
        let mut composer = Composer::new();
        for text in ["one", "two", "one"] {
            assert_eq!(sent(&mut composer, text), Some(Outgoing::text(text)));
        }
        composer.editor.set("three");
        let mut seen = Vec::new();
        for older in [true, true, true, false, false, false] {
            composer.look_back(older);
            seen.push(composer.editor.text().to_owned());
        }
        assert_eq!(seen, ["one", "two", "two", "one", "three", "three"]);
    }

    #[test]
    fn what_was_not_sent_waits_in_its_room() {
        let (one, two) = (RoomId::new([1; 32]), RoomId::new([2; 32]));
        let target = MessageId::new([3; 16]);
        let mut composer = Composer::new();
        composer.move_to(None, one);
        composer.reply(target);
        composer.editor.insert("almost");
        composer.move_to(Some(one), two);
        assert!(composer.editor.is_empty() && composer.has_draft(one));
        assert_eq!(composer.send(), None);
        composer.move_to(Some(two), one);
        assert!(!composer.has_draft(one) && !composer.has_draft(two));
        let reply = Outgoing::Text { body: "almost".to_owned(), reply_to: Some(target) };
        assert_eq!(composer.send(), Some(reply));
        assert_eq!(sent(&mut composer, " \n "), None, "nothing was written");
    }
}
