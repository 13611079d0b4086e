//! Completion errors in words: what the device says, and what it means for a check.

use sideway::ibverbs::completion::WorkCompletionStatus as Status;

use crate::nic::Refusal;

/// What the status of a completion means; `None` for success.
pub fn failure(status: u32) -> Option<String> {
    if status == Status::Success as u32 {
        return None;
    }
    let known = WORDS.iter().find(|(known, _)| *known as u32 == status);
    Some(known.map_or_else(
        || format!("completion status {status}"),
        |(_, words)| (*words).to_owned(),
    ))
}

/// Which refusal the status of a completion is, if it is one.
pub fn refusal(status: u32) -> Option<Refusal> {
    match status {
        _ if status == Status::RemoteAccessError as u32 => Some(Refusal::RemoteAccess),
        _ if status == Status::LocalProtectionError as u32 => Some(Refusal::LocalProtection),
        _ if status == Status::WorkRequestFlushedError as u32 => Some(Refusal::Flushed),
        _ => None,
    }
}

const WORDS: &[(Status, &str)] = &[
    (
        Status::LocalLengthError,
        "local length error: more bytes than the message may have",
    ),
    (
        Status::LocalQueuePairOperationError,
        "local operation error: the queue pair could not carry it out",
    ),
    (
        Status::LocalProtectionError,
        "local protection error: the bytes are not inside the memory region",
    ),
    (
        Status::LocalAccessError,
        "local access error: the memory region does not allow that",
    ),
    (
        Status::WorkRequestFlushedError,
        "flushed: an earlier request failed",
    ),
    (
        Status::BadResponseError,
        "bad response: the other end answered with something unexpected",
    ),
    (
        Status::RemoteInvalidRequestError,
        "remote invalid request: the other end did not understand it",
    ),
    (
        Status::RemoteAccessError,
        "remote access error: outside the memory region, wrong key, or not allowed",
    ),
    (
        Status::RemoteOperationError,
        "remote operation error: the other end failed at it",
    ),
    (
        Status::RetryCounterExceededError,
        "no answer: packets are lost, or the port has no route to itself",
    ),
    (
        Status::ResponderNotReadyRetryCounterExceededError,
        "the other end was not ready",
    ),
    (Status::RemoteAbortedError, "the other end gave up"),
    (Status::FatalError, "the device broke down"),
    (Status::ResponseTimeoutError, "the answer took too long"),
    (
        Status::GeneralError,
        "the device failed for a reason of its own",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn success_is_no_failure_and_everything_else_is() {
        assert_eq!(failure(Status::Success as u32), None);
        for status in 1..100 {
            assert!(
                failure(status).is_some_and(|words| !words.is_empty()),
                "{status}"
            );
        }
        assert!(
            failure(Status::LocalProtectionError as u32)
                .unwrap()
                .contains("memory region")
        );
        assert_eq!(
            refusal(Status::LocalProtectionError as u32),
            Some(Refusal::LocalProtection)
        );
        assert_eq!(refusal(Status::Success as u32), None);
        assert_eq!(
            refusal(Status::WorkRequestFlushedError as u32),
            Some(Refusal::Flushed)
        );
    }
}
