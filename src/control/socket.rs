//! The file of the control socket: made for its user alone, taken over from the dead, left to the living.

use std::fs::{self, DirBuilder, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// The socket cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// Another process answers there.
    #[error("another herald answers at {}", .0.display())]
    Taken(PathBuf),
    /// The system refused.
    #[error("cannot make {}: {error}", path.display())]
    System {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// A bound socket. Dropping it removes the file, unless another has taken its place.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    inode: u64,
}

impl Socket {
    /// Bind `path` with mode 0600, in a folder that is made with mode 0700 when it is missing.
    pub(super) fn bind(path: &Path) -> Result<(Self, UnixListener), SocketError> {
        match UnixStream::connect(path) {
            Ok(_answered) => return Err(SocketError::Taken(path.to_owned())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            // A socket whose process is gone; the new one takes its place below.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(system(path, error)),
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        private_folder(folder, true)?;
        // Made where nobody else can come near, and moved when its mode is right: there is no moment at which others
        // could connect.
        let nursery = folder.join(format!(".s{}", std::process::id()));
        let ours = fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o077 == 0);
        let (inode, listener) = if ours {
            // On a full disk there may be no room for a folder, which a socket does not need.
            drop(fs::remove_file(&nursery));
            bind_at(&nursery, path)?
        } else {
            private_folder(&nursery, false)?;
            let bound = bind_at(&nursery.join("s"), path);
            let removed = fs::remove_dir(&nursery).map_err(|error| system(&nursery, error));
            let bound = bound?;
            removed?;
            bound
        };
        let path = path.to_owned();
        Ok((Self { path, inode }, listener))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|file| file.ino() == self.inode);
        if ours && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, "cannot remove the control socket");
        }
    }
}

fn bind_at(cradle: &Path, path: &Path) -> Result<(u64, UnixListener), SocketError> {
    let listener = UnixListener::bind(cradle).map_err(|error| system(cradle, error))?;
    let finish = || {
        listener.set_nonblocking(true)?;
        fs::set_permissions(cradle, Permissions::from_mode(0o600))?;
        let inode = fs::symlink_metadata(cradle)?.ino();
        fs::rename(cradle, path)?;
        Ok(inode)
    };
    let inode = finish().map_err(|error: io::Error| {
        // What failed counts; a file that stays behind is empty.
        drop(fs::remove_file(cradle));
        system(path, error)
    })?;
    Ok((inode, listener))
}

fn private_folder(folder: &Path, parents: bool) -> Result<(), SocketError> {
    let mut builder = DirBuilder::new();
    builder.recursive(parents).mode(0o700);
    match builder.create(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(system(folder, error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn system(path: &Path, error: io::Error) -> SocketError {
    SocketError::System {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_folder_of_our_own_needs_room_for_nothing_but_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "nr_inodes=2,mode=700", "tmpfs"]);
        let mounted = mount.arg(folder.path()).output();
        if !mounted.is_ok_and(|mounted| mounted.status.success()) {
            eprintln!("skipped: this user may not mount a disk");
            return;
        }
        let path = folder.path().join("herald.sock");
        let bound = Socket::bind(&path).map(|(socket, _listener)| {
            let mode = fs::metadata(&path).unwrap().mode();
            drop(socket);
            mode & 0o777
        });
        let unmounted = Command::new("umount").arg("-l").arg(folder.path()).output();
        assert!(unmounted.unwrap().status.success());
        assert_eq!(bound.unwrap(), 0o600);
    }

    #[test]
    fn nothing_else_is_left_in_the_folder_whoever_may_enter_it() {
        for mode in [0o700, 0o755] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
            let bound = Socket::bind(&folder.path().join("herald.sock")).unwrap();
            let files = fs::read_dir(folder.path()).unwrap();
            let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
            assert_eq!(files, ["herald.sock"]);
            drop(bound);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}
