//! Ids of fixed length.

use std::{fmt, str::FromStr};

use data_encoding::HEXLOWER;

use crate::ErrorCode;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// The length in bytes.
            pub const BYTES: usize = $bytes;

            /// The id with these bytes.
            #[must_use]
            pub const fn new(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The bytes as a protobuf field.
            #[must_use]
            pub fn to_bytes(&self) -> bytes::Bytes {
                bytes::Bytes::copy_from_slice(&self.0)
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = ErrorCode;

            fn try_from(bytes: &[u8]) -> Result<Self, ErrorCode> {
                bytes.try_into().map(Self).map_err(|_| ErrorCode::Malformed)
            }
        }

        impl FromStr for $name {
            type Err = ErrorCode;

            // [NAME-4]
            fn from_str(text: &str) -> Result<Self, ErrorCode> {
                let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ErrorCode::Malformed)?;
                Self::try_from(bytes.as_slice())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }
    };
}

id!(
    /// One installation of a client, 128 random bits.
    DeviceId, 16
);
id!(
    /// A room: derived from the founding for a group, from the two accounts for a direct room.
    RoomId, 32
);
id!(
    /// What a device submitted, 128 random bits: the idempotency key of every hop.
    MessageId, 16
);
id!(
    /// The encrypted bytes of one file, 128 random bits.
    BlobId, 16
);
