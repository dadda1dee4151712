//! The seam on io_uring: lane writes go to one thread that owns the ring; everything else is as on the plain disk.
//!
//! The only file that knows `tokio-uring`, which has no maintainer: the day it must go, only this file changes.
#![allow(unsafe_code)] // The ring needs the promise that a buffer stays where it is.

use super::{AlignedBuf, Disk, LaneFile, PlainDisk, ReadFile, ReadMode};
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use tokio_uring::buf::IoBuf;
use tokio_uring::fs::{File, OpenOptions};

/// Requests that may wait for the ring; a lane has one at a time, and a store has few lanes.
const REQUESTS_MAX: usize = 64;

const LANE_FLAGS: i32 = libc::O_DIRECT | libc::O_DSYNC | libc::O_CLOEXEC;

/// A disk whose lane writes go through one io_uring.
pub struct UringDisk {
    plain: PlainDisk,
    requests: Arc<Queue>,
    next_file: AtomicU64,
}

/// The bounded way into the ring's thread.
struct Queue {
    sender: tokio::sync::mpsc::Sender<Request>,
}

enum Request {
    Open { file: u64, path: PathBuf, answer: SyncSender<io::Result<()>> },
    Write { file: u64, offset: u64, bytes: AlignedBuf, answer: SyncSender<(AlignedBuf, io::Result<()>)> },
    Close { file: u64 },
}

impl UringDisk {
    /// Starts the ring's thread.
    ///
    /// # Errors
    /// The host forbids io_uring (many container hosts do); the message says so.
    pub fn start() -> io::Result<Self> {
        let (sender, receiver) = tokio::sync::mpsc::channel(REQUESTS_MAX);
        let (started, answer) = sync_channel(1);
        std::thread::Builder::new().name("lane-ring".to_owned()).spawn(move || {
            // `tokio_uring::start` panics where the ring is forbidden, so it is asked first.
            match tokio_uring::Runtime::new(&tokio_uring::builder()) {
                Ok(runtime) => {
                    let _ = started.send(Ok(()));
                    runtime.block_on(serve(receiver));
                }
                Err(error) => {
                    let _ = started.send(Err(error));
                }
            }
        })?;
        match answer.recv() {
            Ok(Ok(())) => {
                Ok(Self { plain: PlainDisk::new(), requests: Arc::new(Queue { sender }), next_file: AtomicU64::new(0) })
            }
            Ok(Err(error)) => Err(io::Error::new(error.kind(), format!("this host does not allow io_uring: {error}"))),
            Err(_) => Err(io::Error::other("the io_uring thread ended before it began")),
        }
    }

    fn open_lane(&self, path: &Path, create: bool) -> io::Result<Box<dyn LaneFile>> {
        let file = self.next_file.fetch_add(1, Ordering::Relaxed);
        // Names, allocation and the final cut are rare and stay system calls on a second descriptor.
        let plain = if create { self.plain.create_lane(path)? } else { self.plain.reopen_lane(path)? };
        let (answer, opened) = sync_channel(1);
        self.requests.send(Request::Open { file, path: path.to_owned(), answer })?;
        opened.recv().map_err(|_| ring_ended())??;
        Ok(Box::new(UringLane { file, plain, requests: Arc::clone(&self.requests) }))
    }
}

impl Queue {
    fn send(&self, request: Request) -> io::Result<()> {
        self.sender.blocking_send(request).map_err(|_| ring_ended())
    }
}

fn ring_ended() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the io_uring thread has ended")
}

async fn serve(mut requests: tokio::sync::mpsc::Receiver<Request>) {
    let mut files: HashMap<u64, Rc<File>> = HashMap::new();
    while let Some(request) = requests.recv().await {
        match request {
            Request::Open { file, path, answer } => {
                let opened = OpenOptions::new().read(true).write(true).custom_flags(LANE_FLAGS).open(&path).await;
                let _ = answer.send(opened.map(|opened| {
                    files.insert(file, Rc::new(opened));
                }));
            }
            Request::Write { file, offset, bytes, answer } => match files.get(&file) {
                Some(open) => {
                    let open = Rc::clone(open);
                    // Lanes do not wait for one another: each write is its own task on the ring.
                    tokio_uring::spawn(async move {
                        let (outcome, Owned(bytes)) = open.write_all_at(Owned(bytes), offset).await;
                        let _ = answer.send((bytes, outcome));
                    });
                }
                None => {
                    let _ = answer.send((bytes, Err(io::ErrorKind::NotFound.into())));
                }
            },
            Request::Close { file } => {
                files.remove(&file);
            }
        }
    }
}

/// A lane's buffer while the kernel reads it.
struct Owned(AlignedBuf);

// SAFETY: the heap block of an `AlignedBuf` does not move when the buffer value moves, nobody can change it while
// the ring owns it, and every byte below `len` is initialised.
unsafe impl IoBuf for Owned {
    fn stable_ptr(&self) -> *const u8 {
        self.0.as_slice().as_ptr()
    }

    fn bytes_init(&self) -> usize {
        self.0.len()
    }

    fn bytes_total(&self) -> usize {
        self.0.len()
    }
}

struct UringLane {
    file: u64,
    plain: Box<dyn LaneFile>,
    requests: Arc<Queue>,
}

impl LaneFile for UringLane {
    fn write_durable(&mut self, offset: u64, bytes: AlignedBuf) -> (AlignedBuf, io::Result<()>) {
        let (answer, written) = sync_channel(1);
        match self.requests.send(Request::Write { file: self.file, offset, bytes, answer }) {
            // The buffer went down with the ring; the lane is dead and needs none.
            Err(error) => (AlignedBuf::default(), Err(error)),
            Ok(()) => written.recv().unwrap_or_else(|_| (AlignedBuf::default(), Err(ring_ended()))),
        }
    }

    fn allocate(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        self.plain.allocate(offset, bytes)
    }

    fn prepare(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        self.plain.prepare(offset, bytes)
    }

    fn finish(&mut self, bytes: u64) -> io::Result<()> {
        self.plain.finish(bytes)
    }
}

impl Drop for UringLane {
    fn drop(&mut self) {
        let _ = self.requests.send(Request::Close { file: self.file });
    }
}

impl Disk for UringDisk {
    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.plain.create_dir(dir)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.plain.list(dir)
    }

    fn create_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        self.open_lane(path, true)
    }

    fn reopen_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        self.open_lane(path, false)
    }

    fn open(&self, path: &Path, mode: ReadMode) -> io::Result<Arc<dyn ReadFile>> {
        self.plain.open(path, mode)
    }

    fn write_small(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.plain.write_small(path, bytes)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.plain.rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.plain.unlink(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.plain.sync_dir(dir)
    }

    fn free_bytes(&self, dir: &Path) -> io::Result<u64> {
        self.plain.free_bytes(dir)
    }

    fn lock(&self, dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        self.plain.lock(dir)
    }
}
