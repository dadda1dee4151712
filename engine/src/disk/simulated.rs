//! A disk in memory that knows which bytes are durable, and fails on request.
//!
//! 1. What a call wrote is live at once; it is durable only after the call that promises so said yes.
//! 2. [`SimulatedDisk::power_cut`] gives the disk that a machine would find after losing power: durable bytes are
//!    there, others are each there or not, in units of a sector, as a seed decides.
//! 3. A planned fault hits the n-th call of its kind, once or from then on for good.

use super::{AlignedBuf, Disk, LaneFile, ReadFile, ReadMode};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The unit a real disk writes atomically.
const SECTOR_BYTES: usize = 512;

/// Kinds of calls that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// [`LaneFile::write_durable`].
    Write,
    /// [`LaneFile::write_durable`], failing after half of the bytes.
    ShortWrite,
    /// [`LaneFile::write_durable`], failing after all bytes are live and none is durable.
    Sync,
    /// [`LaneFile::allocate`], with a full disk.
    Allocate,
    /// Opening or creating a file.
    Open,
    /// [`Disk::rename`], and [`Disk::write_small`], which ends in one.
    Rename,
    /// [`Disk::unlink`].
    Unlink,
    /// [`Disk::sync_dir`].
    SyncDir,
    /// [`LaneFile::finish`].
    Finish,
    /// [`ReadFile::read_at`].
    Read,
}

impl Call {
    /// All kinds.
    pub const ALL: [Self; 10] = [
        Self::Write,
        Self::ShortWrite,
        Self::Sync,
        Self::Allocate,
        Self::Open,
        Self::Rename,
        Self::Unlink,
        Self::SyncDir,
        Self::Finish,
        Self::Read,
    ];
}

/// A fault to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The kind of call that fails.
    pub call: Call,
    /// Which of them, counted from 1.
    pub nth: u64,
    /// Whether all later ones fail too.
    pub for_good: bool,
}

/// Faults planned for a disk, and how many calls there were.
#[derive(Debug, Clone, Default)]
pub struct FaultPlan {
    fault: Option<Fault>,
    seen: u64,
    hit: bool,
}

#[derive(Debug, Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    /// Names as they would stand after a power cut.
    durable_names: BTreeMap<PathBuf, Arc<Mutex<Content>>>,
    locked: bool,
    plan: FaultPlan,
    capacity_bytes: Option<u64>,
}

/// The disk. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

impl SimulatedDisk {
    /// An empty disk without faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Plans a fault; the count of calls starts anew.
    pub fn plan(&self, fault: Option<Fault>) {
        self.state.lock().plan = FaultPlan { fault, ..FaultPlan::default() };
    }

    /// Whether the planned fault came to pass.
    #[must_use]
    pub fn fault_hit(&self) -> bool {
        self.state.lock().plan.hit
    }

    /// Limits the room on the disk.
    pub fn limit(&self, capacity_bytes: Option<u64>) {
        self.state.lock().capacity_bytes = capacity_bytes;
    }

    /// The disk after a power cut: every undurable sector and name is kept or lost as `seed` decides.
    #[must_use]
    pub fn power_cut(&self, seed: u64) -> Self {
        let state = self.state.lock();
        let mut coin = Coin(seed | 1);
        let mut files = BTreeMap::new();
        for (path, content) in &state.files {
            let durable_name = state.durable_names.get(path).is_some_and(|named| Arc::ptr_eq(named, content));
            if durable_name || coin.toss() {
                let content = content.lock();
                files.insert(path.clone(), torn(&content, &mut coin));
            }
        }
        for (path, content) in &state.durable_names {
            // A removal or replacement that was never synced may not have happened.
            if !state.files.get(path).is_some_and(|live| Arc::ptr_eq(live, content))
                && !files.contains_key(path)
                && coin.toss()
            {
                files.insert(path.clone(), torn(&content.lock(), &mut coin));
            }
        }
        let files: BTreeMap<_, _> = files
            .into_iter()
            .map(|(path, bytes)| (path, Arc::new(Mutex::new(Content { live: bytes.clone(), durable: bytes }))))
            .collect();
        let state =
            State { durable_names: files.clone(), files, capacity_bytes: state.capacity_bytes, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The disk as another process finds it after this one was killed: all live bytes are there.
    #[must_use]
    pub fn killed(&self) -> Self {
        let state = self.state.lock();
        let files: BTreeMap<_, _> = state
            .files
            .iter()
            .map(|(path, content)| (path.clone(), Arc::new(Mutex::new(content.lock().clone()))))
            .collect();
        let state =
            State { durable_names: files.clone(), files, capacity_bytes: state.capacity_bytes, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The same disk with everything under `from` lying under `to`.
    #[must_use]
    pub fn relocated(&self, from: &Path, to: &Path) -> Self {
        let move_all = |files: &BTreeMap<PathBuf, Arc<Mutex<Content>>>| {
            let moved = files.iter().map(|(path, content)| {
                let path = path.strip_prefix(from).map_or_else(|_| path.clone(), |rest| to.join(rest));
                (path, Arc::clone(content))
            });
            moved.collect()
        };
        let state = self.state.lock();
        let (files, durable_names) = (move_all(&state.files), move_all(&state.durable_names));
        let state = State { files, durable_names, capacity_bytes: state.capacity_bytes, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Paths of all files.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state.lock().files.keys().cloned().collect()
    }

    /// The live bytes of a file.
    #[must_use]
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        self.state.lock().files.get(path).map(|content| content.lock().live.clone())
    }

    /// Changes the live and durable bytes of a file behind everyone's back.
    pub fn damage(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        if let Some(content) = self.state.lock().files.get(path) {
            let mut content = content.lock();
            change(&mut content.live);
            content.durable = content.live.clone();
        }
    }

    fn check(&self, call: Call) -> io::Result<()> {
        check(&mut self.state.lock().plan, call)
    }

    fn lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        let state = self.state.lock();
        let content = state.files.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(SimulatedLane { disk: self.clone(), content: Arc::clone(content) }))
    }
}

fn check(plan: &mut FaultPlan, call: Call) -> io::Result<()> {
    let Some(fault) = plan.fault.filter(|fault| fault.call == call) else { return Ok(()) };
    plan.seen += 1;
    if plan.seen == fault.nth || fault.for_good && plan.seen > fault.nth {
        plan.hit = true;
        return Err(match call {
            Call::Allocate => io::Error::new(io::ErrorKind::StorageFull, "simulated full disk"),
            Call::Write
            | Call::ShortWrite
            | Call::Sync
            | Call::Open
            | Call::Rename
            | Call::Unlink
            | Call::SyncDir
            | Call::Finish
            | Call::Read => io::Error::other(format!("simulated failure of {call:?} number {}", plan.seen)),
        });
    }
    Ok(())
}

fn torn(content: &Content, coin: &mut Coin) -> Vec<u8> {
    let keep_size = content.live.len() <= content.durable.len() || coin.toss();
    let mut bytes = content.durable.clone();
    if keep_size {
        bytes.resize(content.live.len(), 0);
    }
    for (at, sector) in bytes.chunks_mut(SECTOR_BYTES).enumerate() {
        let from = at * SECTOR_BYTES;
        let live = &content.live[from.min(content.live.len())..(from + sector.len()).min(content.live.len())];
        if live.len() == sector.len() && live != sector && coin.toss() {
            sector.copy_from_slice(live);
        }
    }
    bytes
}

/// A small generator (xorshift): the seed alone decides.
struct Coin(u64);

impl Coin {
    fn toss(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 33 & 1 == 1
    }
}

impl Disk for SimulatedDisk {
    fn create_dir(&self, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        let names = state.files.keys().filter(|path| path.parent() == Some(dir));
        Ok(names.filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned())).collect())
    }

    fn create_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        self.check(Call::Open)?;
        let mut state = self.state.lock();
        if state.files.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.files.insert(path.to_owned(), Arc::default());
        drop(state);
        self.lane(path)
    }

    fn reopen_lane(&self, path: &Path) -> io::Result<Box<dyn LaneFile>> {
        self.check(Call::Open)?;
        self.lane(path)
    }

    fn open(&self, path: &Path, _mode: ReadMode) -> io::Result<Arc<dyn ReadFile>> {
        self.check(Call::Open)?;
        let state = self.state.lock();
        let content = Arc::clone(state.files.get(path).ok_or(io::ErrorKind::NotFound)?);
        let bytes = content.lock().live.len() as u64;
        Ok(Arc::new(SimulatedRead { disk: self.clone(), content, bytes }))
    }

    fn write_small(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.check(Call::Rename)?;
        let content = Arc::new(Mutex::new(Content { live: bytes.to_owned(), durable: bytes.to_owned() }));
        let mut state = self.state.lock();
        state.files.insert(path.to_owned(), Arc::clone(&content));
        drop(state);
        self.sync_dir(path.parent().unwrap_or(Path::new("")))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.check(Call::Rename)?;
        let mut state = self.state.lock();
        let content = state.files.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        self.check(Call::Unlink)?;
        self.state.lock().files.remove(path).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.check(Call::SyncDir)?;
        let mut state = self.state.lock();
        let State { files, durable_names, .. } = &mut *state;
        durable_names.retain(|path, _| path.parent() != Some(dir));
        let here = files.iter().filter(|(path, _)| path.parent() == Some(dir));
        durable_names.extend(here.map(|(path, content)| (path.clone(), Arc::clone(content))));
        Ok(())
    }

    fn free_bytes(&self, _dir: &Path) -> io::Result<u64> {
        let state = self.state.lock();
        let used: u64 = state.files.values().map(|content| content.lock().live.len() as u64).sum();
        Ok(state.capacity_bytes.map_or(u64::MAX, |capacity| capacity.saturating_sub(used)))
    }

    fn lock(&self, _dir: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state.lock();
        if state.locked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        state.locked = true;
        Ok(Box::new(Lock(Arc::clone(&self.state))))
    }
}

struct Lock(Arc<Mutex<State>>);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.lock().locked = false;
    }
}

struct SimulatedLane {
    disk: SimulatedDisk,
    content: Arc<Mutex<Content>>,
}

impl SimulatedLane {
    fn put(&self, offset: u64, bytes: &[u8]) {
        let mut content = self.content.lock();
        let end = offset as usize + bytes.len();
        if content.live.len() < end {
            content.live.resize(end, 0);
        }
        content.live[offset as usize..end].copy_from_slice(bytes);
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.disk.check(Call::Write)?;
        if let Err(error) = self.disk.check(Call::ShortWrite) {
            self.put(offset, &bytes[..bytes.len() / 2]);
            return Err(error);
        }
        let growth = (offset + bytes.len() as u64).saturating_sub(self.content.lock().live.len() as u64);
        if growth > 0 && self.disk.free_bytes(Path::new(""))? < growth {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.put(offset, bytes);
        self.disk.check(Call::Sync)?;
        let mut content = self.content.lock();
        let Content { live, durable } = &mut *content;
        let end = offset as usize + bytes.len();
        if durable.len() < end {
            durable.resize(end, 0);
        }
        durable[offset as usize..end].copy_from_slice(&live[offset as usize..end]);
        Ok(())
    }
}

impl LaneFile for SimulatedLane {
    fn write_durable(&mut self, offset: u64, bytes: AlignedBuf) -> (AlignedBuf, io::Result<()>) {
        let outcome = self.write(offset, bytes.as_slice());
        (bytes, outcome)
    }

    fn allocate(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        self.disk.check(Call::Allocate)?;
        let growth = (offset + bytes).saturating_sub(self.content.lock().live.len() as u64);
        if self.disk.free_bytes(Path::new(""))? < growth {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }

    fn prepare(&mut self, offset: u64, bytes: u64) -> io::Result<()> {
        self.put(offset, &vec![0; bytes as usize]);
        Ok(())
    }

    fn finish(&mut self, bytes: u64) -> io::Result<()> {
        self.disk.check(Call::Finish)?;
        let mut content = self.content.lock();
        content.live.truncate(bytes as usize);
        content.durable = content.live.clone();
        Ok(())
    }
}

struct SimulatedRead {
    disk: SimulatedDisk,
    content: Arc<Mutex<Content>>,
    bytes: u64,
}

impl ReadFile for SimulatedRead {
    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.disk.check(Call::Read)?;
        let content = self.content.lock();
        let from = usize::try_from(offset).ok().and_then(|from| content.live.get(from..)?.get(..out.len()));
        out.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn mapped(&self) -> Option<&[u8]> {
        None
    }
}
