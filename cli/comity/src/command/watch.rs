//! `comity watch`: prints what happens as it happens, one line each, until Ctrl-C.

use client::{Client, Happening, Level, Room, RoomId, Standing};

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Label, MessageShown, Paper, PeerShown, RoomShown, Show, level, line, room_label, short},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Everything, until Ctrl-C", "comity watch"),
    Example(
        "A chat on a terminal: what is shown counts as read",
        "comity watch bob@umbrella.test --mark-read",
    ),
    Example("One JSON object to an event, for a program", "comity watch --json"),
];

/// Print messages and acknowledgements as they come
///
/// Other commands of the same account work beside it.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Only these rooms
    #[arg(value_name = "ROOM", value_parser = device::word)]
    rooms: Vec<Word>,
    /// What is shown counts as read, and the others are told
    #[arg(long)]
    mark_read: bool,
    /// Begin with so many of the newest messages of each room
    #[arg(long, value_name = "NUMBER", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=200))]
    last: u32,
}

/// Something that happened.
#[derive(Debug, Default, serde::Serialize)]
struct Shown {
    event: &'static str,
    message: Option<MessageShown>,
    room: Option<RoomShown>,
    peer: Option<PeerShown>,
    id: Option<String>,
    in_room: Option<String>,
    account: Option<String>,
    level: Option<Level>,
    failed: Option<&'static str>,
    seq: Option<u64>,
    active: Option<bool>,
    text: Option<String>,
    #[serde(skip)]
    label: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &[
        "event", "message", "room", "peer", "id", "in_room", "account", "level", "failed", "seq", "active",
        "text",
    ];

    fn show(&self, paper: &mut Paper) {
        if let Some(message) = &self.message {
            return message.show(paper, Some(self.event));
        }
        let account = self.account.as_deref().unwrap_or_default();
        let id: String = self.id.as_deref().unwrap_or_default().chars().take(8).collect();
        let text = match self.event {
            "delivery" => {
                let state = self.failed.or_else(|| self.level.map(level)).unwrap_or_default();
                format!("{} is {state}", paper.paint(Label::Id, &id))
            }
            "read" => format!("{account} has read up to {}", self.seq.unwrap_or(0)),
            "typing" if self.active == Some(true) => format!("{account} is typing"),
            "typing" => format!("{account} stopped typing"),
            "room" => self.text.clone().unwrap_or_default(),
            "peer" => self.peer.as_ref().map(|peer| peer.sentence(paper.now_ms())).unwrap_or_default(),
            "warning" => {
                paper.paint(Label::Warning, &format!("! {}", self.text.as_deref().unwrap_or_default()))
            }
            other => other.replace('_', " "),
        };
        if paper.terminal() {
            let room = if self.label.is_empty() { String::new() } else { format!("{}  ", self.label) };
            paper.line(&format!("           {}", paper.paint(Label::Dim, &format!("{room}{text}"))));
        } else {
            paper.line(&format!("{}\t{}\t{text}", self.event, self.in_room.as_deref().unwrap_or("-")));
        }
    }
}

pub(crate) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    device::with(context, async |client| {
        let mut happenings = client.watch();
        let status = client.status().await.map_err(|error| device::failed("cannot ask the device", error))?;
        context.status(&format!("{} — Ctrl-C ends it", status.account));
        if !args.rooms.is_empty() || args.last > 0 || args.mark_read {
            device::catch_up(context, client).await?;
        }
        let mut rooms = Vec::new();
        for word in &args.rooms {
            rooms.push(device::find(client, word).await?.id);
        }
        begin(context, client, &args, &rooms).await?;
        while let Some(happening) = happenings.next().await {
            if let Some(shown) = shown(client, happening, &rooms).await? {
                context.show(&shown)?;
                if args.mark_read {
                    mark(client, &shown).await?;
                }
            }
        }
        Err(CliError::failed("the device was closed"))
    })
    .await
}

/// The newest messages of each room, to begin with; and invitations that wait.
async fn begin(context: &Context, client: &Client, args: &Args, rooms: &[RoomId]) -> Result<(), CliError> {
    let all = client.rooms().await.map_err(|error| device::failed("cannot list the rooms", error))?;
    for room in all.iter().filter(|room| rooms.is_empty() || rooms.contains(&room.id)) {
        if room.standing == Standing::Invited {
            context.status(&invited(room));
            continue;
        }
        if args.last == 0 {
            continue;
        }
        let cursor = client::Cursor { limit: args.last, ..client::Cursor::default() };
        let page =
            client.messages(room.id, cursor).await.map_err(|error| device::failed("cannot read", error))?;
        for message in page.messages {
            let message = MessageShown::new(message, &room_label(room));
            let shown = Shown { event: "message", message: Some(message), ..Shown::default() };
            context.show(&shown)?;
            if args.mark_read {
                mark(client, &shown).await?;
            }
        }
    }
    Ok(())
}

async fn mark(client: &Client, shown: &Shown) -> Result<(), CliError> {
    let Some(message) = shown.message.as_ref().filter(|message| !message.own()) else { return Ok(()) };
    if let Ok(room) = message.room.parse() {
        // A room that the account has left takes no receipts; that is no reason to stop watching.
        let _ = client.mark_read(room, message.seq).await;
    }
    Ok(())
}

/// How an invitation is told.
fn invited(room: &Room) -> String {
    let inviter = room.inviter.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("{inviter} invites you: comity room accept {}", short(&room.id))
}

async fn shown(client: &Client, happening: Happening, rooms: &[RoomId]) -> Result<Option<Shown>, CliError> {
    let in_room = match &happening {
        Happening::Message(message) => Some(message.room),
        Happening::Delivery { room, .. } | Happening::Read { room, .. } | Happening::Typing { room, .. } => {
            Some(*room)
        }
        Happening::Room(room) => Some(room.id),
        _ => None,
    };
    if let Some(room) = in_room
        && !rooms.is_empty()
        && !rooms.contains(&room)
    {
        return Ok(None);
    }
    let label = match in_room {
        Some(room) => label(client, room).await?,
        None => String::new(),
    };
    let blank =
        Shown { in_room: in_room.map(|room| room.to_string()), label: label.clone(), ..Shown::default() };
    Ok(Some(match happening {
        Happening::Message(message) => {
            let message = MessageShown::new(message, &label);
            Shown { event: "message", message: Some(message), ..blank }
        }
        Happening::Delivery { id, level, failed, .. } => Shown {
            event: "delivery",
            id: Some(id.to_string()),
            level,
            failed: failed.map(client::ErrorCode::name),
            ..blank
        },
        Happening::Room(room) => {
            let text = match room.standing {
                Standing::Invited => invited(&room),
                Standing::Member => format!("{} in {}", room.members.len(), room_label(&room)),
                Standing::Left => format!("you are out of {}", room_label(&room)),
                Standing::Joining => format!("joining {}", room_label(&room)),
                Standing::Paused => format!("{} is paused", room_label(&room)),
                Standing::Rejoining => format!("coming back into {}", room_label(&room)),
                Standing::Refused => format!("{} could not be founded", room_label(&room)),
            };
            Shown { event: "room", room: Some(RoomShown::from(room)), text: Some(text), ..blank }
        }
        Happening::Read { account, seq, .. } => {
            Shown { event: "read", account: Some(account.to_string()), seq: Some(seq), ..blank }
        }
        Happening::Typing { account, active, .. } => {
            Shown { event: "typing", account: Some(account.to_string()), active: Some(active), ..blank }
        }
        // `comity file` shows how far a file is; whoever watches does not show itself.
        Happening::Transfer(_) | Happening::Presence { .. } => return Ok(None),
        Happening::Peer(peer) => Shown { event: "peer", peer: Some(PeerShown::of_view(&peer)), ..blank },
        Happening::Warning(text) => Shown { event: "warning", text: Some(line(&text)), ..blank },
        Happening::Connected(true) => Shown { event: "connected", ..blank },
        Happening::Connected(false) => Shown { event: "disconnected", ..blank },
        Happening::CaughtUp => Shown { event: "caught_up", ..blank },
        Happening::Missed => Shown { event: "missed", ..blank },
        Happening::Locked => {
            return Err(device::failed("the device was locked", client::ClientError::Locked));
        }
        Happening::Unlocked => Shown { event: "unlocked", ..blank },
    }))
}

async fn label(client: &Client, id: RoomId) -> Result<String, CliError> {
    let rooms = client.rooms().await.map_err(|error| device::failed("cannot list the rooms", error))?;
    Ok(rooms.iter().find(|room| room.id == id).map_or_else(|| short(&id), room_label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Shown::default()).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
