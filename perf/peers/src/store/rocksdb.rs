//! RocksDB with blob files, through the few functions of its C interface that intake needs.
//! The writers call it at once; its own group commit joins them under one sync.

use super::Store;
use crate::pack::Packed;
use anyhow::{Result, bail};
use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

/// Values below stay in the tree, as RocksDB's authors advise for small ones.
const BLOB_BYTES_MIN: u64 = 512;
/// `rocksdb_no_compression` of rocksdb/c.h: values are sealed already.
const NO_COMPRESSION: c_int = 0;
/// Both cores of the machine of reference.
const THREADS: c_int = 2;

unsafe extern "C" {
    fn rocksdb_options_create() -> *mut c_void;
    fn rocksdb_options_destroy(options: *mut c_void);
    fn rocksdb_options_set_create_if_missing(options: *mut c_void, on: c_uchar);
    fn rocksdb_options_increase_parallelism(options: *mut c_void, threads: c_int);
    fn rocksdb_options_set_compression(options: *mut c_void, kind: c_int);
    fn rocksdb_options_set_enable_blob_files(options: *mut c_void, on: c_uchar);
    fn rocksdb_options_set_min_blob_size(options: *mut c_void, bytes: u64);
    fn rocksdb_options_set_blob_compression_type(options: *mut c_void, kind: c_int);
    fn rocksdb_open(options: *const c_void, path: *const c_char, error: *mut *mut c_char) -> *mut c_void;
    fn rocksdb_close(database: *mut c_void);
    fn rocksdb_writeoptions_create() -> *mut c_void;
    fn rocksdb_writeoptions_destroy(options: *mut c_void);
    fn rocksdb_writeoptions_set_sync(options: *mut c_void, on: c_uchar);
    fn rocksdb_put(
        database: *mut c_void,
        options: *const c_void,
        key: *const c_char,
        key_bytes: usize,
        value: *const c_char,
        value_bytes: usize,
        error: *mut *mut c_char,
    );
    fn rocksdb_free(pointer: *mut c_void);
}

pub struct RocksDb {
    database: NonNull<c_void>,
    synced: NonNull<c_void>,
}

// SAFETY: a RocksDB database may be used from many threads at once (its documentation, "Concurrency"),
// and the write options are only read after they are made.
unsafe impl Sync for RocksDb {}

impl Store for RocksDb {
    fn open(dir: &Path) -> Result<Self> {
        let path = CString::new(dir.as_os_str().as_bytes())?;
        let mut error = std::ptr::null_mut();
        // SAFETY: every pointer comes from the library's own constructor and lives until destroyed below;
        // `path` and `error` outlive the call.
        let (database, synced) = unsafe {
            let options = rocksdb_options_create();
            rocksdb_options_set_create_if_missing(options, 1);
            rocksdb_options_increase_parallelism(options, THREADS);
            rocksdb_options_set_compression(options, NO_COMPRESSION);
            rocksdb_options_set_enable_blob_files(options, 1);
            rocksdb_options_set_min_blob_size(options, BLOB_BYTES_MIN);
            rocksdb_options_set_blob_compression_type(options, NO_COMPRESSION);
            let database = rocksdb_open(options, path.as_ptr(), &raw mut error);
            rocksdb_options_destroy(options);
            let synced = rocksdb_writeoptions_create();
            rocksdb_writeoptions_set_sync(synced, 1);
            (database, synced)
        };
        check(error)?;
        match (NonNull::new(database), NonNull::new(synced)) {
            (Some(database), Some(synced)) => Ok(Self { database, synced }),
            _ => bail!("rocksdb gave neither a database nor an error"),
        }
    }

    fn put(&self, packed: Packed) -> Result<()> {
        let mut error = std::ptr::null_mut();
        // SAFETY: database and options live as long as self; key, value and error outlive the call,
        // which copies them.
        unsafe {
            rocksdb_put(
                self.database.as_ptr(),
                self.synced.as_ptr(),
                packed.digest.as_ptr().cast(),
                packed.digest.len(),
                packed.value.as_ptr().cast(),
                packed.value.len(),
                &raw mut error,
            );
        }
        check(error)
    }

    fn close(self) -> Result<()> {
        // SAFETY: self is consumed, so neither pointer is used again.
        unsafe {
            rocksdb_writeoptions_destroy(self.synced.as_ptr());
            rocksdb_close(self.database.as_ptr());
        }
        Ok(())
    }
}

/// Turns the library's error text into ours and frees it.
fn check(error: *mut c_char) -> Result<()> {
    let Some(error) = NonNull::new(error) else { return Ok(()) };
    // SAFETY: a pointer that is not null is a C string which the library allocated for us to free.
    let text = unsafe {
        let text = CStr::from_ptr(error.as_ptr()).to_string_lossy().into_owned();
        rocksdb_free(error.as_ptr().cast());
        text
    };
    bail!("rocksdb: {text}")
}
