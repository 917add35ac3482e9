//! The files of the dashboard, which are part of the program.

use super::App;
use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use std::sync::Arc;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// Path, type and content of every file.
const FILES: &[(&str, &str, &[u8])] = &[
    ("/", HTML, include_bytes!("ui/index.html")),
    ("/ui/style.css", CSS, include_bytes!("ui/style.css")),
    ("/ui/icon.svg", SVG, include_bytes!("ui/icon.svg")),
    ("/ui/api.js", JS, include_bytes!("ui/api.js")),
    ("/ui/app.js", JS, include_bytes!("ui/app.js")),
    ("/ui/chains.js", JS, include_bytes!("ui/chains.js")),
    ("/ui/chart.js", JS, include_bytes!("ui/chart.js")),
    ("/ui/detail.js", JS, include_bytes!("ui/detail.js")),
    ("/ui/dom.js", JS, include_bytes!("ui/dom.js")),
    ("/ui/events.js", JS, include_bytes!("ui/events.js")),
    ("/ui/filter.js", JS, include_bytes!("ui/filter.js")),
    ("/ui/incidents.js", JS, include_bytes!("ui/incidents.js")),
    ("/ui/journal.js", JS, include_bytes!("ui/journal.js")),
    ("/ui/letters.js", JS, include_bytes!("ui/letters.js")),
    ("/ui/live.js", JS, include_bytes!("ui/live.js")),
    ("/ui/status.js", JS, include_bytes!("ui/status.js")),
    ("/ui/table.js", JS, include_bytes!("ui/table.js")),
    ("/ui/time.js", JS, include_bytes!("ui/time.js")),
];

pub(super) fn router() -> Router<Arc<App>> {
    FILES
        .iter()
        .fold(Router::new(), |router, &(path, kind, content)| {
            router.route(
                path,
                get(move || async move { ([(CONTENT_TYPE, kind)], content) }),
            )
        })
}
