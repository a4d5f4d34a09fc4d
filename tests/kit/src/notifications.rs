//! A session bus of its own (`dbus-daemon`) with a stand-in for a desktop's notification service on it.
//! The programs under test find it by `DBUS_SESSION_BUS_ADDRESS`. Where there is no `dbus-daemon`, a
//! test says that it is skipped.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io::{BufRead as _, BufReader},
    pin::Pin,
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use tempfile::TempDir;
use zbus::{Connection, OwnedVariant, export::futures_core::Stream as _, message::Type};

const NAME: &str = "org.freedesktop.Notifications";
/// How long a notification may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bus, and what the desktop was told on it. Ends with the test.
#[derive(Debug)]
pub struct Notifications {
    directory: TempDir,
    bus: Child,
    told: mpsc::Receiver<Told>,
}

/// What the desktop was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The program.
    pub program: String,
    /// The title, which is never markup.
    pub title: String,
    /// The text, which is markup.
    pub body: String,
}

impl Notifications {
    /// A bus with a service that shows markup; says so if there can be none.
    ///
    /// # Errors
    /// If there is a `dbus-daemon` and it does not work.
    pub fn start() -> Result<Option<Self>> {
        let directory = tempfile::Builder::new().prefix("comity-bus-").tempdir()?;
        let address = address(&directory);
        let mut daemon = Command::new("dbus-daemon");
        daemon
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .arg("--address")
            .arg(&address);
        let Ok(mut bus) = daemon.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
        else {
            crate::skipped("there is no dbus-daemon here (apt-get install dbus)");
            return Ok(None);
        };
        let mut line = String::new();
        BufReader::new(bus.stdout.take().context("a pipe")?).read_line(&mut line)?;
        ensure!(!line.is_empty(), "dbus-daemon does not run: {}", bus.wait()?);
        let (tell, told) = mpsc::channel();
        let (ready, is_ready) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::spawn(move || runtime.block_on(serve(&address, &ready, &tell)));
        is_ready.recv_timeout(PATIENCE).context("the service does not stand")?;
        Ok(Some(Self { directory, bus, told }))
    }

    /// The value of `DBUS_SESSION_BUS_ADDRESS` for programs under test.
    #[must_use]
    pub fn address(&self) -> String {
        address(&self.directory)
    }

    /// Waits for what the desktop is told next.
    ///
    /// # Errors
    /// If nothing comes.
    pub fn next(&self) -> Result<Told> {
        self.told.recv_timeout(PATIENCE).context("the desktop was told nothing")
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.bus.kill();
        let _ = self.bus.wait();
    }
}

fn address(directory: &TempDir) -> String {
    format!("unix:path={}", directory.path().join("bus").display())
}

/// The body of a `Notify`.
type Notify = (String, u32, String, String, String, Vec<String>, BTreeMap<String, OwnedVariant>, i32);

async fn serve(address: &str, ready: &mpsc::Sender<()>, tell: &mpsc::Sender<Told>) -> Result<()> {
    let building = zbus::connection::Builder::address(address).name(NAME);
    let mut calls = building.build_message_stream().await?;
    ready.send(())?;
    let bus = Connection::from(&calls);
    while let Some(call) = poll_fn(|context| Pin::new(&mut calls).poll_next(context)).await {
        let call = call?;
        let header = call.header();
        if call.message_type() != Type::MethodCall {
            continue;
        }
        match header.member().map(|member| member.as_str().to_owned()).as_deref() {
            Some("GetCapabilities") => bus.reply(&header, &(vec!["body", "body-markup"],)).await?,
            Some("Notify") => {
                let (program, _, _, title, body, _, _, _): Notify = call.body().deserialize()?;
                bus.reply(&header, &(1_u32,)).await?;
                tell.send(Told { program, title, body })?;
            }
            other => bail!("asked for {other:?}"),
        }
    }
    Ok(())
}
