//! Showing that this account is here, and hearing who of its fellows is ([SYNC-32]).

use machine::Entropy;
use wire::{
    Account, ErrorCode,
    proto::{Presence, ShowPresence, client_request::Request},
};

use crate::{Engine, Notice, request::Purpose};

impl<E: Entropy> Engine<E> {
    pub(crate) fn show_presence(&mut self, shown: bool) {
        if std::mem::replace(&mut self.shown, shown) != shown {
            self.request(Purpose::Presence, Request::ShowPresence(ShowPresence { shown }));
        }
    }

    /// A session shows nothing by itself.
    pub(crate) fn ask_for_presence(&mut self) {
        if self.shown {
            self.request(Purpose::Presence, Request::ShowPresence(ShowPresence { shown: true }));
        }
    }

    /// A node speaks for its own accounts only, and to those who asked.
    pub(crate) fn presence(&mut self, presence: &Presence) {
        let account = presence.account.parse::<Account>();
        let own = self.keys.account.domain();
        match account {
            Ok(account) if self.shown && account.domain() == own => {
                self.stage.notify(Notice::Presence { account, here: presence.here });
            }
            // What was on its way when this account stopped to ask.
            Ok(account) if account.domain() == own => {}
            _ => self.passed(ErrorCode::Malformed),
        }
    }
}
