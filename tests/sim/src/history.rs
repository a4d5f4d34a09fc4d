//! Keeps what was asked, promised, written and shown, for the checkers: facts only, no judgement.

use std::collections::{BTreeMap, BTreeSet};

use engine::{Command, CommandId, Notice, Outcome, Warning};
use prost::Message as _;
use store::{Batch, Write};
use wire::{
    Account, DeviceId, MessageId, RoomId, WireError,
    proto::{ClientFrame, NodeFrame, client_frame, client_response, entry, node_frame},
};

/// What a user asked for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// On which device, by index.
    pub device: usize,
    /// What.
    pub command: Command,
    /// Its lasting name and room, once the device promised to carry it out.
    pub queued: Option<(MessageId, RoomId)>,
    /// What the user was told at the end.
    pub finished: Vec<Result<Outcome, WireError>>,
}

/// One event as a node wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of the head.
    pub hash: [u8; 32],
    /// The event.
    pub event: wire::proto::Event,
}

/// All facts of a run.
#[derive(Debug, Default)]
pub struct History {
    /// Commands by device and life-long number.
    pub asked: BTreeMap<(usize, u64), Asked>,
    /// Submissions that a node answered with `Accepted`: by whom, of which account.
    pub accepted: BTreeSet<(usize, MessageId)>,
    /// The room and account of each submission that left a device.
    pub submitted: BTreeMap<MessageId, (RoomId, Account)>,
    /// Events that nodes wrote.
    pub logs: BTreeMap<(usize, RoomId), BTreeMap<u64, Written>>,
    /// Positions that nodes wrote for devices' cursors, in order.
    pub cursors: BTreeMap<(usize, Account, DeviceId), Vec<u64>>,
    /// Positions that nodes gave out, in the order of writing.
    pub positions: BTreeMap<usize, Vec<u64>>,
    /// Acknowledged positions that left each life of a device.
    pub acks: BTreeMap<(usize, u64), Vec<u64>>,
    /// Refusals that nodes wrote for accounts.
    pub refused: Vec<(usize, Account, MessageId)>,
    /// What engines complained about: device and notice.
    pub complaints: Vec<(usize, String)>,
    /// Where plaintext was seen outside devices.
    pub leaks: Vec<String>,
    /// Words that stand in every text of the run and nowhere else.
    pub canary: String,
    /// What happened, one line each, without anything that differs between two runs of a seed.
    pub trace: Vec<String>,
    /// Rooms in the order in which they were first written.
    pub rooms: Vec<RoomId>,
}

impl History {
    /// A node has committed a batch.
    pub fn wrote(&mut self, node: usize, batch: &Batch) {
        for write in &batch.writes {
            match write {
                Write::PutEvent(row) => {
                    if !self.rooms.contains(&row.room) {
                        self.rooms.push(row.room);
                    }
                    self.positions.entry(node).or_default().push(row.position);
                    let event = wire::proto::Event {
                        head: row.head.clone(),
                        signature: row.signature.clone(),
                        body: row.body.clone(),
                    };
                    let hash = wire::signed::hash::<wire::proto::EventHead>(&row.head);
                    let log = self.logs.entry((node, row.room)).or_default();
                    log.entry(row.seq).or_insert(Written { hash, event });
                }
                Write::Cursor(account, device, position) => {
                    self.cursors.entry((node, account.clone(), *device)).or_default().push(*position);
                }
                Write::PutEntry(row) => {
                    self.positions.entry(node).or_default().push(row.position);
                    let entry = wire::proto::Entry::decode(row.entry.as_ref());
                    if let Ok(Some(entry::Entry::Refused(refused))) = entry.map(|entry| entry.entry)
                        && let Ok(message) = MessageId::try_from(refused.message_id.as_ref())
                    {
                        self.refused.push((node, row.account.clone(), message));
                    }
                }
                _ => {}
            }
        }
    }

    /// A node sent a frame to a device.
    pub fn node_said(&mut self, node: usize, frame: &NodeFrame) {
        if let Some(node_frame::Frame::Response(response)) = &frame.frame
            && let Some(client_response::Response::Accepted(accepted)) = &response.response
            && let Ok(message) = MessageId::try_from(accepted.message_id.as_ref())
        {
            self.accepted.insert((node, message));
        }
    }

    /// A device sent a frame to its node.
    pub fn device_said(&mut self, device: usize, life: u64, frame: &ClientFrame) {
        use wire::proto::client_request::Request;
        match &frame.frame {
            Some(client_frame::Frame::Ack(position)) => {
                self.acks.entry((device, life)).or_default().push(*position);
            }
            Some(client_frame::Frame::Request(request)) => {
                if let Some(Request::Submit(submission)) = &request.request
                    && let Ok(room) = RoomId::try_from(submission.room.as_ref())
                    && let Ok(message) = MessageId::try_from(submission.message_id.as_ref())
                    && let Ok(account) = submission.account.parse()
                {
                    self.submitted.insert(message, (room, account));
                }
            }
            _ => {}
        }
    }

    /// A device told its user something.
    pub fn told(&mut self, device: usize, notice: &Notice) {
        match notice {
            Notice::Queued { command, intent, room } => {
                if let Some(asked) = self.asked.get_mut(&(device, command.0)) {
                    asked.queued = Some((*intent, *room));
                }
            }
            Notice::Finished { command, intent, result } => {
                let by_intent = |asked: &Asked| {
                    asked.device == device
                        && intent.is_some_and(|intent| asked.queued.is_some_and(|(own, _)| own == intent))
                };
                let by_command = command.and_then(|CommandId(id)| self.asked.get_mut(&(device, id)));
                match by_command {
                    Some(asked) => asked.finished.push(result.clone()),
                    None => {
                        if let Some(asked) = self.asked.values_mut().find(|asked| by_intent(asked)) {
                            asked.finished.push(result.clone());
                        }
                    }
                }
            }
            Notice::Paused { error, .. } => {
                self.complaints.push((device, format!("paused: {}", error.name())));
            }
            // A member of an absent domain cannot be checked; that is no fault.
            Notice::Warning(Warning::Unverified { error, .. } | Warning::Held { error, .. })
                if error.retryable() => {}
            Notice::Warning(warning) => self.complaints.push((device, format!("{warning:?}"))),
            Notice::Stopped => self.complaints.push((device, "stopped".into())),
            _ => {}
        }
    }

    /// Bytes left a device or a node.
    pub fn carried(&mut self, what: &str, bytes: &[u8]) {
        let canary = self.canary.as_bytes();
        if !canary.is_empty() && bytes.windows(canary.len()).any(|window| window == canary) {
            self.leaks.push(what.to_owned());
        }
    }

    /// Every log of a room: by node, ascending.
    pub fn logs_of(&self, room: RoomId) -> impl Iterator<Item = (usize, &BTreeMap<u64, Written>)> {
        self.logs.iter().filter(move |((_, of), _)| *of == room).map(|((node, _), log)| (*node, log))
    }
}
