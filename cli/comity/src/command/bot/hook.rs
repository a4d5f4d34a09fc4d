//! `comity bot hook`: takes what other services report over HTTP on this machine, and posts it to a
//! room. It runs beside the device, for only a device can encrypt.

mod pace;
mod refusal;
mod serve;
mod shape;
mod token;

use std::{net::SocketAddr, path::PathBuf};

use tokio::net::TcpListener;

use crate::{
    context::Context,
    device::{self, Word},
    error::CliError,
    examples::{self, Example},
    output::{Label, Paper, Show, room_label},
};
use serve::Hook;
use token::Token;

pub(crate) const EXAMPLES: &[Example] =
    &[Example("Alerts, pushes and anything else", "comity bot hook --room \"#ops\" --token-file hook.token")];

/// Post what other services report over HTTP
///
/// POST to /alertmanager, /github or /json (`{"text": "…", "title": "…"}`). The first and the last
/// want `Authorization: Bearer TOKEN`; GitHub signs with the token as its webhook's secret. Try it:
/// curl -H "Authorization: Bearer $(cat hook.token)" -d '{"text":"hi"}' http://127.0.0.1:8646/json
///
/// It listens on this machine only; put a proxy that speaks HTTPS before it for others.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Into which room
    #[arg(long, value_name = "ROOM", value_parser = device::word)]
    room: Word,
    /// The file with the token (0600); made if it is not there [env: COMITY_HOOK_TOKEN_FILE]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Where to listen; port 0 is any
    #[arg(
        long,
        env = "COMITY_HOOK_LISTEN",
        hide_env_values = true,
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8646"
    )]
    listen: SocketAddr,
    /// Posts of one minute; more get 429
    #[arg(long, value_name = "NUMBER", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=6_000))]
    per_minute: u32,
    /// Listen on another address than loopback: token and reports cross the network unencrypted
    #[arg(long)]
    insecure: bool,
}

/// Where it listens.
#[derive(Debug, serde::Serialize)]
struct Shown {
    listen: String,
    room: String,
    #[serde(skip)]
    label: String,
}

impl Show for Shown {
    const FIELDS: &'static [&'static str] = &["listen", "room"];

    fn show(&self, paper: &mut Paper) {
        let url = paper.paint(Label::Good, &format!("http://{}", self.listen));
        if paper.terminal() {
            paper.line(&format!("{url}/alertmanager, /github and /json post to {}", self.label));
        } else {
            paper.line(&format!("{}\t{}", self.listen, self.room));
        }
    }
}

/// What a report would post, if it is one.
pub(super) fn posted(path: &str, event: Option<&str>, body: &[u8]) -> Option<String> {
    match shape::Shape::of(path)?.read(body, event) {
        Ok(shape::Report::Post(text)) => Some(text),
        Ok(shape::Report::Nothing(_)) | Err(_) => None,
    }
}

pub(super) async fn run(context: &Context, args: Args) -> Result<(), CliError> {
    context.check_fields(Shown::FIELDS)?;
    if !args.listen.ip().is_loopback() && !args.insecure {
        return Err(CliError::usage(format!("{} can be reached from other machines", args.listen))
            .cause("token and reports would cross the network unencrypted")
            .hint("listen on 127.0.0.1 behind a proxy that speaks HTTPS, or add --insecure"));
    }
    let file = args.token_file.or_else(Context::hook_token_file).ok_or_else(|| {
        CliError::usage("the token is missing").hint("add --token-file FILE; it is made if it is not there")
    })?;
    let token = Token::load(context, &file)?;
    if token.is_guessable() {
        context.hint("the token is short, so whoever guesses at it holds up others behind the same proxy; delete its file to have a long one made");
    }
    let listener = TcpListener::bind(args.listen).await.map_err(|error| {
        CliError::usage(format!("cannot listen on {}", args.listen))
            .cause(error.to_string())
            .hint("choose another --listen ADDRESS")
    })?;
    device::with(context, async |client| {
        device::catch_up(context, client).await?;
        let room = device::find_joined(client, &args.room).await?;
        let listen = listener.local_addr()?.to_string();
        let label = room_label(&room);
        context.show(&Shown { listen, room: room.id.to_string(), label })?;
        let hook = Hook::new(client.clone(), room.id, token, args.per_minute);
        serve::serve(listener, hook).await
    })
    .await
}
