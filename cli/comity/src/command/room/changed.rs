//! What the verbs that change a room return, how long they wait, and what they would do.

use client::{Account, Changed, Client, ErrorCode, Role, Room, RoomKind, Standing};

use crate::{
    device,
    error::CliError,
    output::{Label, Paper, Show, room_label},
};

/// How long a change may take before it goes on by itself, and whether it is made at all.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Patience {
    /// Stop waiting after so many seconds; the change goes on by itself [default: 30]
    #[arg(long, value_name = "SECONDS")]
    pub(super) timeout: Option<u64>,
    /// Only say what would be done, and whether you may
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// What a change needs of the account that makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Needs {
    /// To be an admin of the group.
    Admin,
    /// To be in the room.
    Membership,
    /// To be invited.
    Invitation,
}

impl Needs {
    /// What the device knows against the change; the hub has the last word when it is made.
    ///
    /// # Errors
    /// `Forbidden`, or `NotFound` if there is no invitation.
    pub(super) async fn check(self, client: &Client, room: &Room) -> Result<(), CliError> {
        let status = client.status().await.map_err(|error| device::failed("cannot ask the device", error))?;
        self.verdict(&status.account, room)
            .map_err(|code| CliError::wire(format!("cannot change {}", room_label(room)), code.into()))
    }

    fn verdict(self, own: &Account, room: &Room) -> Result<(), ErrorCode> {
        let admin = room.members.iter().any(|member| member.account == *own && member.role == Role::Admin);
        match (self, room.standing) {
            (Self::Invitation, Standing::Invited) => Ok(()),
            (Self::Invitation, _) => Err(ErrorCode::NotFound),
            (
                Self::Membership,
                Standing::Member
                | Standing::Joining
                | Standing::Paused
                | Standing::Rejoining
                | Standing::Refused,
            ) => Ok(()),
            (Self::Admin, Standing::Member) if room.kind == RoomKind::Group && admin => Ok(()),
            (Self::Admin | Self::Membership, _) => Err(ErrorCode::Forbidden),
        }
    }
}

/// A change that was made.
#[derive(Debug, serde::Serialize)]
pub(super) struct Shown {
    pub(super) room: String,
    pub(super) done: &'static str,
    pub(super) added: Vec<String>,
    pub(super) refused: Vec<Refused>,
    dry_run: bool,
}

/// An account that could not be added.
#[derive(Debug, serde::Serialize)]
pub(super) struct Refused {
    account: String,
    error: String,
    why: String,
}

impl Refused {
    fn new((account, error): (String, String)) -> Self {
        let why = code(&error).map_or_else(String::new, |code| code.meaning().to_owned());
        Self { account, error, why }
    }
}

fn code(name: &str) -> Option<ErrorCode> {
    ErrorCode::ALL.iter().copied().find(|code| code.name() == name)
}

impl Shown {
    /// A change that adds nobody.
    pub(super) fn plain(room: &client::RoomId, done: &'static str) -> Self {
        Self { room: room.to_string(), done, added: Vec::new(), refused: Vec::new(), dry_run: false }
    }

    /// A change that is not made: `done` is what would be.
    pub(super) fn planned(room: Option<&Room>, done: &'static str, accounts: &[Account]) -> Self {
        let room = room.map(|room| room.id.to_string()).unwrap_or_default();
        let added = accounts.iter().map(ToString::to_string).collect();
        Self { room, done, added, refused: Vec::new(), dry_run: true }
    }

    /// A change that adds accounts.
    pub(super) fn of(changed: Changed, done: &'static str) -> Self {
        Self {
            room: changed.room.to_string(),
            done,
            added: changed.added,
            refused: changed.refused.into_iter().map(Refused::new).collect(),
            dry_run: false,
        }
    }
}

impl Shown {
    /// Says of each that was refused why, as far as this device can know it, and what failed if nobody came
    /// in: the first of them.
    pub(super) async fn explain(&mut self, client: &Client) -> Option<CliError> {
        let mut first = None;
        for refused in &mut self.refused {
            let (Ok(account), Some(code)) = (refused.account.parse(), code(&refused.error)) else { continue };
            let error = CliError::wire("nobody was added", code.into()).means(refused.why.clone());
            let error = device::reach::explain(client, &account, error).await;
            refused.why = error.causes().join("; ");
            first.get_or_insert(error);
        }
        first
    }
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["room", "done", "added", "refused", "dry_run"];

    fn show(&self, paper: &mut Paper) {
        if self.dry_run && paper.terminal() {
            paper.line(&paper.paint(Label::Warning, "Nothing was done."));
        }
        // Also in a pipe, where a plan must not look like the deed.
        let done = if self.dry_run { format!("would be {}", self.done) } else { self.done.to_owned() };
        if !paper.terminal() {
            paper.line(&format!("{done}\t{}", self.room));
        } else {
            let id: String = self.room.chars().take(8).collect();
            paper.line(&format!("{} {}", paper.paint(Label::Good, &done), paper.paint(Label::Id, &id)));
        }
        for account in &self.added {
            let added = if self.dry_run { "would add" } else { "added" };
            paper.pair(added, &crate::output::line(account));
        }
        for refused in &self.refused {
            let Refused { account, error, why } = refused;
            let why = format!("{}: {error} ({why})", crate::output::line(account));
            paper.pair("not added", &paper.paint(Label::Warning, &why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_knows_what_the_device_knows() {
        let own: Account = "alice@acme.test".parse().expect("an account");
        let member = |role| client::Member {
            account: own.clone(),
            role,
            unverified: None,
            managed: false,
            declined: false,
            held: false,
        };
        let room = |kind, standing, role| Room {
            id: client::RoomId::new([0; 32]),
            kind,
            name: String::new(),
            topic: String::new(),
            peer: None,
            hub: None,
            standing,
            inviter: None,
            members: vec![member(role)],
            epoch: 0,
            seq: 0,
            read_seq: 0,
            unread: 0,
            mentions: 0,
            notify: client::Notify::All,
            time_ms: 0,
            behind: false,
            problem: None,
        };
        use {Needs::*, Role::Admin as A, Role::Member as M, RoomKind::*, Standing as S};
        for (needs, kind, standing, role, verdict) in [
            (Admin, Group, S::Member, A, Ok(())),
            (Admin, Group, S::Member, M, Err(ErrorCode::Forbidden)),
            (Admin, Direct, S::Member, A, Err(ErrorCode::Forbidden)),
            (Admin, Group, S::Left, A, Err(ErrorCode::Forbidden)),
            (Membership, Direct, S::Member, M, Ok(())),
            (Membership, Group, S::Left, M, Err(ErrorCode::Forbidden)),
            (Invitation, Group, S::Invited, M, Ok(())),
            (Invitation, Group, S::Member, M, Err(ErrorCode::NotFound)),
        ] {
            let room = room(kind, standing, role);
            assert_eq!(needs.verdict(&own, &room), verdict, "{needs:?} {kind:?} {standing:?} {role:?}");
        }
    }

    #[test]
    fn a_plan_never_reads_as_the_deed() {
        let bob = ["bob@acme.test".parse().expect("an account")];
        for terminal in [true, false] {
            let shown = |shown: &Shown| {
                let mut paper = Paper::new(crate::output::Style::new(false), terminal, 0);
                shown.show(&mut paper);
                paper.into_text()
            };
            let plan = shown(&Shown::planned(None, "created", &bob));
            assert!(plan.contains("would be created") && plan.contains("would add"), "{plan}");
            assert!(!shown(&Shown::plain(&client::RoomId::new([0; 32]), "left")).contains("would"));
        }
    }

    #[test]
    fn fields_are_those_of_the_object() {
        let shown = Shown::plain(&client::RoomId::new([0; 32]), "left");
        let value = serde_json::to_value(shown).expect("serialises");
        let mut fields = Shown::FIELDS.to_vec();
        fields.sort_unstable();
        assert_eq!(value.as_object().expect("an object").keys().collect::<Vec<_>>(), fields);
    }
}
