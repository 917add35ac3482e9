//! The stream below a socket, in which text frames look like binary ones.
//!
//! What says that it is text and is no UTF-8 is the end of a connection to the library, while to herald it is one bad
//! frame. So the library is not told what is text; the bytes are looked at where they are decoded.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end of the answer to the handshake.
const HEAD_ENDS: &[u8] = b"\r\n\r\n";
const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// A stream from its first byte on, with the answer to the handshake.
#[derive(Debug)]
pub(super) struct Untyped<S> {
    inner: S,
    at: At,
}

/// What the next byte is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    /// One of the answer to the handshake; so much of its end has been seen.
    Head(usize),
    /// The first of a frame, with its kind.
    Kind,
    /// The second: whether there is a mask, and how long the frame is.
    Length,
    /// One of the bytes that hold a longer length: how many there are still, the length so far, the size of the mask.
    Longer { left: u8, length: u64, mask: u64 },
    /// One of the mask and what the frame carries.
    Inside(u64),
}

impl At {
    /// What comes after `byte`, whose kind is changed where it says that it is text.
    fn step(self, byte: &mut u8) -> Self {
        match self {
            Self::Head(seen) => {
                let seen = match *byte {
                    byte if byte == HEAD_ENDS[seen] => seen + 1,
                    b'\r' => 1,
                    _ => 0,
                };
                match seen == HEAD_ENDS.len() {
                    true => Self::Kind,
                    false => Self::Head(seen),
                }
            }
            Self::Kind => {
                if *byte & 0x0f == TEXT {
                    *byte = *byte & 0xf0 | BINARY;
                }
                Self::Length
            }
            Self::Length => {
                let mask = if *byte & 0x80 == 0 { 0 } else { 4 };
                let longer = |left| Self::Longer {
                    left,
                    length: 0,
                    mask,
                };
                match *byte & 0x7f {
                    126 => longer(2),
                    127 => longer(8),
                    short => Self::inside(u64::from(short) + mask),
                }
            }
            Self::Longer { left, length, mask } => {
                let length = length << 8 | u64::from(*byte);
                match left {
                    1 => Self::inside(length.saturating_add(mask)),
                    _ => Self::Longer {
                        left: left - 1,
                        length,
                        mask,
                    },
                }
            }
            Self::Inside(left) => Self::inside(left - 1),
        }
    }

    fn inside(left: u64) -> Self {
        match left {
            0 => Self::Kind,
            left => Self::Inside(left),
        }
    }

    /// What comes after all of `bytes`.
    fn walk(mut self, mut bytes: &mut [u8]) -> Self {
        while let Some((first, rest)) = bytes.split_first_mut() {
            if let Self::Inside(left) = self {
                let all = rest.len() + 1;
                let skipped = usize::try_from(left).map_or(all, |left| left.min(all));
                self = Self::inside(left - skipped as u64);
                bytes = &mut rest[skipped - 1..];
            } else {
                self = self.step(first);
                bytes = rest;
            }
        }
        self
    }
}

impl<S> Untyped<S> {
    /// Over a stream that nothing was read from.
    pub(super) fn new(inner: S) -> Self {
        let at = At::Head(0);
        Self { inner, at }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Untyped<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.at = self.at.walk(&mut buf.filled_mut()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Untyped<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A frame of this kind with so many bytes, each of which would be the kind of a text frame.
    fn frame(kind: u8, length: usize) -> Vec<u8> {
        let mut bytes = vec![0x80 | kind];
        match length {
            0..126 => bytes.push(length as u8),
            126..65536 => {
                bytes.push(126);
                bytes.extend((length as u16).to_be_bytes());
            }
            _ => {
                bytes.push(127);
                bytes.extend((length as u64).to_be_bytes());
            }
        }
        bytes.resize(bytes.len() + length, 0x81);
        bytes
    }

    #[test]
    fn only_the_kind_of_text_frames_is_changed_however_the_bytes_come() {
        let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\r\n\r\n";
        let masked = [&[TEXT, 0x80 | 3][..], &[0x81; 7]].concat();
        let masked_then = [&[BINARY, 0x80 | 3][..], &[0x81; 7]].concat();
        let lengths = [0, 1, 125, 126, 300, 65535, 65536, 70000];
        let of = |kind: u8| lengths.iter().flat_map(move |length| frame(kind, *length));
        let sent: Vec<u8> = head
            .iter()
            .copied()
            .chain(of(TEXT))
            .chain(frame(9, 4))
            .chain(masked)
            .chain(of(BINARY))
            .chain(of(0))
            .collect();
        let expected: Vec<u8> = head
            .iter()
            .copied()
            .chain(of(BINARY))
            .chain(frame(9, 4))
            .chain(masked_then)
            .chain(of(BINARY))
            .chain(of(0))
            .collect();
        for piece in [1, 2, 7, 127, 4096, sent.len()] {
            let mut got = sent.clone();
            let walked = got
                .chunks_mut(piece)
                .fold(At::Head(0), |at, bytes| at.walk(bytes));
            assert!(got == expected, "in pieces of {piece}");
            assert_eq!(walked, At::Kind);
        }
    }

    #[test]
    fn a_length_beyond_all_bounds_is_for_the_library_to_refuse() {
        let mut bytes = [&[0x82, 0xff][..], &[0xff; 8], &[0x81; 64]].concat();
        let before = bytes.clone();
        let at = At::Kind.walk(&mut bytes);
        assert_eq!(bytes, before);
        assert_eq!(at, At::Inside(u64::MAX - 64));
    }
}
