//! Waiting for what happens by itself: the one place where tests look again and again.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use client::Client;
use tokio::time::timeout;

/// How long a test waits for what has to come, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often something is looked at that tells nobody when it changes.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Looks again after each happening until something is there.
///
/// # Errors
/// Those of `look`; or if it does not happen.
pub async fn until<T>(client: &Client, look: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let mut happenings = client.watch();
    let looking = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            // What no happening tells is looked for.
            let _ = timeout(LOOK_AGAIN, happenings.next()).await;
        }
    };
    timeout(PATIENCE, looking).await.context("it does not happen")?
}

/// Looks again and again until something is there that no client tells of.
///
/// # Errors
/// Those of `look`; or if it does not happen.
pub async fn eventually<T>(look: impl AsyncFn() -> Result<Option<T>>) -> Result<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    timeout(PATIENCE, looking).await.context("it does not happen")?
}

/// The same for a test that has a thread of its own.
///
/// # Errors
/// Those of `look`; or if it does not happen.
pub fn look_until<T>(mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        ensure!(began.elapsed() < PATIENCE, "it does not happen");
        std::thread::sleep(LOOK_AGAIN);
    }
}
