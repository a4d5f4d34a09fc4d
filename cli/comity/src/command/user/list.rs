//! `comity user list`.

use wire::proto;

use crate::{
    admin,
    command::peer::Node,
    context::Context,
    error::CliError,
    examples::{self, Example},
    output::{Label, List, Paper, Row, line},
};

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Who has logged in", "comity user list --data /var/lib/comity")];

/// List the accounts
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    #[command(flatten)]
    node: Node,
}

/// An account.
#[derive(Debug, serde::Serialize)]
struct User {
    account: String,
    enrolled: bool,
    devices: u32,
    key_packages: u64,
    password: bool,
}

impl From<proto::User> for User {
    fn from(user: proto::User) -> Self {
        Self {
            account: line(&user.account),
            enrolled: user.enrolled,
            devices: user.devices,
            key_packages: user.key_packages,
            password: user.password,
        }
    }
}

impl Row for User {
    const FIELDS: &'static [&'static str] = &["account", "enrolled", "devices", "key_packages", "password"];
    const COLUMNS: &'static [&'static str] = &["ACCOUNT", "STATE", "DEVICES", "KEY PACKAGES", "PASSWORD"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        let (label, state) =
            if self.enrolled { (Label::Good, "enrolled") } else { (Label::Warning, "invited") };
        vec![
            (Label::Account, self.account.clone()),
            (label, state.to_owned()),
            (Label::Dim, self.devices.to_string()),
            (Label::Dim, self.key_packages.to_string()),
            (Label::Dim, if self.password { "set" } else { "none" }.to_owned()),
        ]
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(User::FIELDS)?;
    let what = "cannot list the accounts";
    let data = context.data(args.node.data.as_ref())?;
    let request = proto::admin_request::Request::ListUsers(proto::ListUsers {});
    let proto::admin_response::Response::Users(users) = admin::ask(&data, what, request).await? else {
        return Err(admin::unexpected(what));
    };
    let rows = users.users.into_iter().map(User::from).collect();
    context.list(&List { rows, empty: "There are no accounts yet: comity user invite ACCOUNT" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(User::from(proto::User::default())).expect("serialises");
        let mut fields = User::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
