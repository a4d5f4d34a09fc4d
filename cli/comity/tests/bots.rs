//! Programs as bots and reports over HTTP, against a real node.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod house;
mod watching;

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Output},
};

use hmac::{Hmac, KeyInit as _, Mac as _};
use house::{House, text};
use serde_json::Value;
use watching::Watching;

impl House {
    /// A group of alice and bob.
    fn ops(&self) {
        self.says("alice", &["room", "create", "ops", "bob@acme.test"], 0);
    }

    /// Runs a program as bob's bot until it ends.
    fn bot(&self, options: &[&str], script: &str) -> Output {
        self.run(&[&["--as", "bob", "bot", "run"], options, &["--", "sh", "-c", script]].concat())
    }

    /// What alice sees in #ops.
    fn seen(&self) -> Vec<String> {
        let listed = self.says("alice", &["message", "list", "#ops", "--json=text,kind"], 0);
        let listed = listed.lines().map(|line| serde_json::from_str::<Value>(line).expect("an object"));
        let texts = listed.filter(|message| message["kind"] == "text");
        texts.map(|message| message["text"].as_str().expect("a text").to_owned()).collect()
    }
}

/// The lines that a script has written into a file.
fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("an object to a line")).collect()
}

#[test]
fn a_program_is_told_what_is_unread_and_its_actions_are_done() {
    let house = House::new();
    house.ops();
    house.says("alice", &["send", "#ops", "ping\u{1b}[2J", "--wait", "ordered"], 0);
    let log = house.home.path().join("log");
    let script = format!(
        r##"exec 3> '{}'
        read -r ready; echo "$ready" >&3
        read -r message; echo "$message" >&3
        echo 'this is no action'
        read -r error; echo "$error" >&3
        echo '{{"action":"send","to":"#ops","text":"pong","wait":"ordered","ref":7}}'
        read -r done; echo "$done" >&3
        echo '{{"action":"react","room":"#ops","message":"@3","emoji":"+1"}}'
        read -r done; echo "$done" >&3
        echo '{{"action":"send","to":"#none","text":"x","ref":"b"}}'
        read -r error; echo "$error" >&3
        echo '{{"action":"send","to":"#ops","text":"bye"}}'"##,
        log.display()
    );
    let output = house.bot(&["--quiet"], &script);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let told = lines(&log);
    assert_eq!((&told[0]["event"], &told[0]["account"]), (&"ready".into(), &"bob@acme.test".into()));
    assert_eq!((&told[1]["event"], &told[1]["text"]), (&"message".into(), &"ping\u{1b}[2J".into()));
    assert_eq!((&told[1]["label"], &told[1]["direct"]), (&"#ops".into(), &false.into()));
    assert_eq!((&told[2]["event"], &told[2]["name"]), (&"error".into(), &"Malformed".into()), "it goes on");
    assert_eq!(
        (&told[3]["event"], &told[3]["ref"], &told[3]["level"]),
        (&"done".into(), &7.into(), &told[3]["level"])
    );
    assert!(told[3]["seq"].as_u64() > told[1]["seq"].as_u64(), "{}", told[3]);
    assert_eq!(told[4]["event"], "done", "{}", told[4]);
    assert_eq!((&told[5]["name"], &told[5]["ref"]), (&"NotFound".into(), &"b".into()));
    assert_eq!(house.says("bob", &["read", "--unread"], 0), "", "what it was told is read");
    house.says("bob", &["send", "#ops", "last", "--wait", "ordered"], 0);
    assert_eq!(house.seen(), ["ping\u{1b}[2J", "pong", "bye", "last"]);
}

#[test]
fn a_program_that_fails_is_started_again_and_is_told_what_it_did_not_read() {
    let house = House::new();
    house.ops();
    house.says("alice", &["send", "#ops", "once", "--wait", "ordered"], 0);
    let log = house.home.path().join("log");
    // It marks nothing as read and fails, the second time it is done.
    let script = format!(
        r##"read -r ready; read -r message; echo "$message" >> '{0}'
        [ "$(wc -l < '{0}')" -ge 2 ] || exit 3"##,
        log.display()
    );
    let output = house.bot(&["--manual-read"], &script);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("exit status: 3"), "{}", text(&output.stderr));
    let told = lines(&log);
    assert_eq!((told.len(), &told[0]), (2, &told[1]));

    let output = house.bot(&["--restarts", "0"], "exit 4");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let killed = house.bot(&["--restarts", "0"], "kill -9 $$");
    assert_eq!(killed.status.code(), Some(1), "{}", text(&killed.stderr));
    let missing = house.run(&["--as", "bob", "bot", "run", "--", "/nonexistent/bot"]);
    assert_eq!(missing.status.code(), Some(3), "{}", text(&missing.stderr));
    let schema = house.run(&["bot", "run", "--schema"]);
    serde_json::from_slice::<Value>(&schema.stdout).expect("JSON");
}

#[test]
fn however_long_a_line_is_the_next_one_is_done() {
    let house = House::new();
    house.ops();
    let log = house.home.path().join("log");
    let script = format!(
        r##"read -r ready
        head -c 3000000 /dev/zero | tr '\0' x; echo
        read -r error; echo "$error" > '{}'
        printf '\377\376\n'; read -r error
        echo; echo
        echo '{{"action":"send","to":"#ops","text":"after"}}'
        read -r done"##,
        log.display()
    );
    let output = house.bot(&[], &script);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(lines(&log)[0]["name"], "TooLarge");
    house.says("bob", &["send", "#ops", "end", "--wait", "ordered"], 0);
    assert_eq!(house.seen(), ["after", "end"]);
}

/// A hook that runs, and where.
struct Hook {
    _process: Watching,
    address: String,
    token: String,
}

impl Hook {
    fn start(house: &House, options: &[&str]) -> Self {
        let file = house.home.path().join("hook.token");
        let args = ["--as", "alice", "bot", "hook", "--room", "#ops", "--listen", "127.0.0.1:0", "--json"];
        let file_args = ["--token-file", file.to_str().expect("text")];
        let mut child: Child =
            house.command(&[&args[..], &file_args[..], options].concat()).spawn().expect("it runs");
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut first).expect("a line");
        let process = Watching(child);
        let shown: Value = serde_json::from_str(&first).expect("an object");
        assert_eq!(fs::metadata(&file).expect("made").permissions().mode() & 0o777, 0o600);
        let token = fs::read_to_string(&file).expect("made").trim().to_owned();
        Self { _process: process, address: shown["listen"].as_str().expect("an address").to_owned(), token }
    }

    /// Sends a request as it is and reads the answer: its code and its body.
    fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        // It may have answered and closed before all of it was sent.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = text(&answer);
        let code = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        (code, body)
    }

    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut request = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        self.raw(&[request.as_bytes(), body].concat())
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Posts with the token.
    fn report(&self, path: &str, body: &str) -> (u16, String) {
        self.post(path, &[("Authorization", &self.bearer())], body.as_bytes())
    }

    fn github(&self, event: &str, delivery: &str, body: &str, secret: &str) -> (u16, String) {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
        mac.update(body.as_bytes());
        let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let signature = format!("sha256={digits}");
        let headers = [
            ("X-GitHub-Event", event),
            ("X-GitHub-Delivery", delivery),
            ("X-Hub-Signature-256", signature.as_str()),
        ];
        self.post("/github", &headers, body.as_bytes())
    }
}

#[test]
fn reports_of_each_shape_are_posted_and_a_repeated_delivery_once() {
    let house = House::new();
    house.ops();
    let hook = Hook::start(&house, &[]);
    assert_eq!(hook.report("/json", "{\"text\":\"hi\",\"title\":\"Door\"}").0, 200);
    let alert = "{\"alerts\":[{\"status\":\"firing\",\"labels\":{\"alertname\":\"Fire\"}}]}";
    assert_eq!(hook.report("/alertmanager", alert).0, 200);
    let push = "{\"ref\":\"refs/heads/main\",\"pusher\":{\"name\":\"carol\"},\"commits\":[]}";
    for _ in 0..2 {
        assert_eq!(hook.github("push", "d-1", push, &hook.token).0, 200);
    }
    let (code, ping) = hook.github("ping", "d-2", "{\"zen\":\"x\"}", &hook.token);
    assert_eq!((code, ping.contains("\"posted\":false")), (200, true), "{ping}");
    house.says("alice", &["send", "#ops", "end", "--wait", "ordered"], 0);
    let seen = house.seen();
    assert_eq!(seen, ["Door\nhi", "FIRING Fire", "GitHub: carol pushed 0 commits to main", "end"]);
    assert!(seen.iter().all(|text| !text.contains(&hook.token)));
}

/// Path, headers, body; the code and the name of the answer.
type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u8], u16, &'a str);

#[test]
fn every_bad_request_has_its_name_and_its_code_and_good_ones_go_on() {
    let house = House::new();
    house.ops();
    let hook = Hook::start(&house, &["--per-minute", "40"]);
    let bearer = hook.bearer();
    let good: &[(&str, &str)] = &[("Authorization", &bearer)];
    let large = vec![b'x'; 300_000];
    let wrong_token = format!("Bearer {}x", hook.token);
    let bare: &[(&str, &str)] = &[("Authorization", &hook.token)];
    let wrong: &[(&str, &str)] = &[("Authorization", &wrong_token)];
    let rows: Vec<Row<'_>> = vec![
        ("/", good, b"{}", 404, "NotFound"),
        ("/json/", good, b"{}", 404, "NotFound"),
        ("/../json", good, b"{}", 404, "NotFound"),
        ("/json", &[], b"{\"text\":\"x\"}", 401, "BadToken"),
        ("/json", &[("Authorization", "Bearer ")], b"{\"text\":\"x\"}", 401, "BadToken"),
        ("/json", bare, b"{\"text\":\"x\"}", 401, "BadToken"),
        ("/json", wrong, b"{\"text\":\"x\"}", 401, "BadToken"),
        ("/alertmanager", &[("Authorization", "Basic eDp5")], b"{}", 401, "BadToken"),
        ("/github", good, b"{}", 401, "BadSignature"),
        ("/github", &[("X-Hub-Signature-256", "sha256=00")], b"{}", 401, "BadSignature"),
        ("/json", good, &large, 413, "TooLarge"),
        ("/github", &[], &large, 413, "TooLarge"),
        ("/json", good, b"", 400, "BadJson"),
        ("/json", good, b"\xff", 400, "BadJson"),
        ("/json", good, b"{}", 422, "BadShape"),
        ("/alertmanager", good, b"{\"alerts\":1}", 422, "BadShape"),
    ];
    for (path, headers, body, code, name) in rows {
        let (got, answer) = hook.post(path, headers, body);
        assert_eq!(got, code, "{path} {headers:?}: {answer}");
        let answer: Value = serde_json::from_str(&answer).expect("an object");
        assert_eq!(answer["error"]["name"], name, "{path} {headers:?}");
    }
    let get =
        format!("GET /json HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: {bearer}\r\n\r\n");
    assert_eq!(hook.raw(get.as_bytes()).0, 405);
    assert_eq!(hook.raw(b"\x16\x03\x01 nonsense\r\n\r\n").0, 400);
    assert_eq!(hook.github("push", "d", "{}", "another secret of some length").0, 401);
    assert_eq!(hook.github("", "d", "{}", &hook.token).0, 422);

    // Wrong secrets do not take the place of right ones.
    let wrong = (0..100).map(|_| hook.post("/json", &[], b"{}").0);
    assert!(wrong.into_iter().any(|code| code == 429));
    let codes: Vec<u16> = (0..30).map(|n| hook.report("/json", &format!("{{\"text\":\"{n}\"}}")).0).collect();
    let posted = codes.iter().filter(|code| **code == 200).count();
    assert!((10..30).contains(&posted) && codes.contains(&429), "{codes:?}");
    house.says("alice", &["send", "#ops", "end", "--wait", "ordered"], 0);
    assert_eq!(house.seen().len(), posted + 1, "what was refused is posted nowhere");
}

#[test]
fn a_hook_is_careful_where_it_listens_and_with_whose_token() {
    let house = House::new();
    house.ops();
    let hook = |args: &[&str]| {
        house.run(&[&["--as", "alice", "bot", "hook", "--room", "#ops", "--listen"], args].concat())
    };
    let open = house.home.path().join("open.token");
    fs::write(&open, "0123456789abcdef0123").expect("written");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).expect("changed");
    let short = house.home.path().join("short.token");
    fs::write(&short, "short").expect("written");
    fs::set_permissions(&short, fs::Permissions::from_mode(0o600)).expect("changed");
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    for (args, exit, says) in [
        (&["0.0.0.0:0"][..], 2, "--insecure"),
        (&["127.0.0.1:0"], 2, "token"),
        (&["127.0.0.1:0", "--token-file", &path(&open)], 2, "0600"),
        (&["127.0.0.1:0", "--token-file", &path(&short)], 2, "at least 16"),
        (&["127.0.0.1:0", "--token-file", "/nonexistent/token"], 10, "cannot write"),
        (&["127.0.0.1"], 2, "invalid"),
    ] {
        let output = hook(args);
        assert_eq!(output.status.code(), Some(exit), "{args:?}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(says), "{args:?}: {}", text(&output.stderr));
    }
}
