//! What keys do. One table: keys are looked up in it and the help is made of it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Where keys mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Everywhere.
    Any,
    /// While one writes.
    Compose,
    /// While a message is chosen.
    Select,
    /// In a list with a line to type in.
    List,
    /// While a reaction is chosen.
    React,
    /// While a question is asked.
    Ask,
    /// While it is asked whether to send files, which may come up under somebody who types.
    Files,
    /// While something is shown over everything.
    Page,
    /// While one writes to a room that is being made.
    Opening,
}

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Quit,
    Interrupt,
    Redraw,
    Help,
    Log,
    Switch,
    Search,
    Members,
    NextRoom,
    PreviousRoom,
    NextUnread,
    PageUp,
    PageDown,
    Newest,
    Accept,
    Decline,
    Back,
    Send,
    NewLine,
    Up,
    Down,
    EditLast,
    ReplyLast,
    Complete,
    Choose,
    Reply,
    Edit,
    Delete,
    React,
    Whole,
    Save,
    Notify,
    Oldest,
    Yes,
    No,
}

/// A key with what is held beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Binding {
    pub(crate) place: Place,
    pub(crate) chords: &'static [Chord],
    pub(crate) action: Action,
    /// What the help says; empty for what needs no saying.
    pub(crate) says: &'static str,
}

const fn plain(code: KeyCode) -> Chord {
    Chord { code, modifiers: KeyModifiers::NONE }
}

const fn letter(character: char) -> Chord {
    plain(KeyCode::Char(character))
}

const fn ctrl(character: char) -> Chord {
    Chord { code: KeyCode::Char(character), modifiers: KeyModifiers::CONTROL }
}

const fn alt(character: char) -> Chord {
    Chord { code: KeyCode::Char(character), modifiers: KeyModifiers::ALT }
}

const fn with(code: KeyCode, modifiers: KeyModifiers) -> Chord {
    Chord { code, modifiers }
}

const fn bind(place: Place, chords: &'static [Chord], action: Action, says: &'static str) -> Binding {
    Binding { place, chords, action, says }
}

/// The table.
pub(crate) const BINDINGS: &[Binding] = &[
    bind(Place::Any, &[plain(KeyCode::F(1))], Action::Help, "these keys"),
    bind(Place::Any, &[ctrl('k')], Action::Switch, "go to a room by a few letters; write to somebody new"),
    bind(Place::Any, &[ctrl('n'), with(KeyCode::Down, KeyModifiers::ALT)], Action::NextRoom, "the next room"),
    bind(
        Place::Any,
        &[ctrl('p'), with(KeyCode::Up, KeyModifiers::ALT)],
        Action::PreviousRoom,
        "the room before",
    ),
    bind(Place::Any, &[alt('a')], Action::NextUnread, "the next room with something unread"),
    bind(Place::Any, &[ctrl('f')], Action::Search, "search everything that this device has"),
    bind(Place::Any, &[plain(KeyCode::F(2)), alt('m')], Action::Members, "who is in the room"),
    bind(Place::Any, &[plain(KeyCode::F(3)), alt('l')], Action::Log, "warnings and what else was said"),
    bind(Place::Any, &[plain(KeyCode::PageUp)], Action::PageUp, "up a page"),
    bind(Place::Any, &[plain(KeyCode::PageDown)], Action::PageDown, "down a page"),
    bind(
        Place::Any,
        &[with(KeyCode::End, KeyModifiers::CONTROL), alt('g')],
        Action::Newest,
        "down to the newest",
    ),
    bind(
        Place::Any,
        &[plain(KeyCode::F(4)), alt('n')],
        Action::Notify,
        "what of this room may disturb: all, mentions, none",
    ),
    bind(Place::Any, &[ctrl('l')], Action::Redraw, "draw the screen anew"),
    bind(Place::Any, &[ctrl('c')], Action::Interrupt, "take away what is written; twice: end"),
    bind(Place::Any, &[ctrl('q')], Action::Quit, "end"),
    bind(Place::Compose, &[plain(KeyCode::Enter)], Action::Send, "send"),
    bind(
        Place::Compose,
        &[with(KeyCode::Enter, KeyModifiers::ALT), ctrl('j'), with(KeyCode::Enter, KeyModifiers::SHIFT)],
        Action::NewLine,
        "a new line",
    ),
    bind(
        Place::Compose,
        &[plain(KeyCode::Up)],
        Action::Up,
        "what was sent before; in a long text, a line up",
    ),
    bind(Place::Compose, &[plain(KeyCode::Down)], Action::Down, ""),
    bind(Place::Compose, &[plain(KeyCode::Tab)], Action::Complete, "complete @name"),
    bind(Place::Compose, &[alt('e')], Action::EditLast, "change your last message"),
    bind(Place::Compose, &[alt('r')], Action::ReplyLast, "answer the last message of another"),
    bind(
        Place::Compose,
        &[plain(KeyCode::Esc)],
        Action::Back,
        "choose a message; or stop answering or changing",
    ),
    bind(Place::Compose, &[ctrl('y')], Action::Accept, "accept the invitation that is shown"),
    bind(Place::Compose, &[ctrl('x')], Action::Decline, "decline it"),
    bind(Place::Select, &[plain(KeyCode::Up), letter('k')], Action::Up, "the message before"),
    bind(Place::Select, &[plain(KeyCode::Down), letter('j')], Action::Down, "the message after"),
    bind(Place::Select, &[plain(KeyCode::Enter), letter('r')], Action::Reply, "answer it"),
    bind(Place::Select, &[letter('e')], Action::Edit, "change it, if it is yours"),
    bind(
        Place::Select,
        &[letter('d'), plain(KeyCode::Delete)],
        Action::Delete,
        "take it back, if it is yours",
    ),
    bind(Place::Select, &[letter('+'), letter('t')], Action::React, "react to it, or take a reaction away"),
    bind(Place::Select, &[letter('o')], Action::Whole, "show all of a long message"),
    bind(
        Place::Select,
        &[letter('s')],
        Action::Save,
        "save its file into the directory where this was started",
    ),
    bind(Place::Select, &[letter('g'), plain(KeyCode::Home)], Action::Oldest, "the oldest that is here"),
    bind(Place::Select, &[letter('G'), plain(KeyCode::End)], Action::Newest, ""),
    bind(Place::Select, &[letter('?')], Action::Help, ""),
    bind(Place::Select, &[plain(KeyCode::Esc), letter('q'), letter('i')], Action::Back, "write again"),
    bind(Place::List, &[plain(KeyCode::Up)], Action::Up, ""),
    bind(Place::List, &[plain(KeyCode::Down), plain(KeyCode::Tab)], Action::Down, ""),
    bind(Place::List, &[plain(KeyCode::Enter)], Action::Choose, ""),
    bind(Place::List, &[plain(KeyCode::Esc)], Action::Back, ""),
    bind(Place::React, &[plain(KeyCode::Enter)], Action::Choose, ""),
    bind(Place::React, &[plain(KeyCode::Esc)], Action::Back, ""),
    bind(Place::Ask, &[letter('y')], Action::Yes, ""),
    bind(Place::Ask, &[letter('n'), plain(KeyCode::Esc)], Action::No, ""),
    // No letter and no Enter: whoever goes on writing must not send a file.
    bind(Place::Files, &[ctrl('y')], Action::Yes, ""),
    bind(Place::Files, &[plain(KeyCode::Esc)], Action::No, ""),
    bind(Place::Opening, &[plain(KeyCode::Enter)], Action::Send, ""),
    bind(
        Place::Opening,
        &[with(KeyCode::Enter, KeyModifiers::ALT), ctrl('j'), with(KeyCode::Enter, KeyModifiers::SHIFT)],
        Action::NewLine,
        "",
    ),
    bind(Place::Opening, &[plain(KeyCode::Esc)], Action::Back, ""),
    bind(Place::Page, &[plain(KeyCode::PageUp)], Action::PageUp, ""),
    bind(Place::Page, &[plain(KeyCode::PageDown)], Action::PageDown, ""),
    bind(Place::Page, &[plain(KeyCode::Up), letter('k')], Action::Up, ""),
    bind(Place::Page, &[plain(KeyCode::Down), letter('j')], Action::Down, ""),
    bind(Place::Page, &[plain(KeyCode::Esc), letter('q'), plain(KeyCode::Enter)], Action::Back, ""),
];

/// What a key does in a place.
pub(crate) fn action(place: Place, key: KeyEvent) -> Option<Action> {
    let mut chord = Chord { code: key.code, modifiers: key.modifiers };
    // A capital letter says by itself that Shift is held.
    if let KeyCode::Char(_) = chord.code {
        chord.modifiers.remove(KeyModifiers::SHIFT);
    }
    let here = BINDINGS.iter().filter(|binding| binding.place == place);
    let anywhere = BINDINGS.iter().filter(|binding| binding.place == Place::Any);
    here.chain(anywhere).find(|binding| binding.chords.contains(&chord)).map(|binding| binding.action)
}

impl std::fmt::Display for Chord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            f.write_str("Ctrl-")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            f.write_str("Alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            f.write_str("Shift-")?;
        }
        match self.code {
            KeyCode::Char(character) if self.modifiers.is_empty() => write!(f, "{character}"),
            KeyCode::Char(character) => write!(f, "{}", character.to_ascii_uppercase()),
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for (at, binding) in BINDINGS.iter().enumerate() {
            for other in BINDINGS.iter().skip(at + 1) {
                let meet = binding.place == other.place;
                let both = binding.chords.iter().any(|chord| other.chords.contains(chord));
                assert!(!(meet && both), "{binding:?} and {other:?}");
            }
        }
    }

    #[test]
    fn what_works_everywhere_hides_no_letter_that_one_may_want_to_type() {
        let typed = |chord: &Chord| matches!(chord.code, KeyCode::Char(_)) && chord.modifiers.is_empty();
        for binding in BINDINGS
            .iter()
            .filter(|b| matches!(b.place, Place::Any | Place::Compose | Place::List | Place::Files))
        {
            assert!(!binding.chords.iter().any(typed), "{binding:?}");
        }
    }

    #[test]
    fn keys_are_found_as_terminals_tell_them() {
        let key = |code, modifiers| KeyEvent::new(code, modifiers);
        let shift = KeyModifiers::SHIFT;
        assert_eq!(action(Place::Select, key(KeyCode::Char('G'), shift)), Some(Action::Newest));
        assert_eq!(action(Place::Select, key(KeyCode::Char('g'), KeyModifiers::NONE)), Some(Action::Oldest));
        assert_eq!(action(Place::Compose, key(KeyCode::Char('g'), KeyModifiers::NONE)), None);
        assert_eq!(
            action(Place::Compose, key(KeyCode::Char('j'), KeyModifiers::CONTROL)),
            Some(Action::NewLine)
        );
        assert_eq!(action(Place::Compose, key(KeyCode::Enter, shift)), Some(Action::NewLine));
        assert_eq!(action(Place::List, key(KeyCode::Char('q'), KeyModifiers::CONTROL)), Some(Action::Quit));
        assert_eq!(ctrl('k').to_string(), "Ctrl-K");
        assert_eq!(letter('G').to_string(), "G");
    }
}
