//! What a member makes of the events of its room's log.

use openmls::prelude::{
    LeafNodeIndex, OpenMlsProvider as _, ProcessedMessage, ProcessedMessageContent, ProtocolMessage,
    QueuedProposal, Sender, StagedCommit,
};
use sha2::{Digest as _, Sha256};
use wire::{
    ErrorCode, limits,
    proto::{EventKind, MessageBinding},
};

use super::{Member, Processed, Staged, StagedChange};
use crate::{
    Leaf,
    delta::{self, Delta},
    fault,
    framing::{self, Framing},
};

impl Member {
    /// Processes the body of an event of the log, in the log's order.
    ///
    /// # Errors
    /// `StaleEpoch` if a commit or proposal is not of the current epoch, or a message of a later one;
    /// `Expired` if a message's key is gone: too old, too far out of order, or decrypted before;
    /// `Forbidden` if the sender has no leaf or may not do this, or this device is no member;
    /// `BadSignature`; `Malformed`, `TooLarge`, `Unsupported`; `Conflict` if a commit is staged already,
    /// two leaves would be of one device, or a proposed leave is not carried out.
    pub fn process(&mut self, kind: EventKind, body: &[u8]) -> Result<Processed, ErrorCode> {
        let opened = framing::open(kind, body)?;
        self.take(kind, body, opened)
    }

    /// Processes the body of an `Ephemeral`, which has no place in the log.
    ///
    /// # Errors
    /// As [`Member::process`] of a message; `Malformed`, without a key being spent, if it is bound to
    /// the log.
    pub fn process_ephemeral(&mut self, body: &[u8]) -> Result<Processed, ErrorCode> {
        let opened = framing::open_ephemeral(body)?;
        self.take(EventKind::Message, body, opened)
    }

    fn take(
        &mut self,
        kind: EventKind,
        body: &[u8],
        (framing, message): (Framing, ProtocolMessage),
    ) -> Result<Processed, ErrorCode> {
        if framing.room != self.room {
            return Err(ErrorCode::Malformed);
        }
        if !self.group.is_active() {
            return Err(ErrorCode::Forbidden);
        }
        if self.staged.is_some() {
            return Err(ErrorCode::Conflict);
        }
        if let Some(own) = self.own_rejoin(kind, &framing, body)? {
            return Ok(own);
        }
        self.in_epoch(kind, framing.epoch)?;
        let processed = if framing.epoch == self.epoch() {
            self.in_current_epoch(|member| member.group.process_message(&member.provider, message))
        } else {
            self.group.process_message(&self.provider, message)
        };
        let processed = match processed.map_err(|error| fault::process(&error)) {
            Err(ErrorCode::BadSignature) if kind == EventKind::Proposal => self.witness(body)?,
            processed => processed?,
        };
        self.classify(processed, framing.binding)
    }

    /// [MLS-15] A proposal whose membership tag is wrong, as the hub sees it: by its signature. The hub
    /// cannot check the tag, so it orders such a leave, and whoever asked for the tag could go no
    /// further.
    fn witness(&self, body: &[u8]) -> Result<ProcessedMessage, ErrorCode> {
        let (_, message) = framing::open(EventKind::Proposal, body)?;
        let group = self.group.public_group();
        group.process_message(self.provider.crypto(), message).map_err(|error| fault::public_process(&error))
    }

    /// Whose commit this is, by its signature alone: its secrets and its tags may be garbage.
    ///
    /// # Errors
    /// As [`Member::process`] of what needs no secret.
    pub fn author_of(&self, body: &[u8]) -> Result<Leaf, ErrorCode> {
        let (framing, message) = framing::open(EventKind::Commit, body)?;
        if framing.room != self.room || framing.epoch != self.epoch() {
            return Err(ErrorCode::StaleEpoch);
        }
        let group = self.group.public_group();
        let processed = group
            .process_message(self.provider.crypto(), message)
            .map_err(|error| fault::public_process(&error))?;
        match processed.sender() {
            Sender::Member(index) => delta::leaf(group, index.u32()),
            _ => Err(ErrorCode::Forbidden),
        }
    }

    fn classify(
        &mut self,
        processed: ProcessedMessage,
        binding: MessageBinding,
    ) -> Result<Processed, ErrorCode> {
        let sender = processed.sender().clone();
        let credential = processed.credential().clone();
        match processed.into_content() {
            ProcessedMessageContent::ApplicationMessage(content) => {
                let Sender::Member(index) = sender else { return Err(ErrorCode::Forbidden) };
                let sender = self.author(index, &credential)?;
                Ok(Processed::Message { sender, binding, content: content.into_bytes() })
            }
            ProcessedMessageContent::OwnPrivateMessage => Ok(Processed::OwnMessage { binding }),
            ProcessedMessageContent::ProposalMessage(proposal) => self.proposal(*proposal, binding),
            ProcessedMessageContent::StagedCommitMessage(staged) => {
                let delta = self.read(&staged, &sender)?;
                let removes_us = staged.self_removed();
                self.staged = Some(Staged::Foreign(staged));
                Ok(Processed::Commit(change(delta, binding, false, removes_us)))
            }
            ProcessedMessageContent::OwnPendingCommit => {
                let pending = self.group.pending_commit().ok_or(ErrorCode::Internal)?;
                let delta = self.read(pending, &sender)?;
                self.staged = Some(Staged::Own);
                Ok(Processed::Commit(change(delta, binding, true, false)))
            }
            ProcessedMessageContent::ExternalJoinProposalMessage(_) => Err(ErrorCode::Forbidden),
        }
    }

    fn read(&self, staged: &StagedCommit, sender: &Sender) -> Result<Delta, ErrorCode> {
        // One's own departure is queued before it is ordered, and after that nothing comes any more:
        // a commit without it has won the race against it.
        let mut leaving = self.leaving_indexes();
        leaving.remove(&self.group.own_leaf_index().u32());
        delta::read(&self.room, self.group.public_group(), staged, sender, &leaving)
    }

    // [MLS-15]
    fn proposal(
        &mut self,
        proposal: QueuedProposal,
        binding: MessageBinding,
    ) -> Result<Processed, ErrorCode> {
        let index = delta::leaver(&proposal)?;
        let sender = delta::leaf(self.group.public_group(), index)?;
        // This device's own proposal comes back: it is queued since it was made.
        let queued = proposal.proposal_reference_ref();
        if self.group.pending_proposals().any(|known| known.proposal_reference_ref() == queued) {
            return Ok(Processed::Proposal { sender, binding });
        }
        if self.leaving_indexes().contains(&index) {
            return Err(ErrorCode::Conflict);
        }
        self.group.store_pending_proposal(self.provider.store(), proposal).map_err(fault::damaged)?;
        Ok(Processed::Proposal { sender, binding })
    }

    // The sender of a message of this or a past epoch. The leaf may have been renewed or removed
    // since; the credential is that of the message's epoch, and its key is the certified one.
    fn author(
        &self,
        index: LeafNodeIndex,
        credential: &openmls::prelude::Credential,
    ) -> Result<Leaf, ErrorCode> {
        let now = self.group.public_group().leaf(index);
        if let Some(node) = now.filter(|node| node.credential() == credential) {
            return Leaf::new(index.u32(), credential, node.signature_key().as_slice());
        }
        Leaf::of_past(index.u32(), credential)
    }

    // [MLS-16] This device's external commit comes back. OpenMLS has merged it when it was made, so
    // the epoch in it is the one before.
    fn own_rejoin(
        &mut self,
        kind: EventKind,
        framing: &Framing,
        body: &[u8],
    ) -> Result<Option<Processed>, ErrorCode> {
        let Some(hash) = self.rejoin else { return Ok(None) };
        if kind != EventKind::Commit || <[u8; 32]>::from(Sha256::digest(body)) != hash {
            return Err(ErrorCode::Conflict);
        }
        let own = self.own_leaf().ok_or(ErrorCode::Internal)?;
        self.staged = Some(Staged::Rejoin);
        Ok(Some(Processed::Commit(StagedChange {
            committer: own.clone(),
            binding: framing.binding.clone(),
            added: Vec::new(),
            removed: Vec::new(),
            updated: Some(own),
            state: self.state.clone(),
            epoch_after: self.epoch(),
            rejoined: true,
            own: true,
            removes_us: false,
        })))
    }

    // [MLS-18]
    fn in_epoch(&self, kind: EventKind, epoch: u64) -> Result<(), ErrorCode> {
        let current = self.epoch();
        let past = u64::try_from(limits::PAST_EPOCHS_KEPT).unwrap_or(u64::MAX);
        if epoch > current || (kind != EventKind::Message && epoch < current) {
            return Err(ErrorCode::StaleEpoch);
        }
        if current - epoch > past {
            return Err(ErrorCode::Expired);
        }
        Ok(())
    }
}

fn change(delta: Delta, binding: MessageBinding, own: bool, removes_us: bool) -> StagedChange {
    StagedChange {
        committer: delta.committer,
        binding,
        added: delta.added,
        removed: delta.removed,
        updated: delta.updated,
        state: delta.state,
        epoch_after: delta.epoch_after,
        rejoined: delta.rejoined,
        own,
        removes_us,
    }
}
