//! The webhook of Alertmanager, version 4: a group of alerts that fire or are over.

use serde_json::Value;

use super::{Report, field};
use crate::command::bot::hook::refusal::Refusal;

/// Alerts that are told one by one.
const ALERTS_MAX: usize = 20;

pub(super) fn read(value: &Value) -> Result<Report, Refusal> {
    let alerts = value
        .get("alerts")
        .and_then(Value::as_array)
        .ok_or(Refusal::BadShape("send what Alertmanager sends: an object with a list `alerts`"))?;
    if alerts.is_empty() {
        return Ok(Report::Nothing("there is no alert in it"));
    }
    let mut lines: Vec<String> = alerts.iter().take(ALERTS_MAX).map(line).collect();
    let truncated = value.get("truncatedAlerts").and_then(Value::as_u64).unwrap_or(0);
    let more = alerts.len().saturating_sub(ALERTS_MAX) as u64 + truncated;
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    let url = field(value, "/externalURL");
    if !url.is_empty() {
        lines.push(url);
    }
    Ok(Report::Post(lines.join("\n")))
}

fn line(alert: &Value) -> String {
    let state = match field(alert, "/status").as_str() {
        "firing" => "FIRING",
        "resolved" => "RESOLVED",
        _ => "ALERT",
    };
    let name = field(alert, "/labels/alertname");
    let mut line = format!("{state} {}", if name.is_empty() { "(no name)" } else { &name });
    let severity = field(alert, "/labels/severity");
    if !severity.is_empty() {
        line.push_str(&format!(" ({severity})"));
    }
    let instance = field(alert, "/labels/instance");
    if !instance.is_empty() {
        line.push_str(&format!(" at {instance}"));
    }
    let summary = field(alert, "/annotations/summary");
    let says = if summary.is_empty() { field(alert, "/annotations/description") } else { summary };
    if !says.is_empty() {
        line.push_str(&format!(": {says}"));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn alerts_are_told_one_by_one_and_many_are_counted() {
        let value = json!({
            "version": "4", "status": "firing", "externalURL": "http://alerts.acme.test",
            "alerts": [
                {"status": "firing",
                 "labels": {"alertname": "PeerDown", "severity": "warning", "instance": "node-1"},
                 "annotations": {"summary": "umbrella.test is away"}},
                {"status": "resolved", "labels": {"alertname": "DiskFull"},
                 "annotations": {"description": "there is space again"}},
            ],
        });
        let text = "FIRING PeerDown (warning) at node-1: umbrella.test is away\n\
                    RESOLVED DiskFull: there is space again\nhttp://alerts.acme.test";
        assert_eq!(read(&value), Ok(Report::Post(text.to_owned())));
        let many = json!({"alerts": vec![json!({"status": "firing"}); 25], "truncatedAlerts": 5});
        let Ok(Report::Post(text)) = read(&many) else { panic!("posted") };
        assert_eq!(text.lines().count(), ALERTS_MAX + 1);
        assert!(text.ends_with("and 10 more"), "{text}");
        assert!(matches!(read(&json!({"alerts": []})), Ok(Report::Nothing(_))));
        assert!(read(&json!({"alerts": [1, null, "x"]})).is_ok(), "what makes no sense is told as such");
    }
}
