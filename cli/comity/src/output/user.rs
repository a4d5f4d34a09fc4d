//! Accounts as their administrator sees them.

use wire::proto::{self, AccountStanding};

use super::{Label, Paper, Row, Show, ago, line, rfc3339};
use crate::fingerprint;

/// An account.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct UserShown {
    account: String,
    state: &'static str,
    since: Option<String>,
    enrolled: bool,
    devices: u32,
    connected: u32,
    key_packages: u64,
    password: bool,
    invitation_expires: Option<String>,
    rooms: Option<u32>,
    fingerprint: Option<String>,
    would: Option<&'static str>,
    #[serde(skip)]
    since_ms: u64,
}

impl UserShown {
    const FIELDS: &'static [&'static str] = &[
        "account",
        "state",
        "since",
        "enrolled",
        "devices",
        "connected",
        "key_packages",
        "password",
        "invitation_expires",
        "rooms",
        "fingerprint",
        "would",
    ];

    /// As it stands in a list.
    pub(crate) fn of_list(user: &proto::User) -> Self {
        let state = match user.standing() {
            AccountStanding::Suspended => "suspended",
            AccountStanding::Deleted => "deleted",
            AccountStanding::Active | AccountStanding::Unspecified if user.enrolled => "enrolled",
            AccountStanding::Active | AccountStanding::Unspecified => "invited",
        };
        let time = |ms: u64| (ms > 0).then(|| rfc3339(ms));
        Self {
            account: line(&user.account),
            state,
            since: time(user.standing_since_ms),
            enrolled: user.enrolled,
            devices: user.devices,
            connected: user.sessions,
            key_packages: user.key_packages,
            password: user.password,
            invitation_expires: time(user.invitation_expires.saturating_mul(1_000)),
            rooms: None,
            fingerprint: None,
            would: None,
            since_ms: user.standing_since_ms,
        }
    }

    /// As it stands alone.
    pub(crate) fn of_user(user: &proto::User) -> Self {
        let key = (!user.fingerprint.is_empty()).then(|| fingerprint::digits(&user.fingerprint));
        Self { rooms: Some(user.rooms), fingerprint: key, ..Self::of_list(user) }
    }

    /// As it stands now, and what would be done to it.
    pub(crate) fn planned(user: &proto::User, would: &'static str) -> Self {
        Self { would: Some(would), ..Self::of_user(user) }
    }

    fn label(&self) -> Label {
        match self.state {
            "enrolled" => Label::Good,
            _ => Label::Warning,
        }
    }
}

impl Row for UserShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;
    const COLUMNS: &'static [&'static str] =
        &["ACCOUNT", "STATE", "DEVICES", "CONNECTED", "KEY PACKAGES", "PASSWORD"];

    fn cells(&self, _: &Paper) -> Vec<(Label, String)> {
        vec![
            (Label::Account, self.account.clone()),
            (self.label(), self.state.to_owned()),
            (Label::Dim, self.devices.to_string()),
            (Label::Dim, self.connected.to_string()),
            (Label::Dim, self.key_packages.to_string()),
            (Label::Dim, if self.password { "set" } else { "none" }.to_owned()),
        ]
    }
}

impl Show for UserShown {
    const FIELDS: &'static [&'static str] = Self::FIELDS;

    fn show(&self, paper: &mut Paper) {
        if let Some(would) = self.would {
            paper.pair("would be", would);
        }
        paper.pair("account", &paper.paint(Label::Account, &self.account));
        let since = match (&self.since, paper.terminal()) {
            (Some(_), true) => format!(", for {}", ago(paper.now_ms(), self.since_ms)),
            (Some(since), false) => format!(" since {since}"),
            (None, _) => String::new(),
        };
        paper.pair("state", &format!("{}{since}", paper.paint(self.label(), self.state)));
        paper.pair("devices", &format!("{}, {} connected", self.devices, self.connected));
        paper.pair("key packages", &self.key_packages.to_string());
        paper.pair("password", if self.password { "set" } else { "none" });
        if let Some(rooms) = self.rooms {
            paper.pair("rooms", &rooms.to_string());
        }
        if let Some(expires) = &self.invitation_expires {
            paper.pair("invitation", &format!("not used, until {expires}"));
        }
        if let Some(digits) = &self.fingerprint {
            let shown = if paper.terminal() { fingerprint::groups(digits) } else { digits.clone() };
            paper.pair("account key", &shown);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_those_of_the_object() {
        let value = serde_json::to_value(UserShown::of_user(&proto::User::default())).expect("serialises");
        let mut fields: Vec<&str> = UserShown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }

    #[test]
    fn what_an_administrator_made_of_an_account_goes_before_all_else() {
        let state = |standing: AccountStanding, enrolled| {
            UserShown::of_list(&proto::User { standing: standing.into(), enrolled, ..proto::User::default() })
                .state
        };
        assert_eq!(state(AccountStanding::Active, true), "enrolled");
        assert_eq!(state(AccountStanding::Active, false), "invited");
        assert_eq!(state(AccountStanding::Suspended, true), "suspended");
        assert_eq!(state(AccountStanding::Suspended, false), "suspended");
        assert_eq!(state(AccountStanding::Deleted, true), "deleted");
    }
}
