//! A room in one process: devices, the hub's observer, and the log between them.

use std::collections::BTreeMap;

use bytes::Bytes;
use machine::{Entropy as _, Seeded, Timestamp};
use mls::{
    Change, CommitBundle, DeviceKeys, Entrance, Leaf, Member, Observed, Observer, OwnKeyPackage, Processed,
    Rows, StagedChange, make_key_packages, welcome_targets,
};
use prost::Message as _;
use wire::{
    Account, DeviceId, ErrorCode, RoomId, SecretKey,
    proto::{
        CommitExtras, DeviceCertificate, EventKind, MessageBinding, RoomFounding, RoomKind, RoomState, Signed,
    },
};

pub(crate) const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

/// The keys of the device with this number of an account.
pub(crate) fn keys(account: &str, device: u8) -> DeviceKeys {
    let account: Account = account.parse().expect("account");
    let start = account
        .as_str()
        .bytes()
        .fold(u64::from(device), |hash, byte| hash * 257 % 1_000_000_007 + u64::from(byte));
    let mut seed = Seeded::new(start);
    let secret = SecretKey::from_seed(&zeroize::Zeroizing::new(seed.array()));
    let device = DeviceId::new([device; 16]);
    let certificate = DeviceCertificate {
        account: account.to_string(),
        device_id: device.to_bytes(),
        signature_key: secret.public().as_bytes().to_vec().into(),
        not_before: 1,
        not_after: 2,
    };
    let signed = |body: Vec<u8>| Signed {
        body: body.into(),
        signature: vec![7; 64].into(),
        account_signature: Bytes::new(),
    };
    DeviceKeys {
        binding: signed(account.to_string().into_bytes()),
        certificate: signed(certificate.encode_to_vec()),
        account,
        device,
        secret,
    }
}

pub(crate) fn state(room: RoomId, admins: &[&str]) -> RoomState {
    RoomState {
        room: room.to_bytes(),
        hub: "acme.test".into(),
        kind: RoomKind::Group.into(),
        admins: admins.iter().map(ToString::to_string).collect(),
        version: 1,
    }
}

/// One device and what it has stored.
pub(crate) struct Device {
    pub(crate) keys: DeviceKeys,
    pub(crate) member: Member,
    pub(crate) rows: Rows,
}

impl Device {
    /// Writes what has changed, as a client does in its transaction.
    pub(crate) fn store(&mut self) {
        apply(&mut self.rows, self.member.take_changes());
    }

    /// Drops the live object and loads it from what is stored.
    pub(crate) fn reload(&mut self) {
        let room = *self.member.room();
        self.member = Member::load(&self.keys, &room, self.rows.clone()).expect("load");
        assert_eq!(self.member.take_changes(), vec![]);
    }
}

pub(crate) fn apply(rows: &mut Rows, changes: Vec<mls::RowChange>) {
    for (key, value) in changes {
        match value {
            Some(value) => rows.insert(key, value),
            None => rows.remove(&key),
        };
    }
}

pub(crate) struct World {
    pub(crate) room: RoomId,
    pub(crate) entropy: Seeded,
    pub(crate) observer: Observer,
    pub(crate) founding: RoomFounding,
    /// By account and device number.
    pub(crate) devices: BTreeMap<(String, u8), Device>,
    messages: u64,
}

pub(crate) fn name(account: &str) -> (String, u8) {
    (account.to_owned(), 1)
}

impl World {
    /// A room that `founder` founded, with a log of one event.
    pub(crate) fn found(founder: &str, seed: u64) -> Self {
        let mut entropy = Seeded::new(seed);
        let room = RoomId::new(entropy.array());
        let own = keys(founder, 1);
        let (mut member, founding) =
            Member::found(&own, &state(room, &[founder]), &mut entropy).expect("found");
        let observer = Observer::found(&founding).expect("observer");
        let mut rows = Rows::new();
        apply(&mut rows, member.take_changes());
        let device = Device { keys: own, member, rows };
        let world = Self {
            room,
            entropy,
            observer,
            founding,
            devices: BTreeMap::from([(name(founder), device)]),
            messages: 0,
        };
        world.agree();
        world
    }

    /// A room with these accounts, one device each; the first founded it.
    pub(crate) fn with(accounts: &[&str], seed: u64) -> Self {
        let (founder, others) = accounts.split_first().expect("one");
        let mut world = Self::found(founder, seed);
        if !others.is_empty() {
            world.add(founder, others);
        }
        world
    }

    pub(crate) fn binding(&mut self) -> MessageBinding {
        self.messages += 1;
        let mut id = [0; 16];
        id.iter_mut().zip(self.messages.to_be_bytes()).for_each(|(to, from)| *to = from);
        MessageBinding { room: self.room.to_bytes(), message_id: id.to_vec().into(), ephemeral: false }
    }

    pub(crate) fn device(&mut self, account: &str) -> &mut Device {
        self.devices.get_mut(&name(account)).expect("device")
    }

    pub(crate) fn commit(&mut self, by: &str, change: &Change) -> Result<CommitBundle, ErrorCode> {
        let binding = self.binding();
        let device = self.devices.get_mut(&name(by)).expect("device");
        let bundle = device.member.commit(&binding, change, &mut self.entropy)?;
        device.store();
        Ok(bundle)
    }

    pub(crate) fn encrypt(&mut self, by: &str, content: &[u8]) -> Result<Bytes, ErrorCode> {
        let binding = self.binding();
        let device = self.devices.get_mut(&name(by)).expect("device");
        let message = device.member.encrypt(&binding, content, &mut self.entropy)?;
        device.store();
        Ok(message)
    }

    /// Has the hub order a commit.
    pub(crate) fn order(&mut self, bundle: &CommitBundle) -> Result<Observed, ErrorCode> {
        let extras = CommitExtras { welcome: bundle.welcome.clone(), group_info: bundle.group_info.clone() };
        let seen = self.observer.check_commit(&bundle.commit, &extras)?;
        self.observer.merge()?;
        self.observer = Observer::load(&self.observer.save())?;
        Ok(seen)
    }

    /// Gives an ordered commit to every device; those that it removes are dropped from the world.
    pub(crate) fn deliver(&mut self, commit: &[u8], seen: &Observed) {
        let mut gone = Vec::new();
        for (id, device) in &mut self.devices {
            let processed = device.member.process(EventKind::Commit, commit).expect("commit");
            let Processed::Commit(change) = processed else { panic!("not a commit") };
            same(&change, seen);
            device.member.merge_staged().expect("merge");
            device.store();
            assert_eq!(device.member.is_active(), !change.removes_us);
            if change.removes_us {
                gone.push(id.clone());
            }
        }
        self.devices.retain(|id, _| !gone.contains(id));
    }

    /// Commits, orders and delivers.
    pub(crate) fn run(&mut self, by: &str, change: &Change) -> Result<Observed, ErrorCode> {
        let bundle = self.commit(by, change)?;
        let seen = self.order(&bundle)?;
        self.deliver(&bundle.commit, &seen);
        Ok(seen)
    }

    pub(crate) fn package(&mut self, keys: &DeviceKeys) -> OwnKeyPackage {
        let made = make_key_packages(keys, NOW, 1, false, &mut self.entropy).expect("package");
        made.into_iter().next().expect("one")
    }

    /// Adds accounts by a Welcome, one device each.
    pub(crate) fn add(&mut self, by: &str, accounts: &[&str]) -> Observed {
        let own: Vec<(String, DeviceKeys, OwnKeyPackage)> = accounts
            .iter()
            .map(|account| {
                let keys = keys(account, 1);
                let package = self.package(&keys);
                ((*account).to_owned(), keys, package)
            })
            .collect();
        let add = own.iter().map(|(_, _, package)| package.bytes.clone()).collect();
        let bundle = self.commit(by, &Change { add, ..Change::default() }).expect("commit");
        let seen = self.order(&bundle).expect("ordered");
        self.deliver(&bundle.commit, &seen);
        let tree = self.observer.ratchet_tree().expect("tree");
        let targets = welcome_targets(&bundle.welcome).expect("targets");
        for (account, keys, package) in own {
            assert!(targets.contains(&package.hash));
            let entrance = Entrance { commit: &bundle.commit, welcome: &bundle.welcome, ratchet_tree: &tree };
            let mut member = Member::join(&keys, &entrance, &package.rows).expect("join").member;
            let mut rows = Rows::new();
            apply(&mut rows, member.take_changes());
            self.devices.insert(name(&account), Device { keys, member, rows });
        }
        self.agree();
        seen
    }

    /// Everybody, the hub included, has the same epoch, tree, state and leaves.
    pub(crate) fn agree(&self) {
        let mut authenticators = self.devices.values().map(|device| device.member.epoch_authenticator());
        let first = authenticators.next();
        assert!(authenticators.all(|other| Some(other) == first));
        for device in self.devices.values() {
            assert_eq!(device.member.epoch(), self.observer.epoch());
            assert_eq!(device.member.state(), self.observer.state());
            assert_eq!(device.member.leaves(), self.observer.leaves());
            assert_eq!(device.member.tree_hash(), self.observer.tree_hash());
            assert_eq!(device.member.leaving(), self.observer.leaving());
        }
    }
}

fn same(change: &StagedChange, seen: &Observed) {
    assert_eq!(change.committer, seen.committer);
    assert_eq!(change.binding, seen.binding);
    assert_eq!(change.added, seen.added);
    assert_eq!(change.removed, seen.removed);
    assert_eq!(change.updated, seen.updated);
    assert_eq!(change.state, seen.state);
    assert_eq!((change.epoch_after, change.rejoined), (seen.epoch_after, seen.rejoined));
}

pub(crate) fn accounts(leaves: &[Leaf]) -> Vec<String> {
    leaves.iter().map(|leaf| leaf.account.to_string()).collect()
}

/// The plaintext of a message, which must be from `from`.
pub(crate) fn read(device: &mut Device, from: &str, message: &[u8]) -> Vec<u8> {
    match device.member.process(EventKind::Message, message).expect("message") {
        Processed::Message { sender, content, .. } => {
            assert_eq!(sender.account.as_str(), from);
            device.store();
            content
        }
        other => panic!("{other:?}"),
    }
}
