//! What this machine can do at best: a bare disk, a bare database, a bare QUIC stream.

use std::{
    fs::File,
    net::SocketAddr,
    os::unix::fs::FileExt as _,
    path::Path,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use wire::SecretKey;
use zeroize::Zeroizing;

use crate::{
    figure::{median, percentile},
    table::Table,
};

/// Bytes of one frame on a stream.
const FRAME: usize = 402;
/// Bytes of an event as the store keeps it, and events in a commit.
const ROW: usize = 430;
const ROWS: usize = 64;

pub(crate) async fn measure(table: &mut Table, runs: usize) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let (mut syncs, mut commits, mut echoes, mut frames, mut handshakes) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..runs {
        syncs.push(fdatasync_ms(&directory.path().join(format!("file{run}")))?);
        commits.push(group_commits(&directory.path().join(format!("db{run}"))).await?);
        let quic = Quic::start()?;
        echoes.push(quic.echo_ms().await?);
        frames.push(quic.frames().await?);
        handshakes.push(quic.handshakes().await?);
    }
    table.add(
        'h',
        "fdatasync of 4 KiB",
        (median(&syncs), "ms"),
        ["(limit)", "", "about 0.3 ms seen elsewhere"],
    );
    table.add(
        'h',
        "raw SQLite, rows in commits of 64",
        (median(&commits), "rows/s"),
        ["(limit)", "", "430-byte rows, one table, WAL, FULL"],
    );
    table.add(
        'h',
        "raw quinn, echo of 402 bytes",
        (median(&echoes), "ms"),
        ["(limit)", "", "0.16 ms seen elsewhere"],
    );
    table.add(
        'h',
        "raw quinn, 402-byte frames one way",
        (median(&frames), "/s"),
        ["(limit)", "", "240,000-310,000 seen elsewhere"],
    );
    table.add(
        'h',
        "raw quinn, full handshakes",
        (median(&handshakes), "/s"),
        ["(limit)", "", "both ends on this machine; about 600 seen elsewhere"],
    );
    Ok(())
}

fn fdatasync_ms(path: &Path) -> Result<f64> {
    let file = File::create(path)?;
    file.write_all_at(&vec![0; 1 << 20], 0)?;
    file.sync_all()?;
    let mut times = Vec::new();
    for index in 0..200_u64 {
        let start = Instant::now();
        file.write_all_at(&[1; 4096], index % 256 * 4096)?;
        file.sync_data()?;
        times.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(&times))
}

async fn group_commits(path: &Path) -> Result<f64> {
    const COMMITS: i64 = 300;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection: SqliteConnection = options.connect().await?;
    sqlx::query("CREATE TABLE event (position INTEGER PRIMARY KEY, row BLOB NOT NULL)")
        .execute(&mut connection)
        .await?;
    let values = vec!["(?, ?)"; ROWS].join(",");
    let text: Arc<str> = format!("INSERT INTO event VALUES {values}").into();
    let start = Instant::now();
    for commit in 0..COMMITS {
        let mut insert = sqlx::query(AssertSqlSafe(Arc::clone(&text)));
        for position in (commit * 64..).take(ROWS) {
            insert = insert.bind(position).bind(vec![7_u8; ROW]);
        }
        insert.execute(&mut connection).await?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
    Ok((COMMITS as f64 * ROWS as f64) / start.elapsed().as_secs_f64())
}

/// Two bare endpoints with the TLS of Comity.
struct Quic {
    client: quinn::Endpoint,
    address: SocketAddr,
    _server: quinn::Endpoint,
}

impl Quic {
    fn start() -> Result<Self> {
        let key = SecretKey::from_seed(&Zeroizing::new([7; 32]));
        let crypto = QuicServerConfig::try_from(tls::server_config(&key, &[tls::ALPN_CLIENT])?)?;
        let config = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        let server = quinn::Endpoint::server(config, ([127, 0, 0, 1], 0).into())?;
        let address = server.local_addr()?;
        tokio::spawn(serve(server.clone()));
        let mut client = kit::endpoint()?;
        let crypto = QuicClientConfig::try_from(tls::client_config(None, tls::ALPN_CLIENT)?)?;
        client.set_default_client_config(quinn::ClientConfig::new(Arc::new(crypto)));
        Ok(Self { client, address, _server: server })
    }

    async fn connect(&self) -> Result<quinn::Connection> {
        Ok(self.client.connect(self.address, "acme.test")?.await?)
    }

    async fn echo_ms(&self) -> Result<f64> {
        let (mut send, mut receive) = self.connect().await?.open_bi().await?;
        send.write_all(&[1]).await?;
        let mut frame = [2; FRAME];
        let mut times = Vec::new();
        for _ in 0..2000 {
            let start = Instant::now();
            send.write_all(&frame).await?;
            receive.read_exact(&mut frame).await?;
            times.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(percentile(&times, 0.5))
    }

    async fn frames(&self) -> Result<f64> {
        const FRAMES: usize = 200_000;
        let (mut send, mut receive) = self.connect().await?.open_bi().await?;
        send.write_all(&[0]).await?;
        let start = Instant::now();
        for _ in 0..FRAMES {
            send.write_all(&[2; FRAME]).await?;
        }
        send.finish()?;
        receive.read_to_end(16).await?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        Ok(FRAMES as f64 / start.elapsed().as_secs_f64())
    }

    async fn handshakes(&self) -> Result<f64> {
        let end = Instant::now() + Duration::from_secs(1);
        let mut count = 0.0;
        while Instant::now() < end {
            for connection in join_all((0..16).map(|_| self.connect()).collect()).await {
                connection?.close(0_u32.into(), b"");
                count += 1.0;
            }
        }
        Ok(count / (1.0 + Instant::now().duration_since(end).as_secs_f64()))
    }
}

/// Polls all of them until each is done.
async fn join_all<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pending: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(move |context| {
        for (future, output) in &mut pending {
            if output.is_none()
                && let Poll::Ready(done) = future.as_mut().poll(context)
            {
                *output = Some(done);
            }
        }
        if pending.iter().any(|(_, output)| output.is_none()) {
            return Poll::Pending;
        }
        Poll::Ready(pending.iter_mut().filter_map(|(_, output)| output.take()).collect())
    })
    .await
}

async fn serve(server: quinn::Endpoint) {
    while let Some(incoming) = server.accept().await {
        tokio::spawn(async move {
            let connection = incoming.await?;
            let (mut send, mut receive) = connection.accept_bi().await?;
            let mut kind = [0];
            receive.read_exact(&mut kind).await?;
            let echo = kind == [1];
            while let Some(chunk) = receive.read_chunk(65_536, true).await.context("a chunk")? {
                if echo {
                    send.write_all(&chunk.bytes).await?;
                }
            }
            send.finish()?;
            let _ = send.stopped().await;
            anyhow::Ok(())
        });
    }
}
