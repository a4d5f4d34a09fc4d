//! Finds messages among those that this device has. Nobody else is asked: no node can read them.

use wire::{Account, RoomId};

use crate::{
    Client, ClientError,
    view::{Cursor, Message, MessageBody, Page, Standing},
};

/// Messages that are asked for at once while looking through a room.
const PAGE: u32 = 200;

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only in this room.
    pub room: Option<RoomId>,
    /// Every one of these stands in the text, in upper or lower case, as a word or a part of one.
    pub words: Vec<String>,
    /// Only written by this account.
    pub from: Option<Account>,
    /// Only before this seq of its room.
    pub before: Option<u64>,
    /// At most so many, the newest; 1 to 200.
    pub limit: u32,
}

impl Query {
    /// Whether a message is one of those that are searched for.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        let MessageBody::Text(text) = &message.body else { return false };
        if self.from.is_some() && message.sender != self.from {
            return false;
        }
        let text = text.to_lowercase();
        self.words.iter().all(|word| text.contains(&word.to_lowercase()))
    }
}

impl Client {
    /// Searches what this device has, the newest messages first to be found; told oldest first.
    /// Texts are searched as they are now: with edits applied, and not if they were taken back.
    ///
    /// # Errors
    /// As [`Client::messages`].
    pub async fn search(&self, query: &Query) -> Result<Vec<Message>, ClientError> {
        let rooms: Vec<RoomId> = match query.room {
            Some(room) => vec![room],
            None => {
                let rooms = self.rooms().await?;
                let readable = rooms.into_iter().filter(|room| room.standing != Standing::Invited);
                readable.map(|room| room.id).collect()
            }
        };
        let cursor = Cursor { before: query.before, after: None, limit: query.limit };
        let mut found = Vec::new();
        for room in rooms {
            found.extend(self.messages_that(room, cursor, |message| query.matches(message)).await?.messages);
        }
        found.sort_by_key(|message| (message.time_ms, message.room, message.seq));
        let surplus = found.len().saturating_sub(query.limit as usize);
        found.drain(..surplus);
        Ok(found)
    }

    /// As [`Client::messages`], but only those messages that are wanted, however far they are apart.
    ///
    /// # Errors
    /// As [`Client::messages`].
    pub async fn messages_that(
        &self,
        room: RoomId,
        cursor: Cursor,
        wanted: impl Fn(&Message) -> bool,
    ) -> Result<Page, ClientError> {
        let limit = cursor.limit.clamp(1, PAGE) as usize;
        let forward = cursor.after.is_some();
        let mut at = Cursor { limit: PAGE, ..cursor };
        let mut found = Page::default();
        loop {
            let page = self.messages(room, at).await?;
            let (more, next) = if forward {
                (page.newer, page.span.map(|(_, last)| last))
            } else {
                (page.older, page.span.map(|(first, _)| first))
            };
            let messages = page.messages.into_iter().filter(&wanted);
            if forward {
                found.messages.extend(messages);
            } else {
                found.messages.splice(0..0, messages);
            }
            let surplus = found.messages.len().saturating_sub(limit);
            if forward {
                found.messages.truncate(limit);
                (found.older, found.newer) = (cursor.after > Some(0), surplus > 0 || more);
            } else {
                found.messages.drain(..surplus);
                (found.older, found.newer) = (surplus > 0 || more, cursor.before.is_some());
            }
            match next {
                Some(seq) if more && found.messages.len() < limit => {
                    at = if forward {
                        Cursor { after: Some(seq), ..at }
                    } else {
                        Cursor { before: Some(seq), ..at }
                    };
                }
                _ => return Ok(found),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::MessageId;

    fn message(sender: &str, body: MessageBody) -> Message {
        Message {
            room: RoomId::new([1; 32]),
            id: MessageId::new([2; 16]),
            intent: None,
            seq: 1,
            sender: sender.parse().ok(),
            own: false,
            time_ms: 0,
            body,
            edited: false,
            reply_to: None,
            reactions: Vec::new(),
            level: None,
            failed: None,
        }
    }

    #[test]
    fn every_word_must_be_there_and_its_case_does_not_matter() {
        let said = message("bob@umbrella.test", MessageBody::Text("Die Größe der ÄPFEL".into()));
        let query = |words: &[&str]| Query {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            ..Query::default()
        };
        for (words, found) in [
            (&["größe"][..], true),
            (&["GRÖSSE", "die"], false),
            (&["äpfel", "DIE"], true),
            (&["äpfel", "birnen"], false),
            (&["%"], false),
            (&["_"], false),
            (&[], true),
        ] {
            assert_eq!(query(words).matches(&said), found, "{words:?}");
        }
    }

    #[test]
    fn only_texts_and_only_of_the_one_who_is_asked_for() {
        let from = |name: &str| Query { from: name.parse().ok(), ..Query::default() };
        let said = message("bob@umbrella.test", MessageBody::Text("hello".into()));
        assert!(from("bob@umbrella.test").matches(&said));
        assert!(!from("eve@umbrella.test").matches(&said));
        assert!(!Query::default().matches(&message("bob@umbrella.test", MessageBody::Deleted)));
    }
}
