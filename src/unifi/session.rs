//! When to log in to a controller and when to leave it alone: one login at a time for every socket and request,
//! long pauses after a refusal, and a ceiling on logins per hour that holds whatever the controller does.

use super::login::{Outcome, Session, Weight};
use crate::backoff::Backoff;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use unifi_herald_plugin::Timestamp;

/// Logins allowed in a row before they are spaced.
const BURST: u32 = 8;
/// One login more is allowed each time this has passed. Successful logins count too: controllers count them.
const SPACING: Duration = Duration::from_secs(5 * 60);
/// The pause after a first refusal; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_secs(5 * 60);
/// The longest pause herald chooses by itself, and the one after a wrong password.
const LONG_PAUSE: Duration = Duration::from_secs(60 * 60);
/// The longest pause a controller can ask for.
const MAX_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);
/// Answers of "no login here" after which the kind of the controller is doubted.
const DOUBTS: u32 = 3;
/// Pauses while no answer comes or the console boots: nothing that counts as a login.
const WEATHER: Backoff = match Backoff::new(Duration::from_secs(2), Duration::from_secs(60)) {
    Ok(backoff) => backoff,
    Err(_) => panic!("the bounds are constants"),
};

/// The session of one controller, shared by all its sockets and requests.
#[derive(Clone, Debug)]
pub struct SessionMachine {
    state: State,
    generation: u64,
    /// Moment at which the whole burst is available again (the "theoretical arrival time" of a leaky bucket).
    spent_until: Option<Instant>,
    pause: Option<(Instant, Pause)>,
    refusals: u32,
    credentials_blamed: bool,
    /// Whether they are wrong beyond doubt.
    beyond_doubt: bool,
    weather: Backoff,
    not_here: u32,
    sentence: String,
}

#[derive(Clone, Debug)]
enum State {
    LoggedOut,
    LoggingIn {
        spent_before: Option<Instant>,
    },
    LoggedIn {
        session: Box<Session>,
        since: Instant,
        used: Instant,
    },
}

/// What a request or a socket that needs a session is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Use this.
    Ready(Pass),
    /// Log in, then call [`SessionMachine::finished`]. Nobody else is told to until then.
    Login,
    /// Somebody else is logging in: wait for the machine to change.
    Busy,
    /// Not before this moment.
    Wait(Instant, Pause),
}

/// Why there is a pause before the next login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The controller refused.
    Refused,
    /// It does not answer, or boots.
    Weather,
    /// Herald has logged in often enough lately.
    TooOften,
}

/// What a request within the session carries.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    /// Which session it is of; a report about an older one changes nothing.
    pub generation: u64,
    /// Value of the `Cookie` header.
    pub cookie: String,
    /// Value of the `X-CSRF-Token` header.
    pub csrf: Option<String>,
}

/// What a restart must not forget. Times are of the wall clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// No login before this, in milliseconds since 1970.
    pub until: Option<i64>,
    /// Refusals in a row.
    pub refusals: u32,
    /// Whether they may be the fault of user name or password: then other ones may be tried at once.
    pub credentials_blamed: bool,
    /// Whether they are wrong beyond doubt.
    pub beyond_doubt: bool,
    /// When the allowance of logins is whole again, in milliseconds since 1970.
    pub spent_until: Option<i64>,
    /// What was wrong, in one sentence.
    pub sentence: String,
}

impl Default for SessionMachine {
    fn default() -> Self {
        Self::new()
    }
}

impl SessionMachine {
    /// Logged out, with nothing held against us.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::LoggedOut,
            generation: 0,
            spent_until: None,
            pause: None,
            refusals: 0,
            credentials_blamed: false,
            beyond_doubt: false,
            weather: WEATHER,
            not_here: 0,
            sentence: String::new(),
        }
    }

    /// What whoever needs a session is to do now.
    pub fn ask(&mut self, now: Instant) -> Ask {
        match &self.state {
            State::LoggingIn { .. } => return Ask::Busy,
            State::LoggedIn {
                session,
                since,
                used,
            } => {
                let old = session
                    .renew_after
                    .is_some_and(|after| now.duration_since(*since) >= after);
                let idle = session
                    .idle
                    .is_some_and(|idle| now.duration_since(*used) >= idle);
                if !old && !idle {
                    return Ask::Ready(pass(session, self.generation));
                }
            }
            State::LoggedOut => {}
        }
        if let Some((until, why)) = self.pause.filter(|(until, _)| *until > now) {
            return Ask::Wait(until, why);
        }
        let spent = self.spent_until.unwrap_or(now).max(now);
        let allowed_from = spent.checked_sub(SPACING * (BURST - 1)).unwrap_or(now);
        if allowed_from > now {
            return Ask::Wait(allowed_from, Pause::TooOften);
        }
        self.state = State::LoggingIn {
            spent_before: self.spent_until,
        };
        self.spent_until = Some(spent + SPACING);
        Ask::Login
    }

    /// A login that [`Ask::Login`] called for came to an end. `draw` in `[0, 1)` spreads the next attempt.
    pub fn finished(&mut self, outcome: &Outcome, now: Instant, draw: f64) {
        let State::LoggingIn { spent_before } = self.state else {
            return;
        };
        self.state = State::LoggedOut;
        self.sentence = outcome.sentence();
        self.not_here = if matches!(outcome, Outcome::NotHere { .. }) {
            self.not_here + 1
        } else {
            0
        };
        if let Outcome::LoggedIn(session) = outcome {
            self.generation += 1;
            self.state = State::LoggedIn {
                session: Box::new(session.clone()),
                since: now,
                used: now,
            };
            self.refusals = 0;
            self.credentials_blamed = false;
            self.beyond_doubt = false;
            self.pause = None;
            self.weather.reset();
            return;
        }
        if outcome.weight() == Weight::Free {
            self.spent_until = spent_before;
            self.pause = Some((now + self.weather.fail(draw), Pause::Weather));
            return;
        }
        self.credentials_blamed = !matches!(outcome, Outcome::LockedOut { .. });
        self.beyond_doubt = matches!(outcome, Outcome::WrongPassword);
        let step = FIRST_PAUSE
            .saturating_mul(1_u32.checked_shl(self.refusals).unwrap_or(u32::MAX))
            .min(LONG_PAUSE);
        self.refusals = self.refusals.saturating_add(1);
        let pause = match outcome {
            Outcome::WrongPassword | Outcome::SecondFactorNeeded(_) => LONG_PAUSE,
            Outcome::LockedOut { retry_after } => {
                step.max(retry_after.unwrap_or_default().min(MAX_PAUSE))
            }
            _ => step,
        };
        self.pause = Some((now + pause, Pause::Refused));
    }

    /// The login was broken off without an answer; it counts, since the controller may have seen it.
    pub fn abandoned(&mut self) {
        if matches!(self.state, State::LoggingIn { .. }) {
            self.state = State::LoggedOut;
        }
    }

    /// The session of this generation does not work any more, although it should.
    pub fn distrust(&mut self, generation: u64) {
        if generation == self.generation && matches!(self.state, State::LoggedIn { .. }) {
            self.state = State::LoggedOut;
        }
    }

    /// The session of this generation was used with success.
    pub fn touch(&mut self, generation: u64, now: Instant) {
        if let State::LoggedIn { used, .. } = &mut self.state
            && generation == self.generation
        {
            *used = now;
        }
    }

    /// Take in what an answer within the session of this generation changed.
    pub fn absorb(&mut self, generation: u64, headers: &HeaderMap, wall: Timestamp) {
        if let State::LoggedIn { session, .. } = &mut self.state
            && generation == self.generation
        {
            session.absorb(headers, wall);
        }
    }

    /// End the session; the pass is for logging out.
    pub fn end(&mut self) -> Option<Pass> {
        match std::mem::replace(&mut self.state, State::LoggedOut) {
            State::LoggedIn { session, .. } => Some(pass(&session, self.generation)),
            State::LoggedOut | State::LoggingIn { .. } => None,
        }
    }

    /// Whether the login path was missing so often that the kind must be found out anew. Asking clears it.
    pub fn doubts_kind(&mut self) -> bool {
        let doubts = self.not_here >= DOUBTS;
        if doubts {
            self.not_here = 0;
        }
        doubts
    }

    /// What was wrong with the last login, in one sentence; empty when nothing was.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Whether the controller's last word was that user name or password are wrong beyond doubt.
    #[must_use]
    pub fn is_wrong_password(&self) -> bool {
        self.beyond_doubt
    }

    /// What must outlive the process.
    #[must_use]
    pub fn save(&self, now: Instant, wall: Timestamp) -> Saved {
        let at = |instant: Instant| (wall + instant.saturating_duration_since(now)).as_millis();
        let refused = self.pause.filter(|(_, why)| *why == Pause::Refused);
        Saved {
            until: refused.map(|(until, _)| at(until)),
            refusals: self.refusals,
            credentials_blamed: self.credentials_blamed,
            beyond_doubt: self.beyond_doubt,
            spent_until: self.spent_until.map(at),
            sentence: if refused.is_some() {
                self.sentence.clone()
            } else {
                String::new()
            },
        }
    }

    /// Continue after a restart. `same_credentials` tells whether user name and password are those of before; new
    /// ones may be tried at once, unless the controller has locked everybody out.
    ///
    /// A wall clock that was set in between can make a pause neither longer than a day nor negative.
    #[must_use]
    pub fn restore(saved: &Saved, same_credentials: bool, now: Instant, wall: Timestamp) -> Self {
        let rest = |ms: i64| Timestamp::from_millis(ms).since(wall);
        let mut machine = Self::new();
        let whole = SPACING * BURST;
        // Whoever edits and restarts must not be made to wait: only logins after a refusal are held against a restart,
        // and what restarts us in a loop has a limit of its own.
        if saved.refusals > 0 {
            machine.spent_until = saved.spent_until.map(|ms| now + rest(ms).min(whole));
        }
        if saved.credentials_blamed && !same_credentials {
            return machine;
        }
        machine.refusals = saved.refusals.min(32);
        machine.credentials_blamed = saved.credentials_blamed;
        if let Some(ms) = saved.until {
            machine.pause = Some((now + rest(ms).min(MAX_PAUSE), Pause::Refused));
            machine.sentence = saved.sentence.chars().take(1000).collect();
            machine.beyond_doubt = saved.beyond_doubt;
        }
        machine
    }
}

fn pass(session: &Session, generation: u64) -> Pass {
    Pass {
        generation,
        cookie: session.jar.header().unwrap_or_default(),
        csrf: session.csrf.clone(),
    }
}

impl std::fmt::Debug for Pass {
    /// Without what would let its reader in.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pass")
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
