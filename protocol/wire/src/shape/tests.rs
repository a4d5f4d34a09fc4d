//! Bytes that a lenient decoder would take and this check does not.

use bytes::Bytes;
use prost::Message as _;

use super::{Frame, check};
use crate::{ErrorCode, frame, limits, proto};

fn field(number: u32, wire_type: u32, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(u64::from(number << 3 | wire_type), &mut bytes);
    bytes.extend_from_slice(value);
    bytes
}

fn delimited(number: u32, value: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    prost::encoding::encode_varint(value.len() as u64, &mut length);
    [field(number, 2, &length), value.to_vec()].concat()
}

fn decoded<M: Frame>(bytes: &[u8]) -> Result<M, ErrorCode> {
    frame::decode::<M>(Bytes::copy_from_slice(bytes))
}

#[test]
fn what_our_encoder_writes_is_accepted() {
    let error = proto::Error { code: 0x101, retry_after_ms: u64::MAX, value: 1 << 63 };
    let frame = proto::LinkFrame {
        frame: Some(proto::link_frame::Frame::Ack(proto::BatchAck {
            received: 300,
            answers: vec![proto::Answer { number: 7, error: Some(error) }; 64],
        })),
    };
    assert_eq!(decoded(&frame.encode_to_vec()), Ok(frame));
    let state = proto::RoomState {
        room: Bytes::from_static(&[7; 32]),
        hub: "acme.test".into(),
        kind: proto::RoomKind::Group.into(),
        admins: vec!["alice@acme.test".into(), "bob@umbrella.test".into()],
        version: 1,
    };
    assert_eq!(decoded(&state.encode_to_vec()), Ok(state));
    assert_eq!(decoded(&[]), Ok(proto::ClientFrame::default()));
}

// [FRAME-4] [FRAME-5]
#[test]
fn each_bad_shape_is_malformed() {
    let ack = delimited(1, b"x");
    let table: Vec<(&str, Vec<u8>)> = vec![
        ("a singular number twice", [field(1, 0, &[1]), field(1, 0, &[1])].concat()),
        ("a number that is too long", field(1, 0, &[0x81, 0x00])),
        ("zero in two bytes", field(1, 0, &[0x80, 0x00])),
        ("a tag in two bytes", vec![0x88, 0x00, 0x01]),
        ("eleven bytes of number", field(2, 0, &[0x80; 11])),
        ("65 bits", field(2, 0, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02])),
        ("33 bits in a uint32", field(1, 0, &[0x80, 0x80, 0x80, 0x80, 0x10])),
        ("a number as bytes", ack.clone()),
        ("a number as fixed 32", field(1, 5, &[0; 4])),
        ("a number as fixed 64", field(1, 1, &[0; 8])),
        ("field number zero", field(0, 0, &[0])),
        ("the beginning of a group", field(9, 3, &[])),
        ("the end of a group", field(9, 4, &[])),
        ("wire type 6", field(9, 6, &[])),
        ("wire type 7", field(9, 7, &[])),
        ("a field number of 30 bits", vec![0x80, 0x80, 0x80, 0x80, 0x10]),
        ("a tag without a value", field(1, 0, &[])),
        ("a number that does not end", field(1, 0, &[0x80])),
        ("an unknown field that does not end", field(9, 2, &[5, 1, 2])),
        ("an unknown fixed 64 that does not end", field(9, 1, &[0; 7])),
        ("a length of 2^62", field(9, 2, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40])),
    ];
    for (name, bytes) in table {
        assert_eq!(decoded::<proto::Error>(&bytes), Err(ErrorCode::Malformed), "{name}");
    }
}

#[test]
fn texts_flags_and_enumerations_have_their_ranges() {
    let bad_text = delimited(1, b"\xff\xfe");
    assert_eq!(decoded::<proto::GetAccount>(&bad_text), Err(ErrorCode::Malformed));
    let bad_flag = field(2, 0, &[2]);
    assert_eq!(decoded::<proto::KeyPackageUpload>(&bad_flag), Err(ErrorCode::Malformed));
    let negative = field(1, 0, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
    assert_eq!(decoded::<proto::SetContactPolicy>(&negative), Err(ErrorCode::Malformed));
    let from_the_future = field(1, 0, &[77]);
    assert!(decoded::<proto::SetContactPolicy>(&from_the_future).is_ok());
}

// [FRAME-5]
#[test]
fn of_a_oneof_there_is_one() {
    let [ack, hello] = [field(3, 0, &[5]), delimited(1, &[])];
    assert!(decoded::<proto::ClientFrame>(&ack).is_ok());
    assert!(decoded::<proto::ClientFrame>(&hello).is_ok());
    for both in [
        [ack.clone(), hello.clone()].concat(),
        [hello.clone(), ack].concat(),
        [hello.clone(), hello].concat(),
    ] {
        assert_eq!(decoded::<proto::ClientFrame>(&both), Err(ErrorCode::Malformed));
    }
}

// [FRAME-5]
#[test]
fn a_duplicate_is_found_at_any_depth() {
    let inner = [field(1, 0, &[1]), field(1, 0, &[1])].concat();
    let answer = delimited(2, &inner);
    let ack = delimited(4, &delimited(2, &answer));
    assert_eq!(decoded::<proto::LinkFrame>(&ack), Err(ErrorCode::Malformed));
    let request = delimited(2, &ack);
    assert_eq!(decoded::<proto::PeerRequest>(&request), Err(ErrorCode::Malformed));
}

// [FRAME-7]
#[test]
fn a_few_unknown_fields_are_passed_over_and_many_are_not() {
    let unknown = |count: usize| {
        let one = [delimited(60, b"new"), field(61, 0, &[1]), field(62, 5, &[0; 4]), field(63, 1, &[0; 8])];
        (0..count).flat_map(|n| one[n % 4].clone()).collect::<Vec<u8>>()
    };
    let max = limits::FRAME_UNKNOWN_FIELDS_MAX;
    let known = field(1, 0, &[5]);
    let bytes = [unknown(max), known.clone()].concat();
    assert_eq!(decoded::<proto::Error>(&bytes).map(|error| error.code), Ok(5));
    let bytes = [unknown(max + 1), known].concat();
    assert_eq!(decoded::<proto::Error>(&bytes), Err(ErrorCode::Malformed));
    let spread = [delimited(2, &unknown(max)), unknown(1)].concat();
    assert_eq!(decoded::<proto::Answer>(&spread), Err(ErrorCode::Malformed), "counted over the frame");
}

// [FRAME-8]
#[test]
fn small_bytes_do_not_become_large_structures() {
    let batch = |items: usize| delimited(3, &delimited(1, &[]).repeat(items));
    assert!(decoded::<proto::LinkFrame>(&batch(limits::FRAME_ELEMENTS_MAX)).is_ok());
    let over = batch(limits::FRAME_ELEMENTS_MAX + 1);
    assert_eq!(decoded::<proto::LinkFrame>(&over), Err(ErrorCode::TooLarge));
}

// [FRAME-6]
#[test]
fn depth_is_bounded_even_where_a_message_holds_itself() {
    use super::{Field, Kind, Shape};
    static ITSELF: Shape = Shape { fields: &[Some(Field { kind: Kind::Message(&ITSELF), place: None })] };
    let nested = |depth: usize| (1..depth).fold(Vec::new(), |inner, _| delimited(1, &inner));
    assert_eq!(check(&ITSELF, &nested(limits::FRAME_NESTING_MAX)), Ok(()));
    assert_eq!(check(&ITSELF, &nested(limits::FRAME_NESTING_MAX + 1)), Err(ErrorCode::Malformed));
    assert_eq!(check(&ITSELF, &nested(101)), Err(ErrorCode::Malformed));
}
