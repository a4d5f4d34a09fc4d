//! The suite that every backend passes, over SQLite.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use sqlite::Sqlite;
use store::suite::Backend;

struct InDirectory(tempfile::TempDir);

impl Default for InDirectory {
    fn default() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
}

impl Backend for InDirectory {
    type Store = Sqlite;

    fn open(&mut self) -> Sqlite {
        Sqlite::open(self.0.path()).unwrap()
    }
}

mod suite {
    store::suite!(crate::InDirectory);
}
