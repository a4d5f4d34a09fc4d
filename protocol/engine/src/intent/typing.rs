//! Typing: encrypted like any message, ordered and stored nowhere.

use machine::Entropy;
use mls::Processed;
use wire::{
    ErrorCode, RoomId,
    proto::{self, ClientFrame, Content, Ephemeral, MessageBinding, client_frame, content::Kind},
};

use crate::{CommandId, Engine, Notice, Outcome, room::Room};

impl<E: Entropy> Engine<E> {
    pub(super) fn type_on(&mut self, id: CommandId, room: RoomId, active: bool) -> Result<(), ErrorCode> {
        if self.session.is_none() {
            return Err(ErrorCode::Unavailable);
        }
        let sent = self.with_room(room, |engine, room| engine.send_typing(room, active));
        sent.ok_or(ErrorCode::NotFound)??;
        self.finish_command(id, Ok(Outcome::Done));
        Ok(())
    }

    fn send_typing(&mut self, room: &mut Room, active: bool) -> Result<(), ErrorCode> {
        if room.lost.is_some() {
            return Ok(());
        }
        if !room.is_open() {
            return Err(room.paused.unwrap_or(ErrorCode::Forbidden));
        }
        if room.withheld().is_some() || room.behind || room.flight.is_some() || !self.caught_up() {
            return Ok(());
        }
        let content = Content {
            version: 1,
            time_ms: self.now.as_ms(),
            kind: Some(Kind::Typing(proto::Typing { active })),
            ..Content::default()
        };
        let plaintext = mls::content::pad(&content)?;
        let message_id = self.new_id().to_bytes();
        let binding = MessageBinding { room: room.id.to_bytes(), message_id, ephemeral: true };
        let member = room.live(&self.keys)?;
        let epoch = member.epoch();
        let body = match member.encrypt(&binding, &plaintext, &mut self.entropy) {
            Ok(body) => body,
            Err(ErrorCode::Conflict) => return Ok(()),
            Err(error) => return Err(error),
        };
        self.stage.mls.insert(room.id);
        let ephemeral = Ephemeral { room: room.id.to_bytes(), epoch, body };
        let frame = client_frame::Frame::Ephemeral(ephemeral);
        self.stage.send(ClientFrame { frame: Some(frame) });
        Ok(())
    }

    /// Somebody's typing. What is not well-formed is passed over in silence: nothing was stored.
    pub(crate) fn ephemeral(&mut self, ephemeral: &Ephemeral) {
        let Ok(id) = RoomId::try_from(ephemeral.room.as_ref()) else { return };
        self.with_room(id, |engine, room| {
            if !room.is_open() || room.behind || ephemeral.epoch != room.epoch {
                return;
            }
            engine.stage.mls.insert(id);
            let processed =
                room.live(&engine.keys).and_then(|member| member.process_ephemeral(&ephemeral.body));
            let Ok(Processed::Message { sender, content, .. }) = processed else { return };
            if !room.may_speak(&sender.account, sender.device) {
                return;
            }
            let content = mls::content::unpad(&content).ok();
            if let Some(Kind::Typing(typing)) = content.and_then(|content| content.kind) {
                let (account, active) = (sender.account, typing.active);
                if !engine.trust.contacts.is_blocked(&account) {
                    engine.stage.notify(Notice::Typing { room: id, account, active });
                }
            }
        });
    }
}
