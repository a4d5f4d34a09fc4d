//! What stands inside the ciphertext: which contents are well-formed, and how their size is hidden.

use bytes::Bytes;
use prost::Message as _;
use wire::{
    BlobId, ErrorCode, MessageId, frame, limits,
    proto::{self, Content, content::Kind},
    text,
};

/// The version of contents that is written, and the only one that is read.
pub const VERSION: u32 = 1;

const BUCKET_BYTES_MIN: usize = 128;

/// The size to which a plaintext of at least `bytes` is padded ([MLS-30]): 128, then alternately one
/// and a half and two times the last power of two. Between 0 and 50 % longer, and most of what people
/// write is one of three sizes.
#[must_use]
pub fn bucket(bytes: usize) -> usize {
    let mut power = BUCKET_BYTES_MIN;
    while power < bytes {
        let half = power / 2;
        if power + half >= bytes {
            return power + half;
        }
        power *= 2;
    }
    power
}

/// Encodes a content and pads it to its bucket ([MLS-30]).
///
/// # Errors
/// As [`check`].
pub fn pad(content: &Content) -> Result<Bytes, ErrorCode> {
    check(content)?;
    let mut padded = Content { padding: Bytes::new(), ..content.clone() };
    let bare = padded.encoded_len();
    let mut size = bucket(bare);
    // A field of n bytes takes more than n, and not every size can be reached: then the next bucket.
    while size != bare {
        if let Some(zeros) = field_of(size - bare) {
            padded.padding = vec![0; zeros].into();
            break;
        }
        size = bucket(size + 1);
    }
    Ok(padded.encode_to_vec().into())
}

/// Decodes a plaintext and checks it. The padding is not returned.
///
/// # Errors
/// As [`check`]; `Malformed` too if its shape is not that of a message ([`wire::shape`]), or the
/// padding is not zero or not to a bucket.
pub fn unpad(plaintext: &[u8]) -> Result<Content, ErrorCode> {
    // A decoder alone would merge a field that stands twice, and another client would not.
    let mut content: Content = frame::decode(Bytes::copy_from_slice(plaintext))?;
    let padding = std::mem::take(&mut content.padding);
    // [MLS-30]
    if bucket(plaintext.len()) != plaintext.len() || padding.iter().any(|byte| *byte != 0) {
        return Err(ErrorCode::Malformed);
    }
    check(&content)?;
    Ok(content)
}

/// Whether a content is well-formed ([MLS-31]).
///
/// # Errors
/// `Unsupported` for another version or an unknown kind; `TooLarge` over a limit of its kind;
/// `Malformed` for an id of the wrong length or an empty field that must not be.
pub fn check(content: &Content) -> Result<(), ErrorCode> {
    if content.version != VERSION {
        return Err(ErrorCode::Unsupported);
    }
    let head = (content.head_seq, content.head_hash.len());
    if !matches!(head, (0, 0) | (1.., 32)) {
        return Err(ErrorCode::Malformed);
    }
    match content.kind.as_ref().ok_or(ErrorCode::Unsupported)? {
        Kind::Text(text) => {
            if !text.reply_to.is_empty() {
                id(&text.reply_to)?;
            }
            within(&text.body, limits::CONTENT_BODY_BYTES_MAX)
        }
        Kind::Edit(edit) => {
            id(&edit.target)?;
            within(&edit.body, limits::CONTENT_BODY_BYTES_MAX)
        }
        Kind::Delete(delete) => id(&delete.target),
        Kind::Reaction(reaction) => {
            id(&reaction.target)?;
            within(&reaction.emoji, limits::REACTION_BYTES_MAX)?;
            text::check_line(&reaction.emoji, limits::REACTION_BYTES_MAX)
        }
        Kind::Read(read) if read.seq == 0 => Err(ErrorCode::Malformed),
        Kind::Read(_) | Kind::Typing(_) => Ok(()),
        Kind::RoomInfo(info) => {
            text::check_line(&info.name, limits::ROOM_NAME_BYTES_MAX)?;
            text::check_line(&info.topic, limits::ROOM_TOPIC_BYTES_MAX)
        }
        Kind::File(file) => check_file(file),
    }
}

// [MEDIA-7]
fn check_file(file: &proto::File) -> Result<(), ErrorCode> {
    BlobId::try_from(file.blob.as_ref())?;
    if file.key.len() != 32 || file.hash.len() != 32 {
        return Err(ErrorCode::Malformed);
    }
    let too_large = file.size > limits::FILE_BYTES_MAX as u64
        || file.thumbnail.len() > limits::THUMBNAIL_BYTES_MAX
        || file.caption.len() > limits::CONTENT_BODY_BYTES_MAX;
    if too_large {
        return Err(ErrorCode::TooLarge);
    }
    text::check_file_name(&file.name)
}

fn id(bytes: &[u8]) -> Result<(), ErrorCode> {
    MessageId::try_from(bytes).map(|_| ())
}

fn within(text: &str, bytes_max: usize) -> Result<(), ErrorCode> {
    if text.len() > bytes_max {
        return Err(ErrorCode::TooLarge);
    }
    (!text.is_empty()).then_some(()).ok_or(ErrorCode::Malformed)
}

// How many bytes the padding must have for its field to take exactly `bytes`.
fn field_of(bytes: usize) -> Option<usize> {
    let taken = |zeros: usize| Content { padding: vec![0; zeros].into(), ..Content::default() }.encoded_len();
    (2..=5).filter_map(|head| bytes.checked_sub(head)).find(|zeros| *zeros > 0 && taken(*zeros) == bytes)
}

#[cfg(test)]
mod tests {
    use wire::proto::{Delete, Edit, Reaction, ReadReceipt, RoomInfo, Text, Typing};

    use super::*;

    fn content(kind: Kind) -> Content {
        Content { version: VERSION, time_ms: 1_800_000_000_000, kind: Some(kind), ..Content::default() }
    }

    fn text(bytes: usize) -> Content {
        content(Kind::Text(Text { body: "x".repeat(bytes), reply_to: Bytes::new() }))
    }

    #[test]
    fn buckets_are_powers_of_two_and_the_middles_between_them() {
        let mut found: Vec<usize> = (0..4_000).map(bucket).collect();
        found.dedup();
        assert_eq!(found, [128, 192, 256, 384, 512, 768, 1_024, 1_536, 2_048, 3_072, 4_096]);
        for bytes in 128..4_000 {
            assert!(bucket(bytes) >= bytes && bucket(bytes) * 2 <= bytes * 3, "{bytes}");
            assert_eq!(bucket(bucket(bytes)), bucket(bytes));
        }
    }

    // [MLS-30]
    #[test]
    fn every_length_is_padded_to_a_bucket_and_read_again() {
        for bytes in (1..3_000).chain([16_300, 16_384, 16_390, 65_000, limits::CONTENT_BODY_BYTES_MAX]) {
            let content = text(bytes);
            let padded = pad(&content).unwrap();
            assert_eq!(bucket(padded.len()), padded.len(), "{bytes}");
            assert!(padded.len() >= content.encoded_len());
            assert_eq!(unpad(&padded), Ok(content));
        }
        let short: Vec<usize> = (1..90).map(|bytes| pad(&text(bytes)).unwrap().len()).collect();
        assert!(short.iter().all(|len| *len == 128));
        let typing = content(Kind::Typing(Typing { active: true }));
        assert_eq!(pad(&typing).unwrap().len(), 128);
    }

    #[test]
    fn padding_that_is_not_zero_or_not_to_a_bucket_is_refused() {
        let padded = pad(&text(10)).unwrap();
        let mut marked = padded.to_vec();
        *marked.last_mut().unwrap() = 1;
        assert_eq!(unpad(&marked), Err(ErrorCode::Malformed));
        assert_eq!(unpad(&text(10).encode_to_vec()), Err(ErrorCode::Malformed));
        assert_eq!(unpad(&padded.slice(..127)), Err(ErrorCode::Malformed));
        assert_eq!(unpad(&[]), Err(ErrorCode::Malformed));
        assert_eq!(unpad(&[0xff; 128]), Err(ErrorCode::Malformed));
    }

    // [MLS-31]
    #[test]
    fn each_kind_has_its_bounds() {
        let target = Bytes::from_static(&[3; 16]);
        let short = Bytes::from_static(&[3; 15]);
        let reaction = |target: &Bytes, emoji: &str| {
            content(Kind::Reaction(Reaction { target: target.clone(), emoji: emoji.into(), remove: false }))
        };
        let edit = |target: &Bytes, body: String| content(Kind::Edit(Edit { target: target.clone(), body }));
        let delete = |target: &Bytes| content(Kind::Delete(Delete { target: target.clone() }));
        let reply =
            |reply_to: &Bytes| content(Kind::Text(Text { body: "x".into(), reply_to: reply_to.clone() }));
        let info = |name: usize, topic: usize| {
            content(Kind::RoomInfo(RoomInfo { name: "n".repeat(name), topic: "t".repeat(topic) }))
        };
        let head = |seq, hash: usize| Content { head_seq: seq, head_hash: vec![1; hash].into(), ..text(1) };
        let good = [
            reaction(&target, "👍"),
            edit(&target, "b".into()),
            delete(&target),
            reply(&target),
            content(Kind::Read(ReadReceipt { seq: 1 })),
            info(0, 0),
            info(limits::ROOM_NAME_BYTES_MAX, limits::ROOM_TOPIC_BYTES_MAX),
            head(1, 32),
        ];
        for content in good {
            assert_eq!(unpad(&pad(&content).unwrap()), Ok(content));
        }
        let bad = [
            (text(0), ErrorCode::Malformed),
            (text(limits::CONTENT_BODY_BYTES_MAX + 1), ErrorCode::TooLarge),
            (reply(&short), ErrorCode::Malformed),
            (edit(&short, "b".into()), ErrorCode::Malformed),
            (edit(&target, String::new()), ErrorCode::Malformed),
            (edit(&target, "b".repeat(limits::CONTENT_BODY_BYTES_MAX + 1)), ErrorCode::TooLarge),
            (delete(&Bytes::new()), ErrorCode::Malformed),
            (reaction(&short, "👍"), ErrorCode::Malformed),
            (reaction(&target, ""), ErrorCode::Malformed),
            (reaction(&target, &"e".repeat(limits::REACTION_BYTES_MAX + 1)), ErrorCode::TooLarge),
            (content(Kind::Read(ReadReceipt { seq: 0 })), ErrorCode::Malformed),
            (info(limits::ROOM_NAME_BYTES_MAX + 1, 0), ErrorCode::TooLarge),
            // [NAME-6]
            (reaction(&target, "\u{202e}"), ErrorCode::Malformed),
            (
                content(Kind::RoomInfo(RoomInfo { name: "two\nlines".into(), ..RoomInfo::default() })),
                ErrorCode::Malformed,
            ),
            (
                content(Kind::RoomInfo(RoomInfo { topic: "\u{1b}[2J".into(), ..RoomInfo::default() })),
                ErrorCode::Malformed,
            ),
            (info(0, limits::ROOM_TOPIC_BYTES_MAX + 1), ErrorCode::TooLarge),
            (head(1, 31), ErrorCode::Malformed),
            (head(0, 32), ErrorCode::Malformed),
            (head(1, 0), ErrorCode::Malformed),
            (Content { version: 2, ..text(1) }, ErrorCode::Unsupported),
            (Content { kind: None, ..text(1) }, ErrorCode::Unsupported),
        ];
        for (content, error) in bad {
            assert_eq!(pad(&content), Err(error), "{content:?}");
        }
    }

    fn file(change: impl FnOnce(&mut proto::File)) -> Content {
        let mut file = proto::File {
            blob: vec![1; 16].into(),
            key: vec![2; 32].into(),
            size: 5,
            hash: vec![3; 32].into(),
            name: "plan.pdf".into(),
            ..proto::File::default()
        };
        change(&mut file);
        content(Kind::File(file))
    }

    // [MEDIA-7]
    #[test]
    fn a_file_is_within_its_bounds() {
        let most = file(|file| {
            file.size = limits::FILE_BYTES_MAX as u64;
            file.name = "n".repeat(limits::FILE_NAME_BYTES_MAX);
            file.caption = "c".repeat(limits::CONTENT_BODY_BYTES_MAX);
            file.thumbnail = vec![0; limits::THUMBNAIL_BYTES_MAX].into();
        });
        let padded = pad(&most).unwrap();
        assert!(padded.len() < limits::MESSAGE_BYTES_MAX / 10 * 9, "{}", padded.len());
        assert_eq!(unpad(&padded), Ok(most));
        assert!(pad(&file(|file| file.size = 0)).is_ok());
        let bad = [
            (file(|file| file.blob = vec![1; 15].into()), ErrorCode::Malformed),
            (file(|file| file.key = vec![1; 31].into()), ErrorCode::Malformed),
            (file(|file| file.hash = Bytes::new()), ErrorCode::Malformed),
            (file(|file| file.name = String::new()), ErrorCode::Malformed),
            (file(|file| file.name = "../../.bashrc".into()), ErrorCode::Malformed),
            (file(|file| file.name = "\u{1b}[2J".into()), ErrorCode::Malformed),
            (file(|file| file.name = "n".repeat(limits::FILE_NAME_BYTES_MAX + 1)), ErrorCode::TooLarge),
            (file(|file| file.size = limits::FILE_BYTES_MAX as u64 + 1), ErrorCode::TooLarge),
            (file(|file| file.caption = "c".repeat(limits::CONTENT_BODY_BYTES_MAX + 1)), ErrorCode::TooLarge),
            (
                file(|file| file.thumbnail = vec![0; limits::THUMBNAIL_BYTES_MAX + 1].into()),
                ErrorCode::TooLarge,
            ),
        ];
        for (content, error) in bad {
            assert_eq!(pad(&content), Err(error), "{content:?}");
        }
    }

    // [MEDIA-7]
    #[test]
    fn a_kind_that_is_not_known_is_said_to_be_newer_and_not_guessed() {
        let mut bytes = content(Kind::Typing(Typing { active: true })).encode_to_vec();
        // The kind `typing` (8) becomes 14, which this version does not know.
        let at = bytes.iter().position(|byte| *byte == 8 << 3 | 2).unwrap();
        bytes[at] = 14 << 3 | 2;
        let zeros = field_of(128 - bytes.len()).unwrap();
        bytes.extend(Content { padding: vec![0; zeros].into(), ..Content::default() }.encode_to_vec());
        assert_eq!(bytes.len(), 128);
        assert_eq!(unpad(&bytes), Err(ErrorCode::Unsupported));
    }
}
