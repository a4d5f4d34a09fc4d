//! A room whose members run two implementations, with the hub's observer between them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use machine::{Entropy as _, Seeded, Timestamp};
use mls::{
    Change, DeviceKeys, Entrance, Member, Observer, Processed, Rows, check_key_package, make_key_packages,
};
use mls_rs::client_builder::MlsConfig;
use wire::{
    RoomId,
    proto::{CommitExtras, EventKind, RoomState},
};

use crate::{Stranger, binding_bytes, keys, state, stranger::Made};

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

/// A device of either kind.
pub enum Device<C: MlsConfig> {
    /// Ours.
    Ours(Box<Member>, DeviceKeys),
    /// mls-rs.
    Stranger(Box<Stranger<C>>),
}

/// What somebody commits.
#[derive(Default)]
pub struct Wish {
    /// Who is added, and whether as a stranger.
    pub add: Vec<(u64, bool)>,
    /// Who is removed.
    pub remove: Vec<u64>,
    /// The admins from then on, if they change.
    pub admins: Option<Vec<u64>>,
}

enum Joiner<C: MlsConfig> {
    Ours(DeviceKeys, Rows),
    Stranger(Box<Stranger<C>>),
}

/// The room, its members by number, and what the hub knows.
pub struct Room<C: MlsConfig> {
    /// The room.
    pub room: RoomId,
    /// The hub's view.
    pub observer: Observer,
    /// By number of account.
    pub devices: BTreeMap<u64, Device<C>>,
    make: fn(DeviceKeys) -> Result<Stranger<C>>,
    entropy: Seeded,
    messages: u64,
}

impl<C: MlsConfig> Room<C> {
    /// A room that `u0`, one of ours, founded. `make` makes strangers.
    ///
    /// # Errors
    /// If it cannot be founded.
    pub fn found(make: fn(DeviceKeys) -> Result<Stranger<C>>, seed: u64) -> Result<Self> {
        let mut entropy = Seeded::new(seed);
        let room = RoomId::new(entropy.array());
        let own = keys(0);
        let (member, founding) = Member::found(&own, &state(room, &[0]), &mut entropy)?;
        let observer = Observer::found(&founding)?;
        let devices = BTreeMap::from([(0, Device::Ours(Box::new(member), own))]);
        Ok(Self { room, observer, devices, make, entropy, messages: 0 })
    }

    /// `by` commits, the hub orders, everybody applies; then all must agree.
    ///
    /// # Errors
    /// If anybody refuses or differs.
    pub fn commit(&mut self, by: u64, wish: &Wish) -> Result<()> {
        let mut packages = Vec::new();
        let mut joiners = Vec::new();
        for (number, foreign) in &wish.add {
            let (package, joiner) = self.package(*number, *foreign)?;
            check_key_package(&package, NOW)?;
            packages.push(package);
            joiners.push((*number, joiner));
        }
        let next = wish.admins.as_ref().map(|admins| state(self.room, admins));
        let made = self.make(by, &packages, &wish.remove, next.as_ref())?;
        let seen = self.observer.check_commit(&made.commit, &made.extras).context("hub")?;
        ensure!(seen.added.len() == wish.add.len() && seen.removed.len() == wish.remove.len());
        self.observer.merge()?;
        self.deliver(Some(by), &made.commit, &wish.remove)?;
        let tree = self.observer.ratchet_tree()?;
        for (number, joiner) in joiners {
            let device = match joiner {
                Joiner::Ours(own, rows) => {
                    let entrance =
                        Entrance { commit: &made.commit, welcome: &made.extras.welcome, ratchet_tree: &tree };
                    let joined = Member::join(&own, &entrance, &rows)?;
                    Device::Ours(Box::new(joined.member), own)
                }
                Joiner::Stranger(mut stranger) => {
                    stranger.join(&made.extras.welcome, &tree)?;
                    Device::Stranger(stranger)
                }
            };
            self.devices.insert(number, device);
        }
        self.agree()
    }

    /// The device loses its state and replaces its leaf by an external commit.
    ///
    /// # Errors
    /// If anybody refuses or differs.
    pub fn rejoin(&mut self, number: u64) -> Result<()> {
        let (binding, data) = self.binding();
        let shown = self.observer.shown()?;
        let lost = self.devices.remove(&number).context("no such device")?;
        let (device, made) = match lost {
            Device::Ours(_, own) => {
                let (member, bundle) =
                    Member::rejoin(&own, Rows::new(), &shown, &binding, &mut self.entropy)?;
                let extras =
                    CommitExtras { welcome: bundle.welcome.clone(), group_info: bundle.group_info.clone() };
                let made = Made { commit: bundle.commit.to_vec(), extras };
                (Device::Ours(Box::new(member), own), made)
            }
            Device::Stranger(old) => {
                let mut stranger = (self.make)(old.keys().clone())?;
                let leaf = self.leaf(number)?;
                let made = stranger.rejoin(&shown.group_info, &shown.ratchet_tree, leaf, data)?;
                (Device::Stranger(Box::new(stranger)), made)
            }
        };
        let seen = self.observer.check_commit(&made.commit, &made.extras).context("hub")?;
        ensure!(seen.rejoined && seen.committer.account.as_str() == format!("u{number}@acme.test"));
        self.observer.merge()?;
        self.deliver(None, &made.commit, &[])?;
        self.devices.insert(number, device);
        if let Some(Device::Ours(member, _)) = self.devices.get_mut(&number) {
            member.process(EventKind::Commit, &made.commit)?;
            member.merge_staged()?;
        }
        self.agree()
    }

    /// `by` sends and everybody else reads it.
    ///
    /// # Errors
    /// If anybody cannot, or reads something else.
    pub fn talk(&mut self, by: u64, content: &[u8]) -> Result<()> {
        let (binding, data) = self.binding();
        let message = match self.devices.get_mut(&by).context("no such device")? {
            Device::Ours(member, _) => member.encrypt(&binding, content, &mut self.entropy)?.to_vec(),
            Device::Stranger(stranger) => stranger.encrypt(content, data.clone())?,
        };
        let framing = mls::framing(EventKind::Message, &message)?;
        ensure!(framing.binding == binding && framing.epoch == self.observer.epoch());
        for (number, device) in self.devices.iter_mut().filter(|(number, _)| **number != by) {
            let read = match device {
                Device::Ours(member, _) => match member.process(EventKind::Message, &message)? {
                    Processed::Message { sender, content, .. } => {
                        ensure!(sender.account.as_str() == format!("u{by}@acme.test"));
                        content
                    }
                    other => anyhow::bail!("{other:?}"),
                },
                Device::Stranger(stranger) => {
                    let (authenticated, content) = stranger.decrypt(&message)?;
                    ensure!(authenticated == data, "u{number} sees another binding");
                    content
                }
            };
            ensure!(read == content, "u{number} reads something else");
        }
        Ok(())
    }

    /// All members have the same epoch authenticator, and the hub their epoch, tree and leaves.
    ///
    /// # Errors
    /// If not.
    pub fn agree(&mut self) -> Result<()> {
        let mut first: Option<Vec<u8>> = None;
        for (number, device) in &mut self.devices {
            let authenticator = match device {
                Device::Ours(member, _) => {
                    ensure!(member.tree_hash() == self.observer.tree_hash());
                    ensure!(member.epoch() == self.observer.epoch());
                    ensure!(member.state() == self.observer.state());
                    member.epoch_authenticator()
                }
                Device::Stranger(stranger) => stranger.epoch_authenticator()?,
            };
            ensure!(*first.get_or_insert_with(|| authenticator.clone()) == authenticator, "u{number}");
        }
        ensure!(self.observer.leaves().len() == self.devices.len());
        Ok(())
    }

    fn package(&mut self, number: u64, foreign: bool) -> Result<(Vec<u8>, Joiner<C>)> {
        if foreign {
            let stranger = (self.make)(keys(number))?;
            return Ok((stranger.key_package(NOW.as_s())?, Joiner::Stranger(Box::new(stranger))));
        }
        let own = keys(number);
        let made = make_key_packages(&own, NOW, 1, false, &mut self.entropy)?;
        let made = made.into_iter().next().context("one")?;
        Ok((made.bytes.to_vec(), Joiner::Ours(own, made.rows)))
    }

    fn make(
        &mut self,
        by: u64,
        packages: &[Vec<u8>],
        remove: &[u64],
        next: Option<&RoomState>,
    ) -> Result<Made> {
        let (binding, data) = self.binding();
        let leaves = remove.iter().map(|number| self.leaf(*number)).collect::<Result<Vec<_>>>()?;
        match self.devices.get_mut(&by).context("no such device")? {
            Device::Ours(member, _) => {
                let change = Change {
                    add: packages.iter().cloned().map(Into::into).collect(),
                    remove: remove.iter().map(|number| keys(*number).account).collect(),
                    state: next.cloned(),
                };
                let made = member.commit(&binding, &change, &mut self.entropy)?;
                let extras = CommitExtras { welcome: made.welcome, group_info: made.group_info };
                Ok(Made { commit: made.commit.to_vec(), extras })
            }
            Device::Stranger(stranger) => stranger.commit(packages, &leaves, next, data),
        }
    }

    fn deliver(&mut self, by: Option<u64>, commit: &[u8], removed: &[u64]) -> Result<()> {
        for (number, device) in &mut self.devices {
            let stays = match device {
                Device::Ours(member, _) => {
                    member.process(EventKind::Commit, commit).with_context(|| format!("u{number}"))?;
                    member.merge_staged()?;
                    member.is_active()
                }
                Device::Stranger(stranger) => {
                    let own = by == Some(*number);
                    stranger.apply(commit, own).with_context(|| format!("u{number}"))?
                }
            };
            ensure!(stays != removed.contains(number), "u{number} misjudges its removal");
        }
        self.devices.retain(|number, _| !removed.contains(number));
        Ok(())
    }

    fn leaf(&self, number: u64) -> Result<u32> {
        let account = keys(number).account;
        let leaves = self.observer.leaves();
        leaves.iter().find(|leaf| leaf.account == account).map(|leaf| leaf.index).context("no leaf")
    }

    fn binding(&mut self) -> (wire::proto::MessageBinding, Vec<u8>) {
        self.messages += 1;
        binding_bytes(self.room, self.messages)
    }
}
