//! What keys bring about, without a terminal.

use crate::stage::{
    ALICE, BOB, Stage, account, direct, message_id, page, reaction, room, room_id, said, status, talk,
};
use client::{Cursor, Happening, Level, Message, Outgoing, Page, Room, Standing};
use ratatui::crossterm::event::{KeyCode, KeyModifiers};
use tui::{Deed, Effect, Fault, Hit, Input, Part};

#[test]
fn what_is_written_is_sent_and_can_be_looked_up_again() {
    let mut stage = talk();
    stage.write("hello");
    stage.key(KeyCode::Enter, KeyModifiers::ALT);
    stage.write("there");
    assert!(stage.shows("› hello") && stage.shows("  there"));
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent(), [Outgoing::text("hello\nthere")]);
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent(), [], "there is nothing to send");
    stage.press(KeyCode::Up);
    assert!(stage.shows("› hello"));
    stage.put(Input::Paste("\x1b[2Jpasted\r\nlines".to_owned()));
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent(), [Outgoing::text("hello\nthere[2Jpasted\nlines")]);
}

// [SYNC-32]
#[test]
fn who_is_here_is_shown_until_the_session_is_over() {
    let mut stage = talk();
    assert!(!stage.shows("● bob@umbrella"), "{}", stage.screen());
    let came = |here| Input::Happening(Happening::Presence { account: account(BOB), here });
    stage.put(came(true));
    assert!(stage.shows("● bob@umbrella"), "{}", stage.screen());
    stage.put(came(false));
    assert!(!stage.shows("● bob@umbrella"));
    stage.put(came(true));
    stage.put(Input::Happening(Happening::Connected(false)));
    assert!(!stage.shows("● bob@umbrella"), "what was known is over: {}", stage.screen());
    // Whoever does not want to be seen does not ask.
    let asks = |stage: &mut Stage| stage.effects().contains(&Effect::Do(Deed::Presence));
    stage.put(Input::Happening(Happening::Connected(true)));
    assert!(!asks(&mut stage));
}

#[test]
fn what_cannot_be_stored_comes_back() {
    let mut stage = talk();
    stage.write("hello");
    stage.press(KeyCode::Enter);
    let fault = Fault { code: None, text: "the disk is full".to_owned() };
    stage.put(Input::Sent(room_id(1), Err((fault, "hello".to_owned()))));
    assert!(stage.shows("› hello") && stage.shows("the disk is full"), "{}", stage.screen());
}

#[test]
fn the_last_message_is_changed_and_another_is_answered() {
    let mut stage = talk();
    stage.alt('e');
    assert!(stage.shows("› two") && stage.shows("changing your message"));
    stage.write("!");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent(), [Outgoing::Edit { target: message_id(22), body: "two!".to_owned() }]);
    stage.alt('r');
    assert!(stage.shows("answering bob: three"));
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("answering"));
    stage.alt('r');
    stage.write("yes");
    stage.press(KeyCode::Enter);
    let reply = Outgoing::Text { body: "yes".to_owned(), reply_to: Some(message_id(23)) };
    assert_eq!(stage.sent(), [reply]);
}

#[test]
fn a_chosen_message_is_answered_changed_taken_back_and_reacted_to() {
    let mut stage = talk();
    stage.press(KeyCode::Esc);
    stage.write("kd");
    assert!(stage.shows("Take this message back"));
    stage.write("n");
    assert_eq!(stage.sent(), []);
    stage.press(KeyCode::Esc);
    stage.write("kdy");
    assert_eq!(stage.sent(), [Outgoing::Delete { target: message_id(22) }]);
    // Somebody else's is theirs.
    stage.press(KeyCode::Esc);
    stage.write("d");
    assert!(stage.shows("only its author can do that"));
    stage.write("+1");
    stage.press(KeyCode::Enter);
    let react = |remove| Outgoing::React { target: message_id(23), emoji: "👍".to_owned(), remove };
    assert_eq!(stage.sent(), [react(false)]);
    let given = Message { reactions: vec![reaction("👍", &[ALICE])], ..said(23, BOB, 7, "three") };
    stage.put(Input::Page(room_id(1), Part::One, Ok(page(vec![given]))));
    stage.press(KeyCode::Esc);
    stage.write("+👍");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent(), [react(true)], "a second time takes it away");
}

#[test]
fn a_message_on_its_way_is_given_up_rather_than_taken_back() {
    let mut stage = talk();
    let waiting = Message { seq: 0, level: Some(Level::Queued), ..said(24, ALICE, 0, "oops") };
    stage.put(Input::Page(room_id(1), Part::Newest, Ok(page(vec![said(23, BOB, 7, "three"), waiting]))));
    assert!(stage.shows("queued …"), "{}", stage.screen());
    stage.press(KeyCode::Esc);
    stage.write("dy");
    let sent = client::Sent { room: room_id(1), intent: message_id(1_024) };
    assert!(stage.effects().contains(&Effect::Do(Deed::Cancel(sent))));
}

#[test]
fn rooms_are_found_by_a_few_letters_and_made() {
    let mut stage = talk();
    stage.ctrl('k');
    stage.write("gar");
    stage.press(KeyCode::Enter);
    assert!(stage.effects().iter().any(|e| matches!(e, Effect::Page { room, .. } if *room == room_id(3))));
    stage.ctrl('k');
    stage.write("Carl@Initech.test");
    stage.press(KeyCode::Enter);
    assert!(stage.effects().contains(&Effect::Do(Deed::Direct(account("carl@initech.test")))));
    stage.press(KeyCode::Esc);
    stage.ctrl('k');
    stage.write("#new");
    stage.press(KeyCode::Enter);
    assert!(stage.effects().contains(&Effect::Do(Deed::Create("new".to_owned()))));
    stage.press(KeyCode::Esc);
    stage.ctrl('k');
    stage.write("zzz");
    stage.press(KeyCode::Enter);
    assert!(stage.shows("nothing fits"));
}

/// A room with Carl is being made; meanwhile something is written to him, and Enter pressed.
fn writing_to_carl() -> (Stage, Deed) {
    let mut stage = talk();
    stage.write("for ops");
    stage.ctrl('k');
    stage.write("carl@initech.test");
    stage.press(KeyCode::Enter);
    stage.effects();
    stage.write("secret");
    stage.press(KeyCode::Enter);
    stage.alt('a');
    assert_eq!(stage.sent(), [], "the room is not there yet");
    assert!(stage.shows("› secret") && stage.shows("to carl@initech.test"), "{}", stage.screen());
    (stage, Deed::Direct(account("carl@initech.test")))
}

#[test]
fn what_is_written_to_a_room_that_is_being_made_goes_there_only() {
    let (mut stage, deed) = writing_to_carl();
    stage.put(Input::Rooms(Ok(vec![room(1, "ops", &[ALICE, BOB]), direct(9, "carl@initech.test")])));
    stage.put(Input::Done(deed, Ok(Some(room_id(9)))));
    stage.press(KeyCode::Enter);
    let sent = Effect::Send { room: room_id(9), what: Outgoing::text("secret") };
    assert!(stage.effects().contains(&sent));
    stage.ctrl('p');
    assert!(stage.shows("› for ops"), "{}", stage.screen());
}

#[test]
fn what_is_written_to_a_room_that_cannot_be_made_is_kept_and_not_sent() {
    for gives_up in [false, true] {
        let (mut stage, deed) = writing_to_carl();
        let outcome = if gives_up {
            stage.press(KeyCode::Esc);
            Ok(Some(room_id(3)))
        } else {
            Err(Fault { code: None, text: "no such account".to_owned() })
        };
        stage.put(Input::Done(deed, outcome));
        assert_eq!(stage.sent(), []);
        assert!(stage.shows("› for ops"), "{}", stage.screen());
        stage.ctrl('c');
        stage.press(KeyCode::Up);
        assert!(stage.shows("› secret"), "{}", stage.screen());
    }
}

#[test]
fn the_keys_are_turned_page_by_page_and_back_at_once() {
    let mut stage = talk();
    stage.press(KeyCode::F(1));
    let first = stage.screen();
    for _ in 0..9 {
        stage.press(KeyCode::PageDown);
    }
    assert!(stage.shows("comity contact show ACCOUNT"), "{}", stage.screen());
    let last = stage.screen();
    stage.press(KeyCode::Up);
    assert_ne!(stage.screen(), last, "nothing was counted beyond the end");
    for _ in 0..9 {
        stage.press(KeyCode::PageUp);
    }
    assert_eq!(stage.screen(), first);
    assert!(first.contains("write to somebody "), "nothing is cut: {first}");
}

#[test]
fn esc_closes_the_members_where_they_cover_the_messages() {
    let mut stage = talk();
    stage.press(KeyCode::F(2));
    assert!(stage.shows("F2 closes"));
    stage.press(KeyCode::Esc);
    assert!(!stage.shows("F2 closes") && !stage.shows("r answer"), "{}", stage.screen());
    stage.press(KeyCode::Esc);
    assert!(stage.shows("r answer"));
}

#[test]
fn what_was_not_sent_waits_where_it_was_written() {
    let mut stage = talk();
    stage.write("draft");
    stage.ctrl('n');
    assert!(!stage.shows("› draft"));
    stage.ctrl('p');
    assert!(stage.shows("› draft"));
}

#[test]
fn what_is_seen_is_read_once_and_only_when_it_is_seen() {
    let mut stage = talk();
    let reads = |stage: &mut Stage| {
        let effects = stage.effects().into_iter();
        effects.filter(|effect| matches!(effect, Effect::Do(Deed::MarkRead(..)))).count()
    };
    let newer = |seq| Ok(page(vec![said(23, BOB, 7, "three"), said(seq, BOB, 0, "new")]));
    stage.put(Input::Focus(false));
    stage.put(Input::Page(room_id(1), Part::Newest, newer(24)));
    assert_eq!(reads(&mut stage), 0, "nobody looks");
    stage.put(Input::Focus(true));
    assert_eq!(reads(&mut stage), 1);
    stage.later(1);
    assert_eq!(reads(&mut stage), 0, "once");
    stage.press(KeyCode::F(1));
    stage.put(Input::Page(room_id(1), Part::Newest, newer(25)));
    assert_eq!(reads(&mut stage), 0, "the help lies over it");
    stage.press(KeyCode::Esc);
    assert_eq!(reads(&mut stage), 1);
}

#[test]
fn others_are_told_of_typing_and_shown() {
    let mut stage = talk();
    let told = |stage: &mut Stage| {
        let deeds = stage
            .effects()
            .into_iter()
            .filter_map(|e| if let Effect::Do(deed) = e { Some(deed) } else { None });
        deeds.filter(|deed| matches!(deed, Deed::Typing(..))).collect::<Vec<_>>()
    };
    stage.write("hel");
    assert_eq!(told(&mut stage), [Deed::Typing(room_id(1), true)]);
    stage.later(7_000);
    assert_eq!(told(&mut stage), [Deed::Typing(room_id(1), false)], "idle");
    stage.write("lo");
    stage.press(KeyCode::Enter);
    assert_eq!(told(&mut stage), [Deed::Typing(room_id(1), true), Deed::Typing(room_id(1), false)]);
    stage.put(Input::Status(Ok(status(false))));
    stage.write("x");
    assert_eq!(told(&mut stage), [], "nobody hears it");
    stage.put(Input::Happening(Happening::Typing { room: room_id(1), account: account(BOB), active: true }));
    assert!(stage.shows("bob is typing…"));
    stage.later(13_000);
    assert!(!stage.shows("is typing"));
}

#[test]
fn invitations_are_accepted_and_declined_after_a_question() {
    let mut stage = talk();
    let invited =
        Room { standing: Standing::Invited, inviter: Some(account(BOB)), peer: None, ..direct(4, BOB) };
    stage.put(Input::Happening(Happening::Room(invited)));
    assert!(stage.shows("somebody invites you"));
    stage.alt('a');
    assert!(stage.shows("bob@umbrella.test wants to write to you"), "{}", stage.screen());
    stage.write("x");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sent(), []);
    stage.ctrl('x');
    assert!(!stage.effects().iter().any(|e| matches!(e, Effect::Do(Deed::Answer(..)))));
    stage.write("y");
    assert!(stage.effects().contains(&Effect::Do(Deed::Answer(room_id(4), false))));
    stage.ctrl('y');
    assert!(stage.effects().contains(&Effect::Do(Deed::Answer(room_id(4), true))));
}

#[test]
fn a_search_leads_to_the_message_among_its_neighbours() {
    let mut stage = talk();
    stage.ctrl('f');
    stage.write("needle");
    stage.press(KeyCode::Enter);
    let round = stage.effects().into_iter().find_map(|effect| match effect {
        Effect::Find { words, round } => {
            assert_eq!(words, "needle");
            Some(round)
        }
        _ => None,
    });
    let round = round.expect("a search");
    let hit = |seq| Hit { called: "#ops".to_owned(), message: said(seq, BOB, 900, "a needle here") };
    stage.put(Input::Found(round + 1, vec![hit(9)], true));
    assert!(!stage.shows("a needle"), "of another search");
    stage.put(Input::Found(round, vec![hit(5)], true));
    assert!(stage.shows("1 found") && stage.shows("a needle here"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    let around = stage.effects().into_iter().find_map(|effect| match effect {
        Effect::Page { part, cursor, .. } => Some((part, cursor)),
        _ => None,
    });
    let (part, cursor) = around.expect("a page");
    assert_eq!((part, cursor), (Part::Around(5), Cursor { before: None, after: Some(0), limit: 100 }));
    let messages: Vec<Message> = (1..60).map(|seq| said(seq, BOB, 900, &format!("text {seq}"))).collect();
    stage.put(Input::Page(room_id(1), part, Ok(Page { messages, newer: true, ..Page::default() })));
    assert!(stage.shows("text 5\n") && stage.shows("more below"), "{}", stage.screen());
    stage.alt('g');
    assert!(stage.effects().iter().any(|e| matches!(e, Effect::Page { part: Part::Newest, .. })));
}

#[test]
fn scrolling_shows_every_row_once_and_asks_for_more() {
    let rooms = vec![room(1, "ops", &[ALICE, BOB])];
    let messages: Vec<Message> =
        (100..200).map(|seq| said(seq, BOB, 300 - seq, &format!("text {seq}"))).collect();
    let mut stage = Stage::filled((60, 20), rooms, Vec::new());
    stage.put(Input::Page(room_id(1), Part::Newest, Ok(Page { messages, older: true, ..Page::default() })));
    stage.effects();
    assert!(stage.shows("text 199"));
    let mut seen = std::collections::BTreeSet::new();
    let mut asked = false;
    for _ in 0..40 {
        let screen = stage.screen();
        seen.extend((100..200).filter(|seq| screen.contains(&format!("text {seq}"))));
        stage.press(KeyCode::PageUp);
        asked |= stage.effects().iter().any(|e| matches!(e, Effect::Page { part: Part::Older, .. }));
    }
    assert_eq!(seen.len(), 100, "{seen:?}");
    assert!(asked && stage.shows("text 100"));
    let top = stage.screen();
    let newer = Happening::Message(said(200, BOB, 0, "text 200"));
    stage.put(Input::Happening(newer));
    let messages: Vec<Message> =
        (101..201).map(|seq| said(seq, BOB, 300 - seq, &format!("text {seq}"))).collect();
    stage.put(Input::Page(room_id(1), Part::Newest, Ok(Page { messages, older: true, ..Page::default() })));
    assert_eq!(stage.screen(), top, "what is read does not move under the reader");
    for _ in 0..40 {
        stage.press(KeyCode::PageDown);
    }
    assert!(stage.shows("text 200") && !stage.shows("more below"), "{}", stage.screen());
}

#[test]
fn ctrl_c_takes_the_text_away_first_and_ends_only_when_meant() {
    let mut stage = talk();
    stage.write("text");
    stage.ctrl('c');
    stage.ctrl('c');
    assert!(!stage.effects().contains(&Effect::Quit));
    stage.write("a");
    stage.ctrl('c');
    stage.ctrl('c');
    stage.ctrl('c');
    assert!(stage.effects().contains(&Effect::Quit));
    let mut stage = talk();
    stage.ctrl('q');
    assert!(stage.effects().contains(&Effect::Quit));
}

#[test]
fn names_are_completed() {
    let mut stage = talk();
    stage.write("hi @bo");
    stage.press(KeyCode::Tab);
    assert!(stage.shows("› hi @bob"));
}

#[test]
fn counts_follow_what_happens_in_other_rooms() {
    let mut stage = talk();
    let elsewhere = |seq, text: &str| Message { room: room_id(2), ..said(seq, BOB, 0, text) };
    stage.put(Input::Happening(Happening::Message(elsewhere(30, "hello"))));
    stage.put(Input::Happening(Happening::Message(elsewhere(31, "@alice?"))));
    assert!(stage.shows("@1 2"), "{}", stage.screen());
    let read = Room { read_seq: 31, ..direct(2, BOB) };
    stage.put(Input::Happening(Happening::Room(read)));
    assert!(!stage.shows("@1"));
}

/// Any keys in any order at any size: nothing fails, and there is always something to draw.
#[test]
fn no_keys_break_it() {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut dice = |sides: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % sides
    };
    let codes = [
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::F(1),
        KeyCode::F(2),
        KeyCode::F(3),
    ];
    let letters: Vec<char> = "abcdefghijklmnopqrstuvwxyzG+?@# \u{301}日👍".chars().collect();
    let mut stage = talk();
    for step in 0..4_000_u64 {
        let modifiers = match dice(6) {
            0 => KeyModifiers::CONTROL,
            1 => KeyModifiers::ALT,
            _ => KeyModifiers::NONE,
        };
        let any = |pool: usize, roll: u64| usize::try_from(roll).unwrap_or(0) % pool;
        let code = if dice(3) == 0 {
            codes[any(codes.len(), dice(1_000))]
        } else {
            KeyCode::Char(letters[any(letters.len(), dice(1_000))])
        };
        stage.key(code, modifiers);
        if dice(10) == 0 {
            let number = dice(40);
            let text = if dice(2) == 0 { "short".to_owned() } else { "long ".repeat(80) };
            let messages = (number..number + 30).map(|seq| said(seq.max(1), BOB, 40, &text)).collect();
            let part = [Part::Newest, Part::Older, Part::Newer, Part::Around(number + 3), Part::One]
                [any(5, dice(5))];
            let page = Page { messages, older: dice(2) == 0, newer: dice(2) == 0, ..Page::default() };
            stage.put(Input::Page(room_id(1), part, Ok(page)));
        }
        if dice(20) == 0 {
            let size = |roll: u64| u16::try_from(roll).unwrap_or(0);
            stage.resize((size(dice(130)), size(dice(40))));
        }
        stage.later(dice(3_000));
        if step % 3 == 0 {
            stage.screen();
        }
        stage.effects();
    }
}

#[test]
fn a_room_disturbs_with_what_it_may_and_seldom() {
    let mut stage = talk();
    let disturbs = |stage: &mut Stage, room: Room, text: &str| {
        let id = room.id;
        stage.later(60_000);
        stage.put(Input::Happening(Happening::Room(room)));
        stage.effects();
        for seq in 90..93 {
            let message = Message { room: id, ..said(seq, BOB, 0, text) };
            stage.put(Input::Happening(Happening::Message(message)));
        }
        let effects = stage.effects().into_iter();
        effects
            .filter_map(|e| if let Effect::Notify { title, body } = e { Some((title, body)) } else { None })
            .collect::<Vec<_>>()
    };
    let notify = |notify| Room { notify, ..room(3, "garden", &[ALICE, BOB]) };
    let told = |title: &str| vec![(title.to_owned(), String::new())];
    assert_eq!(disturbs(&mut stage, direct(2, BOB), "hello"), told(BOB), "once, and not what was said");
    assert_eq!(
        disturbs(&mut stage, notify(client::Notify::All), "hello"),
        told("bob@umbrella.test in #garden")
    );
    assert_eq!(disturbs(&mut stage, notify(client::Notify::Mentions), "hello"), []);
    assert_eq!(
        disturbs(&mut stage, notify(client::Notify::Mentions), "@alice"),
        told("bob@umbrella.test in #garden")
    );
    assert_eq!(disturbs(&mut stage, notify(client::Notify::None), "@alice"), []);
    assert_eq!(disturbs(&mut stage, room(1, "ops", &[ALICE, BOB]), "hello"), [], "it is looked at");
    stage.put(Input::Focus(false));
    assert_eq!(
        disturbs(&mut stage, room(1, "ops", &[ALICE, BOB]), "hello"),
        told("bob@umbrella.test in #ops")
    );
    stage.put(Input::Status(Ok(status(false))));
    assert_eq!(
        disturbs(&mut stage, direct(2, BOB), "old"),
        [],
        "what was missed does not disturb all at once"
    );
    stage.press(KeyCode::F(4));
    let deed = Deed::Notify(room_id(1), client::Notify::Mentions);
    assert!(stage.effects().contains(&Effect::Do(deed)) && stage.shows("only what names you disturbs"));
}
