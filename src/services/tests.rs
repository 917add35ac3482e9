//! What plugins are lent, against a plain server on loopback.

use super::*;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use unifi_herald_plugin::BuildContext;
use unifi_herald_plugin::http::{Request, TlsOptions};

const LIMIT: Duration = Duration::from_secs(60);

fn context(tasks: &Tasks) -> BuildContext {
    BuildContext::new(
        "test",
        Path::new("/nonexistent"),
        HostServices::new(Clock::system(), tasks.clone()),
    )
}

/// Answers one request with these bytes; its URL.
async fn answer_once(tasks: &Tasks, answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "http://{}/hook?token=hunter2",
        listener.local_addr().unwrap()
    );
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        // A client that has read enough may already be gone.
        let _sent = stream.write_all(&answer).await;
    });
    url
}

#[test]
fn the_zone_of_the_configuration_has_its_summer_time() {
    let zone = lent_zone(&jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let offset = |text: &str| zone.offset(text.parse().unwrap());
    assert_eq!(offset("2026-10-25T00:59:59.000Z"), 7200);
    assert_eq!(offset("2026-10-25T01:00:00.000Z"), 3600);
}

#[tokio::test]
async fn answers_come_whole_without_following_redirects_and_bounded() {
    let tasks = Tasks::new();
    let client = context(&tasks).http(&HttpOptions::default()).unwrap();
    let moved =
        b"HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 2\r\n\r\nno".to_vec();
    let url = answer_once(&tasks, moved).await;
    let answer = client
        .send(Request::get(&url).body(Bytes::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.body()[..]),
        (302, &b"no"[..])
    );
    assert_eq!(answer.headers()["location"], "/elsewhere");

    let size = MAX_ANSWER + 100_000;
    let mut large = format!("HTTP/1.1 200 OK\r\ncontent-length: {size}\r\n\r\n").into_bytes();
    large.resize(large.len() + size, b'x');
    let url = answer_once(&tasks, large).await;
    let answer = client
        .send(Request::get(&url).body(Bytes::new()).unwrap())
        .await
        .unwrap();
    assert_eq!(answer.body().len(), MAX_ANSWER);
}

/// Answers one request with `head`, and then with `piece` for ever, or with silence; its URL.
async fn answer_for_ever(tasks: &Tasks, head: &'static str, piece: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tasks.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(stream.read_u8().await.unwrap());
        }
        stream.write_all(head.as_bytes()).await.unwrap();
        // Until the client has enough, and hangs up.
        match piece {
            Some(piece) => while stream.write_all(piece.as_bytes()).await.is_ok() {},
            None => drop(stream.read_u8().await),
        }
    });
    url
}

fn get(url: &str) -> Request<Bytes> {
    Request::get(url).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn where_the_status_is_the_answer_a_success_is_one_however_its_body_ends() {
    let tasks = Tasks::new();
    let client = context(&tasks).http(&HttpOptions::default()).unwrap();
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc";
    let url = answer_once(&tasks, short.into()).await;
    let answer = client.submit(get(&url)).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.body()[..]),
        (200, &b"abc"[..])
    );
    let url = answer_once(&tasks, short.into()).await;
    client.send(get(&url)).await.unwrap_err();

    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    for piece in [Some("5\r\nhello\r\n"), None] {
        let url = answer_for_ever(&tasks, chunked, piece).await;
        let answer = tokio::time::timeout(LIMIT, client.submit(get(&url))).await;
        let answer = answer.unwrap().unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.body().len() <= GLANCE);
    }
}

#[tokio::test]
async fn an_answer_that_is_no_success_is_judged_by_its_status_however_its_body_ends() {
    let tasks = Tasks::new();
    let client = context(&tasks).http(&HttpOptions::default()).unwrap();
    let short = "HTTP/1.1 400 Bad Request\r\ncontent-length: 100\r\n\r\nwhat is this?";
    for whole in [true, false] {
        let url = answer_once(&tasks, short.into()).await;
        let answer = if whole {
            client.send(get(&url)).await.unwrap()
        } else {
            client.submit(get(&url)).await.unwrap()
        };
        assert_eq!(
            (answer.status().as_u16(), &answer.body()[..]),
            (400, &b"what is this?"[..])
        );
    }
    let chunked = "HTTP/1.1 500 Oh\r\ntransfer-encoding: chunked\r\n\r\n";
    for piece in [Some("5\r\nhello\r\n"), None] {
        let url = answer_for_ever(&tasks, chunked, piece).await;
        let answer = tokio::time::timeout(LIMIT, client.send(get(&url))).await;
        assert_eq!(answer.unwrap().unwrap().status(), 500);
    }
}

#[tokio::test]
async fn an_error_does_not_tell_the_address() {
    let tasks = Tasks::new();
    let client = context(&tasks).http(&HttpOptions::default()).unwrap();
    let url = answer_once(&tasks, b"nonsense\r\n\r\n".to_vec()).await;
    for url in [
        url.as_str(),
        "http://127.0.0.1:1/hook?token=hunter2",
        "http://nowhere.invalid/hook?token=hunter2",
    ] {
        let error = client
            .send(Request::get(url).body(Bytes::new()).unwrap())
            .await
            .unwrap_err();
        assert!(
            !error.to_string().contains("hunter2") && !error.to_string().is_empty(),
            "{error}"
        );
    }
}

#[tokio::test]
async fn options_that_cannot_work_are_refused_with_their_name() {
    let context = context(&Tasks::new());
    let options = HttpOptions {
        tls: TlsOptions {
            pin_sha256: Some("abc".to_owned()),
            ..TlsOptions::default()
        },
    };
    let error = context.http(&options).unwrap_err();
    assert!(error.to_string().contains("pin_sha256"), "{error}");
}

#[test]
fn tasks_started_outside_of_the_runtime_run_on_it_and_end_with_the_group() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let tasks = Tasks::new();
    let context = {
        let _entered = runtime.enter();
        context(&tasks)
    };
    let (done, seen) = oneshot::channel();
    context.spawn("short", async move { done.send(7).unwrap() });
    context.spawn("endless", std::future::pending());
    runtime.block_on(async {
        assert_eq!(tokio::time::timeout(LIMIT, seen).await.unwrap(), Ok(7));
        assert_eq!(context.blocking(|| 6 * 7).await, Some(42));
        assert_eq!(
            context.blocking(|| -> u8 { panic!("on purpose") }).await,
            None
        );
        let at = context.now() + Duration::from_millis(1);
        context.sleep_until(at).await;
        assert!(context.now() >= at);
        tasks.stop();
        tokio::time::timeout(LIMIT, tasks.ended()).await.unwrap();
    });
}
