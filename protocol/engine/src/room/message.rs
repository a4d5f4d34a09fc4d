//! An application message or a hub's notice in the log. What cannot be read becomes a visible
//! placeholder, and the room goes on.

use std::collections::BTreeSet;

use machine::Entropy;
use mls::Processed;
use prost::Message as _;
use room::CheckedEvent;
use wire::{
    Account, DeviceId, ErrorCode, MessageId,
    proto::{self, Content, EventKind, HubNotice, content::Kind, hub_notice},
};

use super::{Room, commit::binds, state::Followed};
use crate::{
    Engine, Notice, Warning,
    intent::last_epoch,
    record::{ItemKind, MessageRow},
    view::TimelineItem,
};

impl<E: Entropy> Engine<E> {
    pub(super) fn apply_message(&mut self, room: &mut Room, event: &CheckedEvent, own: Option<MessageId>) {
        if let Some(intent) = own {
            return self.own_message(room, event, intent);
        }
        match self.decrypt(room, event) {
            Ok((account, device, content)) => self.content(room, event, (account, device), &content),
            Err((sender, error)) => {
                let mut row = row_of(room, event);
                row.set_kind(ItemKind::Unreadable);
                row.error = error.code();
                if let Some((account, device)) = sender {
                    row.own = account == self.keys.account;
                    row.sender = account.to_string();
                    row.device = device.to_bytes();
                }
                self.item(room, row);
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "the sender is known or not, the rest follows from it")]
    fn decrypt(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
    ) -> Result<(Account, DeviceId, Content), (Option<(Account, DeviceId)>, ErrorCode)> {
        // [ROOM-14] Its sender may have sent it again by now: the hub would show twice what was said once.
        let framing = mls::framing(EventKind::Message, &event.event.body).map_err(|error| (None, error))?;
        if last_epoch(framing.epoch) < room.epoch {
            return Err((None, ErrorCode::Expired));
        }
        // [MLS-24] It was said while this device was not there.
        if room.is_deaf(&self.keys) {
            return Err((None, ErrorCode::StaleEpoch));
        }
        self.stage.mls.insert(room.id);
        let processed =
            room.live(&self.keys).and_then(|member| member.process(EventKind::Message, &event.event.body));
        let (sender, binding, plaintext) = match processed {
            Ok(Processed::Message { sender, binding, content }) => (sender, binding, content),
            Ok(Processed::OwnMessage { .. }) => {
                let me = (self.keys.account.clone(), self.keys.device);
                return Err((Some(me), ErrorCode::Superseded));
            }
            Ok(_) => return Err((None, ErrorCode::Malformed)),
            Err(error) => return Err((None, error)),
        };
        if !binds(&binding, event) {
            return Err((None, ErrorCode::Malformed));
        }
        let names = (sender.account, sender.device);
        if !room.may_speak(&names.0, names.1) {
            return Err((Some(names.clone()), self.spoken_for_nobody(room, event, names.0)));
        }
        match mls::content::unpad(&plaintext) {
            Ok(content) => Ok((names.0, names.1, content)),
            Err(error) => Err((Some(names), error)),
        }
    }

    /// [ROOM-33] A key of a past epoch still opens what somebody says who is out by now. No honest hub
    /// orders it.
    fn spoken_for_nobody(&mut self, room: &Room, event: &CheckedEvent, account: Account) -> ErrorCode {
        let warning = Warning::HubAtFault { room: room.id, account, seq: room.place(event.seq) };
        self.stage.notify(Notice::Warning(warning));
        ErrorCode::Forbidden
    }

    fn content(
        &mut self,
        room: &mut Room,
        event: &CheckedEvent,
        (account, device): (Account, DeviceId),
        content: &Content,
    ) {
        if let Some(member) = room.members.get_mut(&account)
            && !std::mem::replace(&mut member.heard, true)
        {
            member.declined = false;
            self.stage.rosters.insert(room.id);
        }
        if !content.head_hash.is_empty() {
            self.compare_heads(room, &account, (content.head_seq, &content.head_hash));
        }
        // It was said before the hub lost the room, and was shown then.
        if room.peer.as_ref() == Some(&account) && room.heard.contains(&event.message) {
            return;
        }
        let own = account == self.keys.account;
        let mut row = row_of(room, event);
        row.own = own;
        row.sender = account.to_string();
        row.device = device.to_bytes();
        match &content.kind {
            Some(Kind::Read(receipt)) => self.read_by(room, &account, receipt.seq.min(event.seq)),
            Some(Kind::RoomInfo(info)) => match self.renamed(room, &account, info) {
                Ok(true) => self.content_item(room, row, content),
                Ok(false) => {}
                Err(error) => {
                    row.set_kind(ItemKind::Unreadable);
                    row.error = error.code();
                    self.item(room, row);
                }
            },
            _ => self.content_item(room, row, content),
        }
    }

    /// Whether the user wants to hear nothing of whoever said this. How a room changes is told all
    /// the same.
    fn hears_nothing(&self, row: &MessageRow) -> bool {
        use ItemKind::{Delete, Edit, Reaction, Text, Unreadable};
        let said = matches!(row.kind(), Text | Edit | Delete | Reaction | Unreadable);
        let sender = row.sender.parse();
        said && !row.own && sender.is_ok_and(|account| self.trust.contacts.is_blocked(&account))
    }

    fn content_item(&mut self, room: &mut Room, row: MessageRow, content: &Content) {
        if let Some(mut row) = row.with_content(content) {
            row.hidden = self.hears_nothing(&row);
            if row.counts() {
                room.last_text_seq = row.seq;
            }
            self.item(room, row);
        }
    }

    /// Takes in a new name; `false` if it is the old one.
    ///
    /// # Errors
    /// `Forbidden` from somebody who is no admin.
    fn renamed(
        &mut self,
        room: &mut Room,
        account: &Account,
        info: &proto::RoomInfo,
    ) -> Result<bool, ErrorCode> {
        if !room.members.get(account).is_some_and(|member| member.admin) {
            return Err(ErrorCode::Forbidden);
        }
        if (room.name.as_str(), room.topic.as_str()) == (info.name.as_str(), info.topic.as_str()) {
            return Ok(false);
        }
        room.name.clone_from(&info.name);
        room.topic.clone_from(&info.topic);
        self.stage.rosters.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
        Ok(true)
    }

    /// An own message came back: MLS cannot read it, but the intent still says what it was.
    fn own_message(&mut self, room: &mut Room, event: &CheckedEvent, intent: MessageId) {
        let Some(row) = self.intents.get(intent).cloned() else { return };
        let Some(content) = &row.content else { return };
        let mut item = row_of(room, event);
        item.own = true;
        item.sender = self.keys.account.to_string();
        item.device = self.keys.device.to_bytes();
        item.intent = intent.to_bytes();
        match &content.kind {
            Some(Kind::RoomInfo(info)) => {
                let account = self.keys.account.clone();
                if self.renamed(room, &account, info) == Ok(true) || !row.quiet {
                    self.content_item(room, item, content);
                }
            }
            Some(Kind::Read(receipt)) => {
                let (account, seq) = (self.keys.account.clone(), receipt.seq);
                self.read_by(room, &account, seq);
            }
            _ => {
                self.content_item(room, item, content);
                room.follow(Followed { seq: event.seq, message: event.message, intent });
            }
        }
        self.message_ordered(room, intent, event.message, event.seq);
        self.tell_said(room, event.seq);
        self.tell_progress(room);
    }

    pub(super) fn apply_notice(&mut self, room: &mut Room, event: &CheckedEvent) {
        let notice = HubNotice::decode(event.event.body.as_ref()).ok().and_then(|said| said.notice);
        match notice {
            Some(hub_notice::Notice::Declined(name)) => {
                let Ok(account) = name.parse::<Account>() else { return };
                // [ROOM-19] It is the hub's bare word. An account that has spoken here has accepted, and
                // this one knows what it has answered; of the others it is shown, and removes nobody.
                let silent = room.members.get_mut(&account).filter(|member| !member.heard);
                let Some(member) = silent.filter(|_| account != self.keys.account) else { return };
                member.declined = true;
                self.stage.rosters.insert(room.id);
                self.system_item(room, event, ItemKind::Declined, None, &BTreeSet::from([account]));
                self.stage.notify(Notice::Room(room.id));
            }
            Some(hub_notice::Notice::Nack(nack)) => {
                let Ok(account) = nack.account.parse::<Account>() else { return };
                if room.members.contains_key(&account) {
                    let of = BTreeSet::from([account.clone()]);
                    self.system_item(room, event, ItemKind::Nack, None, &of);
                    let warning = Warning::Nack { room: room.id, account, seq: room.place(nack.seq) };
                    self.stage.notify(Notice::Warning(warning));
                }
            }
            None => {
                let mut row = row_of(room, event);
                row.set_kind(ItemKind::Unreadable);
                row.error = ErrorCode::Unsupported.code();
                self.item(room, row);
            }
        }
    }

    pub(crate) fn system_item(
        &mut self,
        room: &Room,
        event: &CheckedEvent,
        kind: ItemKind,
        by: Option<(&Account, DeviceId)>,
        accounts: &BTreeSet<Account>,
    ) {
        let mut row = row_of(room, event);
        row.set_kind(kind);
        row.accounts = accounts.iter().map(ToString::to_string).collect();
        if let Some((account, device)) = by {
            row.own = *account == self.keys.account;
            row.sender = account.to_string();
            row.device = device.to_bytes();
        }
        self.item(room, row);
    }

    pub(super) fn item(&mut self, room: &Room, mut row: MessageRow) {
        row.hidden = self.hears_nothing(&row);
        self.stage.put(&row);
        if let Some(item) = TimelineItem::from_row(&row) {
            self.stage.notify(Notice::Item { room: room.id, item });
        }
    }
}

fn row_of(room: &Room, event: &CheckedEvent) -> MessageRow {
    MessageRow {
        room: room.id.to_bytes(),
        seq: room.place(event.seq),
        message: event.message.to_bytes(),
        time_ms: event.time_ms,
        ..MessageRow::default()
    }
}
