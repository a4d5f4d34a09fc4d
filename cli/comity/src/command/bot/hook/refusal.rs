//! Why a report is not posted: each with a name and a code of HTTP.

use hyper::StatusCode;

/// Why a report is not posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// No such path.
    NotFound,
    /// Another method than POST.
    BadMethod,
    /// The token is missing or another one.
    BadToken,
    /// The signature is missing or does not fit.
    BadSignature,
    /// Larger than a report may be.
    TooLarge,
    /// The body did not come in time, or not whole.
    Incomplete,
    /// The body is no JSON.
    BadJson,
    /// The JSON is not what this path takes; what is missing.
    BadShape(&'static str),
    /// Too many in a minute.
    RateLimited,
    /// The room takes no messages of this account any more.
    RoomClosed,
    /// The device cannot store it now.
    Unavailable,
}

impl Refusal {
    /// Its name, for programs.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NotFound => "NotFound",
            Self::BadMethod => "BadMethod",
            Self::BadToken => "BadToken",
            Self::BadSignature => "BadSignature",
            Self::TooLarge => "TooLarge",
            Self::Incomplete => "Incomplete",
            Self::BadJson => "BadJson",
            Self::BadShape(_) => "BadShape",
            Self::RateLimited => "RateLimited",
            Self::RoomClosed => "RoomClosed",
            Self::Unavailable => "Unavailable",
        }
    }

    /// What to do about it, for people.
    pub(super) const fn message(self) -> &'static str {
        match self {
            Self::NotFound => "post to /alertmanager, /github or /json",
            Self::BadMethod => "use POST",
            Self::BadToken => "send `Authorization: Bearer` and the token of the token file",
            Self::BadSignature => "set the webhook's secret to the token of the token file",
            Self::TooLarge => "a report has at most 262144 bytes",
            Self::Incomplete => "send the whole body within 10 seconds",
            Self::BadJson => "send JSON in UTF-8",
            Self::BadShape(what) => what,
            Self::RateLimited => "send fewer; Retry-After says when",
            Self::RoomClosed => "the account is out of the room: start the hook for another one",
            Self::Unavailable => "the device cannot store messages now: try again",
        }
    }

    /// Its code.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::BadMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::BadToken | Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Incomplete => StatusCode::REQUEST_TIMEOUT,
            Self::BadJson => StatusCode::BAD_REQUEST,
            Self::BadShape(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::RoomClosed => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
