//! What of a room may disturb, as it is kept on this device: a line for every room that differs from
//! the rule.

use std::{collections::BTreeMap, fmt::Write as _};

use wire::RoomId;

use crate::{ClientError, seal::SealedDir, view::Notify};

/// The file in the device's directory.
const FILE: &str = "notify";
/// Rooms that may differ from the rule: as many as fit into a file of a device's directory.
const ROOMS_MAX: usize = 800;

/// What may disturb, room by room.
#[derive(Debug, Default)]
pub(crate) struct Notifies(BTreeMap<RoomId, Notify>);

impl Notifies {
    /// Reads what was kept. A line that makes no sense is passed over: the rule holds for its room.
    ///
    /// # Errors
    /// `Storage`.
    pub(crate) fn load(dir: &SealedDir) -> Result<Self, ClientError> {
        let bytes = dir.read(FILE)?;
        let text = bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        Ok(Self(text.lines().filter_map(line).take(ROOMS_MAX).collect()))
    }

    /// What holds for a room.
    pub(crate) fn of(&self, room: &RoomId) -> Notify {
        self.0.get(room).copied().unwrap_or_default()
    }

    /// Keeps what holds for a room from now on; on disk when it returns.
    ///
    /// # Errors
    /// `Storage`: it is as it was. `Refused(Quota)` if too many rooms differ from the rule.
    pub(crate) fn set(&mut self, dir: &SealedDir, room: RoomId, notify: Notify) -> Result<(), ClientError> {
        let mut changed = self.0.clone();
        if notify == Notify::default() {
            changed.remove(&room);
        } else if changed.len() < ROOMS_MAX || changed.contains_key(&room) {
            changed.insert(room, notify);
        } else {
            return Err(wire::ErrorCode::Quota.into());
        }
        let mut text = String::new();
        for (room, notify) in &changed {
            let _ = writeln!(text, "{room} {}", notify.name());
        }
        dir.write(FILE, text.as_bytes())?;
        self.0 = changed;
        Ok(())
    }
}

fn line(line: &str) -> Option<(RoomId, Notify)> {
    let (room, name) = line.split_once(' ')?;
    Some((room.parse().ok()?, Notify::ALL.into_iter().find(|notify| notify.name() == name.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_there_again_and_nonsense_is_not() {
        let temp = tempfile::tempdir().expect("a directory");
        let dir = SealedDir::of_test(temp.path());
        let (one, two) = (RoomId::new([1; 32]), RoomId::new([2; 32]));
        let mut notifies = Notifies::load(&dir).expect("nothing is there");
        assert_eq!(notifies.of(&one), Notify::All);
        notifies.set(&dir, one, Notify::None).expect("written");
        notifies.set(&dir, two, Notify::Mentions).expect("written");
        notifies.set(&dir, one, Notify::All).expect("written");
        let again = Notifies::load(&dir).expect("read");
        assert_eq!((again.of(&one), again.of(&two)), (Notify::All, Notify::Mentions));
        let nonsense = format!("\n{two}\n{two} loud\nx none\n{one} none\n\u{fffd}\0 none\n");
        dir.write(FILE, nonsense.as_bytes()).expect("written");
        let again = Notifies::load(&dir).expect("read");
        assert_eq!((again.of(&one), again.of(&two)), (Notify::None, Notify::All));
    }
}
