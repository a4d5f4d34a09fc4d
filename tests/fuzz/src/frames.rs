//! Frames and the shape of messages: the check and the decoder agree on what a message is.

use bytes::Bytes;
use wire::{Frame, frame as frames, proto, shape};

/// The messages that come from strangers, each a root of its own.
pub(crate) const ROOTS: [fn(&[u8]); 14] = [
    root::<proto::ClientFrame>,
    root::<proto::NodeFrame>,
    root::<proto::PeerRequest>,
    root::<proto::PeerResponse>,
    root::<proto::LinkFrame>,
    root::<proto::AdminRequest>,
    root::<proto::AdminResponse>,
    root::<proto::Content>,
    root::<proto::AccountKeys>,
    root::<proto::Join>,
    root::<proto::RoomFounding>,
    root::<proto::HubNotice>,
    root::<proto::MediaRequest>,
    root::<proto::MediaResponse>,
];

/// The first byte says which message the others are.
pub fn frame(bytes: &[u8]) {
    let Some((root, bytes)) = bytes.split_first() else { return };
    ROOTS[usize::from(*root) % ROOTS.len()](bytes);
}

fn root<M: Frame + PartialEq>(bytes: &[u8]) {
    let accepted = shape::check(M::SHAPE, bytes).is_ok();
    let lenient = M::decode(bytes);
    assert!(!accepted || lenient.is_ok(), "the check accepts what the decoder refuses");
    let strict = frames::decode::<M>(Bytes::copy_from_slice(bytes));
    assert_eq!(strict.is_ok(), accepted);
    if let (Ok(strict), Ok(lenient)) = (strict, lenient) {
        assert!(strict == lenient);
        let again = strict.encode_to_vec();
        assert!(shape::check(M::SHAPE, &again).is_ok(), "an encoder writes what the check refuses");
        assert!(frames::decode::<M>(again.into()).is_ok_and(|same| same == strict));
    }
}

/// The first byte says in how large pieces the others arrive; the frames do not depend on it.
pub fn stream(bytes: &[u8]) {
    let Some((step, bytes)) = bytes.split_first() else { return };
    let whole = read(bytes, bytes.len().max(1));
    assert_eq!(read(bytes, usize::from(*step).max(1)), whole);
}

fn read(bytes: &[u8], step: usize) -> (Vec<proto::LinkFrame>, Option<wire::ErrorCode>) {
    let mut decoder = frames::Decoder::default();
    let mut seen = Vec::new();
    for piece in bytes.chunks(step) {
        decoder.push(piece);
        loop {
            match decoder.next() {
                Ok(Some(frame)) => seen.push(frame),
                Ok(None) => break,
                Err(error) => return (seen, Some(error)),
            }
        }
    }
    (seen, None)
}
