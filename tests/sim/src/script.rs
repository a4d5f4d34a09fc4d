//! Plays conversations: a script is a list of lines, each a command, and what followed it stands
//! indented below. Time passes only in `settle` and `wait`, so commands that follow one another
//! directly happen at the same instant. What each machine says is in its order; machines are listed
//! by name, because who of two was first at an instant is nothing that a promise is about.

use engine::{Command, Target};
use wire::{
    Account, RoomId,
    proto::{ContactPolicy, EventHead},
    signed,
};

use crate::{
    World, checker,
    fault::{AtWrite, CrashPoint},
    network::End,
    setup, show,
};

/// How long `settle` waits at most: half an hour.
const SETTLE_MS: u64 = 1_800_000;
const INDENT: &str = "    ";

/// A script as it would be with the transcript of this run in it, and the world at its end.
/// `prepare` is called once all accounts are there.
#[must_use]
pub fn play(script: &str, prepare: impl FnOnce(&mut World)) -> (String, World) {
    let prepare: Prepare<'_> = Box::new(prepare);
    let mut player = Player { world: World::new(1), domains: Vec::new(), prepare: Some(prepare) };
    let mut transcript = String::new();
    for line in script.lines().filter(|line| !line.starts_with(INDENT)) {
        transcript.push_str(line);
        transcript.push('\n');
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() || line.starts_with('#') {
            continue;
        }
        let before = player.world.history.trace.len();
        let said = player.line(&words);
        let mut lines: Vec<String> =
            player.world.history.trace.iter().skip(before).map(|line| line[9..].to_owned()).collect();
        lines.sort_by_key(|line| line.split([' ', ':', '\'']).next().map(str::to_owned));
        for line in lines.into_iter().chain(said) {
            transcript.push_str(INDENT);
            transcript.push_str(&line);
            transcript.push('\n');
        }
    }
    (transcript, player.world)
}

type Prepare<'a> = Box<dyn FnOnce(&mut World) + 'a>;

struct Player<'a> {
    world: World,
    domains: Vec<String>,
    prepare: Option<Prepare<'a>>,
}

/// A room that nobody has.
const NOBODYS: RoomId = RoomId::new([0; RoomId::BYTES]);

impl Player<'_> {
    fn line(&mut self, words: &[&str]) -> Vec<String> {
        match words {
            ["domains", names @ ..] => self.domains = names.iter().map(|&name| name.to_owned()).collect(),
            ["accounts", names @ ..] => {
                let domains: Vec<&str> = self.domains.iter().map(String::as_str).collect();
                self.world = setup::world(1, &domains, names);
                if let Some(prepare) = self.prepare.take() {
                    prepare(&mut self.world);
                }
                self.settle();
                if !self.world.verbose {
                    self.world.history.trace.clear();
                }
            }
            ["settle"] => return self.settle(),
            ["wait", seconds] => {
                let seconds: u64 = seconds.parse().unwrap_or_else(|_| panic!("{seconds} is no number"));
                self.world.run_for(seconds * 1_000);
            }
            ["kill", node] => {
                let node = self.node(node);
                self.world.kill_node(node);
            }
            ["start", node] => {
                let node = self.node(node);
                self.world.start_node(node);
            }
            ["crash", machine, point, write] => self.crash(machine, point, write),
            ["cut", one, other] => self.cut(one, other),
            ["block", from, to] => {
                let (from, to) = (self.end(from), self.end(to));
                self.world.block(from, to);
            }
            ["heal"] => self.world.heal(),
            ["logs", room] => return self.logs(room),
            ["timeline", who, room] => return self.timeline(who, room),
            ["rooms", who] => return self.rooms(who),
            ["check"] => return self.check(),
            [who, verb, rest @ ..] => self.user(who, verb, rest),
            _ => panic!("what is {words:?}?"),
        }
        Vec::new()
    }

    fn settle(&mut self) -> Vec<String> {
        if self.world.run_until_settled(SETTLE_MS) {
            return Vec::new();
        }
        vec![checker::convergence::unsettled(&self.world).unwrap_or_default()]
    }

    fn user(&mut self, who: &str, verb: &str, rest: &[&str]) {
        let device = self.device(who);
        match verb {
            "offline" => return self.world.set_online(device, false),
            "online" => return self.world.set_online(device, true),
            "forget" => {
                let room = self.room(rest.first().unwrap_or(&""));
                self.world.devices[device].forget_group(&room);
                return self.world.crash_device(device, 1_000);
            }
            _ => {}
        }
        // A user whose device died over the creation of a room does nothing in it.
        if let ("send" | "invite" | "remove" | "promote" | "leave" | "read", [name, ..]) = (verb, rest)
            && !name.contains('@')
            && !self.world.history.rooms.iter().any(|room| show::room(&self.world, *room) == *name)
        {
            return self.world.note(format!("{who} finds no room {name}"));
        }
        let command = match (verb, rest) {
            ("send", [target, text @ ..]) => {
                // The canary makes plaintext recognisable wherever it turns up.
                let text = format!("{} c4n4ry", text.join(" "));
                Command::Send { target: self.target(target), text, reply_to: None }
            }
            ("create", [name, members @ ..]) => {
                let members = members.iter().map(|name| self.account(name)).collect();
                Command::CreateRoom { name: (*name).into(), topic: String::new(), members }
            }
            ("open", [account]) => Command::OpenDirect { account: self.account(account) },
            ("invite", [room, accounts @ ..]) => {
                let accounts = accounts.iter().map(|name| self.account(name)).collect();
                Command::Invite { room: self.room(room), accounts }
            }
            ("remove", [room, account]) => {
                Command::Remove { room: self.room(room), account: self.account(account) }
            }
            ("promote", [room, account]) => {
                Command::SetRole { room: self.room(room), account: self.account(account), admin: true }
            }
            ("leave", [room]) => Command::Leave { room: self.room(room) },
            ("read", [room, seq]) => {
                let seq = seq.parse().unwrap_or_else(|_| panic!("{seq} is no number"));
                Command::MarkRead { room: self.room(room), seq }
            }
            ("accept" | "decline", [inviter]) => {
                Command::AnswerInvitation { room: self.invitation(device, inviter), accept: verb == "accept" }
            }
            ("policy", [policy]) => Command::SetContactPolicy { policy: policy_named(policy) },
            _ => panic!("{who} cannot {verb} {rest:?}"),
        };
        self.world.command(device, command);
    }

    fn crash(&mut self, machine: &str, point: &str, write: &str) {
        let point = if point == "before" { CrashPoint::Before } else { CrashPoint::After };
        let write: u64 = write.parse().unwrap_or_else(|_| panic!("{write} is no number"));
        let fate = AtWrite::Crash(point, 5_000);
        match self.end(machine) {
            End::Node(node) => {
                let node = &mut self.world.nodes[node];
                node.at_write.insert(node.writes + write, fate);
            }
            End::Device(device) => {
                let device = &mut self.world.devices[device];
                device.at_write.insert(device.writes + write, fate);
            }
        }
    }

    fn cut(&mut self, one: &str, other: &str) {
        let (one, other) = (self.end(one), self.end(other));
        for pipe in self.world.network.pipes_of(one) {
            if self.world.network.pipe(pipe).is_some_and(|pipe| pipe.other(one) == other) {
                self.world.cut(pipe);
            }
        }
    }

    fn check(&self) -> Vec<String> {
        let mut broken = checker::safety(&self.world);
        broken.extend(checker::settled(&self.world));
        if broken.is_empty() { vec!["every promise holds".into()] } else { broken }
    }

    fn logs(&self, room: &str) -> Vec<String> {
        let room = self.room(room);
        let describe = |(node, log): (usize, &std::collections::BTreeMap<u64, crate::history::Written>)| {
            let kind = |event: &wire::proto::Event| {
                signed::decode::<EventHead>(&event.head)
                    .map_or("?", |head| head.kind().as_str_name().trim_start_matches("EVENT_KIND_"))
            };
            let events: Vec<String> = log
                .iter()
                .map(|(seq, written)| format!("{seq} {}", kind(&written.event).to_lowercase()))
                .collect();
            format!("{}: {}", self.world.nodes[node].name, events.join(", "))
        };
        self.world.history.logs_of(room).map(describe).collect()
    }

    fn rooms(&self, who: &str) -> Vec<String> {
        let engine = self.world.devices[self.device(who)].engine.as_ref();
        let views = engine.map(|engine| engine.rooms()).unwrap_or_default();
        views
            .iter()
            .map(|view| {
                let (name, members) = (show::room(&self.world, view.room), view.members.len());
                let (phase, head, epoch) = (view.phase, view.head_seq, view.epoch);
                let paused = view.paused.map_or(String::new(), |error| format!(", paused: {}", error.name()));
                let behind = if view.behind { ", behind" } else { "" };
                format!("{name}: {phase:?}, {members} members, #{head}, epoch {epoch}{behind}{paused}")
            })
            .collect()
    }

    fn timeline(&self, who: &str, room: &str) -> Vec<String> {
        let device = &self.world.devices[self.device(who)];
        let rows = device.stored_room(&self.room(room));
        let items = rows.iter().filter_map(engine::view::TimelineItem::from_row);
        items
            .map(|item| {
                let sender = item.sender.as_ref().map_or("hub", Account::local);
                format!("#{} {sender}: {}", item.seq, show::body(&item.body))
            })
            .collect()
    }

    fn target(&self, name: &str) -> Target {
        match name.parse::<Account>() {
            Ok(account) => Target::Account(account),
            Err(_) => Target::Room(self.room(name)),
        }
    }

    /// A room that was never made, because its maker died first, is one that nobody has: whoever
    /// names it is refused, and the transcript shows it.
    fn room(&self, name: &str) -> RoomId {
        let found = self.world.history.rooms.iter().find(|room| show::room(&self.world, **room) == name);
        found.copied().unwrap_or(NOBODYS)
    }

    /// Likewise for an invitation that was never sent.
    fn invitation(&self, device: usize, inviter: &str) -> RoomId {
        let engine = self.world.devices[device].engine.as_ref();
        let all = engine.map(|engine| engine.invitations()).unwrap_or_default();
        let found = all.iter().find(|invitation| invitation.inviter.local() == inviter);
        found.map_or(NOBODYS, |invitation| invitation.room)
    }

    fn account(&self, name: &str) -> Account {
        let by_local = self.world.device_named(name).map(|device| self.world.devices[device].account.clone());
        by_local.or_else(|| name.parse().ok()).unwrap_or_else(|| panic!("{name} is no account"))
    }

    fn device(&self, name: &str) -> usize {
        self.world.device_named(name).unwrap_or_else(|| panic!("{name} has no device"))
    }

    fn node(&self, name: &str) -> usize {
        self.world.node_named(name).unwrap_or_else(|| panic!("{name} has no node"))
    }

    fn end(&self, name: &str) -> End {
        match self.world.node_named(name) {
            Some(node) => End::Node(node),
            None => End::Device(self.device(name)),
        }
    }
}

fn policy_named(name: &str) -> ContactPolicy {
    match name {
        "open" => ContactPolicy::Open,
        "ask" => ContactPolicy::Ask,
        "deny" => ContactPolicy::Deny,
        _ => panic!("{name} is no policy"),
    }
}
