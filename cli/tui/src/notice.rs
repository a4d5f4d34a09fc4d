//! What is said in passing: the newest of it on the bottom line for a while, and all of it, to a
//! bound, to be looked at again.

use std::collections::VecDeque;

/// How many are kept.
const KEPT: usize = 200;
/// How long a remark stays on the bottom line.
const REMARK_MS: u64 = 6_000;
/// How long something that went wrong does.
const TROUBLE_MS: u64 = 20_000;

/// How something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// It is as it should be.
    Remark,
    /// Something to think about.
    Warning,
    /// Something failed.
    Trouble,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) time_ms: u64,
    pub(crate) tone: Tone,
    /// Safe to show.
    pub(crate) text: String,
}

/// What was said.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    all: VecDeque<Notice>,
    /// Until when the newest stays on the bottom line.
    until_ms: u64,
    /// Warnings and worse that nobody has looked at.
    pub(crate) unseen: usize,
}

impl Notices {
    /// Says something.
    pub(crate) fn say(&mut self, now_ms: u64, tone: Tone, text: &str) {
        let text = crate::text::steady(text);
        if self.all.len() == KEPT {
            self.all.pop_front();
        }
        let long = match tone {
            Tone::Remark => REMARK_MS,
            Tone::Warning | Tone::Trouble => {
                self.unseen += 1;
                TROUBLE_MS
            }
        };
        self.until_ms = now_ms + long;
        self.all.push_back(Notice { time_ms: now_ms, tone, text });
    }

    /// What stands on the bottom line.
    pub(crate) fn current(&self, now_ms: u64) -> Option<&Notice> {
        self.all.back().filter(|_| now_ms < self.until_ms)
    }

    /// Until when it stands there.
    pub(crate) fn wake_at(&self, now_ms: u64) -> Option<u64> {
        (now_ms < self.until_ms).then_some(self.until_ms)
    }

    /// Takes it away.
    pub(crate) fn hush(&mut self) {
        self.until_ms = 0;
    }

    /// Everything, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Notice> + ExactSizeIterator {
        self.all.iter()
    }
}
