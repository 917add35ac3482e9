//! Accepts connections, so many at a time and no more, and serves each within limits.

use super::patience::Patient;
use crate::tasks::Tasks;
use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Most connections at a time; others wait to be accepted.
const MAX_CONNECTIONS: usize = 64;

/// How long the head of a request may take to arrive; also how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(20);

/// Most header lines, and most bytes of a head.
const MAX_HEADERS: usize = 64;
const MAX_HEAD: usize = 32 << 10;

/// How long to wait when the address is taken, or the system refuses a connection.
const BREATH: Duration = Duration::from_secs(2);

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serve `router` at `listen` until the tasks are told to stop.
pub(super) async fn serve(
    listen: SocketAddr,
    address: Arc<OnceLock<SocketAddr>>,
    router: Router,
    tasks: Tasks,
) {
    let stop = tasks.stop_token();
    let Some(listener) = stop.run_until_cancelled(bind(listen)).await else {
        return;
    };
    if let Ok(bound) = listener.local_addr() {
        tracing::info!(url = %format_args!("http://{bound}/"), "dashboard");
        address.get_or_init(|| bound);
    }
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // A closed semaphore would end the server; nobody closes it.
    while let Some(Ok(place)) = stop
        .run_until_cancelled(Arc::clone(&places).acquire_owned())
        .await
    {
        match stop.run_until_cancelled(listener.accept()).await {
            None => break,
            Some(Ok((stream, peer))) => {
                let served = connection(stream, Peer(peer.ip()), router.clone(), tasks.clone());
                tasks.spawn(async move {
                    served.await;
                    drop(place);
                });
            }
            Some(Err(error)) => {
                tracing::warn!(%error, "cannot accept a connection to the dashboard");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    tasks.ended().await;
}

async fn bind(listen: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(listen).await {
            Ok(listener) => return listener,
            Err(error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!(%listen, %error, "no dashboard yet: cannot listen where `server.listen` says, trying again");
                }
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: Peer, router: Router, tasks: Tasks) {
    let inner = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        inner.call(request)
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD);
    let mut served = pin!(http.serve_connection(TokioIo::new(Patient::new(stream)), service));
    // What breaks a connection is its client's business.
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = tasks.stopping() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to the dashboard broke");
    }
}
