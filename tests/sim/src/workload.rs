//! Plays random runs: what users do, and what goes wrong meanwhile, drawn from the seed; then
//! everything heals, settles and is judged.

use engine::{Command, Target, record::RoomPhase};
use machine::Seeded;
use wire::{Account, RoomId, proto::ContactPolicy};

use crate::{World, checker, fault::Weather, network::End, setup};

const DOMAINS: [&str; 3] = ["acme.test", "umbrella.test", "third.test"];
const ACCOUNTS: [&str; 5] =
    ["alice@acme.test", "bob@umbrella.test", "carol@acme.test", "dave@third.test", "erin@umbrella.test"];
/// How long everything has to settle after it has healed: an hour.
const SETTLE_MS: u64 = 3_600_000;

/// What came of a run.
pub struct Run {
    /// The world as it was at the end.
    pub world: World,
    /// Promises that were broken.
    pub broken: Vec<String>,
}

/// Plays one run.
#[must_use]
pub fn run(seed: u64) -> Run {
    run_with(seed, false)
}

/// Plays one run; `verbose` notes every frame.
#[must_use]
pub fn run_with(seed: u64, verbose: bool) -> Run {
    let mut world = setup::world(seed, &DOMAINS, &ACCOUNTS);
    world.verbose = verbose;
    let mut random = Seeded::new(seed ^ 0xc0_31_7e);
    world.network.latency_max_ms = 1 + random.below(400);
    begin(&mut world, &mut random);
    world.weather = Weather::draw(&mut random);
    let steps = 20 + random.below(50);
    for step in 0..steps {
        if random.below(4) == 0 {
            trouble(&mut world, &mut random);
        } else {
            act(&mut world, &mut random, step);
        }
        let pause = random.below(3_000);
        world.run_for(pause);
    }
    let mut broken = checker::safety(&world);
    heal(&mut world);
    world.run_until_settled(SETTLE_MS);
    broken.extend(checker::safety(&world));
    broken.extend(checker::settled(&world));
    broken.dedup();
    Run { world, broken }
}

/// A group over three domains and open doors for some, so that runs do not all begin the same way.
fn begin(world: &mut World, random: &mut Seeded) {
    world.run_for(5_000);
    for device in 0..world.devices.len() {
        if random.below(3) > 0 {
            world.command(device, Command::SetContactPolicy { policy: ContactPolicy::Open });
        }
    }
    world.run_for(2_000);
    let founder = pick(random, world.devices.len());
    let members = others(world, founder);
    let name = "everyone".to_owned();
    world.command(founder, Command::CreateRoom { name, topic: String::new(), members });
    world.run_for(5_000);
}

fn act(world: &mut World, random: &mut Seeded, step: u64) {
    let device = pick(random, world.devices.len());
    let who = world.devices[device].account.local().to_owned();
    let text = format!("{who} says {step} c4n4ry");
    let somebody = |world: &World, random: &mut Seeded| {
        let others = others(world, device);
        others[pick(random, others.len())].clone()
    };
    let room = some_room(world, random, device);
    let command = match (random.below(20), room) {
        (0..=9, Some(room)) => Command::Send { target: Target::Room(room), text, reply_to: None },
        (10..=12, _) | (_, None) => {
            let account = somebody(world, random);
            Command::Send { target: Target::Account(account), text, reply_to: None }
        }
        (13, Some(room)) => Command::Invite { room, accounts: vec![somebody(world, random)] },
        (14, Some(room)) => Command::Remove { room, account: somebody(world, random) },
        (15, Some(room)) => Command::Leave { room },
        (16, Some(room)) => Command::SetRole { room, account: somebody(world, random), admin: true },
        (17, _) => {
            let members = vec![somebody(world, random)];
            Command::CreateRoom { name: format!("room {step}"), topic: String::new(), members }
        }
        (_, Some(room)) => match invitation(world, device) {
            Some(room) => Command::AnswerInvitation { room, accept: random.below(4) > 0 },
            None => {
                let view = world.devices[device].engine.as_ref().and_then(|engine| engine.room(room));
                Command::MarkRead { room, seq: view.map_or(0, |view| view.head_seq) }
            }
        },
    };
    world.note(format!("{who} is to {}", describe(&command)));
    world.command(device, command);
}

fn trouble(world: &mut World, random: &mut Seeded) {
    let node = pick(random, world.nodes.len());
    let other = pick(random, world.nodes.len());
    let device = pick(random, world.devices.len());
    match random.below(8) {
        0 => {
            if let Some(pipe) = some_connection(world, random) {
                world.note("a connection is cut");
                world.cut(pipe);
            }
        }
        1 if node != other => {
            world.note(format!("{} does not reach {}", world.nodes[node].name, world.nodes[other].name));
            world.block(End::Node(node), End::Node(other));
        }
        2 if node != other => {
            world.note(format!("{} and {} are apart", world.nodes[node].name, world.nodes[other].name));
            world.block(End::Node(node), End::Node(other));
            world.block(End::Node(other), End::Node(node));
        }
        3 => {
            world.note("partitions heal");
            world.heal();
        }
        4 => {
            let down = random.below(120_000);
            world.crash_node(node, down);
        }
        5 => {
            let down = random.below(60_000);
            world.crash_device(device, down);
        }
        6 => {
            let online = random.below(2) == 0;
            world.set_online(device, online);
        }
        _ => {
            let skew = i64::try_from(random.below(200_000)).unwrap_or_default() - 100_000;
            world.note(format!("the clock of {} is off by {skew} ms", world.nodes[node].name));
            world.nodes[node].skew_ms = skew;
        }
    }
}

fn heal(world: &mut World) {
    world.note("everything heals");
    world.weather = Weather::CALM;
    world.heal();
    for node in 0..world.nodes.len() {
        world.nodes[node].skew_ms = 0;
        world.start_node(node);
    }
    for device in 0..world.devices.len() {
        world.start_device(device);
        world.set_online(device, true);
    }
}

fn pick(random: &mut Seeded, length: usize) -> usize {
    usize::try_from(random.below(length as u64)).unwrap_or_default()
}

fn others(world: &World, device: usize) -> Vec<Account> {
    let own = &world.devices[device].account;
    world.devices.iter().map(|device| device.account.clone()).filter(|account| account != own).collect()
}

fn some_room(world: &World, random: &mut Seeded, device: usize) -> Option<RoomId> {
    let mut rooms = world.devices[device].engine.as_ref()?.rooms();
    rooms.retain(|view| view.phase == RoomPhase::Joined);
    // Ids differ between two runs of a seed where key material decides them; names do not.
    rooms.sort_by_key(|view| world.history.rooms.iter().position(|room| *room == view.room));
    let index = pick(random, rooms.len());
    rooms.get(index).map(|view| view.room)
}

fn invitation(world: &World, device: usize) -> Option<RoomId> {
    let all = world.devices[device].engine.as_ref()?.invitations();
    let unanswered = all.iter().filter(|invitation| invitation.answered.is_none());
    unanswered.min_by_key(|invitation| invitation.time_ms).map(|invitation| invitation.room)
}

fn some_connection(world: &World, random: &mut Seeded) -> Option<u64> {
    let mut all = world.network.between_nodes();
    all.extend(world.devices.iter().filter_map(|device| device.session).map(|(pipe, _)| pipe));
    let index = pick(random, all.len());
    all.get(index).copied()
}

fn describe(command: &Command) -> String {
    match command {
        Command::Send { target: Target::Account(account), text, .. } => format!("send {text:?} to {account}"),
        Command::Send { text, .. } => format!("send {text:?}"),
        Command::CreateRoom { name, members, .. } => format!("create {name:?} with {members:?}"),
        Command::Invite { accounts, .. } => format!("invite {accounts:?}"),
        Command::Remove { account, .. } => format!("remove {account}"),
        Command::Leave { .. } => "leave".into(),
        Command::SetRole { account, .. } => format!("make {account} admin"),
        Command::AnswerInvitation { accept, .. } => format!("answer an invitation with {accept}"),
        _ => "read".into(),
    }
}

/// Plays many runs on every core of the machine. Returns the seeds that failed, with what was
/// broken or where the run stopped; each is told at once too.
pub fn many(from: u64, count: u64, tell: impl Fn(&str) + Sync) -> Vec<(u64, Vec<String>)> {
    use std::sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    };
    let next = AtomicU64::new(from);
    let failed = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    let broken = std::panic::catch_unwind(|| run(seed).broken)
                        .unwrap_or_else(|_| vec!["a machine stopped; its message is above".into()]);
                    if !broken.is_empty() {
                        tell(&format!("seed {seed} fails: cargo run -p sim -- --seed {seed}"));
                        let mut failed = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                        failed.push((seed, broken));
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    failed.sort();
    failed
}
