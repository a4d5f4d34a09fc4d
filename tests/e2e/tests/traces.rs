//! One message can be followed through the log of a node, and a collector of traces is told how long
//! what took, and nothing of a person or a conversation.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::mpsc,
};

use anyhow::{Context as _, Result, ensure};
use kit::{Heard, Node, Talker, direct_talk, pin_each_other};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest, common::v1::any_value::Value as Attribute,
    trace::v1::Span,
};
use prost::Message as _;
use serde_json::Value;
use wire::{MessageId, proto::client_request::Request};

/// What a message of bob's, which acme orders, left in the logs of acme and umbrella.
struct Followed {
    messages: Vec<MessageId>,
    acme: Vec<Value>,
    umbrella: Vec<Value>,
}

async fn follow(collector: Option<SocketAddr>) -> Result<Followed> {
    let nodes = ["acme.test", "umbrella.test"].map(|domain| {
        let mut node = Node::init(domain)?;
        node.log_json();
        node.set_env("COMITY_LOG_LEVEL", "info,domain=debug");
        if let Some(collector) = collector {
            node.set_env("COMITY_TELEMETRY_OTLP_ENDPOINT", &format!("http://{collector}"));
        }
        node.run()?;
        anyhow::Ok(node)
    });
    let [acme, umbrella] = nodes;
    let (mut acme, mut umbrella) = (acme?, umbrella?);
    pin_each_other(&acme, &umbrella)?;
    let mut alice = Talker::enrol(&acme, "alice").await?;
    let mut bob = Talker::enrol(&umbrella, "bob").await?;
    let (_, mut voice) = direct_talk(&mut alice, &mut bob).await?;
    let mut messages = Vec::new();
    for content in [b"canary".as_slice(), b"yellow"] {
        let submission = voice.say(&bob, content)?;
        let id = submission.message_id.clone();
        bob.device.send_request(Request::Submit(submission)).await?;
        bob.until(|heard| matches!(heard, Heard::Event { head, .. } if head.message_id == id).then_some(()))
            .await?;
        messages.push(MessageId::try_from(id.as_ref())?);
    }
    Ok(Followed { messages, acme: log(&mut acme)?, umbrella: log(&mut umbrella)? })
}

/// The whole log of a node, which is ended.
fn log(node: &mut Node) -> Result<Vec<Value>> {
    node.stop_with_log()?.iter().map(|line| serde_json::from_str(line).context(line.clone())).collect()
}

fn text<'a>(line: &'a Value, field: &str) -> &'a str {
    line.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// What the lines about a message say, and the traces that they belong to.
fn about(log: &[Value], message: &MessageId) -> (Vec<String>, BTreeSet<String>) {
    let id = message.to_string();
    let lines: Vec<&Value> = log.iter().filter(|line| text(line, "message_id") == id).collect();
    let said = lines.iter().map(|line| text(line, "message").to_owned()).collect();
    (said, lines.iter().map(|line| text(line, "trace_id").to_owned()).collect())
}

// [ADMIN-34]
#[tokio::test(flavor = "multi_thread")]
async fn the_lines_of_a_message_have_its_trace() -> Result<()> {
    let Followed { messages, acme, umbrella } = follow(None).await?;
    let mut all = BTreeSet::new();
    for message in &messages {
        let (said, traces) = about(&umbrella, message);
        let expected = [
            "accepted for its hub",
            "sent to its hub",
            "ordered by its hub",
            "stored, and pushed to devices",
        ];
        ensure!(said == expected, "{said:#?}");
        ensure!(traces.len() == 1, "{traces:?}");
        let trace = traces.first().context("a trace")?;
        ensure!(trace.len() == 32 && trace.bytes().all(|digit| digit.is_ascii_hexdigit()), "{trace}");
        let answered = umbrella.iter().filter(|line| text(line, "trace_id") == trace);
        ensure!(answered.filter(|line| text(line, "message") == "answered").count() == 1, "{trace}");
        let (said, at_hub) = about(&acme, message);
        let expected = ["ordered here", "stored, and pushed to devices", "queued for a follower"];
        ensure!(said == expected, "{said:#?}");
        ensure!(at_hub.len() == 1 && !at_hub.contains(""), "{at_hub:?}");
        all.extend(traces);
        all.extend(at_hub);
    }
    ensure!(all.len() == 4, "two messages on two nodes share no trace: {all:?}");
    Ok(())
}

/// A collector: what each request to it held, until the end of the test.
fn collector() -> Result<(SocketAddr, mpsc::Receiver<Vec<u8>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (told, bodies) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let Ok(body) = collect(stream) else { continue };
            if told.send(body).is_err() {
                return;
            }
        }
    });
    Ok((address, bodies))
}

fn collect(stream: TcpStream) -> Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    ensure!(first == "POST /v1/traces HTTP/1.1\r\n", "{first}");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim_end().to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse()?,
            Some(("content-type", value)) => ensure!(value.trim() == "application/x-protobuf", "{value}"),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    reader.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
    Ok(body)
}

fn spans(bodies: &[Vec<u8>]) -> Result<Vec<Span>> {
    let mut spans = Vec::new();
    for body in bodies {
        let request = ExportTraceServiceRequest::decode(body.as_slice())?;
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.extend(scopes.flat_map(|scope| scope.spans));
    }
    Ok(spans)
}

// [ADMIN-34]
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_gets_traces_and_nothing_of_a_conversation() -> Result<()> {
    let (address, bodies) = collector()?;
    let Followed { messages, umbrella, .. } = follow(Some(address)).await?;
    // Both nodes have ended, and told everything before.
    let bodies: Vec<Vec<u8>> = bodies.try_iter().collect();
    let spans = spans(&bodies)?;
    for message in &messages {
        let (_, traces) = about(&umbrella, message);
        let of_message: Vec<&Span> = spans
            .iter()
            .filter(|span| traces.contains(&data_encoding::HEXLOWER.encode(&span.trace_id)))
            .collect();
        let [span] = of_message.as_slice() else { anyhow::bail!("{of_message:#?}") };
        ensure!(span.name == "request" && span.end_time_unix_nano >= span.start_time_unix_nano, "{span:?}");
        let kind = span.attributes.iter().find(|attribute| attribute.key == "kind");
        let kind = kind.and_then(|kind| kind.value.as_ref()?.value.as_ref());
        ensure!(kind == Some(&Attribute::StringValue("submit".into())), "{span:?}");
    }
    ensure!(spans.iter().any(|span| span.name == "batch"), "no batch of the other node");
    for span in &spans {
        ensure!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
        for attribute in &span.attributes {
            ensure!(["kind", "peer", "items"].contains(&attribute.key.as_str()), "{attribute:?}");
        }
    }
    for body in &bodies {
        let told = String::from_utf8_lossy(body);
        ensure!(
            !["alice", "bob", "@acme", "@umbrella", "canary"].iter().any(|secret| told.contains(secret)),
            "{told}"
        );
        for message in &messages {
            let bytes = message.to_bytes();
            ensure!(!body.windows(bytes.len()).any(|part| part == bytes), "a message's id is told");
            ensure!(!told.contains(&message.to_string()), "a message's id is told");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_harms_nothing() -> Result<()> {
    // One refuses connections, the other takes them and never answers.
    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let mute = TcpListener::bind("127.0.0.1:0")?;
    for address in [nobody, mute.local_addr()?] {
        let Followed { messages, umbrella, .. } = follow(Some(address)).await?;
        for message in &messages {
            let (said, _) = about(&umbrella, message);
            ensure!(said.len() == 4, "{said:?}");
        }
    }
    Ok(())
}
