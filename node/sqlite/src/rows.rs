//! Columns as checked values: what does not fit was not written by this program.

use bytes::Bytes;
use sqlx::{ColumnIndex, Decode, Row as _, Sqlite, Type, sqlite::SqliteRow};
use store::StoreError;

/// A number that only its owner compares, kept bit for bit.
pub(crate) const fn kept(value: u64) -> i64 {
    value.cast_signed()
}

/// A number that SQLite compares: at most 2^63 - 1, larger ones become that.
pub(crate) fn ordered(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number of rows.
pub(crate) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// Reads the columns of one row.
pub(crate) struct Columns<'a>(pub(crate) &'a SqliteRow);

impl<'a> Columns<'a> {
    /// A column as SQLite has it.
    pub(crate) fn get<T>(&self, index: usize) -> Result<T, StoreError>
    where
        T: Decode<'a, Sqlite> + Type<Sqlite>,
        usize: ColumnIndex<SqliteRow>,
    {
        self.0.try_get(index).map_err(|error| StoreError::Damaged(error.to_string()))
    }

    /// A number.
    pub(crate) fn number(&self, index: usize) -> Result<u64, StoreError> {
        self.get::<i64>(index).map(i64::cast_unsigned)
    }

    /// A small number.
    pub(crate) fn small<T: TryFrom<i64>>(&self, index: usize) -> Result<T, StoreError> {
        T::try_from(self.get(index)?).map_err(|_| damaged("a number out of its range"))
    }

    /// A flag.
    pub(crate) fn flag(&self, index: usize) -> Result<bool, StoreError> {
        self.get::<i64>(index).map(|value| value != 0)
    }

    /// Bytes.
    pub(crate) fn bytes(&self, index: usize) -> Result<Bytes, StoreError> {
        self.get::<&[u8]>(index).map(Bytes::copy_from_slice)
    }

    /// Bytes of a known length.
    pub(crate) fn array<const N: usize>(&self, index: usize) -> Result<[u8; N], StoreError> {
        self.get::<&[u8]>(index)?.try_into().map_err(|_| damaged("bytes of a wrong length"))
    }

    /// A name: account, domain.
    pub(crate) fn name<T: std::str::FromStr>(&self, index: usize) -> Result<T, StoreError> {
        self.get::<&str>(index)?.parse().map_err(|_| damaged("a name that is none"))
    }

    /// An id: room, device, message.
    pub(crate) fn id<T: TryFrom<&'a [u8]>>(&self, index: usize) -> Result<T, StoreError> {
        T::try_from(self.get(index)?).map_err(|_| damaged("an id of a wrong length"))
    }

    /// A number of a closed list.
    pub(crate) fn of_list<T: TryFrom<i32>>(&self, index: usize) -> Result<T, StoreError> {
        T::try_from(self.get(index)?).map_err(|_| damaged("a number that is not in its list"))
    }
}

pub(crate) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}
