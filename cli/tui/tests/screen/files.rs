//! Files: those that are dragged onto the terminal, and those that others have sent.

use std::path::PathBuf;

use client::{BlobId, ErrorCode, Happening, Message, MessageBody, Outgoing, Transfer};
use ratatui::crossterm::event::KeyCode;
use tui::{Deed, Effect, Fault, Input, Part};

use crate::stage::{ALICE, BOB, Stage, page, room, room_id, said, talk};

/// Which files the screen has asked to send, and whether it has asked for anything else to be sent.
fn files_sent(stage: &mut Stage) -> (Vec<PathBuf>, Vec<Outgoing>) {
    let (mut files, mut sent) = (Vec::new(), Vec::new());
    for effect in stage.effects() {
        match effect {
            Effect::Do(Deed::PutFile(room, path)) => {
                assert_eq!(room, room_id(1));
                files.push(path);
            }
            Effect::Send { what, .. } => sent.push(what),
            _ => {}
        }
    }
    (files, sent)
}

fn looked_for(stage: &mut Stage) -> Vec<Vec<PathBuf>> {
    let effects = stage.effects().into_iter();
    effects
        .flat_map(|effect| if let Effect::Look { readings, .. } = effect { readings } else { Vec::new() })
        .collect()
}

#[test]
fn files_that_are_dragged_here_are_sent_if_the_reader_says_so() {
    let mut stage = talk();
    stage.write("see ");
    stage.put(Input::Paste("'/a/my plan.pdf' /a/b.pdf".to_owned()));
    let files = vec![PathBuf::from("/a/my plan.pdf"), PathBuf::from("/a/b\u{202e}fdp.exe")];
    assert_eq!(looked_for(&mut stage).first().map(Vec::len), Some(2));
    stage.put(Input::Dropped(room_id(1), files.clone()));
    assert!(stage.shows("Send these files to #ops?"), "{}", stage.screen());
    assert!(stage.shows("/a/my plan.pdf"), "where it is, too: {}", stage.screen());
    assert!(!stage.screen().contains('\u{202e}'), "a name of a file turns nothing around");
    stage.ctrl('y');
    assert_eq!(files_sent(&mut stage), (files, Vec::new()));
    assert!(stage.shows("› see"), "{}", stage.screen());
    assert!(!stage.shows("/a/"), "the paths are out of the text: {}", stage.screen());
}

#[test]
fn a_path_stays_text_if_it_is_no_file_or_the_reader_meant_text() {
    let mut stage = talk();
    let path = || Input::Paste("/etc/hosts".to_owned());
    let there = || Input::Dropped(room_id(1), vec![PathBuf::from("/etc/hosts")]);
    stage.put(path());
    stage.put(there());
    stage.press(KeyCode::Esc);
    assert!(stage.shows("› /etc/hosts"));
    stage.press(KeyCode::Enter);
    assert_eq!(files_sent(&mut stage), (Vec::new(), vec![Outgoing::text("/etc/hosts")]));
    // No such file.
    stage.put(path());
    stage.put(Input::Dropped(room_id(1), Vec::new()));
    assert!(!stage.shows("Send this file") && stage.shows("› /etc/hosts"));
    stage.press(KeyCode::Enter);
    // Written on before the disk has answered, or in another room.
    stage.put(path());
    stage.write(" is a file");
    stage.put(there());
    assert!(!stage.shows("Send this file"));
    stage.press(KeyCode::Enter);
    stage.put(path());
    stage.put(Input::Dropped(room_id(2), vec![PathBuf::from("/etc/hosts")]));
    assert!(!stage.shows("Send this file"));
    // Nobody looks for what is no path, nor while another question is open.
    stage.effects();
    stage.put(Input::Paste("hello".to_owned()));
    assert_eq!(looked_for(&mut stage), Vec::<Vec<PathBuf>>::new());
}

#[test]
fn whoever_goes_on_writing_after_the_question_came_up_sends_no_file() {
    for (typed, left) in [(" why does this fail", "/etc/hosts why does this fail"), ("y", "/etc/hostsy")] {
        let mut stage = talk();
        stage.put(Input::Paste("/etc/hosts".to_owned()));
        stage.put(Input::Dropped(room_id(1), vec![PathBuf::from("/etc/hosts")]));
        stage.press(KeyCode::Enter);
        assert!(stage.shows("Send this file to #ops?"), "Enter answers nothing: {}", stage.screen());
        stage.write(typed);
        assert!(!stage.shows("Send this file"), "{}", stage.screen());
        stage.ctrl('y');
        stage.press(KeyCode::Enter);
        assert_eq!(files_sent(&mut stage), (Vec::new(), vec![Outgoing::text(left)]));
    }
    // What is pasted next is text, too.
    let mut stage = talk();
    stage.put(Input::Paste("/etc/hosts".to_owned()));
    stage.put(Input::Dropped(room_id(1), vec![PathBuf::from("/etc/hosts")]));
    stage.put(Input::Paste(" yes".to_owned()));
    assert!(stage.shows("› /etc/hosts yes") && !stage.shows("Send this file"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert_eq!(files_sent(&mut stage), (Vec::new(), vec![Outgoing::text("/etc/hosts yes")]));
}

#[test]
fn a_long_path_is_shown_to_its_end_where_there_is_room() {
    let mut stage = talk();
    let folder = format!("/home/alice/{}", "folder/".repeat(12));
    stage.put(Input::Paste(format!("{folder}id_ed25519")));
    stage.put(Input::Dropped(room_id(1), vec![PathBuf::from(format!("{folder}id_ed25519"))]));
    let shown: String = stage.screen().replace(['\n', ' ', '│'], "");
    assert!(shown.contains("/home/alice/folder/") && shown.contains("id_ed25519"), "{}", stage.screen());
    stage.resize((40, 8));
    assert!(stage.shows("Ctrl-Y send"), "{}", stage.screen());
}

fn file(seq: u64, name: &str) -> Message {
    let info = client::FileInfo {
        blob: BlobId::new([9; 16]),
        name: name.to_owned(),
        size: 4_000,
        caption: String::new(),
    };
    Message { body: MessageBody::File(info), ..said(seq, BOB, 5, "") }
}

fn saves(stage: &mut Stage) -> Vec<Effect> {
    let effects = stage.effects().into_iter();
    effects.filter(|effect| matches!(effect, Effect::Save { .. })).collect()
}

#[test]
fn a_file_is_saved_by_a_key_and_one_sees_how_far_it_is() {
    let mut stage = talk();
    let messages = vec![said(23, BOB, 7, "three"), file(24, "plan\u{202e}.pdf")];
    stage.put(Input::Page(room_id(1), Part::Newest, Ok(page(messages))));
    let line = stage.screen().replace(['\n', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(line.contains("comity file get \"#ops\" 24"), "{line}");
    stage.press(KeyCode::Esc);
    assert!(stage.shows("s save it"), "{}", stage.screen());
    stage.write("s");
    let (room, seq, blob) = (room_id(1), 24, BlobId::new([9; 16]));
    assert_eq!(saves(&mut stage), [Effect::Save { room, seq, blob }]);
    stage.write("s");
    assert_eq!(saves(&mut stage), [], "once is enough");
    stage.later(60_000);
    let step = |upload, done| Transfer { room, blob, upload, done, total: 4_000 };
    stage.put(Input::Happening(Happening::Transfer(step(false, 1_000))));
    stage.put(Input::Happening(Happening::Transfer(step(true, 4_000))));
    assert!(stage.shows(r"saving plan\u{202e}.pdf 25 %"), "{}", stage.screen());
    stage.put(Input::Saved(blob, Ok(PathBuf::from("/home/alice/plan.pdf"))));
    assert!(stage.shows("saved: /home/alice/plan.pdf") && !stage.shows("25 %"), "{}", stage.screen());
    // What is there already is not replaced.
    stage.write("s");
    assert_eq!(saves(&mut stage).len(), 1);
    let fault = Fault { code: Some(ErrorCode::Conflict), text: "there".to_owned() };
    stage.put(Input::Saved(blob, Err(fault)));
    assert!(stage.shows(r"plan\u{202e}.pdf is not saved"), "{}", stage.screen());
    stage.press(KeyCode::Up);
    stage.write("s");
    assert_eq!(saves(&mut stage), []);
    assert!(stage.shows("there is no file in this message"), "{}", stage.screen());
}

#[test]
fn a_command_that_is_shown_means_the_room_and_nothing_else_to_a_shell() {
    for (name, same, word) in [
        ("ops", "garden", "get \"#ops\" 24"),
        ("ops", "ops", "get 01010101 24"),
        ("$(reboot)", "garden", "get 01010101 24"),
    ] {
        let rooms = vec![room(1, name, &[ALICE, BOB]), room(3, same, &[ALICE])];
        let stage = Stage::filled((120, 24), rooms, vec![file(24, "plan.pdf")]);
        let line = stage.screen().replace(['\n', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(line.contains(word), "{line}");
    }
}
