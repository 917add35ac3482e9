//! Who may look and who may act: the token of the configuration, sessions of browsers, and a word that only our own
//! page can know.

use super::attempts::Attempts;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Revealed;

/// How long a session lasts.
pub(super) const SESSION: Duration = Duration::from_hours(7 * 24);

/// Most sessions; the oldest makes room.
const MAX_SESSIONS: usize = 64;

/// Random bytes of a session and of the action word.
const RANDOM: usize = 24;

type Code = [u8; 32];

/// As long as the hash function takes it in one go.
type Key = [u8; 64];

/// What opens the server.
pub(super) struct Access {
    /// Made anew for each process: what is compared is keyed with it, so that the time it takes tells nothing.
    key: Key,
    token: Option<Code>,
    action: String,
    sessions: Mutex<VecDeque<Session>>,
    attempts: Mutex<Attempts>,
}

struct Session {
    code: Code,
    until: Instant,
}

/// What a caller has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// Nothing, and nothing is needed to look: there is no token.
    Anybody,
    /// A session.
    Browser,
    /// The token itself.
    Program,
}

/// Why a caller is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It has shown nothing, or nothing that counts.
    Unknown,
    /// It was refused too often and has to wait.
    Wait(Duration),
}

impl Access {
    pub(super) fn new(token: Option<Revealed>) -> io::Result<Self> {
        let mut key = [0; 64];
        fill(&mut key)?;
        let token = token.map(|token| code(&key, token.expose()));
        Ok(Self {
            key,
            token,
            action: random()?,
            sessions: Mutex::default(),
            attempts: Mutex::default(),
        })
    }

    /// Whether there is a token to log in with.
    pub(super) fn wants_token(&self) -> bool {
        self.token.is_some()
    }

    /// The word that a browser's actions carry. Only for those who may look.
    pub(super) fn action(&self) -> &str {
        &self.action
    }

    /// Who calls from `peer` with this bearer token or session.
    pub(super) fn caller(
        &self,
        peer: IpAddr,
        bearer: Option<&str>,
        session: Option<&str>,
        now: Instant,
    ) -> Result<Caller, Refusal> {
        if let Some(bearer) = bearer {
            // Without a token the action word stands for it.
            return self.try_token(peer, bearer, now).map(|()| Caller::Program);
        }
        if self.token.is_none() {
            return Ok(Caller::Anybody);
        }
        let known = session.is_some_and(|session| self.knows(session, now));
        if known {
            Ok(Caller::Browser)
        } else {
            Err(Refusal::Unknown)
        }
    }

    /// Whether this is the word that actions carry.
    pub(super) fn is_action(&self, word: &str) -> bool {
        self.same(&code(&self.key, &self.action), word)
    }

    /// A new session for whoever has the token.
    pub(super) fn log_in(
        &self,
        peer: IpAddr,
        token: &str,
        now: Instant,
    ) -> Result<String, Refusal> {
        self.try_token(peer, token, now)?;
        let session = random().map_err(|_| Refusal::Unknown)?;
        let mut sessions = self.sessions();
        sessions.retain(|session| now < session.until);
        if sessions.len() >= MAX_SESSIONS {
            sessions.pop_front();
        }
        sessions.push_back(Session {
            code: code(&self.key, &session),
            until: now + SESSION,
        });
        Ok(session)
    }

    /// End a session.
    pub(super) fn log_out(&self, session: &str) {
        self.sessions()
            .retain(|known| !self.same(&known.code, session));
    }

    fn try_token(&self, peer: IpAddr, shown: &str, now: Instant) -> Result<(), Refusal> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.may(peer, now).map_err(Refusal::Wait)?;
        let right = match &self.token {
            Some(token) => self.same(token, shown),
            None => self.is_action(shown),
        };
        if right {
            return Ok(());
        }
        attempts.refused(peer, now);
        Err(Refusal::Unknown)
    }

    fn knows(&self, session: &str, now: Instant) -> bool {
        let sessions = self.sessions();
        let mut valid = sessions.iter().filter(|known| now < known.until);
        valid.any(|known| self.same(&known.code, session))
    }

    /// In constant time.
    fn same(&self, code: &Code, shown: &str) -> bool {
        mac(&self.key, shown).verify_slice(code).is_ok()
    }

    fn sessions(&self) -> MutexGuard<'_, VecDeque<Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("wants_token", &self.wants_token())
            .finish_non_exhaustive()
    }
}

fn mac(key: &Key, text: &str) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new(key.into());
    mac.update(text.as_bytes());
    mac
}

fn code(key: &Key, text: &str) -> Code {
    mac(key, text).finalize().into_bytes().into()
}

fn random() -> io::Result<String> {
    let mut bytes = [0; RANDOM];
    fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    let random = rustls::crypto::ring::default_provider().secure_random;
    random
        .fill(bytes)
        .map_err(|_| io::Error::other("the system has no random numbers"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const TOKEN: &str = "correct horse battery";

    fn peer() -> IpAddr {
        "192.0.2.1".parse().unwrap()
    }

    #[test]
    fn a_token_opens_a_session_that_ends() {
        let now = Clock::system().now();
        let access = Access::new(Some(TOKEN.to_owned().into())).unwrap();
        let caller = |bearer, session, now| access.caller(peer(), bearer, session, now);
        assert_eq!(caller(None, None, now), Err(Refusal::Unknown));
        assert_eq!(caller(Some("wrong"), None, now), Err(Refusal::Unknown));
        assert_eq!(caller(Some(TOKEN), None, now), Ok(Caller::Program));
        assert_eq!(access.log_in(peer(), "", now), Err(Refusal::Unknown));
        let session = access.log_in(peer(), TOKEN, now).unwrap();
        assert_eq!(caller(None, Some(&session), now), Ok(Caller::Browser));
        assert_eq!(caller(None, Some("0"), now), Err(Refusal::Unknown));
        assert!(caller(None, Some(&session), now + SESSION).is_err());
        access.log_out(&session);
        assert_eq!(caller(None, Some(&session), now), Err(Refusal::Unknown));
        assert!(!format!("{access:?}").contains("horse"));
    }

    #[test]
    fn the_action_word_is_neither_the_token_nor_guessable() {
        let access = Access::new(Some(TOKEN.to_owned().into())).unwrap();
        let other = Access::new(Some(TOKEN.to_owned().into())).unwrap();
        assert!(access.is_action(access.action()));
        assert!(!access.is_action(other.action()));
        assert!(!access.is_action(TOKEN));
        // With a token, the word does not stand for it.
        let now = Clock::system().now();
        let word = Some(access.action());
        assert!(access.caller(peer(), word, None, now).is_err());
    }

    #[test]
    fn without_a_token_everybody_looks_and_the_word_acts() {
        let now = Clock::system().now();
        let access = Access::new(None).unwrap();
        assert_eq!(access.caller(peer(), None, None, now), Ok(Caller::Anybody));
        let word = Some(access.action());
        assert_eq!(access.caller(peer(), word, None, now), Ok(Caller::Program));
        assert!(access.caller(peer(), Some("x"), None, now).is_err());
    }

    #[test]
    fn guessing_is_slowed_down_even_for_the_right_token() {
        let now = Clock::system().now();
        let access = Access::new(Some(TOKEN.to_owned().into())).unwrap();
        let refused = (0..100)
            .take_while(|_| access.log_in(peer(), "guess", now) == Err(Refusal::Unknown))
            .count();
        assert!((2..50).contains(&refused), "{refused}");
        assert!(matches!(
            access.log_in(peer(), TOKEN, now),
            Err(Refusal::Wait(_))
        ));
        let elsewhere = "192.0.2.2".parse().unwrap();
        assert!(access.log_in(elsewhere, TOKEN, now).is_ok());
    }

    #[test]
    fn sessions_are_bounded() {
        let now = Clock::system().now();
        let access = Access::new(Some(TOKEN.to_owned().into())).unwrap();
        let first = access.log_in(peer(), TOKEN, now).unwrap();
        for _ in 0..MAX_SESSIONS {
            access.log_in(peer(), TOKEN, now).unwrap();
        }
        assert_eq!(access.sessions().len(), MAX_SESSIONS);
        assert!(!access.knows(&first, now));
    }
}
