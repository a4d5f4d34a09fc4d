//! What each command of the user becomes.

use machine::Entropy;
use wire::{
    Account, ErrorCode, MessageId, PublicKey, RoomId, WireError, limits,
    proto::{self, Content, RoomKind, client_request::Request, content::Kind},
};

use crate::{
    Command, CommandId, Engine, Notice, Outcome, Target,
    record::{ContactRow, IntentKind, IntentRow, Progressed, RoomPhase},
    request::Purpose,
    room::Room,
    trust::Want,
};

impl<E: Entropy> Engine<E> {
    pub(crate) fn command(&mut self, id: CommandId, command: Command) {
        let (name, command) = match command {
            Command::Once { id, command } => (Some(id), *command),
            command => (None, command),
        };
        let tried = match name {
            Some(_) if !makes_a_message(&command) => Err(ErrorCode::Malformed),
            name => self.try_command(id, command, name),
        };
        if let Err(error) = tried {
            self.finish_command(id, Err(error.into()));
        }
    }

    /// The last word about a command that makes no intent.
    pub(crate) fn finish_command(&mut self, id: CommandId, result: Result<Outcome, WireError>) {
        self.stage.notify(Notice::Finished { command: Some(id), intent: None, result });
    }

    fn try_command(
        &mut self,
        id: CommandId,
        command: Command,
        name: Option<MessageId>,
    ) -> Result<(), ErrorCode> {
        match command {
            Command::Send { target, text, reply_to } => {
                let reply_to = reply_to.map(|target| target.to_bytes()).unwrap_or_default();
                self.say((id, name), target, Kind::Text(proto::Text { body: text, reply_to }))
            }
            Command::SendFile { room, file } => self.say((id, name), Target::Room(room), Kind::File(file)),
            Command::Edit { room, message, text } => {
                let edit = proto::Edit { target: message.to_bytes(), body: text };
                self.say((id, name), Target::Room(room), Kind::Edit(edit))
            }
            Command::Delete { room, message } => {
                let delete = proto::Delete { target: message.to_bytes() };
                self.say((id, name), Target::Room(room), Kind::Delete(delete))
            }
            Command::React { room, message, emoji, remove } => {
                let reaction = proto::Reaction { target: message.to_bytes(), emoji, remove };
                self.say((id, name), Target::Room(room), Kind::Reaction(reaction))
            }
            Command::Rename { room, name, topic } => {
                self.need_admin(room)?;
                let info = proto::RoomInfo { name, topic };
                self.say((id, None), Target::Room(room), Kind::RoomInfo(info))
            }
            Command::MarkRead { room, seq } => self.mark_read(id, room, seq),
            Command::Typing { room, active } => self.type_on(id, room, active),
            Command::CreateRoom { name, topic, members } => self.create_room(id, name, topic, members),
            Command::OpenDirect { account } => self.open_direct(id, &account),
            Command::Invite { room, accounts } => {
                self.need_admin(room)?;
                self.change_room(id, room, IntentKind::Add, accounts)
            }
            Command::Remove { room, account } => {
                self.need_admin(room)?;
                self.change_room(id, room, IntentKind::Remove, vec![account])
            }
            Command::SetRole { room, account, admin } => {
                self.need_admin(room)?;
                let kind = if admin { IntentKind::Promote } else { IntentKind::Demote };
                self.change_room(id, room, kind, vec![account])
            }
            Command::Leave { room } => self.leave_room(id, room),
            Command::AnswerInvitation { room, accept } => {
                self.answer_invitation(room, accept)?;
                self.finish_command(id, Ok(Outcome::Done));
                Ok(())
            }
            Command::Cancel { room, message } => self.cancel(id, room, message),
            Command::SetContactPolicy { policy } => {
                self.ask(id, Request::SetContactPolicy(proto::SetContactPolicy { policy: policy.into() }))
            }
            Command::ContactPolicy => self.ask(id, Request::GetContactPolicy(proto::GetContactPolicy {})),
            Command::ShowPresence { shown } => {
                self.show_presence(shown);
                self.finish_command(id, Ok(Outcome::Done));
                Ok(())
            }
            Command::PeerStates { domains } => {
                let domains = domains.iter().map(ToString::to_string).collect();
                self.ask(id, Request::PeerStates(proto::PeerStatesRequest { domains }))
            }
            Command::Admit { room, account } => self.admit_in(id, room, &account),
            Command::LookUp { account } => self.look_up(id, account),
            Command::Block { account, blocked } => self.block(id, &account, blocked),
            Command::TrustKey { account, key } => self.trust_key(id, &account, &key),
            Command::Once { .. } => Err(ErrorCode::Malformed),
        }
    }

    fn admit_in(&mut self, id: CommandId, room: RoomId, account: &Account) -> Result<(), ErrorCode> {
        let admitted = self.with_room(room, |engine, room| engine.admit(room, account));
        admitted.ok_or(ErrorCode::NotFound)??;
        self.finish_command(id, Ok(Outcome::Done));
        Ok(())
    }

    fn trust_key(&mut self, id: CommandId, account: &Account, key: &PublicKey) -> Result<(), ErrorCode> {
        let row = self.trust.contacts.trust(account, key)?.clone();
        self.stage.put(&row);
        self.judge_account_again(account);
        self.finish_command(id, Ok(Outcome::Contact(row)));
        Ok(())
    }

    fn block(&mut self, id: CommandId, account: &Account, blocked: bool) -> Result<(), ErrorCode> {
        if *account == self.keys.account {
            return Err(ErrorCode::Forbidden);
        }
        let record = self.trust.contacts.block(account, blocked)?;
        self.stage.record(record);
        if blocked {
            self.decline_blocked();
        }
        self.finish_command(id, Ok(Outcome::Done));
        Ok(())
    }

    fn say(
        &mut self,
        (id, name): (CommandId, Option<MessageId>),
        target: Target,
        kind: Kind,
    ) -> Result<(), ErrorCode> {
        let content =
            Content { version: 1, time_ms: self.now.as_ms(), kind: Some(kind), ..Content::default() };
        mls::content::check(&content)?;
        let room = match target {
            Target::Room(room) => room,
            Target::Account(account) => self.direct_with(&account)?,
        };
        self.usable(room)?;
        if let Some(known) = name.and_then(|name| self.intents.get(name)) {
            let same = known.room == room.as_bytes().as_slice()
                && known.content.as_ref().is_some_and(|known| known.kind == content.kind);
            return match name.filter(|_| same) {
                Some(intent) => {
                    self.stage.notify(Notice::Queued { command: id, intent, room });
                    Ok(())
                }
                None => Err(ErrorCode::Conflict),
            };
        }
        let intent = name.map(|name| name.to_bytes()).unwrap_or_default();
        let row = IntentRow { intent, content: Some(content), ..IntentRow::default() };
        self.push_in(id, room, IntentKind::Message, row)
    }

    fn change_room(
        &mut self,
        id: CommandId,
        room: RoomId,
        kind: IntentKind,
        accounts: Vec<Account>,
    ) -> Result<(), ErrorCode> {
        self.usable(room)?;
        let accounts: Vec<String> = accounts
            .into_iter()
            .filter(|account| kind != IntentKind::Add || *account != self.keys.account)
            .map(|account| account.to_string())
            .collect();
        let forbidden = self
            .rooms
            .get(&room)
            .is_some_and(|room| room.kind == RoomKind::Direct && kind != IntentKind::Leave);
        if forbidden {
            return Err(ErrorCode::Forbidden);
        }
        if accounts.len() > limits::ROOM_DEVICES_MAX {
            return Err(ErrorCode::TooLarge);
        }
        if kind == IntentKind::Remove && accounts.iter().any(|name| name == self.keys.account.as_str()) {
            return Err(ErrorCode::Forbidden);
        }
        self.push_in(id, room, kind, IntentRow { accounts, ..IntentRow::default() })
    }

    fn leave_room(&mut self, id: CommandId, room: RoomId) -> Result<(), ErrorCode> {
        if self.rooms.get(&room).is_some_and(|room| room.phase == RoomPhase::Wanted) {
            if self.is_let_in(room) {
                return self.leave_when_in(id, room);
            }
            // It stands nowhere but here.
            self.give_up_wanted(room);
            self.finish_command(id, Ok(Outcome::Done));
            return Ok(());
        }
        let paused = |room: &Room| room.phase == RoomPhase::Joined && room.paused.is_some();
        if !self.rooms.get(&room).is_some_and(paused) {
            return self.change_room(id, room, IntentKind::Leave, Vec::new());
        }
        self.with_room(room, Self::leave_paused);
        self.finish_command(id, Ok(Outcome::Done));
        Ok(())
    }

    /// Whether the other side may be letting this account in at this moment: it has invited, which was
    /// accepted unasked for this account invites it too.
    fn is_let_in(&self, id: RoomId) -> bool {
        self.joins.seq(id).is_some()
            || self.rooms.get(&id).is_some_and(|room| room.accepted)
            || self.invitations.get(&id).is_some_and(|row| row.answer == 1)
    }

    /// Keeps in mind that the user wants out, for when this account is in. Nothing is said before.
    fn leave_when_in(&mut self, command: CommandId, id: RoomId) -> Result<(), ErrorCode> {
        self.drop_unsaid(id);
        self.with_room(id, |engine, room| {
            room.phase = RoomPhase::Awaiting;
            engine.stage.rooms.insert(id);
            engine.stage.notify(Notice::Room(id));
        });
        self.push_in(command, id, IntentKind::Leave, IntentRow::default())
    }

    /// Forgets a room that was never founded, with everything that was to be said in it.
    fn give_up_wanted(&mut self, id: RoomId) {
        self.drop_unsaid(id);
        match self.rooms.get(&id) {
            // What was said before its hub lost it stays readable.
            Some(room) if room.offset > 0 => drop(self.with_room(id, Self::go_out)),
            _ => self.forget_room(id),
        }
    }

    fn drop_unsaid(&mut self, id: RoomId) {
        self.with_room(id, |engine, room| engine.fail_all(room, ErrorCode::Forbidden));
        let unsaid: Vec<MessageId> =
            self.intents.of(id).filter_map(|row| row.intent.as_ref().try_into().ok()).collect();
        for intent in unsaid {
            self.drop_intent(intent);
        }
    }

    fn push_in(
        &mut self,
        id: CommandId,
        room: RoomId,
        kind: IntentKind,
        mut row: IntentRow,
    ) -> Result<(), ErrorCode> {
        row.set_kind(kind);
        let pushed =
            self.with_room(room, |engine, room| engine.push_intent(room, row, Some(id), false).map(drop));
        pushed.unwrap_or(Err(ErrorCode::NotFound))
    }

    /// Whether anything can be wanted in a room.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` if this account is out of it; why it is paused.
    fn usable(&self, room: RoomId) -> Result<(), ErrorCode> {
        let room = self.rooms.get(&room).ok_or(ErrorCode::NotFound)?;
        match (room.phase, room.paused) {
            (RoomPhase::Left, _) => Err(ErrorCode::Forbidden),
            (_, Some(error)) => Err(error),
            _ => Ok(()),
        }
    }

    fn need_admin(&self, room: RoomId) -> Result<(), ErrorCode> {
        self.usable(room)?;
        let room = self.rooms.get(&room).ok_or(ErrorCode::NotFound)?;
        let own = room.members.get(&self.keys.account);
        match own {
            Some(member) if member.admin => Ok(()),
            Some(_) => Err(ErrorCode::Forbidden),
            None => Ok(()),
        }
    }

    fn mark_read(&mut self, id: CommandId, room: RoomId, seq: u64) -> Result<(), ErrorCode> {
        self.with_room(room, |engine, room| engine.read_here(room, seq)).ok_or(ErrorCode::NotFound)??;
        self.finish_command(id, Ok(Outcome::Done));
        Ok(())
    }

    fn read_here(&mut self, room: &mut Room, seq: u64) -> Result<(), ErrorCode> {
        let seq = seq.min(room.place(room.head_seq));
        let news = room.last_text_seq > room.read_seq;
        if seq <= room.read_seq {
            return Ok(());
        }
        room.read_seq = seq;
        self.stage.rooms.insert(room.id);
        self.stage.notify(Notice::Room(room.id));
        if !news || !room.is_open() || room.members.len() < 2 {
            return Ok(());
        }
        let Some(seq) = seq.checked_sub(room.offset).filter(|seq| *seq > 0) else { return Ok(()) };
        let kind = Some(Kind::Read(proto::ReadReceipt { seq }));
        let waiting = room.waiting.iter().copied().find(|id| {
            let content = self.intents.get(*id).and_then(|row| row.content.as_ref());
            content.is_some_and(|content| matches!(content.kind, Some(Kind::Read(_))))
        });
        if let Some(waiting) = waiting {
            self.change_intent(waiting, |row| {
                row.content = Some(Content { version: 1, kind, ..Content::default() });
            });
            return Ok(());
        }
        let time_ms = self.now.as_ms();
        let mut row = IntentRow {
            content: Some(Content { version: 1, time_ms, kind, ..Content::default() }),
            quiet: true,
            ..IntentRow::default()
        };
        row.set_kind(IntentKind::Message);
        self.push_intent(room, row, None, false).map(drop)
    }

    fn ask(&mut self, id: CommandId, request: Request) -> Result<(), ErrorCode> {
        if self.session.is_none() {
            return Err(ErrorCode::Unavailable);
        }
        self.request(Purpose::Command(id), request);
        Ok(())
    }

    fn look_up(&mut self, id: CommandId, account: Account) -> Result<(), ErrorCode> {
        if self.session.is_none() {
            return Err(ErrorCode::Unavailable);
        }
        for want in [Want::Domain(account.domain().clone()), Want::Account(account.clone())] {
            if let Some(error) = self.trust.wants.want(self.now, want) {
                return Err(error);
            }
        }
        self.lookups.entry(account).or_default().push(id);
        Ok(())
    }

    /// Answers those who asked for an account.
    pub(crate) fn looked_up(&mut self, account: &Account, result: &Result<ContactRow, ErrorCode>) {
        for id in self.lookups.remove(account).unwrap_or_default() {
            let outcome = result.clone().map(Outcome::Contact).map_err(WireError::from);
            self.finish_command(id, outcome);
        }
    }

    fn cancel(&mut self, id: CommandId, room: RoomId, message: MessageId) -> Result<(), ErrorCode> {
        let intent = match self.intents.by_message(message) {
            Some((intent, _)) => intent,
            None => message,
        };
        let row = self.intents.get(intent).ok_or(ErrorCode::NotFound)?;
        if row.kind() != IntentKind::Message || row.room != room.as_bytes().as_slice() {
            return Err(ErrorCode::NotFound);
        }
        let submitted = row.progressed() == Progressed::Submitted;
        self.with_room(room, |engine, room| {
            room.waiting.retain(|waiting| *waiting != intent);
            if submitted {
                room.unaccepted = room.unaccepted.saturating_sub(1);
            }
            engine.finish_error(intent, ErrorCode::Superseded.into());
        });
        self.finish_command(id, Ok(Outcome::Done));
        Ok(())
    }
}

const fn makes_a_message(command: &Command) -> bool {
    matches!(
        command,
        Command::Send { .. }
            | Command::SendFile { .. }
            | Command::Edit { .. }
            | Command::Delete { .. }
            | Command::React { .. }
    )
}
