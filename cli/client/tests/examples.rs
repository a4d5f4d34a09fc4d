//! The examples of the library, run as they are: two devices of one domain, and what came of it.
#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use client::{Begin, Client, Cursor, Level, Message, MessageBody, Next, Outgoing, Tail, Ticket};
use kit::Node;

struct House {
    node: Node,
    home: tempfile::TempDir,
}

impl House {
    fn new() -> Self {
        let node = Node::start("acme.test").expect("a node");
        Self { node, home: tempfile::tempdir().expect("a directory") }
    }

    /// The directory of a new device.
    async fn login(&self, name: &str) -> PathBuf {
        let account = format!("{name}@acme.test").parse().expect("an account");
        let ticket = Ticket {
            code: self.node.invite(&account).expect("invited"),
            fingerprint: *self.node.fingerprint(),
            endpoints: vec![self.node.address().to_string().parse().expect("an endpoint")],
            expires: 4_000_000_000,
            account,
        };
        let dir = self.home.path().join(name);
        let client = Client::login(&dir, &ticket).await.expect("logged in");
        let mut happenings = client.watch();
        while !client.status().await.expect("a status").caught_up {
            happenings.next().await.expect("it goes on");
        }
        client.close().await;
        dir
    }
}

fn example(name: &str, args: &[&str], dir: &Path) -> Command {
    let mut command = Command::new(kit::example(name).expect("it builds"));
    command.arg(dir).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn good(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn texts(messages: &[Message]) -> Vec<&str> {
    let text = |message: &'_ Message| matches!(message.body, MessageBody::Text(_));
    messages
        .iter()
        .filter(|message| text(message))
        .map(|message| match &message.body {
            MessageBody::Text(text) => text.as_str(),
            _ => "",
        })
        .collect()
}

/// The texts of others that a device gets, until there are so many.
async fn heard(client: &Client, count: usize) -> Vec<String> {
    let mut tail = Tail::new(client, None, Begin::Unread).await.expect("a tail");
    let mut heard = Vec::new();
    while heard.len() < count {
        if let Some(Next::Messages(messages)) = tail.next().await.expect("it goes on") {
            let others: Vec<Message> = messages.into_iter().filter(|message| !message.own).collect();
            heard.extend(texts(&others).into_iter().map(str::to_owned));
        }
    }
    heard
}

#[tokio::test]
async fn one_message_is_sent_and_a_command_is_bridged() {
    let house = House::new();
    let (alice, bob) = (house.login("alice").await, house.login("bob").await);
    good(&example("send", &["bob@acme.test", "hello"], &alice).output().expect("it runs"));
    let lines = "printf 'one\\n\\ntwo\\n'";
    good(&example("bridge", &["bob@acme.test", lines], &alice).output().expect("it runs"));
    let failed = example("bridge", &["bob@acme.test", "exit 3"], &alice).output().expect("it runs");
    assert_eq!(failed.status.code(), Some(3), "the command's own");
    let bob = Client::open(&bob).await.expect("opened");
    assert_eq!(heard(&bob, 3).await, ["hello", "one", "two"]);
    bob.close().await;
}

#[tokio::test]
async fn the_echo_answers_and_a_room_is_exported() {
    let house = House::new();
    let (alice, bob) = (house.login("alice").await, house.login("bob").await);
    let client = Client::open(&alice).await.expect("opened");
    let changed = client.create_room("ops", &["bob@acme.test".parse().expect("an account")]).await;
    let room = changed.expect("a room").room;
    let mut echo = example("echo", &[], &bob).spawn().expect("it runs");
    let sent = client.send(room, Outgoing::text("is anybody there?\u{1b}[2J")).await.expect("sent");
    let own = client.wait(sent, Level::Ordered).await.expect("ordered");
    assert_eq!(heard(&client, 1).await, ["is anybody there?\u{1b}[2J"]);
    echo.kill().expect("it runs");
    echo.wait().expect("it ends");
    let page = client.messages(room, Cursor { limit: 1, ..Cursor::default() }).await.expect("a page");
    assert_eq!(page.messages[0].reply_to, Some(own.id));
    client.close().await;
    let exported = good(&example("export", &["ops"], &alice).output().expect("it runs"));
    let line = |name: &str| format!("{name}@acme.test\tis anybody there?\\u{{1b}}[2J\n");
    assert_eq!(exported, line("alice") + &line("bob"));
}

#[tokio::test]
async fn a_tail_says_everything_once_over_pages_and_goes_on_where_it_is_told() {
    let house = House::new();
    let (alice, bob) = (house.login("alice").await, house.login("bob").await);
    let (alice, bob) =
        (Client::open(&alice).await.expect("opened"), Client::open(&bob).await.expect("opened"));
    let account = "bob@acme.test".parse().expect("an account");
    let mut last = None;
    for n in 0..450 {
        last = Some(alice.send_to(&account, Outgoing::text(n.to_string())).await.expect("sent"));
    }
    let expected: Vec<String> = (0..450).map(|n| n.to_string()).collect();
    assert_eq!(heard(&bob, 450).await, expected);
    let sent = last.expect("sent");
    let place = alice.wait(sent, Level::Ordered).await.expect("ordered").seq;
    let mut tail = Tail::new(&bob, Some([sent.room].into()), Begin::Now).await.expect("a tail");
    tail.seek(sent.room, place - 3);
    let Some(Next::Messages(messages)) = tail.next().await.expect("it goes on") else {
        panic!("messages come first")
    };
    assert_eq!(texts(&messages), ["447", "448", "449"]);
    bob.close().await;
    alice.close().await;
}
