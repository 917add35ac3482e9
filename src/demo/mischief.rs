//! Misbehaviour on purpose, switched on and off while the simulator runs. Every kind is on record for real controllers.

use super::auth::Door;
use super::junk::Junk;
use super::peers::{Ending, Peers};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Bytes;

/// The switches of a simulated controller. A copy works the same switches.
#[derive(Clone, Debug)]
pub struct Mischief {
    settings: Arc<Mutex<Settings>>,
    unplugged: Arc<watch::Sender<bool>>,
    peers: Arc<Peers>,
    door: Arc<Door>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) connects: VecDeque<ConnectTrouble>,
    pub(super) logins: VecDeque<LoginTrouble>,
    pub(super) booting: Option<Booting>,
    pub(super) items_per_frame: usize,
    pub(super) duplicate_every: u64,
    pub(super) twin_every: u64,
    pub(super) swallow: u64,
    pub(super) drip: Option<Drip>,
    pub(super) history_lag: Duration,
    pub(super) history: Option<History>,
}

/// Which history APIs a controller has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// As Network 9: the v2 system log and `stat/event`.
    #[default]
    Both,
    /// As Network 10: `stat/event` is gone.
    SystemLogOnly,
    /// As Network 8 and before; no event travels as `alert` either.
    LegacyOnly,
    /// Neither answers.
    None,
}

/// What goes wrong with a socket's handshake or right after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectTrouble {
    /// Accepted, then closed with this code before any frame.
    CloseAtOnce(u16),
    /// Answered with 200 and a web page, as while the Network application starts.
    WebPage,
    /// Answered with this status.
    Status(u16),
    /// Answered with 429 and `Retry-After` in seconds.
    TooMany(u64),
}

/// What goes wrong with a login, whatever its credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginTrouble {
    /// 429 with `AUTHENTICATION_FAILED_LIMIT_REACHED`, and `Retry-After` in seconds where given.
    Throttled(Option<u64>),
    /// 403 with `AUTHENTICATION_FAILED_INVALID_CREDENTIALS`; the self-hosted kind says 400 with `api.err.Invalid`.
    Refused,
    /// 499 with `MFA_AUTH_REQUIRED`; the self-hosted kind says `api.err.Ubic2faTokenRequired`.
    SecondFactor,
    /// 200 with a web page.
    WebPage,
}

/// What everything is answered with while a controller starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Booting {
    /// 503 and a line of text.
    Unavailable,
    /// 502 and a web page.
    BadGateway,
}

/// How a session expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// REST and the handshake answer 401.
    Unauthorized,
    /// REST answers 401; the socket is accepted, then closed with 1000 and without a frame.
    Stale,
}

/// Frames are written in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drip {
    /// Bytes per piece.
    pub bytes: usize,
    /// Pause after each piece.
    pub pause: Duration,
}

impl Mischief {
    pub(super) fn new(peers: Arc<Peers>, door: Arc<Door>) -> Self {
        let settings = Settings {
            items_per_frame: 1,
            ..Settings::default()
        };
        Self {
            settings: Arc::new(Mutex::new(settings)),
            unplugged: Arc::new(watch::Sender::new(false)),
            peers,
            door,
        }
    }

    /// End every open socket like this, after what it was already given.
    pub fn end_sockets(&self, ending: Ending) {
        self.peers.all().iter().for_each(|peer| peer.end(ending));
    }

    /// Leave every open socket half-open: the connection stays, nothing is read or written, pings are not answered.
    /// Sockets opened later are well.
    pub fn freeze_sockets(&self) {
        self.peers.all().iter().for_each(|peer| peer.freeze());
    }

    /// The next `times` handshakes go wrong like this, after those asked for before.
    pub fn next_connects(&self, trouble: ConnectTrouble, times: usize) {
        self.lock()
            .connects
            .extend(std::iter::repeat_n(trouble, times));
    }

    /// The next `times` logins go wrong like this, after those asked for before.
    pub fn next_logins(&self, trouble: LoginTrouble, times: usize) {
        self.lock()
            .logins
            .extend(std::iter::repeat_n(trouble, times));
    }

    /// Answer everything as a controller that is starting does, until told otherwise.
    pub fn booting(&self, booting: Option<Booting>) {
        self.lock().booting = booting;
    }

    /// Break every connection, sockets included, and drop every new one before TLS, until told otherwise.
    pub fn unplug(&self, unplugged: bool) {
        self.unplugged.send_replace(unplugged);
        if unplugged {
            self.end_sockets(Ending::Abort);
        }
    }

    pub(super) fn unplugged(&self) -> watch::Receiver<bool> {
        self.unplugged.subscribe()
    }

    /// End every session. Open sockets stay, as they do on real controllers.
    pub fn expire_sessions(&self, expiry: Expiry) {
        self.door.expire(expiry == Expiry::Stale);
    }

    /// Give every session another CSRF token; its next response carries it as `X-Updated-Csrf-Token`, and from then on
    /// the old one is refused.
    pub fn rotate_csrf(&self) {
        self.door.rotate_csrf();
    }

    /// Forget failed logins and lift the lockout.
    pub fn unlock(&self) {
        self.door.unlock();
    }

    /// Send this to every socket of the site. It is no event and not in the ledger.
    pub fn inject(&self, site: &str, junk: &Junk) {
        self.send(site, &junk.render().into());
    }

    /// Send this text as a frame to every socket of the site, word for word. It is not in the ledger.
    pub fn send_frame(&self, site: &str, text: &str) {
        self.send(site, &Bytes::from(text.to_owned()));
    }

    fn send(&self, site: &str, frame: &Bytes) {
        self.peers
            .of(site)
            .iter()
            .for_each(|peer| peer.offer(frame.clone()));
    }

    /// Put up to this many items of one emission into one frame.
    pub fn items_per_frame(&self, items: usize) {
        self.lock().items_per_frame = items.max(1);
    }

    /// Send every `n`th event twice; 0 for none.
    pub fn duplicate_every(&self, n: u64) {
        self.lock().duplicate_every = n;
    }

    /// Send every `n`th event as `alert` too, in its system-log form, under the id it has in the v2 history; 0 for none.
    pub fn twin_every(&self, n: u64) {
        self.lock().twin_every = n;
    }

    /// The next `events` events are lost on the wire: the controller believes it sent them, and only its history has
    /// them. A reader can know of it only if the connection breaks next.
    pub fn swallow(&self, events: u64) {
        self.lock().swallow = events;
    }

    /// Whether this event is lost on the wire.
    pub(super) fn swallows(&self) -> bool {
        let mut settings = self.lock();
        let lost = settings.swallow > 0;
        settings.swallow = settings.swallow.saturating_sub(1);
        lost
    }

    /// Write frames in small pieces.
    pub fn drip(&self, drip: Option<Drip>) {
        self.lock().drip = drip;
    }

    /// How long an event takes to appear in the history.
    pub fn history_lag(&self, lag: Duration) {
        self.lock().history_lag = lag;
    }

    /// Change which history APIs there are, as an upgrade does.
    pub fn history(&self, history: History) {
        self.lock().history = Some(history);
    }

    /// Behave again. What already happened to sessions and sockets stays.
    pub fn clear(&self) {
        self.unplug(false);
        let mut settings = self.lock();
        *settings = Settings {
            items_per_frame: 1,
            history: settings.history,
            ..Settings::default()
        };
    }

    pub(super) fn settings(&self) -> Settings {
        self.lock().clone()
    }

    pub(super) fn take_connect(&self) -> Option<ConnectTrouble> {
        self.lock().connects.pop_front()
    }

    pub(super) fn take_login(&self) -> Option<LoginTrouble> {
        self.lock().logins.pop_front()
    }

    pub(super) fn dripping(&self) -> Option<Drip> {
        self.lock().drip
    }

    fn lock(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
