//! The desktop, by the notification service on the session's bus (`org.freedesktop.Notifications`).

use std::{collections::BTreeMap, time::Duration};

use tokio::{sync::mpsc, time::timeout};
use zbus::{Connection, DynamicType, ObjectPath, Variant, wire::DynamicDeserialize};

use super::notify::ring;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";
/// How long the service may take; starting it is part of its first answer.
const WITHIN: Duration = Duration::from_secs(5);
/// Notifications that wait for the service.
const WAITING_MAX: usize = 16;
/// Characters of a title or a text.
const CHARS_MAX: usize = 300;
/// The service decides how long it shows.
const ITS_TIME: i32 = -1;
/// Between low and critical.
const NORMAL: u8 = 1;

/// What is to be told: title, and a text or nothing. Foreign.
type Words = (String, String);

/// Tells the desktop, one notification after another, beside the screen; what it does not take goes to
/// the terminal.
pub(super) struct Desktop(mpsc::Sender<Words>);

impl Desktop {
    pub(super) fn begin() -> Self {
        let (told, mut waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(async move {
            let mut service = None;
            while let Some(words) = waiting.recv().await {
                if !tell(&mut service, &words).await {
                    // A terminal that is gone is noticed where it is drawn on.
                    let _ = ring(&words.0, &words.1);
                }
            }
        });
        Self(told)
    }

    /// Has the desktop told.
    ///
    /// # Errors
    /// The words, if too much waits already.
    pub(super) fn tell(&self, title: String, body: String) -> Result<(), Words> {
        self.0.try_send((title, body)).map_err(mpsc::error::TrySendError::into_inner)
    }
}

/// Whether the service has taken it. A bus that was begun anew gets a second try.
async fn tell(service: &mut Option<Service>, words: &Words) -> bool {
    for _ in 0..2 {
        if service.is_none() {
            *service = timeout(WITHIN, Service::connect()).await.ok().and_then(Result::ok);
        }
        let Some(known) = service else { return false };
        if known.notify(words).await.is_ok() {
            return true;
        }
        *service = None;
    }
    false
}

/// A notification service, and what it can do.
struct Service {
    bus: Connection,
    body: bool,
    markup: bool,
}

impl Service {
    async fn connect() -> zbus::Result<Self> {
        let bus = zbus::connection::Builder::session().method_timeout(WITHIN).build().await?;
        let (can,): (Vec<String>,) = call(&bus, "GetCapabilities", &()).await?;
        let has = |what: &str| can.iter().any(|known| known == what);
        Ok(Self { body: has("body"), markup: has("body-markup"), bus })
    }

    async fn notify(&self, (title, body): &Words) -> zbus::Result<()> {
        let body = match self.body {
            true => shown(body, self.markup),
            false => String::new(),
        };
        let hints =
            BTreeMap::from([("category", Variant::from("im.received")), ("urgency", Variant::from(NORMAL))]);
        let actions: [&str; 0] = [];
        let words = ("Comity", 0_u32, "", shown(title, false), body, &actions[..], hints, ITS_TIME);
        let _: (u32,) = call(&self.bus, "Notify", &words).await?;
        Ok(())
    }
}

async fn call<R>(
    bus: &Connection,
    method: &'static str,
    body: &(impl serde::Serialize + DynamicType),
) -> zbus::Result<R>
where
    R: for<'d> DynamicDeserialize<'d>,
{
    let path = ObjectPath::try_from(PATH)?;
    bus.call_method(Some(NAME), &path, Some(NAME), method, body).await?.body().deserialize()
}

// [NAME-7]
/// A text as it may be handed to the desktop: no control character, no markup, not endless. A service
/// that shows markup gets its signs as entities; to another they would be letters.
fn shown(text: &str, markup: bool) -> String {
    let mut out = String::new();
    for letter in text.chars().take(CHARS_MAX) {
        match letter {
            letter if letter.is_control() => out.push(' '),
            '&' if markup => out.push_str("&amp;"),
            '<' if markup => out.push_str("&lt;"),
            '>' if markup => out.push_str("&gt;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // [NAME-7]
    #[test]
    fn nothing_foreign_is_markup_or_a_control_character() {
        for (text, plain, marked) in [
            ("hello", "hello", "hello"),
            ("<b>x</b>", "<b>x</b>", "&lt;b&gt;x&lt;/b&gt;"),
            ("&lt;", "&lt;", "&amp;lt;"),
            ("a\u{1b}]0;t\u{7}\n\0\u{9b}z", "a ]0;t    z", "a ]0;t    z"),
            ("<img src=\"file:///x\">", "<img src=\"file:///x\">", "&lt;img src=\"file:///x\"&gt;"),
        ] {
            assert_eq!(shown(text, false), plain, "{text:?}");
            assert_eq!(shown(text, true), marked, "{text:?}");
        }
        assert_eq!(shown(&"x".repeat(10_000), true).len(), CHARS_MAX);
    }
}
