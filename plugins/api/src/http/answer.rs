//! What an answer says beside its status: how long to wait, where else to go, and in which words.

use super::{HeaderMap, HeaderName, Response, StatusCode, Uri, header};
use bytes::Bytes;
use std::time::{Duration, SystemTime};

/// No service is waited for longer than this because it said so.
const LONGEST_WAIT: Duration = Duration::from_secs(86_400);
/// More of a host's name is not repeated: a name in the DNS is no longer than 253.
const LONGEST_HOST: usize = 253;

/// `Retry-After` (RFC 9110, section 10.2.3), capped at a day.
///
/// A date counts from the answer's own `Date`, so that it does not matter how the service's clock goes; without one,
/// and where it has passed, it is nothing.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, header::RETRY_AFTER)?;
    if let Ok(seconds) = value.parse::<f64>() {
        let longest = LONGEST_WAIT.as_secs_f64();
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(longest)));
    }
    let wait = date(value)?
        .duration_since(date(text(headers, header::DATE)?)?)
        .ok()?;
    Some(wait.min(LONGEST_WAIT))
}

/// What to do about a redirect, where this is one; of the place it leads to only scheme and host, since the rest may be
/// a secret.
#[must_use]
pub fn redirect(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = text(headers, header::LOCATION).and_then(place);
    let to = to.map_or_else(String::new, |to| format!(" ({to})"));
    Some(format!(
        "herald follows no redirects, set the address to the one it leads to{to}"
    ))
}

/// Status and the words of an answer that is not a success.
pub(super) fn said(response: &Response<Bytes>) -> String {
    let status = response.status();
    let words = redirect(status, response.headers()).unwrap_or_else(|| excerpt(response.body()));
    if words.is_empty() {
        format!("answered {status}")
    } else {
        format!("answered {status}: {words}")
    }
}

/// The beginning of an answer as far as it is fit for a log: printable, at most 200 characters.
fn excerpt(body: &[u8]) -> String {
    let head = &body[..body.len().min(1024)];
    let text = String::from_utf8_lossy(head);
    text.trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(200)
        .collect()
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

fn date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// `https://example.org:8443` of an address, where it has that much.
fn place(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let (scheme, host) = (uri.scheme_str()?, uri.host()?);
    if host.is_empty() || host.len() > LONGEST_HOST || !matches!(scheme, "http" | "https") {
        return None;
    }
    let port = uri
        .port()
        .map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(of: &[(HeaderName, &str)]) -> HeaderMap {
        let of = of.iter();
        of.map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn retry_after_is_bounded_and_never_negative() {
        let read = |value: &str| retry_after(&headers(&[(header::RETRY_AFTER, value)]));
        assert_eq!(read("5"), Some(Duration::from_secs(5)));
        assert_eq!(read("0.35"), Some(Duration::from_millis(350)));
        assert_eq!(read("1e300"), Some(LONGEST_WAIT));
        for bad in ["-1", "NaN", "inf", "", "soon"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn retry_after_as_a_date_counts_from_the_date_of_the_answer() {
        let read = |date: &str, after: &str| {
            retry_after(&headers(&[
                (header::DATE, date),
                (header::RETRY_AFTER, after),
            ]))
        };
        let sent = "Wed, 21 Oct 2015 07:28:00 GMT";
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(read(sent, "Wed, 21 Oct 2015 07:29:30 GMT"), seconds(90));
        // The two older forms, which RFC 9110 has a recipient accept.
        assert_eq!(read(sent, "Wednesday, 21-Oct-15 07:28:07 GMT"), seconds(7));
        assert_eq!(read(sent, "Wed Oct 21 07:28:07 2015"), seconds(7));
        assert_eq!(read(sent, sent), seconds(0));
        assert_eq!(
            read(sent, "Sat, 21 Oct 2215 07:28:00 GMT"),
            Some(LONGEST_WAIT)
        );
        assert_eq!(read(sent, "Wed, 21 Oct 2015 07:27:59 GMT"), None);
        assert_eq!(read("today", "Wed, 21 Oct 2015 07:29:30 GMT"), None);
        let undated = [(header::RETRY_AFTER, "Sat, 21 Oct 2215 07:28:00 GMT")];
        assert_eq!(retry_after(&headers(&undated)), None);
    }

    #[test]
    fn a_redirect_tells_the_host_it_leads_to_and_no_more() {
        let told = |status: u16, location: &str| {
            let status = StatusCode::from_u16(status).unwrap();
            redirect(status, &headers(&[(header::LOCATION, location)]))
        };
        const ADVICE: &str = "herald follows no redirects, set the address to the one it leads to";
        assert_eq!(
            told(
                302,
                "https://anna:hunter2@example.org:8443/hook/s3cr3t?k=s3cr3t#s3cr3t"
            ),
            Some(format!("{ADVICE} (https://example.org:8443)"))
        );
        let long = format!("https://{}/", "x".repeat(LONGEST_HOST + 1));
        for vague in ["/login?s3cr3t", "", "javascript:s3cr3t", "s3cr3t", &long] {
            assert_eq!(told(308, vague).as_deref(), Some(ADVICE), "{vague}");
        }
        for (status, follows) in [
            (301, true),
            (303, true),
            (307, true),
            (304, false),
            (200, false),
        ] {
            assert_eq!(told(status, "/").is_some(), follows, "{status}");
        }
    }

    #[test]
    fn what_is_said_is_the_words_of_the_answer_or_what_to_do_about_a_redirect() {
        let answer = |status: u16, body: &'static str| {
            let mut response = Response::new(Bytes::from_static(body.as_bytes()));
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            said(&response)
        };
        assert_eq!(
            answer(400, " no\x1b[2J\r\n"),
            "answered 400 Bad Request: no [2J"
        );
        assert_eq!(answer(503, ""), "answered 503 Service Unavailable");
        let moved = answer(302, "<html>302 Found</html>");
        assert!(
            moved.starts_with("answered 302 Found: herald follows no redirects"),
            "{moved}"
        );
        assert!(!moved.contains("html"), "{moved}");
    }
}
