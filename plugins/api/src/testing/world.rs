//! The contract for sinks that speak HTTP, without writing a destination.

use super::{Behaviour, SinkWorld, TestContext};
use crate::http::Request;
use crate::{Sink, async_trait};
use bytes::Bytes;
use std::fmt;

/// A [`SinkWorld`] whose destination is a [`TestHttp`](super::TestHttp): it is away with 503, refuses us with 401 and an
/// event with 422.
///
/// ```
/// # use unifi_herald_plugin::testing::{self, HttpWorld, header_ids, sink_violations};
/// # use unifi_herald_plugin::http::{HttpClient, Request};
/// # use unifi_herald_plugin::{Batch, DeliveryError, HttpOptions, Sink, async_trait};
/// struct Lines(HttpClient);
///
/// #[async_trait]
/// impl Sink for Lines {
///     async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
///         for (accepted, event) in batch.iter().enumerate() {
///             let request = Request::post("https://192.0.2.1/")
///                 .header("idempotency-key", &*event.id)
///                 .body(event.summary.to_string().into())
///                 .map_err(DeliveryError::misconfigured)?;
///             self.0.deliver(request).await.map_err(|error| error.with_accepted(accepted))?;
///         }
///         Ok(())
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let world = HttpWorld::new(
///     |context| Box::new(Lines(context.http().client())),
///     header_ids("idempotency-key"),
/// );
/// testing::assert_sink_contract(&mut world.one_by_one()).await;
/// # });
/// ```
pub struct HttpWorld<B, R> {
    context: TestContext,
    build: B,
    read: R,
    one_by_one: bool,
}

impl<B, R> HttpWorld<B, R>
where
    B: FnMut(&TestContext) -> Box<dyn Sink> + Send,
    R: Fn(&Request<Bytes>) -> Vec<String> + Send,
{
    /// `build` makes a sink; `read` finds the ids of the events in a request, none in one that carries no event.
    pub fn new(build: B, read: R) -> Self {
        Self {
            context: TestContext::new(),
            build,
            read,
            one_by_one: false,
        }
    }

    /// The sink makes a request for each event: some of a batch can be taken and the rest not.
    #[must_use]
    pub fn one_by_one(self) -> Self {
        Self {
            one_by_one: true,
            ..self
        }
    }
}

/// The event's id stands in this header.
pub fn header_ids(name: &'static str) -> impl Fn(&Request<Bytes>) -> Vec<String> + Send {
    move |request| {
        let value = request.headers().get(name);
        let id = value.and_then(|value| value.to_str().ok());
        id.map(str::to_owned).into_iter().collect()
    }
}

#[async_trait]
impl<B, R> SinkWorld for HttpWorld<B, R>
where
    B: FnMut(&TestContext) -> Box<dyn Sink> + Send,
    R: Fn(&Request<Bytes>) -> Vec<String> + Send,
{
    async fn build(&mut self) -> Box<dyn Sink> {
        (self.build)(&self.context)
    }

    fn answer(&mut self, behaviour: Behaviour) {
        let http = self.context.http();
        match behaviour {
            Behaviour::Accept => http.always(200),
            Behaviour::AcceptSome(count) => {
                http.always(503);
                (0..count).for_each(|_| http.answer(200, ""));
            }
            Behaviour::Unavailable => http.always(503),
            Behaviour::Refuse => http.always(401),
            Behaviour::RefuseEvent => http.always(422),
        }
    }

    fn arrived(&mut self) -> Vec<String> {
        let exchanges = self.context.http().take_exchanges().into_iter();
        let taken = exchanges
            .filter(|(_, status)| status.is_some_and(|status| status.is_success()))
            .map(|(request, _)| request);
        taken.flat_map(|request| (self.read)(&request)).collect()
    }

    fn supports(&self, behaviour: Behaviour) -> bool {
        self.one_by_one || !matches!(behaviour, Behaviour::AcceptSome(_))
    }
}

impl<B, R> fmt::Debug for HttpWorld<B, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWorld")
            .field("one_by_one", &self.one_by_one)
            .finish_non_exhaustive()
    }
}
