//! The layout, compared with what was reviewed. `UPDATE_EXPECT=1` writes it anew.

use std::{fs, path::Path};

use crate::stage::{NOW, Stage, account, direct, member, message_id, reaction, room, said, status};
use client::{Change, ErrorCode, Level, Message, MessageBody, PeerView, Role, Room, Standing};
use ratatui::crossterm::event::KeyCode;
use tui::{Input, Palette};

fn reviewed(name: &str, screen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/screens").join(name).with_extension("txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, screen).expect("written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(screen == expected, "{name} changed; UPDATE_EXPECT=1 accepts it\n{screen}");
}

fn rooms() -> Vec<Room> {
    let mut ops = Room {
        topic: "what runs and what does not".to_owned(),
        read_seq: 8,
        unread: 2,
        mentions: 1,
        ..room(1, "ops", &["alice@acme.test", "bob@umbrella.test", "carol@umbrella.test", "dave@acme.test"])
    };
    ops.members[0].role = Role::Admin;
    ops.members[3].unverified = Some(ErrorCode::KeyUnverified);
    vec![
        ops,
        Room { unread: 12, ..direct(2, "bob@umbrella.test") },
        Room {
            unread: 3,
            mentions: 2,
            ..room(3, "a room with a name that is too long for the list", &["alice@acme.test"])
        },
        Room { standing: Standing::Left, ..room(4, "old", &[]) },
        Room {
            standing: Standing::Invited,
            inviter: Some(account("erin@initech.test")),
            peer: None,
            ..direct(5, "erin@initech.test")
        },
    ]
}

fn messages() -> Vec<Message> {
    let changed = |seq, minutes, change, who: &str| Message {
        sender: None,
        own: false,
        intent: None,
        level: None,
        body: MessageBody::Changed { change, accounts: vec![who.to_owned()] },
        ..said(seq, "bob@umbrella.test", minutes, "")
    };
    vec![
        changed(1, 1_500, Change::Founded, ""),
        changed(2, 1_499, Change::Added, "bob@umbrella.test"),
        said(
            3,
            "bob@umbrella.test",
            1_490,
            "Shall we start on Monday? The new link has been up since noon and nothing has been lost so far.",
        ),
        Message { reply_to: Some(message_id(3)), ..said(4, "alice@acme.test", 1_480, "Yes.") },
        Message { edited: true, ..said(5, "alice@acme.test", 1_479, "At nine, in the small room.") },
        said(6, "carol@umbrella.test", 40, "日本語 and a naïve café; 👩‍👩‍👧 too"),
        Message {
            reactions: vec![
                reaction("👍", &["alice@acme.test", "bob@umbrella.test"]),
                reaction("🎉", &["dave@acme.test"]),
            ],
            ..said(7, "carol@umbrella.test", 39, "```\nfn main() {\n\tprintln!();\n}\n```")
        },
        Message { body: MessageBody::Deleted, ..said(8, "dave@acme.test", 30, "") },
        said(9, "bob@umbrella.test", 4, "@alice, the backup is through."),
        said(10, "bob@umbrella.test", 3, "All green."),
        Message { level: Some(Level::Delivered), ..said(11, "alice@acme.test", 2, "Thanks!") },
        Message {
            seq: 0,
            level: Some(Level::Queued),
            ..said(12, "alice@acme.test", 1, "And the second one?")
        },
    ]
}

fn filled(size: (u16, u16)) -> Stage {
    let mut stage = Stage::new(size);
    stage.put(Input::Focus(false));
    stage.fill(rooms(), messages());
    stage
}

#[test]
fn the_layout_is_the_one_that_was_reviewed() {
    for (name, size) in [("80x24", (80, 24)), ("40x10", (40, 10)), ("200x60", (200, 60)), ("24x6", (24, 6))] {
        reviewed(name, &filled(size).screen());
    }
    let mut ascii = Stage::with((80, 24), Palette::Mono, false);
    ascii.fill(rooms(), messages());
    reviewed("80x24-ascii", &ascii.screen());
}

#[test]
fn boxes_are_those_that_were_reviewed() {
    let mut stage = filled((80, 24));
    stage.press(KeyCode::F(1));
    reviewed("help", &stage.screen());
    stage.press(KeyCode::Esc);
    stage.ctrl('k');
    stage.write("bo");
    reviewed("switch", &stage.screen());
    stage.press(KeyCode::Esc);
    stage.press(KeyCode::F(2));
    reviewed("members", &stage.screen());
    stage.press(KeyCode::F(2));
    stage.press(KeyCode::Esc);
    stage.press(KeyCode::Up);
    stage.press(KeyCode::Up);
    reviewed("select", &stage.screen());
    stage.press(KeyCode::Char('+'));
    reviewed("react", &stage.screen());
}

#[test]
fn what_is_wrong_is_said_plainly() {
    let mut stage = filled((80, 24));
    let mut offline = status(false);
    offline.unsent = 1;
    stage.put(Input::Status(Ok(offline)));
    reviewed("offline", &stage.screen());
    let mut waiting = status(true);
    waiting.peers = vec![PeerView {
        domain: "umbrella.test".parse().expect("a domain"),
        phase: "waiting".to_owned(),
        queued: 3,
        oldest_ms: NOW - 60_000,
        last_error: Some(ErrorCode::Unavailable),
        next_retry_ms: NOW + 12_000,
        absent_since_ms: NOW - 600_000,
    }];
    stage.put(Input::Status(Ok(waiting)));
    reviewed("peer-away", &stage.screen());
    let mut paused = rooms().remove(0);
    paused.standing = Standing::Paused;
    paused.problem = Some(ErrorCode::BadSignature);
    stage.put(Input::Happening(client::Happening::Room(paused)));
    assert!(stage.shows("paused:") && stage.shows("BadSignature"), "{}", stage.screen());
    stage.write("x");
    stage.press(KeyCode::Enter);
    assert!(stage.sent().is_empty() && stage.shows("this room is paused"), "{}", stage.screen());
    assert!(stage.shows("› x"), "what was written stays\n{}", stage.screen());
}

#[test]
fn no_size_is_too_small_and_every_row_has_its_width() {
    let mut stage = filled((80, 24));
    for mode in 0..7 {
        match mode {
            1 => stage.press(KeyCode::F(1)),
            2 => stage.ctrl('k'),
            3 => stage.ctrl('f'),
            4 => stage.press(KeyCode::F(3)),
            5 => {
                stage.ctrl('c');
                stage.press(KeyCode::F(2));
            }
            6 => stage.press(KeyCode::Esc),
            _ => {}
        }
        for columns in (0..=30).chain([69, 70, 99, 100, 119, 120, 300]) {
            for rows in [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 24, 100] {
                stage.resize((columns, rows));
                let screen = stage.screen();
                let widest = screen.lines().map(unicode_width::UnicodeWidthStr::width).max().unwrap_or(0);
                assert!(widest <= usize::from(columns), "{columns}x{rows}\n{screen}");
            }
        }
    }
}

// [NAME-7]
#[test]
fn nothing_that_somebody_else_wrote_reaches_the_terminal_as_more_than_text() {
    let hostile = [
        "\x1b]0;title\x07\x1b[2J\x1b[H",
        "\u{9b}31m\u{90}\u{9c}",
        "a\rb\u{8}c\u{b}d\u{c}e",
        "\u{202e}gpj.exe\u{2066}x\u{2069}",
        "\u{200b}\u{feff}\u{2060}\u{e0041}\u{34f}",
        "z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
        "👩‍👩‍👧‍👦🏽❤\u{fe0f}🇩🇪1\u{fe0f}\u{20e3}",
        "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語",
        "مرحبا بالعالم שלום",
        "\u{2028}\u{2029}\u{85}",
        "\u{0e33}\u{0e48}\u{1160}\u{3164}",
    ];
    for text in hostile {
        let mut rooms = rooms();
        rooms[0].name = text.to_owned();
        rooms[0].topic = text.to_owned();
        rooms[0].members.push(member("mallory@umbrella.test"));
        let mut messages = messages();
        messages.push(Message {
            reactions: vec![reaction(text, &[text])],
            ..said(20, "bob@umbrella.test", 0, text)
        });
        messages.push(Message { reply_to: Some(message_id(20)), ..said(21, "bob@umbrella.test", 0, text) });
        let renamed = MessageBody::Renamed { name: text.to_owned(), topic: text.to_owned() };
        messages.push(Message { body: renamed, ..said(22, "bob@umbrella.test", 0, "") });
        let odd = MessageBody::Changed { change: Change::Added, accounts: vec![text.to_owned()] };
        messages.push(Message { body: odd, ..said(23, "bob@umbrella.test", 0, "") });
        messages.push(Message {
            body: MessageBody::Unreadable(text.to_owned()),
            ..said(24, "bob@umbrella.test", 0, "")
        });
        for columns in [38, 80, 140] {
            let mut stage = Stage::filled((columns, 40), rooms.clone(), messages.clone());
            stage.put(Input::Happening(client::Happening::Warning(text.to_owned())));
            for _ in 0..2 {
                let screen = stage.screen();
                for row in screen.lines() {
                    assert!(row.chars().all(engine::view::text::is_plain), "{row:?}");
                    assert!(!row.contains(['\u{200d}', '\u{fe0f}']), "{row:?}");
                    assert!(unicode_width::UnicodeWidthStr::width(row) <= usize::from(columns), "{row:?}");
                }
                stage.press(KeyCode::F(3));
            }
        }
    }
}
