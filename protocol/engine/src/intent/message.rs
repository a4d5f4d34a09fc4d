//! A message on its way: encrypted when the epoch is final, submitted under one id until a node has
//! accepted it, encrypted anew under another id only if the log shows that it never will be ordered.

use bytes::Bytes;
use machine::Entropy;
use wire::{
    ErrorCode, MessageId,
    proto::{EventKind, MessageBinding, Submission, content::Kind},
};

use super::worker::Step;
use crate::{Engine, Notice, Outcome, room::Room, view::Delivery};

impl<E: Entropy> Engine<E> {
    pub(super) fn send_message(&mut self, room: &mut Room, intent: MessageId) -> Step {
        match self.encrypt(room, intent) {
            Ok(submission) => {
                room.unaccepted += 1;
                self.submit(intent, submission);
                Step::Next
            }
            // Proposals that are not committed yet forbid it.
            Err(ErrorCode::Conflict) => {
                self.settle_soon(room);
                Step::Wait
            }
            Err(error) => {
                self.fail_message(room, intent, error.into());
                Step::Next
            }
        }
    }

    fn encrypt(&mut self, room: &mut Room, intent: MessageId) -> Result<Submission, ErrorCode> {
        let row = self.intents.get(intent).ok_or(ErrorCode::NotFound)?;
        let mut content = row.content.clone().ok_or(ErrorCode::Malformed)?;
        // The first submission goes by the intent's own name; one to a room that its hub had lost, by the
        // id that it had there.
        let message = match row.tries {
            0 => row.message.as_ref().try_into().unwrap_or(intent),
            _ => self.new_id(),
        };
        let head = room.head();
        content.head_seq = head.seq;
        content.head_hash = Bytes::copy_from_slice(&head.hash);
        let plaintext = mls::content::pad(&content)?;
        let binding =
            MessageBinding { room: room.id.to_bytes(), message_id: message.to_bytes(), ephemeral: false };
        let member = room.live(&self.keys)?;
        let epoch = member.epoch();
        let body = member.encrypt(&binding, &plaintext, &mut self.entropy)?;
        self.stage.mls.insert(room.id);
        Ok(Submission {
            room: room.id.to_bytes(),
            message_id: message.to_bytes(),
            kind: EventKind::Message.into(),
            epoch,
            body,
            account: self.keys.account.to_string(),
            device_id: self.keys.device.to_bytes(),
            ..Submission::default()
        })
    }

    /// An own message has its place in the log.
    pub(crate) fn message_ordered(
        &mut self,
        room: &mut Room,
        intent: MessageId,
        message: MessageId,
        seq: u64,
    ) {
        let Some(row) = self.intents.get(intent) else { return };
        if row.progressed() == crate::record::Progressed::Submitted {
            room.unaccepted = room.unaccepted.saturating_sub(1);
            self.touched.insert(room.id);
        }
        let receipt = row.content.as_ref().is_some_and(|content| matches!(content.kind, Some(Kind::Read(_))));
        if !row.quiet {
            let state = Delivery::Ordered;
            self.stage.notify(Notice::Delivery { room: room.id, intent, message, state });
        }
        let seq = room.place(seq);
        self.finish(intent, Ok(Outcome::Ordered { room: room.id, message, seq }));
        if !receipt {
            self.refresh_soon(room);
        }
    }
}
