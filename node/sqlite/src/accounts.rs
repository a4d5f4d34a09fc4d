//! The statements of accounts and what is kept for them.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use sqlx::sqlite::SqliteRow;
use store::{
    StoreError, Write,
    row::{AccountRow, ClaimRow, DeviceRow, EntryRow, InvitationRow, KeyPackageRow, PasswordRow},
};
use wire::{Account, DeviceId, DomainName, PublicKey, proto::AccountStanding};

use crate::{
    rows::{Columns, kept, limit, ordered},
    statement::{Many, Script, Statement, statement},
};

/// From so many bytes on an entry that several accounts get is kept once.
const LARGE_ENTRY_BYTES: usize = 4_096;

/// The statement of a change to a table of this module.
pub(crate) fn change(write: &Write) -> Option<Statement> {
    Some(match write {
        Write::PutAccount(row) => put_account(row),
        Write::PutPassword(row) => statement("INSERT OR REPLACE INTO password VALUES (?, ?)")
            .bind(row.account.to_string())
            .bind(row.kept.clone()),
        Write::DropPassword(account) => {
            statement("DELETE FROM password WHERE account = ?").bind(account.to_string())
        }
        Write::PutTries(slot, full_ms) => statement("INSERT OR REPLACE INTO tries VALUES (?, ?)")
            .bind(i64::from(*slot))
            .bind(ordered(*full_ms)),
        Write::PutDevice(row) => statement("INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?)")
            .bind(row.account.to_string())
            .bind(row.device.as_bytes().to_vec())
            .bind(row.key.as_bytes().to_vec())
            .bind(ordered(row.cursor)),
        Write::DropDevice(account, device) => {
            of_device(statement("DELETE FROM device WHERE account = ? AND device = ?"), account, device)
        }
        Write::PutKeyPackage(row) => put_key_package(row),
        Write::ClaimKeyPackage(account, device, hash) => {
            let text = "UPDATE key_package SET claimed = 1, package = x'' WHERE account = ? AND device = ? AND hash = ?";
            of_device(statement(text), account, device).bind(hash.to_vec())
        }
        Write::DropKeyPackage(account, device, hash) => {
            let text = "DELETE FROM key_package WHERE account = ? AND device = ? AND hash = ?";
            of_device(statement(text), account, device).bind(hash.to_vec())
        }
        Write::DropKeyPackages(account) => {
            statement("DELETE FROM key_package WHERE account = ?").bind(account.to_string())
        }
        Write::PrunePackages(now_s) => {
            statement("DELETE FROM key_package WHERE claimed = 1 AND not_after_s <= ?").bind(ordered(*now_s))
        }
        Write::PruneClaims(before_ms) => {
            statement("DELETE FROM claim WHERE time_ms < ?").bind(ordered(*before_ms))
        }
        Write::PruneEntries(account, up_to) => {
            let text = "DELETE FROM entry WHERE account = ? AND position <= ? \
                        AND position < (SELECT max(position) FROM entry)";
            statement(text).bind(account.to_string()).bind(ordered(*up_to))
        }
        Write::PutClaim(row) => statement("INSERT INTO claim VALUES (?, ?, ?, ?)")
            .bind(row.peer.to_string())
            .bind(row.claim.to_vec())
            .bind(ordered(row.time_ms))
            .bind(row.answer.to_vec()),
        Write::PutEntry(row) => put_entry(row),
        Write::PutInvitation(row) => statement("INSERT OR REPLACE INTO invitation VALUES (?, ?, ?, ?)")
            .bind(row.account.to_string())
            .bind(row.room.as_bytes().to_vec())
            .bind(row.join.to_vec())
            .bind(kept(row.time_ms)),
        Write::DropInvitation(account, room) => {
            statement("DELETE FROM invitation WHERE account = ? AND room = ?")
                .bind(account.to_string())
                .bind(room.as_bytes().to_vec())
        }
        _ => return None,
    })
}

/// Moves cursors forward.
pub(crate) fn put_cursors(script: &mut Script, cursors: &BTreeMap<(&Account, DeviceId), u64>) {
    const CURSORS: Many = Many {
        before: "WITH new (account, device, cursor) AS (VALUES ",
        row: "(?, ?, ?)",
        after: ") UPDATE device SET cursor = new.cursor FROM new WHERE device.account = new.account \
                AND device.device = new.device AND device.cursor < new.cursor",
    };
    let cursors: Vec<_> = cursors.iter().collect();
    script.extend(CURSORS.statements(&cursors, |statement, ((account, device), position)| {
        of_device(statement, account, device).bind(ordered(**position))
    }));
}

fn put_account(row: &AccountRow) -> Statement {
    statement("INSERT OR REPLACE INTO account VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(row.account.to_string())
        .bind(row.code_hash.map(Vec::from))
        .bind(kept(row.code_expires_ms))
        .bind(row.keys.as_ref().map(|keys| keys.to_vec()))
        .bind(i32::from(row.policy))
        .bind(i32::from(row.standing))
        .bind(kept(row.standing_since_ms))
}

fn put_key_package(row: &KeyPackageRow) -> Statement {
    let text = "INSERT INTO key_package (account, device, hash, package, last_resort, not_after_s, claimed) \
                VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, device, hash) DO NOTHING";
    of_device(statement(text), &row.account, &row.device)
        .bind(row.hash.to_vec())
        .bind(row.package.to_vec())
        .bind(row.last_resort)
        .bind(ordered(row.not_after_s))
        .bind(row.claimed)
}

fn of_device(statement: Statement, account: &Account, device: &DeviceId) -> Statement {
    statement.bind(account.to_string()).bind(device.as_bytes().to_vec())
}

pub(crate) fn account(account: &Account) -> Statement {
    statement("SELECT * FROM account WHERE account = ?").bind(account.to_string())
}

pub(crate) fn accounts(after: Option<&Account>, rows: usize) -> Statement {
    statement("SELECT * FROM account WHERE account > ? ORDER BY account LIMIT ?")
        .bind(after.map_or(String::new(), Account::to_string))
        .bind(limit(rows))
}

pub(crate) fn account_count() -> Statement {
    statement("SELECT count(*), count(*) FILTER (WHERE standing = ?) FROM account WHERE standing <> ?")
        .bind(i32::from(AccountStanding::Suspended))
        .bind(i32::from(AccountStanding::Deleted))
}

pub(crate) fn read_account_count(row: &SqliteRow) -> Result<(u64, u64), StoreError> {
    let columns = Columns(row);
    Ok((columns.number(0)?, columns.number(1)?))
}

pub(crate) fn read_account(row: &SqliteRow) -> Result<AccountRow, StoreError> {
    let columns = Columns(row);
    Ok(AccountRow {
        account: columns.name(0)?,
        code_hash: columns.get::<Option<&[u8]>>(1)?.map(|_| columns.array(1)).transpose()?,
        code_expires_ms: columns.number(2)?,
        keys: columns.get::<Option<&[u8]>>(3)?.map(Bytes::copy_from_slice),
        policy: columns.of_list(4)?,
        standing: columns.of_list(5)?,
        standing_since_ms: columns.number(6)?,
    })
}

pub(crate) fn password(account: &Account) -> Statement {
    statement("SELECT * FROM password WHERE account = ?").bind(account.to_string())
}

pub(crate) fn read_password(row: &SqliteRow) -> Result<PasswordRow, StoreError> {
    let columns = Columns(row);
    Ok(PasswordRow { account: columns.name(0)?, kept: columns.get(1)? })
}

pub(crate) fn tries() -> Statement {
    statement("SELECT * FROM tries ORDER BY slot")
}

pub(crate) fn read_tries(row: &SqliteRow) -> Result<(u32, u64), StoreError> {
    let columns = Columns(row);
    Ok((columns.small(0)?, columns.number(1)?))
}

pub(crate) fn devices(account: &Account) -> Statement {
    statement("SELECT * FROM device WHERE account = ? ORDER BY device").bind(account.to_string())
}

pub(crate) fn read_device(row: &SqliteRow) -> Result<DeviceRow, StoreError> {
    let columns = Columns(row);
    Ok(DeviceRow {
        account: columns.name(0)?,
        device: columns.id(1)?,
        key: PublicKey::new(columns.array(2)?),
        cursor: columns.number(3)?,
    })
}

pub(crate) fn key_packages(account: &Account, device: &DeviceId, rows: usize) -> Statement {
    let text = "SELECT account, device, hash, package, last_resort, not_after_s, claimed FROM key_package \
                WHERE account = ? AND device = ? AND claimed = 0 ORDER BY last_resort, upload LIMIT ?";
    of_device(statement(text), account, device).bind(limit(rows))
}

pub(crate) fn read_key_package(row: &SqliteRow) -> Result<KeyPackageRow, StoreError> {
    let columns = Columns(row);
    Ok(KeyPackageRow {
        account: columns.name(0)?,
        device: columns.id(1)?,
        hash: columns.array(2)?,
        package: columns.bytes(3)?,
        last_resort: columns.flag(4)?,
        not_after_s: columns.number(5)?,
        claimed: columns.flag(6)?,
    })
}

pub(crate) fn key_package_count(account: &Account, device: &DeviceId) -> Statement {
    let text = "SELECT count(*) - coalesce(sum(last_resort), 0), coalesce(max(last_resort), 0) \
                FROM key_package WHERE account = ? AND device = ? AND claimed = 0";
    of_device(statement(text), account, device)
}

pub(crate) fn read_key_package_count(row: &SqliteRow) -> Result<(u32, bool), StoreError> {
    let columns = Columns(row);
    Ok((columns.small(0)?, columns.flag(1)?))
}

pub(crate) fn claim(peer: &DomainName, claim: &[u8; 16]) -> Statement {
    statement("SELECT * FROM claim WHERE peer = ? AND claim = ?").bind(peer.to_string()).bind(claim.to_vec())
}

pub(crate) fn read_claim(row: &SqliteRow) -> Result<ClaimRow, StoreError> {
    let columns = Columns(row);
    Ok(ClaimRow {
        peer: columns.name(0)?,
        claim: columns.array(1)?,
        time_ms: columns.number(2)?,
        answer: columns.bytes(3)?,
    })
}

pub(crate) fn invitations(account: &Account) -> Statement {
    statement("SELECT * FROM invitation WHERE account = ? ORDER BY room").bind(account.to_string())
}

pub(crate) fn read_invitation(row: &SqliteRow) -> Result<InvitationRow, StoreError> {
    let columns = Columns(row);
    Ok(InvitationRow {
        account: columns.name(0)?,
        room: columns.id(1)?,
        join: columns.bytes(2)?,
        time_ms: columns.number(3)?,
    })
}

fn put_entry(row: &EntryRow) -> Statement {
    let large = row.entry.len() >= LARGE_ENTRY_BYTES;
    let statement = if large {
        statement("INSERT INTO large_entry (position, account, device, hash, entry) VALUES (?, ?, ?, ?, ?)")
    } else {
        statement("INSERT INTO entry (position, account, device, entry) VALUES (?, ?, ?, ?)")
    };
    let mut statement = statement
        .bind(ordered(row.position))
        .bind(row.account.to_string())
        .bind(row.device.map(|device| device.as_bytes().to_vec()));
    if large {
        statement = statement.bind(Sha256::digest(&row.entry).to_vec());
    }
    statement.bind(row.entry.to_vec())
}

pub(crate) fn account_entries(account: &Account, device: &DeviceId, after: u64, rows: usize) -> Statement {
    let text = "SELECT position, account, device, \
                coalesce((SELECT all_of_it.entry FROM shared_entry all_of_it WHERE all_of_it.id = shared), entry) \
                FROM entry WHERE account = ? AND (device IS NULL OR device = ?) AND position > ? \
                ORDER BY position LIMIT ?";
    of_device(statement(text), account, device).bind(ordered(after)).bind(limit(rows))
}

pub(crate) fn read_entry(row: &SqliteRow) -> Result<EntryRow, StoreError> {
    let columns = Columns(row);
    Ok(EntryRow {
        position: columns.number(0)?,
        account: columns.name(1)?,
        device: columns.get::<Option<&[u8]>>(2)?.map(|_| columns.id(2)).transpose()?,
        entry: columns.bytes(3)?,
    })
}
