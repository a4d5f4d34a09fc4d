//! `comity report quarantine`.

use wire::{ErrorCode, proto};

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, ago, line, rfc3339},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("What did they send", "comity report quarantine --data /var/lib/comity")];

/// List items of other domains that could not be processed
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    node: Node,
}

/// An item.
#[derive(Debug, serde::Serialize)]
struct Item {
    domain: String,
    time: String,
    error: &'static str,
    kind: String,
    #[serde(skip)]
    time_ms: u64,
}

impl From<&proto::QuarantinedItem> for Item {
    fn from(item: &proto::QuarantinedItem) -> Self {
        Self {
            domain: line(&item.domain),
            time: rfc3339(item.time_ms),
            error: ErrorCode::from_code(item.error).name(),
            kind: line(&item.kind),
            time_ms: item.time_ms,
        }
    }
}

impl Row for Item {
    const FIELDS: &'static [&'static str] = &["domain", "time", "error", "kind"];
    const COLUMNS: &'static [&'static str] = &["DOMAIN", "WHEN", "ERROR", "KIND"];

    fn cells(&self, paper: &Paper) -> Vec<(Label, String)> {
        let when = match paper.terminal() {
            true => format!("{} ago", ago(paper.now_ms(), self.time_ms)),
            false => self.time.clone(),
        };
        vec![
            (Label::Domain, self.domain.clone()),
            (Label::Dim, when),
            (Label::Warning, self.error.to_owned()),
            (Label::Heading, self.kind.clone()),
        ]
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Item::FIELDS)?;
    let what = "cannot report";
    let data = context.data(args.node.data.as_ref())?;
    let request = proto::admin_request::Request::ListQuarantine(proto::ListQuarantine { limit: args.limit });
    let proto::admin_response::Response::Quarantine(items) = admin::ask(&data, what, request).await? else {
        return Err(admin::unexpected(what));
    };
    let shown = items.items.len() as u64;
    let rows = items.items.iter().map(Item::from).collect();
    context.list(&List { rows, empty: "Everything that came could be processed." })?;
    if items.total > shown {
        context.status(&format!("{} older ones", items.total - shown));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(Item::from(&proto::QuarantinedItem::default())).expect("serialises");
        let mut fields = Item::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
