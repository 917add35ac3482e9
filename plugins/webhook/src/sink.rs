//! Sends batches and says what became of them.

use crate::body::Body;
use crate::config::{Config, Target};
use crate::signature::webhook_id;
use bytes::Bytes;
use std::fmt;
use unifi_herald_plugin::http::{HeaderMap, HeaderValue, HttpOptions, Method, Request, header};
use unifi_herald_plugin::{
    Batch, BufferedEvent, BuildContext, BuildError, DeliveryError, HttpClient, Retry, Sink,
    SinkPlugin, async_trait,
};

/// Sends events by HTTP.
pub struct Webhook {
    context: BuildContext,
    http: HttpClient,
    target: Target,
    body: Body,
}

impl SinkPlugin for Webhook {
    const NAME: &'static str = "webhook";
    const SUMMARY: &'static str =
        "sends events by HTTP: CloudEvents, JSON or a template, signed by Standard Webhooks";
    type Config = Config;

    fn build(config: Config, context: &BuildContext) -> Result<Self, BuildError> {
        let (target, body) = config.resolve(context)?;
        Ok(Self {
            context: context.clone(),
            http: context.http(&HttpOptions { tls: config.tls })?,
            target,
            body,
        })
    }
}

#[async_trait]
impl Sink for Webhook {
    async fn deliver(&mut self, batch: Batch<'_>) -> Result<(), DeliveryError> {
        let step = self.body.step(batch.len());
        for (number, events) in batch.events().chunks(step).enumerate() {
            let accepted = number * step;
            let sent = self.send(events).await;
            sent.map_err(|error| self.discreet(error).with_accepted(accepted))?;
        }
        Ok(())
    }

    /// Asks for the hook's head, which by HTTP's rules changes nothing. Most hooks know only their own method and refuse
    /// this one, so only an answer about us counts.
    async fn check(&mut self) -> Result<(), DeliveryError> {
        let request = self.request(Method::HEAD, self.target.headers.clone(), Bytes::new());
        let answer = self.http.send(request).await;
        let answer = answer.map_err(|error| self.discreet(DeliveryError::later(error)))?;
        match answer.status().as_u16() {
            status @ (401 | 403 | 407 | 410) => {
                let message = format!("answered {}", answer.status());
                Err(DeliveryError::from_status(status, None, message))
            }
            _ => Ok(()),
        }
    }
}

impl Webhook {
    /// One request for these events.
    async fn send(&self, events: &[BufferedEvent]) -> Result<(), DeliveryError> {
        let body = self.body.render(events).map_err(DeliveryError::never)?;
        let id = webhook_id(events);
        let mut headers = self.target.headers.clone();
        if let Some(content_type) = self.body.content_type_of(events.len()) {
            headers.insert(header::CONTENT_TYPE, content_type);
        }
        insert(&mut headers, "webhook-id", &id)?;
        if let Some(signer) = &self.target.signer {
            let at = self.context.wall();
            insert(&mut headers, "webhook-timestamp", &at.as_secs().to_string())?;
            insert(
                &mut headers,
                "webhook-signature",
                &signer.sign(&id, at, &body),
            )?;
        }
        let request = self.request(self.target.method.clone(), headers, body.into());
        self.http.deliver(request).await?;
        Ok(())
    }

    fn request(&self, method: Method, headers: HeaderMap, body: Bytes) -> Request<Bytes> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = self.target.uri.clone();
        *request.headers_mut() = headers;
        request
    }

    /// The same error without our secrets, which some destinations repeat in their answers.
    fn discreet(&self, error: DeliveryError) -> DeliveryError {
        let said = error.to_string();
        let discreet = self
            .target
            .secrets
            .iter()
            .fold(said.clone(), |text, secret| text.replace(secret, "***"));
        if discreet == said {
            return error;
        }
        let fault = error.fault();
        match error.retry() {
            Retry::Later => DeliveryError::later(discreet),
            Retry::After(delay) => DeliveryError::after(delay, discreet),
            Retry::Never => DeliveryError::never(discreet),
        }
        .with_fault(fault)
    }
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), DeliveryError> {
    let value = HeaderValue::from_str(value).map_err(DeliveryError::never)?;
    headers.insert(name, value);
    Ok(())
}

impl fmt::Debug for Webhook {
    /// Neither address nor headers: both may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
