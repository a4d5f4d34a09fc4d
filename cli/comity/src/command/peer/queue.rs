//! `comity peer queue`.

use wire::{DomainName, RoomId, proto};

use crate::{
    admin,
    command::peer::{Node, domain},
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, ago, line, rfc3339, short},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("What waits for a domain", "comity peer queue umbrella.test --data /var/lib/comity")];

/// List what waits for a domain, the oldest first
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which domain
    #[arg(value_parser = domain)]
    domain: DomainName,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    node: Node,
}

/// An item that waits.
#[derive(Debug, serde::Serialize)]
struct Item {
    number: u64,
    kind: String,
    room: Option<String>,
    bytes: u64,
    since: String,
    #[serde(skip)]
    since_ms: u64,
    #[serde(skip)]
    room_short: String,
}

impl From<proto::QueuedItem> for Item {
    fn from(item: proto::QueuedItem) -> Self {
        let room = RoomId::try_from(item.room.as_ref()).ok();
        Self {
            number: item.number,
            kind: line(&item.kind),
            room: room.map(|room| room.to_string()),
            room_short: room.as_ref().map(short).unwrap_or_default(),
            bytes: item.bytes,
            since: rfc3339(item.since_ms),
            since_ms: item.since_ms,
        }
    }
}

impl Row for Item {
    const FIELDS: &'static [&'static str] = &["number", "kind", "room", "bytes", "since"];
    const COLUMNS: &'static [&'static str] = &["NUMBER", "KIND", "ROOM", "BYTES", "AGE"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let (room, since) = if paper.terminal() {
            (self.room_short.clone(), ago(paper.now_ms(), self.since_ms))
        } else {
            (self.room.clone().unwrap_or_default(), self.since.clone())
        };
        vec![
            (Label::Dim, self.number.to_string()),
            (Label::Heading, self.kind.clone()),
            (Label::Id, room),
            (Label::Dim, self.bytes.to_string()),
            (Label::Dim, since),
        ]
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Item::FIELDS)?;
    let what = "cannot list the queue";
    let request = proto::admin_request::Request::ListQueue(proto::ListQueue {
        domain: args.domain.to_string(),
        limit: args.limit,
    });
    let data = context.data(args.node.data.as_ref())?;
    let queue = match admin::ask(&data, what, request).await {
        Ok(proto::admin_response::Response::Queue(queue)) => queue,
        Ok(_) => return Err(admin::unexpected(what)),
        Err(error) => return Err(super::unpinned(&args.domain, error)),
    };
    let shown = queue.items.len() as u64;
    let rows = queue.items.into_iter().map(Item::from).collect();
    context.list(&List { rows, empty: "Nothing waits." })?;
    if queue.total > shown {
        context.status(&format!("{} more", queue.total - shown));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Item::from(proto::QueuedItem::default())).expect("serialises");
        let mut fields = Item::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
