//! Clients as people run them: the SDK, which encrypts, decrypts and commits to a disk of its own.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use client::{Client, ClientError, Contact, ErrorCode, Happening, Happenings, MessageBody, Outgoing, RoomId};
use identity::Ticket;
use kit::Node;
use tokio::task::JoinSet;
use wire::{
    Account,
    proto::{self, admin_request::Request, admin_response::Response},
};

use crate::{
    figure::{median, percentile},
    stage::{Stage, TEXT},
    table::Table,
};

/// Messages that one client hands over at once.
const AT_ONCE: usize = 32;
const MESSAGES: usize = 3_000;
const MESSAGES_OF_ONE: usize = 1_000;
const PAIRS: usize = 10;

pub(crate) async fn measure(table: &mut Table, runs: usize) -> Result<()> {
    let mut latencies = (Vec::new(), Vec::new());
    let (mut one, mut ten) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let times = latency().await.context("latency")?;
        latencies.0.push(percentile(&times, 0.5));
        latencies.1.push(percentile(&times, 0.99));
        one.push(throughput(1, MESSAGES_OF_ONE).await.context("1 pair")?);
        ten.push(throughput(PAIRS, MESSAGES / PAIRS).await.context("10 pairs")?);
    }
    table.add(
        'a',
        "federated latency at 20 msg/s, p50",
        (median(&latencies.0), "ms"),
        [
            "under 4.7",
            "4.7",
            "send to shown, with encryption; four fdatasyncs in a row: two clients, two nodes",
        ],
    );
    table.add('a', "federated latency at 20 msg/s, p99", (median(&latencies.1), "ms"), ["", "", ""]);
    table.add(
        'b',
        "with clients, 1 pair",
        (median(&one), "msg/s"),
        ["", "", "client stores on the same disk"],
    );
    table.add(
        'b',
        "with clients, 10 pairs",
        (median(&ten), "msg/s"),
        ["over 2,478 (3x)", "826", "20 encrypting clients on the same cores and disk"],
    );
    Ok(())
}

/// Two clients with a room between them.
struct Pair {
    sender: Client,
    reader: Client,
    happenings: Happenings,
    room: RoomId,
    _directory: tempfile::TempDir,
}

impl Pair {
    async fn make(stage: &Stage, number: usize) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let alice = format!("alice{number}@acme.test").parse()?;
        let bob = format!("bob{number}@umbrella.test").parse()?;
        let of_alice = login(&stage.acme, &alice, &directory.path().join("alice")).await?;
        let of_bob = login(&stage.umbrella, &bob, &directory.path().join("bob")).await?;
        // Every other pair is sent from the domain that does not order.
        let (sender, reader, to) =
            if number.is_multiple_of(2) { (of_alice, of_bob, bob) } else { (of_bob, of_alice, alice) };
        let happenings = reader.watch();
        let room = patiently(async || sender.direct(&to).await).await.context("the room")?;
        let mut pair = Self { sender, reader, happenings, room, _directory: directory };
        pair.send_all(1).await.context("the first message")?;
        Ok(pair)
    }

    /// Sends so many messages and waits until all are accepted and the reader shows all of them, in
    /// order; returns when it did.
    async fn send_all(&mut self, count: usize) -> Result<Instant> {
        let (sender, room) = (&self.sender, self.room);
        let send = async {
            let mut under_way = JoinSet::new();
            for _ in 0..count {
                while under_way.len() >= AT_ONCE {
                    under_way.join_next().await.context("some are under way")???;
                }
                let sender = sender.clone();
                under_way.spawn(async move {
                    sender.send(room, Outgoing::text(TEXT)).await.map(drop).map_err(anyhow::Error::from)
                });
            }
            while let Some(sent) = under_way.join_next().await {
                sent??;
            }
            Ok(())
        };
        let happenings = &mut self.happenings;
        let read = async {
            let (mut shown, mut last) = (0, 0);
            while shown < count {
                match happenings.next().await {
                    Some(Happening::Message(message)) if matches!(message.body, MessageBody::Text(_)) => {
                        ensure!(message.seq > last, "shown out of order");
                        last = message.seq;
                        shown += 1;
                    }
                    Some(Happening::Missed) => bail!("the reader is too slow to count"),
                    Some(_) => {}
                    None => bail!("the reader ended"),
                }
            }
            Ok(Instant::now())
        };
        tokio::try_join!(send, read).map(|((), shown)| shown)
    }

    async fn close(self) {
        self.sender.close().await;
        self.reader.close().await;
    }
}

/// Asks until the client has a session and the nodes have met.
async fn patiently<T>(ask: impl AsyncFn() -> Result<T, ClientError>) -> Result<T> {
    for _ in 0..100 {
        match ask().await {
            Err(ClientError::Refused(error)) if error.code == ErrorCode::Unavailable => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            done => return Ok(done?),
        }
    }
    bail!("nothing can be reached")
}

async fn login(node: &Node, account: &Account, directory: &Path) -> Result<Client> {
    let request = Request::InviteUser(proto::InviteUser { account: account.to_string() });
    let Response::Invite(invite) = node.ask(request)? else { bail!("no invitation") };
    let ticket = Ticket {
        account: account.clone(),
        code: invite.code.as_ref().try_into()?,
        fingerprint: invite.fingerprint.as_ref().try_into()?,
        endpoints: invite.endpoints.iter().map(|endpoint| endpoint.parse()).collect::<Result<_, _>>()?,
        expires: invite.expires,
    };
    let client = Client::login(directory, &ticket).await.context("the login")?;
    patiently(async || client.set_contact(Contact::Open).await).await.context("the contact policy")?;
    Ok(client)
}

/// Milliseconds from handing a message over to its being shown, at a low rate.
async fn latency() -> Result<Vec<f64>> {
    let stage = Stage::start()?;
    let mut pair = Pair::make(&stage, 1).await?;
    let mut times = Vec::new();
    for _ in 0..100 {
        let start = Instant::now();
        let shown = pair.send_all(1).await?;
        times.push((shown - start).as_secs_f64() * 1000.0);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    pair.close().await;
    Ok(times)
}

#[expect(clippy::cast_precision_loss, reason = "counts of messages")]
async fn throughput(pairs: usize, messages: usize) -> Result<f64> {
    let stage = Stage::start()?;
    let mut made = Vec::new();
    for number in 0..pairs {
        made.push(Pair::make(&stage, number).await?);
    }
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for mut pair in made {
        tasks.spawn(async move { pair.send_all(messages).await.map(|_| pair) });
    }
    let mut done = Vec::new();
    while let Some(pair) = tasks.join_next().await {
        done.push(pair??);
    }
    let seconds = start.elapsed().as_secs_f64();
    for pair in done {
        pair.close().await;
    }
    Ok((pairs * messages) as f64 / seconds)
}
