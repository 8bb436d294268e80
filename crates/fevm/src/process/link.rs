//! Frames over a socket: four bytes of length, little-endian, and a body. Only `Inbox::wait` and `Outbox::send` wait.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

/// No frame's body is longer.
const LONGEST: usize = 64 << 20;

/// The most that waits to be sent to an end that does not read.
const PENDING: usize = 256 << 20;

/// How much is read at once.
const CHUNK: usize = 1 << 18;

/// How long a waiting thread looks again and again before it sleeps: being woken takes tens of microseconds in a virtual machine.
const SPIN: Duration = Duration::from_micros(100);

/// Both directions of one end of a socket.
pub(super) fn link(stream: UnixStream) -> io::Result<(Inbox, Outbox)> {
    stream.set_nonblocking(true)?;
    let outbox = Outbox { stream: stream.try_clone()?, pending: Vec::new(), sent: 0 };
    Ok((Inbox { stream, chunk: vec![0; CHUNK].into(), received: Vec::new(), read: 0 }, outbox))
}

/// Frames from the other end.
pub(super) struct Inbox {
    /// Does not block, but within `wait`.
    stream: UnixStream,
    chunk: Box<[u8]>,
    /// The received bytes; from `read` on they have not been looked at.
    received: Vec<u8>,
    read: usize,
}

impl Inbox {
    /// Receives the bytes that are there, a chunk at most. Whether the other end is still there.
    pub(super) fn receive(&mut self) -> io::Result<bool> {
        match self.stream.read(&mut self.chunk) {
            Ok(size) => {
                self.keep(size);
                Ok(size > 0)
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(true),
            Err(error) => Err(error),
        }
    }

    fn keep(&mut self, size: usize) {
        self.received.drain(..self.read);
        self.read = 0;
        self.received.extend_from_slice(&self.chunk[..size]);
    }

    /// Receives something, however long it takes. Whether the other end is still there.
    pub(super) fn wait(&mut self) -> io::Result<bool> {
        let (start, before) = (Instant::now(), self.received.len() - self.read);
        while start.elapsed() < SPIN {
            if !self.receive()? {
                return Ok(false);
            }
            if self.received.len() - self.read > before {
                return Ok(true);
            }
            std::thread::yield_now();
        }
        self.stream.set_nonblocking(false)?;
        let size = loop {
            match self.stream.read(&mut self.chunk) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        self.stream.set_nonblocking(true)?;
        self.keep(size);
        Ok(size > 0)
    }

    /// The next frame, if all of it has been received.
    pub(super) fn next<'a, T: Deserialize<'a>>(&'a mut self) -> anyhow::Result<Option<T>> {
        let Some((head, rest)) = self.received[self.read..].split_first_chunk::<4>() else {
            return Ok(None);
        };
        let size = u32::from_le_bytes(*head) as usize;
        ensure!(size <= LONGEST, "a frame of {size} bytes");
        let Some(body) = rest.get(..size) else {
            return Ok(None);
        };
        self.read += 4 + size;
        let (frame, rest) = postcard::take_from_bytes(body).context("a frame that makes no sense")?;
        ensure!(rest.is_empty(), "a frame with something behind its end");
        Ok(Some(frame))
    }
}

/// Frames to the other end.
pub(super) struct Outbox {
    /// Does not block, but within `send`.
    stream: UnixStream,
    /// The bytes to send; those before `sent` are sent.
    pending: Vec<u8>,
    sent: usize,
}

impl Outbox {
    /// Adds a frame.
    pub(super) fn push(&mut self, frame: &impl Serialize) -> anyhow::Result<()> {
        ensure!(self.pending.len() - self.sent <= PENDING, "it does not read what it is sent");
        let start = self.pending.len();
        let mut pending = std::mem::take(&mut self.pending);
        pending.extend([0; 4]);
        self.pending = postcard::to_extend(frame, pending)?;
        let size = self.pending.len() - start - 4;
        ensure!(size <= LONGEST, "a frame of {size} bytes");
        self.pending[start..start + 4].copy_from_slice(&(size as u32).to_le_bytes());
        Ok(())
    }

    /// Sends as much as the other end takes now.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.pending.len() {
            match self.stream.write(&self.pending[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(size) => self.sent += size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.pending.clear();
        self.sent = 0;
        Ok(())
    }

    /// Sends everything, however long it takes.
    pub(super) fn send(&mut self) -> io::Result<()> {
        self.flush()?;
        if !self.pending.is_empty() {
            self.stream.set_nonblocking(false)?;
            self.flush()?;
            self.stream.set_nonblocking(true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_whole_however_they_are_cut() {
        let (ours, theirs) = UnixStream::pair().expect("a socket");
        let (mut inbox, _) = link(ours).expect("a link");
        let (_, mut outbox) = link(theirs.try_clone().expect("a socket")).expect("a link");
        outbox.push(&"first").expect("a frame");
        outbox.push(&(7_u64, vec![1_u8; 300])).expect("a frame");
        let bytes = std::mem::take(&mut outbox.pending);
        for (index, byte) in bytes.iter().enumerate() {
            (&theirs).write_all(&[*byte]).expect("writing");
            assert!(inbox.wait().expect("the other end"));
            if index == 9 {
                assert_eq!(inbox.next::<&str>().expect("a frame"), Some("first"));
            } else if index + 1 < bytes.len() {
                assert!(inbox.next::<(u64, Vec<u8>)>().expect("no frame").is_none(), "{index}");
            }
        }
        assert_eq!(inbox.next::<(u64, Vec<u8>)>().expect("a frame"), Some((7, vec![1; 300])));
        drop((outbox, theirs));
        assert!(!inbox.receive().expect("the other end"));
    }

    #[test]
    fn a_frame_has_nothing_behind_its_end() {
        let (ours, theirs) = UnixStream::pair().expect("a socket");
        let (mut inbox, _) = link(ours).expect("a link");
        (&theirs).write_all(&[2, 0, 0, 0, 5, 5]).expect("writing");
        assert!(inbox.wait().expect("the other end"));
        assert!(inbox.next::<u8>().is_err());
    }

    /// A megabyte to an end that does not read: sending a part that is taken comes to an end, and sending all of it once it is read.
    #[test]
    fn sending_waits_only_where_it_says_so() {
        let (ours, theirs) = UnixStream::pair().expect("a socket");
        let (_, mut outbox) = link(ours).expect("a link");
        outbox.push(&vec![9_u8; 1 << 20]).expect("a frame");
        outbox.flush().expect("the other end");
        assert!(!outbox.pending.is_empty());
        let reader = std::thread::spawn(move || {
            let mut read = Vec::new();
            (&theirs).read_to_end(&mut read).map(|_| read.len())
        });
        outbox.send().expect("the other end");
        assert!(outbox.pending.is_empty());
        drop(outbox);
        assert!(reader.join().expect("a reader").expect("reading") > 1 << 20);
    }
}
