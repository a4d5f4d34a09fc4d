//! `comity util completion`: what a shell needs to complete verbs and options, and the names of rooms
//! and accounts, which it asks this program for.

use std::io::Write as _;

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    args,
    context::Context,
    error::CliError,
    examples::{self, Example},
};

pub(crate) const EXAMPLES: &[Example] = &[
    Example("For bash", "comity util completion bash > ~/.local/share/bash-completion/completions/comity"),
    Example("For fish", "comity util completion fish > comity.fish"),
    Example("For zsh, into a directory of $fpath", "comity util completion zsh > _comity"),
];

/// Print a completion script for a shell
///
/// Besides verbs and options it completes the names of your rooms and contacts.
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help(EXAMPLES))]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(super) fn run(_: &Context, args: &Args) -> Result<(), CliError> {
    let mut script = Vec::new();
    // `help` would repeat every verb.
    let mut command = args::Args::command().disable_help_subcommand(true);
    clap_complete::generate(args.shell, &mut command, "comity", &mut script);
    let names = match args.shell {
        Shell::Bash => BASH,
        Shell::Zsh => ZSH,
        Shell::Fish => FISH,
        _ => "",
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.write_all(names.as_bytes())?;
    Ok(())
}

/// A word that begins with `#`, or that is no option and fits no verb, is completed by names. `#` and
/// `@` break words in bash, so the word is taken from the line.
const BASH: &str = r##"
_comity_names() {
    _comity "$@"
    local word="${COMP_LINE:0:COMP_POINT}" name
    word="${word##*[[:space:]]}"
    word="${word#[\"\']}"
    if [[ $word == -* || ( -n $word && ${#COMPREPLY[@]} -gt 0 && $word != *[#@]* ) ]]; then
        return 0
    fi
    while IFS= read -r name; do
        if [[ $name == "$word"* ]]; then
            [[ $word == *@* && $COMP_WORDBREAKS == *@* ]] && name="${name#"${word%@*}"@}"
            COMPREPLY+=("$name")
        fi
    done < <("${COMP_WORDS[0]}" util names 2>/dev/null)
}
complete -F _comity_names -o bashdefault -o default comity
"##;

const ZSH: &str = r##"
_comity_names() {
    _comity "$@"
    local -a names
    names=(${(f)"$(comity util names 2>/dev/null)"})
    [[ $PREFIX != -* ]] && compadd -a names
}
if [ "$funcstack[1]" = "_comity" ]; then
    _comity_names "$@"
else
    compdef _comity_names comity
fi
"##;

const FISH: &str = r##"
complete -c comity -f -n 'not __fish_use_subcommand' -a '(comity util names 2>/dev/null)'
"##;
