//! What a new domain is to be: flags before the answers file before what a person says.

use std::{
    io::{BufRead as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
    str::FromStr,
};

use wire::{DomainName, name::Endpoint};
use zeroize::Zeroizing;

use super::answers::Answers;
use crate::{
    args::Init,
    failure::{Exit, Failure},
    passphrase::{self, Source},
};

/// Where a node listens if nobody says otherwise.
const LISTEN: &str = "0.0.0.0:4433";

/// What is known so far.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) domain: Option<DomainName>,
    pub(super) listen: SocketAddr,
    endpoints: Vec<Endpoint>,
    /// Protects root, next-root and recovery key.
    pub(super) passphrase: Option<Zeroizing<String>>,
    passphrase_file: Option<PathBuf>,
}

impl Plan {
    /// What flags and answers say.
    ///
    /// # Errors
    /// Those of the answers file.
    pub(super) fn begin(args: &Init) -> Result<Self, Failure> {
        let answers = args.answers.as_deref().map(Answers::read).transpose()?.unwrap_or_default();
        let listen = args
            .listen
            .or(answers.listen)
            .map_or_else(|| LISTEN.parse().map_err(|_| missing("--listen")), Ok)?;
        let endpoints = match args.endpoints.is_empty() {
            true => answers.endpoints,
            false => args.endpoints.clone(),
        };
        Ok(Self {
            domain: args.domain.clone().or(answers.domain),
            listen,
            endpoints,
            passphrase: None,
            passphrase_file: args.passphrase_file.clone().or(answers.passphrase_file),
        })
    }

    /// Asks for what is not known yet, if there is somebody to ask.
    ///
    /// # Errors
    /// `DomainMissing` and `EndpointMissing` if there is nobody; those of the passphrase.
    pub(super) fn complete(&mut self, args: &Init) -> Result<(), Failure> {
        let asks = !args.non_interactive && args.answers.is_none() && passphrase::may_ask();
        if self.domain.is_none() && asks {
            let question = "The domain, a DNS name of your organisation. It cannot be changed later";
            self.domain = Some(ask(question, None, DomainName::from_input)?);
        }
        let domain = self.domain()?.clone();
        if self.endpoints.is_empty() && asks {
            let question = "Where devices and other domains reach this node, as HOST:PORT (UDP)";
            let default = format!("{domain}:{}", self.listen.port());
            self.endpoints = vec![ask(question, Some(&default), Endpoint::from_str)?];
        }
        self.endpoints()?;
        if self.passphrase_file.is_some() {
            self.passphrase = Some(Source { file: self.passphrase_file.clone() }.new_one("the root keys")?);
        } else if asks && !args.no_passphrase {
            let question = "Protect root, next-root and recovery key by a passphrase? The node runs without \
                            it; renewing the domain document, once a year, needs it (yes or no)";
            if ask(question, Some("no"), yes_or_no)? {
                self.passphrase = Some(Source::default().new_one("the root keys")?);
            }
        }
        Ok(())
    }

    /// # Errors
    /// `DomainMissing`.
    pub(super) fn domain(&self) -> Result<&DomainName, Failure> {
        self.domain.as_ref().ok_or_else(|| missing("DOMAIN"))
    }

    /// Those that were given, or the domain itself at the port of the node.
    ///
    /// # Errors
    /// `EndpointMissing`.
    pub(super) fn endpoints(&self) -> Result<Vec<Endpoint>, Failure> {
        if !self.endpoints.is_empty() {
            return Ok(self.endpoints.clone());
        }
        let default = format!("{}:{}", self.domain()?, self.listen.port());
        let endpoint = default.parse().map_err(|_| {
            let what = "with port 0 nobody can know where to reach this node";
            Failure::new(Exit::Usage, "EndpointMissing", what, "add `--endpoint HOST:PORT`")
        })?;
        Ok(vec![endpoint])
    }
}

fn missing(what: &str) -> Failure {
    let what = format!("{what} is missing, and there is no terminal to ask for it");
    Failure::new(Exit::Usage, "DomainMissing", what, "`comityd init acme.example --data DIR`")
}

fn yes_or_no(text: &str) -> Result<bool, ()> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "y" => Ok(true),
        "no" | "n" => Ok(false),
        _ => Err(()),
    }
}

/// Asks on the terminal until the answer can be used.
fn ask<T, E>(
    question: &str,
    default: Option<&str>,
    read: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Failure> {
    let ended = || Failure::new(Exit::Usage, "AnswerMissing", "the input has ended", "answer, or use flags");
    loop {
        let shown = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        let mut out = std::io::stderr();
        write!(out, "{question}{shown}: ").and_then(|()| out.flush()).map_err(|_| ended())?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).map_err(|_| ended())? == 0 {
            return Err(ended());
        }
        let given = line.trim();
        let answer = if given.is_empty() { default.unwrap_or_default() } else { given };
        match read(answer) {
            Ok(value) => return Ok(value),
            Err(_) => writeln!(out, "That cannot be used.").map_err(|_| ended())?,
        }
    }
}
