//! Vectors of chapter 2: frames and the shape of messages.

use prost::Message as _;
use serde_json::{Value, json};
use wire::ErrorCode::{Malformed, TooLarge};
use wire::{ErrorCode, limits, proto};

use super::{File, file};
use crate::Case;
use crate::field::hex;

pub(super) fn all() -> Vec<File> {
    vec![streams(), messages(), shapes()]
}

fn streams() -> File {
    let ack = |received: u64| proto::BatchAck { received, answers: Vec::new() }.encode_to_vec();
    let framed = |body: &[u8]| [&u32::try_from(body.len()).unwrap_or(0).to_be_bytes(), body].concat();
    let input = |bytes: &[u8]| json!({ "bytes": hex(bytes) });
    let output = |received: &[u64], complete: bool| json!({ "received": received, "complete": complete });
    let both = [framed(&ack(1)), framed(&ack(300))].concat();
    let cases = vec![
        Case::good("nothing", input(&[]), output(&[], true)),
        Case::good("an empty message", input(&framed(&[])), output(&[0], true)),
        Case::good("two frames", input(&both), output(&[1, 300], true)),
        Case::good(
            "a frame and half a length",
            input(&[framed(&ack(1)), vec![0, 0]].concat()),
            output(&[1], false),
        ),
        Case::good("a frame that is not whole", input(&both[..both.len() - 1]), output(&[1], false)),
        Case::bad("a length of 2^32 - 1", input(&[0xff; 4]), TooLarge),
        Case::bad("one byte more than the limit", input(&(LIMIT + 1).to_be_bytes()), TooLarge),
        Case::bad("a message that breaks off", input(&framed(&[0x08])), Malformed),
    ];
    file("stream", "stream", "Frames of a stream, each holding a BatchAck without answers.", cases)
}

const LIMIT: u32 = limits::FRAME_BYTES_MAX as u32;

fn message(name: &str, bytes: &[u8]) -> Value {
    json!({ "message": name, "bytes": hex(bytes) })
}

fn same(name: &str, kind: &str, body: &impl prost::Message) -> Case {
    let bytes = body.encode_to_vec();
    Case::good(name, message(kind, &bytes), json!({ "bytes": hex(&bytes) }))
}

fn messages() -> File {
    let ack = proto::ClientFrame { frame: Some(proto::client_frame::Frame::Ack(1 << 40)) };
    let request = proto::ClientFrame {
        frame: Some(proto::client_frame::Frame::Request(proto::ClientRequest {
            id: 7,
            request: Some(proto::client_request::Request::GetAccount(proto::GetAccount {
                account: "bob@umbrella.test".into(),
            })),
        })),
    };
    let error = proto::Error { code: ErrorCode::StaleEpoch.code(), retry_after_ms: 0, value: 12 };
    let answer = proto::NodeFrame {
        frame: Some(proto::node_frame::Frame::Response(proto::ClientResponse {
            id: 7,
            response: Some(proto::client_response::Response::Error(error)),
        })),
    };
    let hello = proto::PeerHello {
        from: "acme.test".into(),
        to: "umbrella.test".into(),
        time_ms: 1_767_225_600_000,
        documents: Vec::new(),
        known_seq: 3,
        refused: None,
        instance: vec![5; 16].into(),
    };
    let resume = proto::LinkFrame {
        frame: Some(proto::link_frame::Frame::Resume(proto::LinkResume { received: 9, answers: Vec::new() })),
    };
    let cases = vec![
        same("an acknowledgement of a device", "ClientFrame", &ack),
        same("a request of a device", "ClientFrame", &request),
        same("a refusal that carries a number", "NodeFrame", &answer),
        same("a peer's hello", "PeerHello", &hello),
        same("the resuming of a link", "LinkFrame", &resume),
        Case::good(
            "an unknown field is passed over",
            message("BatchAck", &[0x08, 0x05, 0xfa, 0x03, 0x03, b'n', b'e', b'w']),
            json!({ "bytes": "0805" }),
        ),
        Case::good(
            "a value of an enumeration from the future",
            message("SetContactPolicy", &[0x08, 77]),
            json!({ "bytes": "084d" }),
        ),
        Case::bad("nothing but a tag", message("BatchAck", &[0x08]), Malformed),
    ];
    file("message", "frame", "Messages that are taken; given back as an encoder writes them.", cases)
}

fn shapes() -> File {
    let unknown = |count: usize| [0xe8, 0x07, 0x01].repeat(count);
    let items = |count: u32| {
        let batch = [0x0a, 0x00].repeat(count as usize);
        let mut bytes = vec![0x1a];
        prost::encoding::encode_varint(batch.len() as u64, &mut bytes);
        [bytes, batch].concat()
    };
    let bad = |name: &str, kind: &str, bytes: &[u8]| Case::bad(name, message(kind, bytes), Malformed);
    let cases = vec![
        Case::good("64 unknown fields", message("Error", &unknown(64)), json!({ "bytes": "" })),
        bad("65 unknown fields", "Error", &unknown(65)),
        bad("a singular field twice", "Error", &[0x08, 0x01, 0x08, 0x01]),
        bad("two members of a oneof", "ClientFrame", &[0x18, 0x05, 0x0a, 0x00]),
        bad("a member of a oneof twice", "ClientFrame", &[0x0a, 0x00, 0x0a, 0x00]),
        bad("a duplicate inside", "Answer", &[0x12, 0x04, 0x08, 0x01, 0x08, 0x01]),
        bad("zero in two bytes", "Error", &[0x08, 0x80, 0x00]),
        bad("a tag in two bytes", "Error", &[0x88, 0x00, 0x01]),
        bad(
            "eleven bytes of number",
            "Error",
            &[0x10, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        ),
        bad("65 bits", "Error", &[0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02]),
        bad("33 bits in a uint32", "Error", &[0x08, 0x80, 0x80, 0x80, 0x80, 0x10]),
        bad("2 as a bool", "KeyPackageUpload", &[0x10, 0x02]),
        bad(
            "a negative value of an enumeration",
            "SetContactPolicy",
            &[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ),
        bad("a number as bytes", "Error", &[0x0a, 0x01, 0x01]),
        bad("a number as fixed 32", "Error", &[0x0d, 0, 0, 0, 0]),
        bad("a text that is not UTF-8", "GetAccount", &[0x0a, 0x02, 0xff, 0xfe]),
        bad("field number 0", "Error", &[0x00, 0x00]),
        bad("a group", "Error", &[0x4b, 0x4c]),
        bad("wire type 6", "Error", &[0x4e]),
        bad("a length of 2^62", "Error", &[0x4a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]),
        bad("a trailing byte", "Error", &[0x08, 0x01, 0x00]),
        Case::bad("16,385 elements", message("LinkFrame", &items(16_385)), TooLarge),
    ];
    file(
        "shape",
        "frame",
        "Bytes that a lenient decoder of protocol buffers would take, and a peer may not.",
        cases,
    )
}
