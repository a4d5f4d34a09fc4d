//! How a timeline is laid out before anybody measures letters: a line where a day begins, one where
//! the unread begin, and which items stand under the name of the one before.

use wire::Account;

use super::{Day, TimelineItem};

/// Items of one sender that are further apart stand under a name of their own.
const APART_MS: u64 = 5 * 60_000;

/// What must be known of an item to place it.
#[derive(Clone, Copy, Debug)]
pub struct Stamp<'a> {
    /// Who sent it; `None` for what the hub said.
    pub sender: Option<&'a Account>,
    /// Sent by this account.
    pub own: bool,
    /// Its place in the room; 0 while it is not ordered.
    pub seq: u64,
    /// When, in milliseconds since 1970.
    pub time_ms: u64,
    /// Somebody says it, as against a change of the room.
    pub said: bool,
}

/// A line of a timeline, from the oldest to the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// A day begins.
    Day(Day),
    /// What follows was not read when the room was opened.
    Unread,
    /// An item.
    Item {
        /// Which.
        index: usize,
        /// The sender's name stands above it.
        named: bool,
    },
}

impl TimelineItem {
    /// What places it.
    #[must_use]
    pub const fn stamp(&self) -> Stamp<'_> {
        Stamp {
            sender: self.sender.as_ref(),
            own: self.own,
            seq: self.seq,
            time_ms: self.time_ms,
            said: matches!(
                self.body,
                super::Body::Text(_) | super::Body::Deleted | super::Body::Unreadable(_)
            ),
        }
    }
}

/// Places items, oldest first. Everything up to `read_seq` was read; `offset_s` says by how many
/// seconds the reader's clock is ahead of UTC at a time in milliseconds since 1970.
pub fn arrange<'a>(
    items: impl IntoIterator<Item = Stamp<'a>>,
    read_seq: u64,
    offset_s: impl Fn(u64) -> i32,
) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut before: Option<(Stamp<'a>, Day)> = None;
    let mut divided = false;
    for (index, item) in items.into_iter().enumerate() {
        let day = Day::of(item.time_ms, offset_s(item.time_ms));
        let mut named = item.said;
        if before.is_none_or(|(_, last)| last != day) {
            lines.push(Line::Day(day));
        } else if let Some((last, _)) = before
            && last.said
            && last.sender == item.sender
            && item.time_ms.abs_diff(last.time_ms) < APART_MS
        {
            named = false;
        }
        if !divided && item.said && !item.own && item.seq > read_seq {
            divided = true;
            named = true;
            lines.push(Line::Unread);
        }
        lines.push(Line::Item { index, named });
        before = Some((item, day));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;

    fn account(name: &str) -> Account {
        format!("{name}@acme.test").parse().expect("an account")
    }

    #[test]
    fn lines_stand_between_days_and_before_the_unread() {
        let (alice, bob) = (account("alice"), account("bob"));
        let stamp = |sender, seq, time_ms| Stamp {
            sender: Some(sender),
            own: *sender == alice,
            seq,
            time_ms,
            said: true,
        };
        let items = [
            stamp(&bob, 1, DAY - 2_000),
            stamp(&bob, 2, DAY - 1_000),
            stamp(&bob, 3, DAY),
            stamp(&alice, 4, DAY + 1_000),
            stamp(&bob, 5, DAY + 2_000),
            stamp(&bob, 6, DAY + 3_000),
            stamp(&bob, 7, DAY + 3_000 + APART_MS),
            stamp(&alice, 0, DAY + 4_000 + APART_MS),
        ];
        let item = |index, named| Line::Item { index, named };
        let day = |n: u64| Line::Day(Day::of(n * DAY, 0));
        assert_eq!(
            arrange(items, 5, |_| 0),
            [
                day(0),
                item(0, true),
                item(1, false),
                day(1),
                item(2, true),
                item(3, true),
                item(4, true),
                Line::Unread,
                item(5, true),
                item(6, true),
                item(7, true),
            ]
        );
        // An hour to the east, all of it is one day.
        assert_eq!(
            arrange(items, 9, |_| 3_600).iter().filter(|line| matches!(line, Line::Day(_))).count(),
            1
        );
    }

    #[test]
    fn a_change_of_the_room_has_no_name_above_it_and_parts_what_it_stands_between() {
        let bob = account("bob");
        let said = Stamp { sender: Some(&bob), own: false, seq: 1, time_ms: 0, said: true };
        let change = Stamp { seq: 2, said: false, ..said };
        let lines = arrange([said, change, Stamp { seq: 3, ..said }], 9, |_| 0);
        let named: Vec<bool> = lines
            .iter()
            .filter_map(|line| if let Line::Item { named, .. } = line { Some(*named) } else { None })
            .collect();
        assert_eq!(named, [true, false, true]);
    }
}
