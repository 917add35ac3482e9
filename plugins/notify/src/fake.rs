//! What the tests of all services share: a service that enforces its own rules, events to tell it, and its contract.

use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use unifi_herald_plugin::http::{
    HeaderName, HeaderValue, HttpError, HttpTransport, Request, Response, StatusCode,
};
use unifi_herald_plugin::testing::{Behaviour, EventBuilder, SinkWorld, TestContext};
use unifi_herald_plugin::{
    Alert, AlertState, Batch, BoxFuture, BufferedEvent, BuildContext, BuildError, DeliveryError,
    HttpClient, HttpOptions, Kind, Services, Severity, Sink, SinkPlugin, Timestamp, async_trait,
};

/// How a service answers when nothing is wrong with it: by its documentation, refusing what breaks its limits.
pub(crate) type Rules = fn(&Taken, usize) -> Response<Bytes>;

/// A service in this process. A copy is the same one.
#[derive(Clone)]
pub(crate) struct Fake {
    context: TestContext,
    build: BuildContext,
    state: Arc<Mutex<State>>,
}

struct State {
    rules: Rules,
    /// Answers for the next requests, before the rules are asked.
    queued: VecDeque<Response<Bytes>>,
    /// After so many requests more, every answer is this one.
    trouble: Option<(usize, u16, &'static str)>,
    /// Every success breaks off behind its head.
    breaks_off: bool,
    taken: Vec<Taken>,
    count: usize,
}

/// A request and how it was answered.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) request: Request<Bytes>,
    pub(crate) json: Value,
    pub(crate) status: u16,
}

impl Fake {
    pub(crate) fn new(rules: Rules) -> Self {
        let context = TestContext::new();
        Self {
            build: context.build_context("fake", Path::new("/")),
            context,
            state: Arc::new(Mutex::new(State {
                rules,
                queued: VecDeque::new(),
                trouble: None,
                breaks_off: false,
                taken: Vec::new(),
                count: 0,
            })),
        }
    }

    pub(crate) fn build<S: SinkPlugin>(&self, options: &Value) -> Result<S, BuildError> {
        let config = serde_json::from_value(options.clone())
            .map_err(|error| BuildError::new("", error.to_string()))?;
        let services: Arc<dyn Services> = Arc::new(self.clone());
        let context = BuildContext::new("fake", Path::new("/"), services);
        // Of this process: whoever builds a second sink plays a restart.
        let context = context.storing_in(self.build.storage().clone());
        S::build(config, &context)
    }

    /// Answer the next request that has no answer yet like this.
    pub(crate) fn answer(&self, status: u16, headers: &[(&'static str, &str)], body: &str) {
        let mut response = respond(status, body);
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            response
                .headers_mut()
                .insert(HeaderName::from_static(name), value);
        }
        self.state.lock().unwrap().queued.push_back(response);
    }

    /// From now on of every success only the head arrives.
    pub(crate) fn break_off(&self) {
        self.state.lock().unwrap().breaks_off = true;
    }

    fn breaks_off(&self, answer: &Response<Bytes>) -> bool {
        answer.status().is_success() && self.state.lock().unwrap().breaks_off
    }

    fn trouble(&self, trouble: Option<(usize, u16, &'static str)>) {
        self.state.lock().unwrap().trouble = trouble;
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.context.advance(by);
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.context.wall()
    }

    /// Every request since the last call.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut self.state.lock().unwrap().taken)
    }

    /// The bodies of the requests since the last call, all of which must have been taken.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        let taken = self.taken().into_iter();
        taken
            .map(|taken| {
                assert!((200..300).contains(&taken.status), "{taken:?}");
                taken.json
            })
            .collect()
    }
}

pub(crate) fn respond(status: u16, body: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::copy_from_slice(body.as_bytes()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

#[async_trait]
impl HttpTransport for Fake {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.respond(request).await;
        if self.breaks_off(&answer) {
            return Err(HttpError::new("the answer broke off"));
        }
        Ok(answer)
    }

    async fn submit(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut answer = self.respond(request).await;
        if self.breaks_off(&answer) {
            answer.body_mut().clear();
        }
        Ok(answer)
    }
}

impl Fake {
    async fn respond(&self, request: Request<Bytes>) -> Response<Bytes> {
        tokio::task::yield_now().await;
        let response = {
            let mut state = self.state.lock().unwrap();
            let mut taken = Taken {
                json: serde_json::from_slice(request.body()).unwrap_or_default(),
                request,
                status: 0,
            };
            state.count += 1;
            let response = match (state.queued.pop_front(), &mut state.trouble) {
                (Some(queued), _) => queued,
                (None, Some((0, status, body))) => respond(*status, body),
                (None, trouble) => {
                    if let Some((left, ..)) = trouble {
                        *left -= 1;
                    }
                    (state.rules)(&taken, state.count)
                }
            };
            taken.status = response.status().as_u16();
            state.taken.push(taken);
            response
        };
        tokio::task::yield_now().await;
        response
    }
}

impl Services for Fake {
    fn now(&self) -> Instant {
        self.build.now()
    }

    fn wall(&self) -> Timestamp {
        self.build.wall()
    }

    fn spawn(&self, name: &str, task: BoxFuture<'static, ()>) {
        self.build.spawn(name, task);
    }

    fn blocking(&self, work: Box<dyn FnOnce() + Send>) -> BoxFuture<'static, ()> {
        let build = self.build.clone();
        Box::pin(async move {
            let _done = build.blocking(work).await;
        })
    }

    fn http(&self, _options: &HttpOptions, _base: &Path) -> Result<HttpClient, BuildError> {
        Ok(HttpClient::new(Arc::new(self.clone())))
    }

    fn sleep_until(&self, at: Instant) -> BoxFuture<'static, ()> {
        let build = self.build.clone();
        Box::pin(async move { build.sleep_until(at).await })
    }
}

/// A service and its sink, for the contract.
pub(crate) struct World<S> {
    pub(crate) fake: Fake,
    pub(crate) options: Value,
    /// The id of the event that a request was about.
    pub(crate) event: fn(&Taken) -> Option<String>,
    /// How the service refuses us, and how it refuses a message.
    pub(crate) refuses: [(u16, &'static str); 2],
    pub(crate) sink: PhantomData<fn() -> S>,
}

#[async_trait]
impl<S: SinkPlugin> SinkWorld for World<S> {
    async fn build(&mut self) -> Box<dyn Sink> {
        Box::new(self.fake.build::<S>(&self.options).unwrap())
    }

    fn answer(&mut self, behaviour: Behaviour) {
        let [us, message] = self.refuses;
        self.fake.trouble(match behaviour {
            Behaviour::AcceptSome(count) => Some((count, 503, "busy")),
            Behaviour::Unavailable => Some((0, 503, "busy")),
            Behaviour::Refuse => Some((0, us.0, us.1)),
            Behaviour::RefuseEvent => Some((0, message.0, message.1)),
            _ => None,
        });
    }

    fn arrived(&mut self) -> Vec<String> {
        let taken = self.fake.taken().into_iter();
        let good = taken.filter(|taken| (200..300).contains(&taken.status));
        good.filter_map(|taken| (self.event)(&taken)).collect()
    }

    fn supports(&self, _behaviour: Behaviour) -> bool {
        true
    }
}

/// The incident `inc1` about a device that is off, in one of its states.
pub(crate) fn incident(state: AlertState) -> BufferedEvent {
    let kind = Kind::DEVICE_OFFLINE;
    let event = EventBuilder::new(kind).with(|event| {
        let mut alert = Alert::new("inc1", "device_down", event.time);
        alert.state = state;
        alert.severity = Severity::Critical;
        alert.key = "f0:9f:c2:00:00:02".into();
        alert.title = match state {
            AlertState::Resolved => "Kitchen is back".into(),
            _ => "Kitchen is offline".into(),
        };
        alert.body = "Lost contact.\nIt hangs on SW-Core.".into();
        if state != AlertState::Firing {
            alert.duration_s = 750;
            alert.count = 3;
        }
        event.summary = alert.title.clone();
        event.kind = state.kind();
        event.raw = None;
        event.alert = Some(Box::new(alert));
    });
    event.id(&format!("event-{}", state.as_str())).buffered(1)
}

/// Names as nobody would choose them who means well.
pub(crate) fn hostile() -> BufferedEvent {
    let name = "@everyone <!channel> <b onload=\"x\">&amp; [x](https://evil.example) **b** _i_ `c` <@1> @anna\r\nBcc: all@example.org\u{202e}\u{1b}[2J\0";
    EventBuilder::new(Kind::CLIENT_CONNECTED)
        .id("event-hostile")
        .client_name(name)
        .summary(name)
        .with(|event| {
            let mut alert = Alert::new("inc-hostile", "new_client", event.time);
            alert.title = name.into();
            alert.body = format!("first\n{name}").into();
            event.alert = Some(Box::new(alert));
            event.kind = Kind::ALERT_FIRING;
            event.ssid = Some(name.into());
        })
        .buffered(2)
}

/// More of everything than any service takes, in characters that cost most.
pub(crate) fn huge() -> BufferedEvent {
    let long = |unit: &str| unit.repeat(30_000);
    EventBuilder::new(Kind::DEVICE_OFFLINE)
        .id(&"x".repeat(300))
        .with(|event| {
            let mut alert = Alert::new("i".repeat(300), "n".repeat(3000), event.time);
            alert.title = long("📡<_").into();
            alert.body = long("é&*\n").into();
            event.alert = Some(Box::new(alert));
            event.kind = Kind::ALERT_FIRING;
            if let Some(device) = &mut event.device {
                device.name = Some(long("漢>").into());
            }
            event.site_name = long("&").into();
            event.ssid = Some(long("@").into());
            event.reason = Some(long("~").into());
        })
        .buffered(3)
}

/// Tell one event, on a service that must take it.
pub(crate) async fn tell(sink: &mut impl Sink, event: BufferedEvent) {
    sink.deliver(Batch::new(&[event])).await.unwrap();
}

/// Tell one event, on a service that must not.
pub(crate) async fn refused(sink: &mut impl Sink) -> DeliveryError {
    refused_at(sink, 1).await
}

/// The same as a later try.
pub(crate) async fn refused_at(sink: &mut impl Sink, attempt: u32) -> DeliveryError {
    let events = [incident(AlertState::Firing)];
    let batch = Batch::new(&events).with_attempt(attempt);
    sink.deliver(batch).await.unwrap_err()
}

/// `value` for a snapshot.
pub(crate) fn pretty(values: &[Value]) -> String {
    let texts = values
        .iter()
        .map(|value| serde_json::to_string_pretty(value).unwrap());
    texts.collect::<Vec<_>>().join("\n")
}

/// Every text in `value`, for what must not be in any.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(items) => items.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// Length in UTF-16, as many services count.
pub(crate) fn utf16(value: &Value) -> usize {
    value.as_str().unwrap_or_default().encode_utf16().count()
}

/// Options with a title by which the contract knows the event.
pub(crate) fn with_id_as_title(options: &Value) -> Value {
    let mut options = options.clone();
    options["title"] = json!("{{ event.id }}");
    options
}
