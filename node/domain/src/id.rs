//! Names that driver and core give to what is open at this moment.

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u64);
    };
}

id!(
    /// A client connection's session stream. Made by the driver, never used twice.
    SessionId
);
id!(
    /// A federation connection. Made by the driver, never used twice.
    ConnId
);
id!(
    /// A link stream on a connection. Made by the driver, unique within the connection.
    StreamId
);
id!(
    /// One request between nodes. Made by the driver for requests that come in, by the core for
    /// those that go out; the two never meet.
    RequestId
);
id!(
    /// One administrator's request. Made by the driver.
    AdminId
);
id!(
    /// One question to the [`crate::Authenticator`]. Made by the core.
    ProofId
);
id!(
    /// One question about a blob. Made by the driver.
    MediaId
);
