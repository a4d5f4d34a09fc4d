//! Decides whether a `Submission` is well-formed and within its limits; what it may do is decided
//! in `hub`.

use prost::bytes::Bytes;
use sha2::{Digest as _, Sha256};
use wire::{
    Account, DeviceId, DomainName, ErrorCode, MessageId, RoomId, limits,
    proto::{CommitExtras, EventKind, Submission},
};

/// A checked submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The room.
    pub room: RoomId,
    /// The idempotency key.
    pub message: MessageId,
    /// What it asks to order; never `Unspecified`.
    pub kind: EventKind,
    /// The epoch in which the body was made.
    pub epoch: u64,
    /// The body of the event.
    pub body: Bytes,
    /// SHA-256 of the body.
    pub body_hash: [u8; 32],
    /// The domain that is to be hub: with a founding, and only then.
    pub hub: Option<DomainName>,
    /// With a commit, and only then.
    pub extras: Option<CommitExtras>,
    /// Who submits.
    pub account: Account,
    /// From which device.
    pub device: DeviceId,
}

impl Request {
    /// Checks the message ([ROOM-4]).
    ///
    /// # Errors
    /// `TooLarge` for a part over its limit, else `Malformed`.
    pub fn parse(submission: &Submission) -> Result<Self, ErrorCode> {
        let kind = EventKind::try_from(submission.kind).map_err(|_| ErrorCode::Malformed)?;
        if kind == EventKind::Unspecified {
            return Err(ErrorCode::Malformed);
        }
        if submission.body.len() > body_bytes_max(kind) {
            return Err(ErrorCode::TooLarge);
        }
        let hub = match kind {
            EventKind::Founding => Some(submission.hub.parse()?),
            _ if submission.hub.is_empty() => None,
            _ => return Err(ErrorCode::Malformed),
        };
        let epoch_fits = kind != EventKind::Founding || submission.epoch == 0;
        if !epoch_fits
            || submission.body.is_empty()
            || submission.commit.is_some() != (kind == EventKind::Commit)
        {
            return Err(ErrorCode::Malformed);
        }
        if let Some(extras) = &submission.commit {
            let fits = extras.welcome.len() <= limits::WELCOME_BYTES_MAX
                && extras.group_info.len() <= limits::GROUP_INFO_BYTES_MAX;
            if !fits {
                return Err(ErrorCode::TooLarge);
            }
        }
        Ok(Self {
            room: RoomId::try_from(submission.room.as_ref())?,
            message: MessageId::try_from(submission.message_id.as_ref())?,
            kind,
            epoch: submission.epoch,
            body_hash: Sha256::digest(&submission.body).into(),
            body: submission.body.clone(),
            hub,
            extras: submission.commit.clone(),
            account: submission.account.parse()?,
            device: DeviceId::try_from(submission.device_id.as_ref())?,
        })
    }
}

/// The most bytes that the body of an event of this kind may have.
#[must_use]
pub const fn body_bytes_max(kind: EventKind) -> usize {
    match kind {
        EventKind::Unspecified => 0,
        EventKind::Founding => limits::GROUP_INFO_BYTES_MAX + limits::FOUNDING_TREE_BYTES_MAX,
        EventKind::Commit => limits::COMMIT_BYTES_MAX,
        EventKind::Proposal => limits::PROPOSAL_BYTES_MAX,
        EventKind::Message => limits::MESSAGE_BYTES_MAX,
        EventKind::Notice => limits::NOTICE_BYTES_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::{group, submission};

    // [ROOM-4]
    #[test]
    fn every_submission_that_is_not_well_formed_is_refused_by_name() {
        let large = |bytes: usize| Bytes::from(vec![0; bytes]);
        let welcome =
            CommitExtras { welcome: large(limits::WELCOME_BYTES_MAX + 1), group_info: Bytes::new() };
        type Change<'a> = &'a dyn Fn(&mut Submission);
        let cases: &[(&str, EventKind, ErrorCode, Change<'_>)] = &[
            ("no kind", EventKind::Message, ErrorCode::Malformed, &|s| s.kind = 0),
            ("an unknown kind", EventKind::Message, ErrorCode::Malformed, &|s| s.kind = 99),
            ("no body", EventKind::Message, ErrorCode::Malformed, &|s| s.body = Bytes::new()),
            ("a short room", EventKind::Message, ErrorCode::Malformed, &|s| s.room = large(31)),
            ("a long id", EventKind::Message, ErrorCode::Malformed, &|s| s.message_id = large(17)),
            ("no device", EventKind::Message, ErrorCode::Malformed, &|s| s.device_id = Bytes::new()),
            ("no account", EventKind::Message, ErrorCode::Malformed, &|s| s.account.clear()),
            ("an account with NUL", EventKind::Message, ErrorCode::Malformed, &|s| s.account.insert(0, '\0')),
            ("a hub in a message", EventKind::Message, ErrorCode::Malformed, &|s| s.hub = "acme.test".into()),
            ("no hub", EventKind::Founding, ErrorCode::Malformed, &|s| s.hub.clear()),
            ("a late founding", EventKind::Founding, ErrorCode::Malformed, &|s| s.epoch = 1),
            ("a commit without extras", EventKind::Commit, ErrorCode::Malformed, &|s| s.commit = None),
            ("extras without commit", EventKind::Message, ErrorCode::Malformed, &|s| {
                s.commit = Some(CommitExtras::default());
            }),
            ("a long Welcome", EventKind::Commit, ErrorCode::TooLarge, &|s| s.commit = Some(welcome.clone())),
            ("a long message", EventKind::Message, ErrorCode::TooLarge, &|s| {
                s.body = large(limits::MESSAGE_BYTES_MAX + 1);
            }),
            ("a long commit", EventKind::Commit, ErrorCode::TooLarge, &|s| {
                s.body = large(limits::COMMIT_BYTES_MAX + 1);
            }),
        ];
        for (what, kind, expected, change) in cases {
            let mut submission = submission(group(), "alice", *kind, 0);
            assert!(Request::parse(&submission).is_ok());
            change(&mut submission);
            assert_eq!(Request::parse(&submission).map(drop), Err(*expected), "{what}");
        }
        let mut largest = submission(group(), "alice", EventKind::Message, 0);
        largest.body = large(limits::MESSAGE_BYTES_MAX);
        assert!(Request::parse(&largest).is_ok());
    }
}
