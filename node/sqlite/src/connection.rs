//! One SQLite connection, called from a thread that may block.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteRow};

use crate::statement::{Script, Statement};

/// A connection that is closed when it is dropped, not some time after.
#[derive(Debug)]
pub(crate) struct Closing(Option<SqliteConnection>);

impl Closing {
    pub(crate) const fn new(connection: SqliteConnection) -> Self {
        Self(Some(connection))
    }
}

impl Deref for Closing {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "only drop takes the connection")]
    fn deref(&self) -> &SqliteConnection {
        self.0.as_ref().expect("open until dropped")
    }
}

impl DerefMut for Closing {
    #[expect(clippy::expect_used, reason = "only drop takes the connection")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.0.as_mut().expect("open until dropped")
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        let Some(connection) = self.0.take() else { return };
        if let Err(error) = block_on(connection.close()) {
            tracing::warn!(%error, "closing the database");
        }
    }
}

/// Runs a statement that returns no row.
pub(crate) fn run(connection: &mut SqliteConnection, statement: Statement) -> sqlx::Result<()> {
    block_on(statement.query()?.execute(connection)).map(drop)
}

/// Runs a script up to its end or its first error.
pub(crate) fn run_all(connection: &mut SqliteConnection, script: Script) -> sqlx::Result<()> {
    script.into_statements().into_iter().try_for_each(|statement| run(connection, statement))
}

/// Runs a statement and collects its rows.
pub(crate) fn rows(connection: &mut SqliteConnection, statement: Statement) -> sqlx::Result<Vec<SqliteRow>> {
    block_on(statement.query()?.fetch_all(connection))
}

/// Runs a statement that returns one row or none.
pub(crate) fn row(
    connection: &mut SqliteConnection,
    statement: Statement,
) -> sqlx::Result<Option<SqliteRow>> {
    block_on(statement.query()?.fetch_optional(connection))
}

/// Waits for a future on this thread. The work is done by the connection's own thread, so no
/// runtime is needed.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}
