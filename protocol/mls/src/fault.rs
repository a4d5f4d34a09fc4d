//! Gives every failure of OpenMLS a name from the closed list.

use openmls::{
    framing::errors::{MessageDecryptionError, SecretTreeError},
    group::{
        CreateCommitError, CreateMessageError, MlsGroupStateError, ProcessMessageError,
        PublicProcessMessageError, StageCommitError, ValidationError, WelcomeError,
    },
    key_packages::errors::KeyPackageVerifyError,
    prelude::CreationFromExternalError,
};
use wire::ErrorCode;

use crate::store::Damaged;

pub(crate) fn damaged(_: Damaged) -> ErrorCode {
    ErrorCode::Internal
}

pub(crate) fn process(error: &ProcessMessageError<Damaged>) -> ErrorCode {
    match error {
        ProcessMessageError::LibraryError(_) | ProcessMessageError::StorageError(_) => ErrorCode::Internal,
        ProcessMessageError::ValidationError(error) => validation(error),
        ProcessMessageError::GroupStateError(error) => group_state(error),
        ProcessMessageError::InvalidCommit(error) => commit(error),
        ProcessMessageError::IncompatibleWireFormat
        | ProcessMessageError::UnauthorizedExternalApplicationMessage
        | ProcessMessageError::UnauthorizedExternalCommitMessage
        | ProcessMessageError::UnsupportedProposalType => ErrorCode::Malformed,
    }
}

pub(crate) fn public_process(error: &PublicProcessMessageError) -> ErrorCode {
    match error {
        PublicProcessMessageError::LibraryError(_) => ErrorCode::Internal,
        PublicProcessMessageError::ValidationError(error) => validation(error),
        PublicProcessMessageError::InvalidCommit(error) => commit(error),
        PublicProcessMessageError::IncompatibleWireFormat
        | PublicProcessMessageError::UnauthorizedExternalApplicationMessage
        | PublicProcessMessageError::UnauthorizedExternalCommitMessage
        | PublicProcessMessageError::UnsupportedProposalType => ErrorCode::Malformed,
    }
}

pub(crate) fn group_state(error: &MlsGroupStateError) -> ErrorCode {
    match error {
        MlsGroupStateError::LibraryError(_) => ErrorCode::Internal,
        MlsGroupStateError::UseAfterEviction => ErrorCode::Forbidden,
        MlsGroupStateError::PendingProposal | MlsGroupStateError::PendingCommit => ErrorCode::Conflict,
        MlsGroupStateError::NoPendingCommit | MlsGroupStateError::PendingProposalNotFound => {
            ErrorCode::NotFound
        }
    }
}

pub(crate) fn message(error: &CreateMessageError) -> ErrorCode {
    match error {
        CreateMessageError::LibraryError(_) => ErrorCode::Internal,
        CreateMessageError::GroupStateError(error) => group_state(error),
    }
}

pub(crate) fn create_commit(error: &CreateCommitError) -> ErrorCode {
    match error {
        CreateCommitError::LibraryError(_) => ErrorCode::Internal,
        CreateCommitError::CannotRemoveSelf => ErrorCode::Forbidden,
        CreateCommitError::ProposalValidationError(_) => ErrorCode::Conflict,
        CreateCommitError::LeafNodeValidation(_) => ErrorCode::Unsupported,
        _ => ErrorCode::Malformed,
    }
}

pub(crate) fn key_package(error: &KeyPackageVerifyError) -> ErrorCode {
    match error {
        KeyPackageVerifyError::LibraryError(_) => ErrorCode::Internal,
        KeyPackageVerifyError::InvalidLeafNodeSignature | KeyPackageVerifyError::InvalidSignature => {
            ErrorCode::BadSignature
        }
        KeyPackageVerifyError::InvalidProtocolVersion | KeyPackageVerifyError::UnsupportedExtension => {
            ErrorCode::Unsupported
        }
        _ => ErrorCode::Malformed,
    }
}

pub(crate) fn welcome(error: &WelcomeError<Damaged>) -> ErrorCode {
    match error {
        WelcomeError::LibraryError(_) | WelcomeError::StorageError(_) => ErrorCode::Internal,
        WelcomeError::PrivateInitKeyNotFound
        | WelcomeError::JoinerSecretNotFound
        | WelcomeError::NoMatchingEncryptionKey
        | WelcomeError::NoMatchingKeyPackage => ErrorCode::NotFound,
        WelcomeError::UnsupportedMlsVersion
        | WelcomeError::UnsupportedCapability
        | WelcomeError::UnsupportedCiphersuite(_)
        | WelcomeError::UnsupportedExtensions
        | WelcomeError::CiphersuiteMismatch
        | WelcomeError::LeafNodeValidation(_) => ErrorCode::Unsupported,
        WelcomeError::ConfirmationTagMismatch
        | WelcomeError::InvalidGroupInfoSignature
        | WelcomeError::UnableToDecrypt
        | WelcomeError::GroupSecrets(_)
        | WelcomeError::GroupInfo(_) => ErrorCode::BadSignature,
        WelcomeError::GroupAlreadyExists => ErrorCode::Conflict,
        WelcomeError::PublicGroupError(error) => external(error),
        _ => ErrorCode::Malformed,
    }
}

pub(crate) fn external(error: &CreationFromExternalError<Damaged>) -> ErrorCode {
    match error {
        CreationFromExternalError::LibraryError(_) | CreationFromExternalError::WriteToStorageError(_) => {
            ErrorCode::Internal
        }
        CreationFromExternalError::InvalidGroupInfoSignature => ErrorCode::BadSignature,
        CreationFromExternalError::UnsupportedMlsVersion
        | CreationFromExternalError::UnsupportedCiphersuite(_)
        | CreationFromExternalError::LeafNodeValidation(_) => ErrorCode::Unsupported,
        _ => ErrorCode::Malformed,
    }
}

fn validation(error: &ValidationError) -> ErrorCode {
    match error {
        ValidationError::LibraryError(_) => ErrorCode::Internal,
        ValidationError::WrongEpoch => ErrorCode::StaleEpoch,
        ValidationError::NoPastEpochData => ErrorCode::Expired,
        ValidationError::UnknownMember
        | ValidationError::UnauthorizedExternalSender
        | ValidationError::NoExternalSendersExtension => ErrorCode::Forbidden,
        ValidationError::MissingMembershipTag
        | ValidationError::InvalidMembershipTag
        | ValidationError::InvalidSignature
        | ValidationError::InvalidLeafNodeSignature => ErrorCode::BadSignature,
        ValidationError::UnableToDecrypt(error) => decryption(error),
        ValidationError::KeyPackageVerifyError(error) => key_package(error),
        _ => ErrorCode::Malformed,
    }
}

fn decryption(error: &MessageDecryptionError) -> ErrorCode {
    match error {
        MessageDecryptionError::LibraryError(_) => ErrorCode::Internal,
        MessageDecryptionError::AeadError => ErrorCode::BadSignature,
        MessageDecryptionError::GenerationOutOfBound => ErrorCode::Expired,
        MessageDecryptionError::SecretTreeError(error) => match error {
            SecretTreeError::TooDistantInThePast
            | SecretTreeError::TooDistantInTheFuture
            | SecretTreeError::SecretReuseError
            | SecretTreeError::RatchetTooLong => ErrorCode::Expired,
            SecretTreeError::IndexOutOfBounds => ErrorCode::Forbidden,
            _ => ErrorCode::Malformed,
        },
        _ => ErrorCode::Malformed,
    }
}

fn commit(error: &StageCommitError) -> ErrorCode {
    match error {
        StageCommitError::LibraryError(_) => ErrorCode::Internal,
        StageCommitError::EpochMismatch => ErrorCode::StaleEpoch,
        StageCommitError::ConfirmationTagMismatch
        | StageCommitError::PathLeafNodeVerificationFailure
        | StageCommitError::UpdatePathError(_)
        | StageCommitError::VerifiedUpdatePathError(_) => ErrorCode::BadSignature,
        // What this device had of the group is gone.
        StageCommitError::MissingDecryptionKey | StageCommitError::OwnKeyNotFound => ErrorCode::NotFound,
        StageCommitError::SenderTypeExternal | StageCommitError::SenderTypeNewMemberProposal => {
            ErrorCode::Forbidden
        }
        StageCommitError::LeafNodeValidation(_)
        | StageCommitError::GroupContextExtensionsProposalValidationError(_) => ErrorCode::Unsupported,
        StageCommitError::TooManyNewMembers => ErrorCode::TooLarge,
        _ => ErrorCode::Malformed,
    }
}
