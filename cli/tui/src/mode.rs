//! What the keys are for at the moment.

use std::path::PathBuf;

use client::{Account, MessageId, RoomId};

use crate::{composer::BODY_MAX, editor::Editor, effect::Deed, input::Hit, key::Place};

/// Bytes of what is typed to find something.
const WORDS_MAX: usize = 256;
/// Bytes of a reaction (`REACTION_BYTES_MAX`).
const REACTION_MAX: usize = 64;

/// Reactions that one key gives.
pub(crate) const QUICK: [&str; 8] = ["👍", "❤", "😂", "🎉", "😮", "😢", "👀", "✅"];

/// What the keys are for.
#[derive(Debug)]
pub(crate) enum Mode {
    /// Writing.
    Compose,
    /// Choosing a message.
    Select,
    /// Choosing a reaction to a message.
    React(MessageId, Editor),
    /// Answering a question.
    Ask(Question),
    /// Going to another room.
    Switch(Finder),
    /// Looking for a text.
    Search(Search),
    /// Writing to a room that is not there yet.
    Opening(Opening),
    /// Reading the keys, so many rows down.
    Help(usize),
    /// Reading what was said, so many rows up.
    Log(usize),
}

/// A question that is answered with yes or no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// Take this message back?
    Delete(MessageId),
    /// Decline this invitation?
    Decline(RoomId),
    /// Send these files, whose paths were pasted?
    SendFiles(RoomId, Vec<PathBuf>),
}

/// A line to type in, and which of what fits is chosen.
#[derive(Debug)]
pub(crate) struct Finder {
    pub(crate) editor: Editor,
    pub(crate) place: usize,
}

/// What can be chosen of a [`Finder`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// A room that is there.
    Room(RoomId),
    /// Write to somebody.
    Direct(Account),
    /// Make a group.
    Create(String),
}

/// A room that is being made, and what is written to it meanwhile.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) deed: Deed,
    /// What a person calls it.
    pub(crate) called: String,
    pub(crate) editor: Editor,
}

/// A search.
#[derive(Debug)]
pub(crate) struct Search {
    pub(crate) editor: Editor,
    pub(crate) round: u64,
    /// For what `hits` were found.
    pub(crate) words: String,
    pub(crate) hits: Vec<Hit>,
    pub(crate) done: bool,
    pub(crate) place: usize,
}

impl Mode {
    /// Where keys are looked up.
    pub(crate) const fn place(&self) -> Place {
        match self {
            Self::Compose => Place::Compose,
            Self::Select => Place::Select,
            Self::React(..) => Place::React,
            Self::Ask(Question::SendFiles(..)) => Place::Files,
            Self::Ask(_) => Place::Ask,
            Self::Switch(_) | Self::Search(_) => Place::List,
            Self::Help(_) | Self::Log(_) => Place::Page,
            Self::Opening(_) => Place::Opening,
        }
    }

    pub(crate) const fn react(message: MessageId) -> Self {
        Self::React(message, Editor::new(REACTION_MAX))
    }

    pub(crate) const fn switch() -> Self {
        Self::Switch(Finder { editor: Editor::new(WORDS_MAX), place: 0 })
    }

    pub(crate) const fn opening(deed: Deed, called: String) -> Self {
        Self::Opening(Opening { deed, called, editor: Editor::new(BODY_MAX) })
    }

    pub(crate) const fn search() -> Self {
        Self::Search(Search {
            editor: Editor::new(WORDS_MAX),
            round: 0,
            words: String::new(),
            hits: Vec::new(),
            done: true,
            place: 0,
        })
    }
}
