//! One SQLite connection, called from a thread that may block.

use std::{
    future::Future,
    ops::{Deref, DerefMut},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
};

use sqlx::{
    AssertSqlSafe, Connection as _, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};

pub(crate) type Statement = Query<'static, Sqlite, SqliteArguments>;

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
    block_on(statement.execute(connection)).map(drop)
}

/// Runs a statement and collects its rows.
pub(crate) fn rows(connection: &mut SqliteConnection, statement: Statement) -> sqlx::Result<Vec<SqliteRow>> {
    block_on(statement.fetch_all(connection))
}

/// Runs a statement that returns one row or none.
pub(crate) fn row(
    connection: &mut SqliteConnection,
    statement: Statement,
) -> sqlx::Result<Option<SqliteRow>> {
    block_on(statement.fetch_optional(connection))
}

/// One statement for many rows: SQLite plans and locks once for all of them.
pub(crate) struct Many {
    /// What stands before the rows.
    pub(crate) before: &'static str,
    /// One row.
    pub(crate) row: &'static str,
    /// What stands after the rows.
    pub(crate) after: &'static str,
}

/// Rows of one statement, at most. The largest row has eight parameters, and SQLite allows 32,766.
const ROWS_MAX: usize = 128;

impl Many {
    /// Runs the statement for all items, in order, in pieces of as many rows as the largest power
    /// of two that fits, so that a handful of statement texts serves every number of rows and each
    /// stays prepared.
    pub(crate) fn run<T>(
        &self,
        connection: &mut SqliteConnection,
        items: &[T],
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> sqlx::Result<()> {
        self.for_pieces(items, bind, |statement| run(connection, statement))
    }

    /// Like [`Many::run`], collecting rows.
    pub(crate) fn rows<T>(
        &self,
        connection: &mut SqliteConnection,
        items: &[T],
        bind: impl Fn(Statement, &T) -> Statement,
    ) -> sqlx::Result<Vec<SqliteRow>> {
        let mut found = Vec::new();
        self.for_pieces(items, bind, |statement| {
            found.append(&mut rows(connection, statement)?);
            Ok(())
        })?;
        Ok(found)
    }

    fn for_pieces<T>(
        &self,
        mut items: &[T],
        bind: impl Fn(Statement, &T) -> Statement,
        mut run: impl FnMut(Statement) -> sqlx::Result<()>,
    ) -> sqlx::Result<()> {
        while !items.is_empty() {
            let count = ROWS_MAX.min(1 << items.len().ilog2());
            let (piece, rest) = items.split_at(count);
            // Only constants of this crate come together here.
            let statement = sqlx::query(AssertSqlSafe(self.text(count)));
            run(piece.iter().fold(statement, &bind))?;
            items = rest;
        }
        Ok(())
    }

    fn text(&self, count: usize) -> String {
        let bytes = self.before.len() + (self.row.len() + 1) * count + self.after.len();
        let mut text = String::with_capacity(bytes);
        text.push_str(self.before);
        for index in 0..count {
            if index > 0 {
                text.push(',');
            }
            text.push_str(self.row);
        }
        text.push_str(self.after);
        text
    }
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
