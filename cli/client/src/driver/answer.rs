//! What the engine tells, as answers to those who asked and as happenings to those who watch.

use engine::{Notice, Outcome};
use wire::{Account, ErrorCode, RoomId, proto::ContactPolicy};

use super::Driver;
use crate::{
    ClientError, convert,
    request::Reply,
    view::{Changed, Contact, ContactState, Happening, PeerView, Sent},
};

/// Accounts that are shown as here.
const PRESENT_KEPT_MAX: usize = 10_000;
/// Domains that are shown as waited for.
const PEERS_KEPT_MAX: usize = 1_024;

impl Driver {
    /// Answers or tells. A room that changed several times in one go is told once, at the end.
    pub(super) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Queued { command, intent, room } => {
                if self.pending.get(&command).is_some_and(|pending| pending.when_queued) {
                    self.answer(command, Ok(Reply::Sent(Sent { room, intent })));
                }
            }
            Notice::Finished { command: Some(command), result, .. } => {
                // Others have no backlog any more.
                if result.is_ok() && self.pending.get(&command).is_some_and(|pending| pending.all_peers) {
                    self.peers.retain(|_, peer| peer.queued == 0);
                }
                let reply = result.map_err(ClientError::from).and_then(|outcome| self.reply(outcome));
                self.answer(command, reply);
            }
            Notice::Finished { command: None, .. } => {}
            Notice::Delivery { room, intent, message, state } => {
                let (level, failed) = convert::delivery(state);
                self.tell(Happening::Delivery { room, intent, id: message, level, failed });
            }
            Notice::Item { room, item } => self.tell(Happening::Message(convert::message(room, item))),
            Notice::Room(room)
            | Notice::Joined(room)
            | Notice::Left(room)
            | Notice::Invitation(room)
            | Notice::Paused { room, .. } => {
                self.changed_rooms.insert(room);
            }
            Notice::Read { room, account, seq } => self.tell(Happening::Read { room, account, seq }),
            Notice::Typing { room, account, active } => {
                self.tell(Happening::Typing { room, account, active });
            }
            Notice::Warning(warning) => self.tell(Happening::Warning(convert::warning(&warning))),
            Notice::PeerState(state) => {
                if let Some(peer) = convert::peer(&state) {
                    self.note_peer(peer.clone());
                    self.tell(Happening::Peer(peer));
                }
            }
            Notice::Presence { account, here } => {
                self.note_presence(&account, here);
                self.tell(Happening::Presence { account, here });
            }
            Notice::CaughtUp => self.tell(Happening::CaughtUp),
            Notice::Goodbye(error) => self.problem = Some(error.to_string()),
            Notice::Stopped => {}
        }
    }

    fn answer(&mut self, command: engine::CommandId, reply: Result<Reply, ClientError>) {
        if let Some(pending) = self.pending.remove(&command) {
            // The asker may have gone away.
            let _ = pending.answer.send(reply);
        }
    }

    fn reply(&mut self, outcome: Outcome) -> Result<Reply, ClientError> {
        Ok(match outcome {
            Outcome::Done | Outcome::Contact(_) => Reply::Done,
            Outcome::Ordered { room, message, .. } => Reply::Sent(Sent { room, intent: message }),
            Outcome::Room { room, added, refused } => Reply::Changed(Changed {
                room,
                added: convert::names(&added),
                refused: refused
                    .into_iter()
                    .map(|(account, code)| (account.to_string(), code.name().to_owned()))
                    .collect(),
            }),
            Outcome::Peers(states) => {
                let peers: Vec<PeerView> = states.iter().filter_map(convert::peer).collect();
                peers.iter().for_each(|peer| self.note_peer(peer.clone()));
                Reply::Peers(peers)
            }
            Outcome::ContactPolicy(state) => {
                let policy = match state.policy() {
                    ContactPolicy::Open => Contact::Open,
                    ContactPolicy::Ask => Contact::Ask,
                    ContactPolicy::Deny => Contact::Deny,
                    ContactPolicy::Unspecified => return Err(ErrorCode::Malformed.into()),
                };
                Reply::ContactPolicy(ContactState { policy, own: state.own })
            }
        })
    }

    /// Remembers who is waited for. The names are the node's word, so there is a bound to them.
    fn note_peer(&mut self, peer: PeerView) {
        let name = peer.domain.to_string();
        if peer.queued == 0 && peer.absent_since_ms == 0 {
            self.peers.remove(&name);
        } else if self.peers.len() < PEERS_KEPT_MAX || self.peers.contains_key(&name) {
            self.peers.insert(name, peer);
        }
    }

    /// Remembers who is here. The names are the node's word, so there is a bound to them.
    fn note_presence(&mut self, account: &Account, here: bool) {
        if !here {
            self.present.remove(account);
        } else if self.present.len() < PRESENT_KEPT_MAX {
            self.present.insert(account.clone());
        }
    }

    pub(super) async fn tell_room(&mut self, room: RoomId) -> Result<(), ClientError> {
        if self.happenings.receiver_count() > 0
            && let Some(room) = self.room(room).await?
        {
            self.tell(Happening::Room(room));
        }
        Ok(())
    }
}
