//! The conversations in `scenarios/`, each with the transcript that stands in its file.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{env, fs, path::Path};

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

scenarios!(absent_peer, commit_race, crash, duplicates, invitation, one_way_partition, order, removal);

/// Every write of every machine in the conversation of `crash.txt`, before it and after it: the
/// promises hold wherever a machine dies.
#[test]
fn a_machine_may_die_at_any_write() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/crash.txt");
    let text = fs::read_to_string(path).unwrap();
    let (_, calm) = script::play(&text, |_| {});
    let mut deaths = Vec::new();
    for point in [CrashPoint::Before, CrashPoint::After] {
        for (index, node) in calm.nodes.iter().enumerate() {
            deaths.extend((1..=node.writes).map(|write| (true, index, write, point)));
        }
        for (index, device) in calm.devices.iter().enumerate() {
            deaths.extend((1..=device.writes).map(|write| (false, index, write, point)));
        }
    }
    for (is_node, index, write, point) in deaths {
        let (played, _) = script::play(&text, |world| {
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
}
