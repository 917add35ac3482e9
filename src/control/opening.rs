//! The control socket of a host: there from the start, or as soon as there is room for it.

use super::board::Board;
use super::server::Server;
use super::socket::SocketError;
use crate::tasks::Tasks;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long a disk without room for a socket is left alone.
const RETRY: Duration = Duration::from_secs(3);

/// Answer at `path` until the tasks are told to stop; must be called within a runtime. What is in the way may go away, such
/// as a full disk: it is tried again. Another host that answers there is left alone.
pub fn serve(path: &Path, board: &Arc<Board>, tasks: &Tasks) {
    let open = || Server::bind(path, Arc::clone(board), tasks.clone());
    match open() {
        Ok(server) => drop(tasks.spawn(server.serve())),
        Err(error) => {
            tracing::warn!(%error, "commands such as `herald status` cannot ask this herald");
            if matches!(error, SocketError::System { .. }) {
                let again = try_again(path.to_owned(), Arc::clone(board), tasks.clone());
                drop(tasks.spawn(again));
            }
        }
    }
}

async fn try_again(path: PathBuf, board: Arc<Board>, tasks: Tasks) {
    let server = loop {
        tokio::select! {
            () = tokio::time::sleep(RETRY) => {}
            () = tasks.stopping() => return,
        }
        match Server::bind(&path, Arc::clone(&board), tasks.clone()) {
            Ok(server) => break server,
            Err(error) => tracing::debug!(%error, "the control socket cannot be made yet"),
        }
    };
    tracing::info!("commands such as `herald status` can ask this herald now");
    server.serve().await;
}
