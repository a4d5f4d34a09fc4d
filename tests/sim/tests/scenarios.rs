//! The conversations in `scenarios/`, each with the transcript that stands in its file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    env, fs,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use sim::{
    fault::{AtWrite, CrashPoint},
    script,
};

fn golden(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name);
    let stands = fs::read_to_string(&path).unwrap();
    let (played, _) = script::play(&stands, |world| world.verbose = env::var_os("SIM_VERBOSE").is_some());
    assert!(played.trim_end().ends_with("every promise holds"), "{name}:\n{played}");
    if env::var_os("SIM_VERBOSE").is_some() {
        panic!("{played}");
    }
    if env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &played).unwrap();
    } else if let Some((n, (stands, played))) =
        (1..).zip(stands.lines().zip(played.lines())).find(|(_, (stands, played))| stands != played)
    {
        panic!("{name}:{n}\n  stands: {stands}\n  played: {played}\nUPDATE_EXPECT=1 rewrites it");
    } else {
        assert_eq!(stands.len(), played.len(), "{name} ends earlier or later; UPDATE_EXPECT=1 rewrites it");
    }
}

macro_rules! scenarios {
    ($($name:ident),*) => {
        $(#[test]
        fn $name() {
            golden(concat!(stringify!($name), ".txt"));
        })*

        #[test]
        fn no_scenario_is_forgotten() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
            let mut there: Vec<String> = fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            there.sort();
            assert_eq!(there, [$(concat!(stringify!($name), ".txt")),*]);
        }
    };
}

scenarios!(
    absent_peer,
    commit_race,
    crash,
    duplicates,
    invitation,
    one_way_partition,
    order,
    rejoin,
    removal
);

/// A short conversation with everything in it that is written: a direct room that begins with an
/// invitation, a group with members in three domains, messages there and back, a removal.
const SHORT: &str = "\
domains acme.test umbrella.test third.test
accounts alice@acme.test bob@umbrella.test carol@third.test
carol policy open
settle
alice send bob@umbrella.test first
settle
bob accept alice
settle
bob send alice@acme.test second
settle
alice create team carol
settle
alice send team three
carol send team four
settle
alice remove team carol
settle
check
";

/// Every write of every machine in a short conversation, before it and after it: the promises hold
/// wherever a machine dies.
#[test]
fn a_machine_may_die_at_any_write() {
    let (played, calm) = script::play(SHORT, |_| {});
    assert!(played.trim_end().ends_with("every promise holds"), "{played}");
    let mut deaths = Vec::new();
    for point in [CrashPoint::Before, CrashPoint::After] {
        for (index, node) in calm.nodes.iter().enumerate() {
            deaths.extend((1..=node.writes).map(|write| (true, index, write, point)));
        }
        for (index, device) in calm.devices.iter().enumerate() {
            deaths.extend((1..=device.writes).map(|write| (false, index, write, point)));
        }
    }
    let next = AtomicUsize::new(0);
    let workers = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(death) = deaths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    dies(*death);
                }
            });
        }
    });
}

fn dies((is_node, index, write, point): (bool, usize, u64, CrashPoint)) {
    let (played, _) = script::play(SHORT, |world| {
        let fate = AtWrite::Crash(point, 2_000);
        if is_node {
            world.nodes[index].at_write.insert(write, fate);
        } else {
            world.devices[index].at_write.insert(write, fate);
        }
    });
    let machine = if is_node { "node" } else { "device" };
    assert!(
        played.trim_end().ends_with("every promise holds"),
        "{machine} {index} dies {point:?} write {write}:\n{played}"
    );
}
