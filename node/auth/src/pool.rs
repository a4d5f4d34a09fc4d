//! The threads that judge passwords: a few, so that hashing takes a bounded part of the machine from
//! those who chat, and a bounded queue before them.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use domain::{Authenticator, Kept, Question, Reply, Verdict};
use wire::{ErrorCode, limits};

use crate::{
    Cost,
    password::{self, Judgement},
};

/// Beside the devices' passwords, those that administrators set: their socket serves fewer at a time.
const OTHERS_MAX: usize = 16;

/// Passwords that the node keeps, as hashes that it is given and gives back.
#[derive(Debug)]
pub struct Passwords {
    queue: SyncSender<Job>,
    cost: Arc<Mutex<Cost>>,
}

struct Job {
    question: Question,
    reply: Reply,
}

impl Passwords {
    /// Starts so many threads. They end when this is dropped.
    ///
    /// # Errors
    /// If the operating system gives no thread.
    pub fn start(cost: Cost, workers: NonZeroUsize) -> std::io::Result<Self> {
        let (queue, jobs) = sync_channel(limits::PASSWORDS_WAITING_MAX + OTHERS_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        let cost = Arc::new(Mutex::new(cost));
        for number in 0..workers.get() {
            let (jobs, cost) = (Arc::clone(&jobs), Arc::clone(&cost));
            let name = format!("password-{number}");
            thread::Builder::new().name(name).spawn(move || work(&jobs, &cost))?;
        }
        Ok(Self { queue, cost })
    }

    /// What new hashes cost from now on. A hash of another cost is made anew when its password is
    /// given the next time.
    pub fn set_cost(&self, cost: Cost) {
        *self.cost.lock().unwrap_or_else(PoisonError::into_inner) = cost;
    }
}

impl Authenticator for Passwords {
    fn ask(&self, question: Question, reply: Reply) {
        match self.queue.try_send(Job { question, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(job)) => job.reply.give(Verdict::Refused(ErrorCode::RateLimited)),
            // Threads end only with this.
            Err(TrySendError::Disconnected(job)) => job.reply.give(Verdict::Refused(ErrorCode::Unavailable)),
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, cost: &Mutex<Cost>) {
    loop {
        // Whoever waits here holds the lock: the others wait for it, which comes to the same.
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { question, reply }) = job else { return };
        let cost = *cost.lock().unwrap_or_else(PoisonError::into_inner);
        reply.give(answer(question, cost));
    }
}

fn answer(question: Question, cost: Cost) -> Verdict {
    let verdict = match question {
        Question::Prove { secret, kept, .. } => {
            let kept = kept.as_ref().map(|kept| kept.0.as_str());
            password::judge(secret.bytes(), kept, cost).map(|judgement| match judgement {
                Judgement::Wrong => Verdict::NotProved,
                Judgement::Right => Verdict::Proved { renewed: None },
                Judgement::Renewed(kept) => Verdict::Proved { renewed: Some(Kept(kept)) },
            })
        }
        Question::Keep { secret } => {
            password::keep(secret.bytes(), cost).map(|kept| Verdict::Kept(Kept(kept)))
        }
    };
    verdict.unwrap_or_else(|error| {
        tracing::error!(%error, "a password could not be judged");
        Verdict::Refused(ErrorCode::Internal)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use domain::Secret;

    use super::*;

    fn start() -> Passwords {
        Passwords::start(Cost::LEAST, NonZeroUsize::MIN).expect("a thread")
    }

    fn asked(passwords: &Passwords, question: Question) -> Receiver<Verdict> {
        let (hear, heard) = channel();
        passwords.ask(
            question,
            Reply::new(move |verdict| {
                let _ = hear.send(verdict);
            }),
        );
        heard
    }

    fn keep(passwords: &Passwords, secret: &str) -> Kept {
        let secret = Secret::new(secret.as_bytes());
        match asked(passwords, Question::Keep { secret }).recv().expect("an answer") {
            Verdict::Kept(kept) => kept,
            other => panic!("{other:?}"),
        }
    }

    fn prove(secret: &[u8], kept: Option<Kept>) -> Question {
        let account = "alice@acme.test".parse().expect("an account");
        Question::Prove { account, secret: Secret::new(secret), kept }
    }

    #[test]
    fn a_password_proves_its_account_and_no_other() {
        let passwords = start();
        let kept = keep(&passwords, "correct horse");
        assert_ne!(kept, keep(&passwords, "correct horse"), "each has a salt of its own");
        for (secret, given, expected) in [
            (&b"correct horse"[..], Some(kept.clone()), Verdict::Proved { renewed: None }),
            (b"correct horsf", Some(kept.clone()), Verdict::NotProved),
            (b"correct hors", Some(kept.clone()), Verdict::NotProved),
            (b"correct horse\0", Some(kept.clone()), Verdict::NotProved),
            (b"%", Some(kept.clone()), Verdict::NotProved),
            (b"*", Some(kept.clone()), Verdict::NotProved),
            (b"' OR '1'='1", Some(kept.clone()), Verdict::NotProved),
            (kept.0.as_bytes(), Some(kept.clone()), Verdict::NotProved),
            (b"", Some(kept.clone()), Verdict::NotProved),
            (b"correct horse", None, Verdict::NotProved),
        ] {
            let verdict = asked(&passwords, prove(secret, given)).recv().expect("an answer");
            assert_eq!(verdict, expected, "{:?}", String::from_utf8_lossy(secret));
        }
    }

    #[test]
    fn a_hash_of_another_cost_is_made_anew_when_its_password_is_given() {
        let passwords = start();
        let kept = keep(&passwords, "correct horse");
        let dearer = Cost::new(20_480, 3).expect("in range");
        passwords.set_cost(dearer);
        let wrong = asked(&passwords, prove(b"wrong horse", Some(kept.clone()))).recv();
        assert_eq!(wrong, Ok(Verdict::NotProved));
        let right = asked(&passwords, prove(b"correct horse", Some(kept))).recv().expect("an answer");
        let Verdict::Proved { renewed: Some(renewed) } = right else { panic!("{right:?}") };
        assert!(renewed.0.contains("m=20480,t=3,p=1"), "{}", renewed.0);
        let again = asked(&passwords, prove(b"correct horse", Some(renewed))).recv();
        assert_eq!(again, Ok(Verdict::Proved { renewed: None }));
    }

    #[test]
    fn what_does_not_fit_the_queue_is_told_at_once_and_the_rest_is_answered() {
        let passwords = start();
        let count = limits::PASSWORDS_WAITING_MAX + OTHERS_MAX + 10;
        let answers: Vec<_> = (0..count).map(|_| asked(&passwords, prove(b"x", None))).collect();
        let verdicts: Vec<_> = answers.iter().map(|answer| answer.recv().expect("an answer")).collect();
        let full = Verdict::Refused(ErrorCode::RateLimited);
        let refused = verdicts.iter().filter(|verdict| **verdict == full).count();
        assert!((1..=10).contains(&refused), "{refused}");
        assert!(verdicts.iter().all(|verdict| *verdict == full || *verdict == Verdict::NotProved));
    }

    #[test]
    fn a_damaged_hash_is_a_fault_and_no_proof() {
        let passwords = start();
        for kept in
            ["", "x", "$argon2id$", "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"]
        {
            let verdict = asked(&passwords, prove(b"x", Some(Kept(kept.to_owned())))).recv();
            assert_eq!(verdict, Ok(Verdict::Refused(ErrorCode::Internal)), "{kept}");
        }
    }
}
