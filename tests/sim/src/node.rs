//! Runs one node: a `domain::Core` over a disk in memory, which may die at any write and start again
//! over what it had written.

use std::collections::{BTreeMap, VecDeque};

use domain::{Core, CoreConfig, Input};
use identity::{DomainDocument, DomainKeys};
use machine::{Seeded, Timestamp};
use store::memory::Memory;
use wire::{DomainName, proto::ContactPolicy};

use crate::fault::AtWrite;

/// One domain's node.
pub struct Node {
    /// Its domain.
    pub name: DomainName,
    /// Its secret keys.
    pub keys: DomainKeys,
    /// Its documents, oldest first.
    pub documents: Vec<DomainDocument>,
    /// Its disk; survives everything.
    pub disk: Memory,
    /// The running process, if one runs.
    pub core: Option<Core<Memory, Seeded>>,
    /// Counts the processes: what belongs to an earlier one is dropped.
    pub life: u64,
    /// What waits for the process.
    pub inbox: VecDeque<Input>,
    /// Whether the process is about to look into it.
    pub scheduled: bool,
    /// Its clock less the true time, milliseconds.
    pub skew_ms: i64,
    /// Writes so far, over all lives.
    pub writes: u64,
    /// What happens at which write, by its number from 1.
    pub at_write: BTreeMap<u64, AtWrite>,
    /// The timer that counts; earlier ones are void.
    pub timer: u64,
    seed: u64,
}

impl Node {
    /// A node of a new domain that does not run yet.
    #[must_use]
    pub fn new(name: &str, seed: u64, now: Timestamp) -> Self {
        let mut random = Seeded::new(seed);
        let keys = DomainKeys::generate(&mut random);
        let name: DomainName = name.parse().unwrap_or_else(|_| panic!("{name} is no domain"));
        let endpoint = format!("{name}:443").parse().unwrap_or_else(|_| panic!("{name} is no host"));
        let first = keys.first_document(&name, &[endpoint], now);
        let documents = vec![first.unwrap_or_else(|error| panic!("no first document: {error}"))];
        Self {
            name,
            keys,
            documents,
            disk: Memory::new(),
            core: None,
            life: 0,
            inbox: VecDeque::new(),
            scheduled: false,
            skew_ms: 0,
            writes: 0,
            at_write: BTreeMap::new(),
            timer: 0,
            seed,
        }
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self, now_ms: u64) -> Timestamp {
        Timestamp::from_ms(now_ms.saturating_add_signed(self.skew_ms))
    }

    /// Starts a process over the disk.
    pub fn start(&mut self, now_ms: u64) {
        self.life += 1;
        self.inbox.clear();
        self.scheduled = false;
        let config = CoreConfig {
            domain: self.name.clone(),
            documents: self.documents.iter().map(|document| document.signed().clone()).collect(),
            event_key: self.keys.event.clone(),
            binding_key: self.keys.binding.clone(),
            policy: ContactPolicy::Ask,
            presence: true,
            passwords: false,
            version: "sim".into(),
            listen: String::new(),
        };
        let entropy = Seeded::new(self.seed ^ self.life.wrapping_mul(0x9e37_79b9));
        let core = Core::new(config, self.disk.clone(), entropy, self.clock(now_ms));
        self.core = Some(core.unwrap_or_else(|error| panic!("{} does not start: {error}", self.name)));
    }

    /// The process dies; what it had not written is gone.
    pub fn kill(&mut self) {
        self.core = None;
        self.life += 1;
        self.inbox.clear();
        self.scheduled = false;
    }
}
