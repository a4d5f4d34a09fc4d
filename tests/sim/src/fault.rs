//! Decides what goes wrong: crashes at persistence points, full disks, lost connections,
//! partitions and clocks, drawn from the seed or ordered by a script.

use machine::Seeded;

/// Where in a write a machine dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CrashPoint {
    /// Before it is durable: nothing of it happened.
    Before,
    /// After it is durable, before anybody was told.
    After,
}

/// What happens at one write of a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtWrite {
    /// It dies and comes back after this many milliseconds.
    Crash(CrashPoint, u64),
    /// The disk is full: this write fails, a later one succeeds.
    Full,
}

/// How much goes wrong in a random run.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// One write of a node in so many ends in a crash; 0 for none.
    pub node_crash: u64,
    /// One write of a device in so many ends in a crash; 0 for none.
    pub device_crash: u64,
    /// One write of a node in so many meets a full disk; 0 for none.
    pub disk_full: u64,
}

impl Weather {
    /// Nothing goes wrong by itself.
    pub const CALM: Self = Self { node_crash: 0, device_crash: 0, disk_full: 0 };

    /// The weather of a random run: each seed has its own.
    #[must_use]
    pub fn draw(random: &mut Seeded) -> Self {
        let mut one_of = |choices: &[u64]| {
            let index = random.below(choices.len() as u64);
            usize::try_from(index).ok().and_then(|index| choices.get(index)).copied().unwrap_or_default()
        };
        Self {
            node_crash: one_of(&[0, 300, 100, 40]),
            device_crash: one_of(&[0, 200, 60]),
            disk_full: one_of(&[0, 0, 150, 50]),
        }
    }

    /// What this weather does to one write of a node.
    pub fn node_write(&self, random: &mut Seeded) -> Option<AtWrite> {
        if strikes(self.node_crash, random) {
            return Some(crash(random));
        }
        strikes(self.disk_full, random).then_some(AtWrite::Full)
    }

    /// What this weather does to one write of a device.
    pub fn device_write(&self, random: &mut Seeded) -> Option<AtWrite> {
        strikes(self.device_crash, random).then(|| crash(random))
    }
}

fn strikes(one_in: u64, random: &mut Seeded) -> bool {
    one_in > 0 && random.below(one_in) == 0
}

fn crash(random: &mut Seeded) -> AtWrite {
    let point = if random.below(2) == 0 { CrashPoint::Before } else { CrashPoint::After };
    AtWrite::Crash(point, 10 + random.below(20_000))
}
