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
    // `help` would repeat every verb.
    let mut whole = args::Args::command().disable_help_subcommand(true);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut whole, "comity", &mut script);
    let mut verbs = Vec::new();
    that_name(&whole, "", &mut verbs);
    let verbs = verbs.iter().map(String::as_str);
    let names = match args.shell {
        Shell::Bash => BASH.replace("VERBS", &patterns(verbs)),
        Shell::Zsh => ZSH.replace("VERBS", &patterns(verbs)),
        Shell::Fish => FISH.replace("VERBS", &verbs.collect::<Vec<_>>().join("|")),
        _ => String::new(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.write_all(names.as_bytes())?;
    Ok(())
}

/// The verbs, as they are typed, that take a room or an account: after these there are names to offer.
fn that_name(command: &clap::Command, typed: &str, verbs: &mut Vec<String>) {
    let is_named = |arg: &clap::Arg| {
        let names = arg.get_value_names().unwrap_or_default();
        !arg.is_global_set() && names.iter().any(|name| name.contains("ROOM") || name.contains("ACCOUNT"))
    };
    if command.get_arguments().any(is_named) {
        verbs.push(typed.to_owned());
    }
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        that_name(below, format!("{typed} {}", below.get_name()).trim_start(), verbs);
    }
}

/// Verbs as patterns of a shell's `case`.
fn patterns<'a>(verbs: impl Iterator<Item = &'a str>) -> String {
    verbs.map(|verb| format!("*\" {verb} \"*")).collect::<Vec<_>>().join("|")
}

/// A word that begins with `#`, or that is no option and fits nothing else, is completed by names after
/// a verb that takes one. `#` and `@` break words in bash, so the word is taken from the line.
const BASH: &str = r##"
_comity_names() {
    _comity "$@"
    local word="${COMP_LINE:0:COMP_POINT}" name before
    word="${word##*[[:space:]]}"
    before="${COMP_LINE:0:COMP_POINT-${#word}}"
    word="${word#[\"\']}"
    case "$before" in
        VERBS) ;;
        *) return 0 ;;
    esac
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
    local typed=" ${words[2,CURRENT-1]} "
    _comity "$@"
    case "$typed" in
        VERBS) ;;
        *) return ;;
    esac
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
function __comity_takes_names
    string match --quiet --regex -- ' (VERBS) ' " "(string join -- ' ' (commandline --tokenize --cut-at-cursor --current-process))" "
end
complete -c comity -f -n __comity_takes_names -a '(comity util names 2>/dev/null)'
"##;
