//! What shells complete and what `man` shows, asked of the shells themselves and of who judges pages.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod house;

use std::{fs, path::Path, process::Command};

use house::{House, text};
use kit::Terminal;

/// What bash offers for a line that is typed so far.
fn bash(house: &House, line: &str) -> Vec<String> {
    let comity = env!("CARGO_BIN_EXE_comity");
    let script = format!(
        "eval \"$('{comity}' util completion bash)\"; COMP_LINE='{line}'; COMP_POINT=${{#COMP_LINE}}
         read -ra COMP_WORDS <<< \"$COMP_LINE\"; COMP_WORDS[0]='{comity}'
         [[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
         _comity_names '{comity}' \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"
         printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    offered(house, Command::new("bash").args(["-c", &script]))
}

/// What fish offers.
fn fish(house: &House, line: &str) -> Vec<String> {
    let script = format!("comity util completion fish | source; complete --do-complete '{line}'");
    offered(house, Command::new("fish").args(["--no-config", "-c", &script]))
}

/// The first column of what a shell prints.
fn offered(house: &House, shell: &mut Command) -> Vec<String> {
    let output = with_comity(house, shell).output().expect("a shell");
    let words = text(&output.stdout);
    words.lines().map(|line| line.split('\t').next().unwrap_or_default().to_owned()).collect()
}

/// Finds the program under test first, with the people of this house.
fn with_comity<'a>(house: &House, shell: &'a mut Command) -> &'a mut Command {
    let programs = Path::new(env!("CARGO_BIN_EXE_comity")).parent().expect("a directory");
    let path = std::env::join_paths(
        std::iter::once(programs.to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").expect("a path"))),
    );
    shell.env("PATH", path.expect("a path")).env("COMITY_HOME", house.people()).env("COMITY_AS", "alice")
}

fn house() -> House {
    let house = House::new();
    house.says("alice", &["room", "create", "ops", "bob@acme.test"], 0);
    house.says("alice", &["send", "bob@acme.test", "x", "--wait", "ordered"], 0);
    house
}

fn has(words: &[String], word: &str) -> bool {
    words.iter().any(|offered| offered == word)
}

#[test]
fn bash_completes_verbs_rooms_and_accounts() {
    let house = house();
    assert!(has(&bash(&house, "comity room inv"), "invite"));
    assert_eq!(bash(&house, "comity send #o"), ["#ops"]);
    assert_eq!(bash(&house, "comity send \"#o"), ["#ops"]);
    assert_eq!(bash(&house, "comity send bob@a"), ["acme.test"], "bash breaks words at @");
    assert!(has(&bash(&house, "comity send bo"), "bob@acme.test"));
    assert!(!has(&bash(&house, "comity room "), "#ops"), "a verb is wanted");
    assert!(!has(&bash(&house, "comity config set tui.theme "), "#ops"), "a colour is wanted");
}

#[test]
fn fish_completes_verbs_rooms_and_accounts() {
    if !kit::has_program("fish") {
        return;
    }
    let house = house();
    assert!(has(&fish(&house, "comity room inv"), "invite"));
    assert!(has(&fish(&house, "comity send \\#o"), "#ops"));
    assert!(has(&fish(&house, "comity --as alice send bo"), "bob@acme.test"));
    assert!(has(&fish(&house, "comity room "), "invite"));
    assert!(!has(&fish(&house, "comity room "), "bob@acme.test"), "a verb is wanted");
    assert!(!has(&fish(&house, "comity config set tui.theme "), "#ops"), "a colour is wanted");
}

/// zsh completes at a terminal only.
#[test]
fn zsh_completes_verbs_rooms_and_accounts() {
    if !kit::has_program("zsh") || !kit::has_terminal() {
        return;
    }
    let house = house();
    let types = |line: &str| {
        let terminal = Terminal::open(100, 30).expect("a terminal");
        let start = house.home.path().join("start.zsh");
        let mut shell = Command::new("zsh");
        let set: Vec<String> = with_comity(&house, &mut shell)
            .get_envs()
            .filter_map(|(name, value)| {
                let (name, value) = (name.to_string_lossy(), value?.to_string_lossy());
                Some(format!("export {name}='{value}'\n"))
            })
            .collect();
        let script = "autoload -Uz compinit; compinit -u -D; unsetopt beep; PS1='zsh-%% '; clear
                      eval \"$(comity util completion zsh)\"\n";
        fs::write(&start, set.concat() + script).expect("written");
        terminal.write("exec zsh -f\n").expect("typed");
        terminal.write(&format!(". {}\n", start.display())).expect("typed");
        terminal.wait_for("zsh-%").expect("a shell");
        terminal.write(line).expect("typed");
        terminal.press(&["Tab"]).expect("pressed");
        // What is typed after it stands on the screen once it was completed.
        terminal.write("~done").expect("typed");
        terminal.wait_for("~done").expect("completed")
    };
    assert!(types("comity room inv").contains("comity room invite"), "a verb");
    assert!(types("comity send bo").contains("comity send bob@acme.test"), "an account");
    assert!(types("comity send \\#o").contains("comity send \\#ops"), "a room");
    let offered = types("comity config set tui.theme ");
    assert!(!offered.contains("#ops") && !offered.contains("bob@"), "a colour is wanted: {offered}");
}

/// Every page of both programs.
#[test]
fn manual_pages_are_as_they_should_be() {
    let place = tempfile::tempdir().expect("a directory");
    let mut pages = Vec::new();
    for program in [env!("CARGO_BIN_EXE_comity").into(), kit::comityd().expect("the node")] {
        let status =
            Command::new(&program).args(["util", "man"]).arg(place.path()).output().expect("it runs");
        assert!(status.status.success(), "{}", text(&status.stderr));
    }
    for entry in fs::read_dir(place.path()).expect("a directory") {
        pages.push(entry.expect("an entry").path());
    }
    let page = |name: &str| fs::read_to_string(place.path().join(name)).expect(name);
    let version = env!("CARGO_PKG_VERSION");
    for (name, head) in [
        ("comity-room-invite.1", format!(".TH COMITY-ROOM-INVITE 1 \"\" \"comity {version}\" Comity")),
        ("comityd-config-show.1", format!(".TH COMITYD-CONFIG-SHOW 1 \"\" \"comityd {version}\" Comity")),
        ("comity.1", format!(".TH COMITY 1 \"\" \"comity {version}\" Comity")),
        ("comityd.1", format!(".TH COMITYD 1 \"\" \"comityd {version}\" Comity")),
    ] {
        let page = page(name);
        assert!(page.lines().any(|line| line.trim_end() == head), "{head} in {page}");
        assert!(page.contains(".SH NAME"), "{page}");
    }
    assert!(page("comity-room-invite.1").contains(".SH EXAMPLES\n.nf\n"), "examples stand line by line");
    if !kit::has_program("mandoc") {
        return;
    }
    let judged = Command::new("mandoc").args(["-Tlint", "-Wwarning"]).args(&pages).output().expect("mandoc");
    let faults = text(&judged.stdout) + &text(&judged.stderr);
    // They are of no date: the same sources print the same pages.
    let faults: Vec<&str> = faults.lines().filter(|line| !line.contains("missing date")).collect();
    assert!(faults.is_empty(), "{} faults, first {:?}", faults.len(), faults.first());
}
