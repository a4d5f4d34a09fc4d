//! `comity report audit`.

use std::path::Path;

use wire::{
    ErrorCode,
    proto::{self, AuditEntry},
    signed,
};

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    fingerprint,
    output::{Label, List, Paper, Row, ago, line, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("Who did what", "comity report audit --data /var/lib/comity"),
    Example("Is anything changed or missing", "comity report audit --check --data /var/lib/comity"),
    Example("The page after entry 100", "comity report audit --before 100 --limit 50"),
];

/// Entries of one answer.
const PAGE: u32 = 1_000;

/// List what administrators did and what concerns security
///
/// Each entry holds the hash of the one before. Whoever has noted the newest hash can tell later
/// that nothing before it was changed or taken out: `--check` reads the whole log and shows that
/// hash. The log keeps the newest 100,000 entries.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Entries before this one only
    #[arg(long, value_name = "ENTRY", value_parser = clap::value_parser!(u64).range(1..))]
    before: Option<u64>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Read and check the whole log, and show its newest entry
    #[arg(long, conflicts_with_all = ["before", "limit"])]
    check: bool,
    #[command(flatten)]
    node: Node,
}

/// An entry.
#[derive(Debug, serde::Serialize)]
struct Entry {
    entry: u64,
    time: String,
    act: String,
    by: String,
    subject: String,
    detail: String,
    hash: String,
    #[serde(skip)]
    time_ms: u64,
}

impl Row for Entry {
    const FIELDS: &'static [&'static str] = &["entry", "time", "act", "by", "subject", "detail", "hash"];
    const COLUMNS: &'static [&'static str] = &["ENTRY", "WHEN", "ACT", "BY", "SUBJECT", "DETAIL"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let when = match paper.terminal() {
            true => format!("{} ago", ago(paper.now_ms(), self.time_ms)),
            false => self.time.clone(),
        };
        let label = if self.by == "node" { Label::Warning } else { Label::Heading };
        vec![
            (Label::Id, self.entry.to_string()),
            (Label::Dim, when),
            (label, self.act.clone()),
            (Label::Dim, self.by.clone()),
            (Label::Account, self.subject.clone()),
            (Label::Dim, self.detail.clone()),
        ]
    }
}

/// What the chain of hashes says so far, read from the newest entry on.
#[derive(Debug, Default)]
struct Chain {
    /// The hash and the number that the next entry, which is older, must have.
    next: Option<(Vec<u8>, u64)>,
}

impl Chain {
    /// The entry in these bytes.
    ///
    /// # Errors
    /// `ForkedLog` if it is not the one that the entry after it was chained to.
    fn read(&mut self, bytes: &[u8]) -> Result<Entry, ErrorCode> {
        let entry: AuditEntry = signed::decode(bytes).map_err(|_| ErrorCode::ForkedLog)?;
        let hash = signed::hash::<AuditEntry>(bytes);
        if self.next.as_ref().is_some_and(|(wanted, seq)| *wanted != hash || *seq != entry.seq) {
            return Err(ErrorCode::ForkedLog);
        }
        self.next = Some((entry.prev_hash.to_vec(), entry.seq.saturating_sub(1)));
        Ok(Entry {
            entry: entry.seq,
            time: rfc3339(entry.time_ms),
            act: line(&entry.act),
            by: line(&entry.by),
            subject: line(&entry.subject),
            detail: line(&entry.detail),
            hash: fingerprint::digits(&hash),
            time_ms: entry.time_ms,
        })
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Entry::FIELDS)?;
    let data = context.data(args.node.data.as_ref())?;
    if args.check {
        return check(context, &data).await;
    }
    let page = page(&data, args.before.unwrap_or_default(), args.limit).await?;
    let mut chain = Chain::default();
    let rows = page.entries.iter().map(|bytes| chain.read(bytes)).collect::<Result<_, _>>();
    let rows = rows.map_err(|_| broken(None))?;
    context.list(&List { rows, empty: "Nothing was done yet." })?;
    if let Some((_, before @ 1..)) = chain.next {
        context.hint(&format!("older ones: comity report audit --before {}", before.saturating_add(1)));
    }
    Ok(())
}

/// Reads all of it.
async fn check(context: &Context, data: &Path) -> Result<(), CliError> {
    let (mut chain, mut newest, mut count, mut before) = (Chain::default(), None, 0_u64, 0);
    loop {
        let page = page(data, before, PAGE).await?;
        if newest.is_none() {
            // What is written while this runs is not looked at.
            let wanted = (!page.head.is_empty()).then(|| page.head.to_vec());
            let first = page.entries.first().map(|bytes| signed::hash::<AuditEntry>(bytes).to_vec());
            if wanted != first {
                return Err(broken(None));
            }
        }
        let Some(oldest) = page.entries.len().checked_sub(1) else { break };
        for (place, bytes) in page.entries.iter().enumerate() {
            let entry = chain.read(bytes).map_err(|_| broken(chain.next.as_ref().map(|(_, seq)| *seq)))?;
            count += 1;
            if place == oldest {
                before = entry.entry;
            }
            newest.get_or_insert(entry);
        }
        if before <= 1 {
            break;
        }
    }
    let rows: Vec<Entry> = newest.into_iter().collect();
    context.list(&List { rows, empty: "Nothing was done yet." })?;
    context.status(&format!("{count} entries, and each holds the hash of the one before"));
    Ok(())
}

async fn page(data: &Path, before: u64, limit: u32) -> Result<proto::Audit, CliError> {
    let what = "cannot read the audit log";
    let request = proto::admin_request::Request::ListAudit(proto::ListAudit { before, limit });
    match admin::ask(data, what, request).await? {
        proto::admin_response::Response::Audit(page) => Ok(page),
        _ => Err(admin::unexpected(what)),
    }
}

fn broken(at: Option<u64>) -> CliError {
    let place = at.map_or_else(String::new, |at| format!(" at entry {at}"));
    CliError::found_by_verb(format!("the audit log does not hold{place}"), ErrorCode::ForkedLog)
        .hint("somebody has changed the database: keep a copy of it, and look into who can write to it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message as _;

    fn log(count: u64) -> Vec<Vec<u8>> {
        let mut entries: Vec<Vec<u8>> = Vec::new();
        for seq in 1..=count {
            let prev_hash = entries.last().map(|bytes| signed::hash::<AuditEntry>(bytes).to_vec());
            let entry = AuditEntry {
                seq,
                prev_hash: prev_hash.unwrap_or_default().into(),
                act: "user.invite".into(),
                ..AuditEntry::default()
            };
            entries.push(entry.encode_to_vec());
        }
        entries.reverse();
        entries
    }

    fn read(entries: &[Vec<u8>]) -> Result<usize, ErrorCode> {
        let mut chain = Chain::default();
        entries.iter().map(|bytes| chain.read(bytes)).collect::<Result<Vec<_>, _>>().map(|rows| rows.len())
    }

    #[test]
    fn an_entry_that_was_changed_or_taken_out_shows() {
        let good = log(5);
        assert_eq!(read(&good), Ok(5));
        for place in 1..5 {
            let mut missing = good.clone();
            missing.remove(place);
            assert_eq!(read(&missing).is_err(), place < 4, "without {place}");
            let mut changed = good.clone();
            let mut entry: AuditEntry = signed::decode(&changed[place]).expect("an entry");
            entry.by = "uid 7".into();
            changed[place] = entry.encode_to_vec();
            assert_eq!(read(&changed), Err(ErrorCode::ForkedLog), "changed {place}");
            let mut swapped = good.clone();
            swapped.swap(place, place - 1);
            assert_eq!(read(&swapped), Err(ErrorCode::ForkedLog), "swapped {place}");
        }
        assert_eq!(read(&[vec![0xff; 9]]), Err(ErrorCode::ForkedLog));
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let entry = Chain::default().read(&log(1)[0]).expect("an entry");
        let value = serde_json::to_value(entry).expect("serialises");
        let mut fields = Entry::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
