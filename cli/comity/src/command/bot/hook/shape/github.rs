//! Webhooks of GitHub: the usual events in a line or two, the others by their name.

use serde_json::Value;

use super::{Report, field};
use crate::command::bot::hook::refusal::Refusal;

/// Commits of a push that are told one by one.
const COMMITS_MAX: usize = 10;
/// An event's name is shorter.
const EVENT_BYTES_MAX: usize = 64;

pub(super) fn read(event: Option<&str>, value: &Value) -> Result<Report, Refusal> {
    let is_name = |event: &&str| {
        let known = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        !event.is_empty() && event.len() <= EVENT_BYTES_MAX && event.bytes().all(known)
    };
    let event = event.filter(is_name).ok_or(Refusal::BadShape("the header X-GitHub-Event is missing"))?;
    if !value.is_object() {
        return Err(Refusal::BadShape("send what GitHub sends, as application/json"));
    }
    Ok(match event {
        "ping" => Report::Nothing("it is a ping"),
        "push" => push(value),
        "pull_request" => thing(value, "pull request", "/pull_request"),
        "issues" => thing(value, "issue", "/issue"),
        "issue_comment" | "commit_comment" | "pull_request_review_comment" => comment(value),
        "release" => release(value),
        "workflow_run" => workflow(value),
        other => Report::Post(format!("{}: {other} {}", repository(value), by(value)).trim().to_owned()),
    })
}

fn repository(value: &Value) -> String {
    let name = field(value, "/repository/full_name");
    if name.is_empty() { "GitHub".to_owned() } else { name }
}

fn by(value: &Value) -> String {
    let sender = field(value, "/sender/login");
    let action = field(value, "/action");
    match (action.is_empty(), sender.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!("by {sender}"),
        (false, true) => action,
        (false, false) => format!("{action} by {sender}"),
    }
}

/// A first line and the address below it.
fn with_url(line: String, url: &str) -> Report {
    Report::Post(if url.is_empty() { line } else { format!("{line}\n{url}") })
}

fn push(value: &Value) -> Report {
    let branch = field(value, "/ref");
    let branch = branch.rsplit_once('/').map_or(branch.as_str(), |(_, name)| name).to_owned();
    let pusher = field(value, "/pusher/name");
    let commits = value.get("commits").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let truth = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    let what = match (truth("deleted"), truth("forced")) {
        (true, _) => "deleted".to_owned(),
        (false, true) => format!("forced {} commits to", commits.len()),
        (false, false) => format!("pushed {} commits to", commits.len()),
    };
    let mut lines = vec![format!("{}: {pusher} {what} {branch}", repository(value))];
    for commit in commits.iter().take(COMMITS_MAX) {
        let id: String = field(commit, "/id").chars().take(8).collect();
        lines.push(format!("{id} {}", field(commit, "/message")));
    }
    if commits.len() > COMMITS_MAX {
        lines.push(format!("and {} more", commits.len() - COMMITS_MAX));
    }
    with_url(lines.join("\n"), &field(value, "/compare"))
}

fn thing(value: &Value, kind: &str, at: &str) -> Report {
    let of = |name: &str| field(value, &format!("{at}/{name}"));
    let merged = value.pointer(&format!("{at}/merged")).and_then(Value::as_bool).unwrap_or(false);
    let action = field(value, "/action");
    let action = if merged && action == "closed" { "merged".to_owned() } else { action };
    let sender = field(value, "/sender/login");
    let line = format!("{}: {sender} {action} {kind} #{}: {}", repository(value), of("number"), of("title"));
    with_url(line, &of("html_url"))
}

fn comment(value: &Value) -> Report {
    let sender = field(value, "/sender/login");
    let about = field(value, "/issue/title");
    let line =
        format!("{}: {sender} commented {about}: {}", repository(value), field(value, "/comment/body"));
    with_url(line, &field(value, "/comment/html_url"))
}

fn release(value: &Value) -> Report {
    let line = format!(
        "{}: {} release {} {}",
        repository(value),
        field(value, "/action"),
        field(value, "/release/tag_name"),
        field(value, "/release/name"),
    );
    with_url(line.trim().to_owned(), &field(value, "/release/html_url"))
}

fn workflow(value: &Value) -> Report {
    if field(value, "/action") != "completed" {
        return Report::Nothing("the run goes on");
    }
    let of = |name: &str| field(value, &format!("/workflow_run/{name}"));
    let line =
        format!("{}: {} on {}: {}", repository(value), of("name"), of("head_branch"), of("conclusion"));
    with_url(line, &of("html_url"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn posted(event: &str, value: &Value) -> String {
        match read(Some(event), value) {
            Ok(Report::Post(text)) => text,
            other => panic!("{event}: {other:?}"),
        }
    }

    #[test]
    fn the_usual_events_are_told_in_words() {
        let repository = json!({"full_name": "acme/door"});
        let push = json!({
            "ref": "refs/heads/main", "pusher": {"name": "carol"}, "repository": repository,
            "compare": "https://example.test/c",
            "commits": [{"id": "0123456789abcdef", "message": "Close it\n\nProperly."}],
        });
        let text = "acme/door: carol pushed 1 commits to main\n01234567 Close it\nhttps://example.test/c";
        assert_eq!(posted("push", &push), text);
        let merged = json!({
            "action": "closed", "sender": {"login": "carol"}, "repository": repository,
            "pull_request": {"number": 7, "title": "A door", "html_url": "https://example.test/7", "merged": true},
        });
        let text = "acme/door: carol merged pull request #7: A door\nhttps://example.test/7";
        assert_eq!(posted("pull_request", &merged), text);
        let run = json!({
            "action": "completed", "repository": repository,
            "workflow_run": {"name": "ci", "head_branch": "main", "conclusion": "failure"},
        });
        assert_eq!(posted("workflow_run", &run), "acme/door: ci on main: failure");
        let star = json!({"action": "created", "sender": {"login": "eve"}, "repository": repository});
        assert_eq!(posted("star", &star), "acme/door: star created by eve");
    }

    #[test]
    fn what_is_missing_or_of_another_kind_is_left_out() {
        for event in ["push", "pull_request", "issues", "issue_comment", "release", "workflow_run", "x"] {
            for value in [json!({}), json!({"commits": 5, "action": [], "sender": null, "pull_request": "x"})]
            {
                assert!(read(Some(event), &value).is_ok(), "{event} {value}");
            }
        }
        assert!(matches!(read(Some("ping"), &json!({})), Ok(Report::Nothing(_))));
    }
}
