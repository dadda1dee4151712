//! The few functions of Hyperscan's C interface that block-mode literal matching needs (hs.h, version 5.4).

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr::{null, null_mut};

#[repr(C)]
struct CompileError {
    message: *mut c_char,
    expression: c_int,
}

type OnMatch = extern "C" fn(c_uint, c_ulonglong, c_ulonglong, c_uint, *mut c_void) -> c_int;

unsafe extern "C" {
    fn hs_compile_lit_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        lens: *const usize,
        elements: c_uint,
        mode: c_uint,
        platform: *const c_void,
        database: *mut *mut c_void,
        error: *mut *mut CompileError,
    ) -> c_int;
    fn hs_alloc_scratch(database: *const c_void, scratch: *mut *mut c_void) -> c_int;
    fn hs_database_size(database: *const c_void, size: *mut usize) -> c_int;
    fn hs_scan(
        database: *const c_void,
        data: *const c_char,
        len: c_uint,
        flags: c_uint,
        scratch: *mut c_void,
        on_match: OnMatch,
        context: *mut c_void,
    ) -> c_int;
}

/// HS_MODE_BLOCK.
const BLOCK: c_uint = 1;

/// A compiled set with scratch space; both live as long as the program.
pub struct Database {
    database: *mut c_void,
    scratch: *mut c_void,
}

extern "C" fn count(_: c_uint, _: c_ulonglong, _: c_ulonglong, _: c_uint, context: *mut c_void) -> c_int {
    // SAFETY: `scan` passes a pointer to a number that nobody else uses meanwhile.
    unsafe { *context.cast::<u64>() += 1 };
    0
}

impl Database {
    /// Compiles literals, each with its place as its id.
    pub fn compile(literals: &[Vec<u8>]) -> Result<Self, String> {
        let expressions: Vec<*const c_char> = literals.iter().map(|literal| literal.as_ptr().cast()).collect();
        let lens: Vec<usize> = literals.iter().map(Vec::len).collect();
        let flags = vec![0; literals.len()];
        let ids: Vec<c_uint> = (0..literals.len() as c_uint).collect();
        let (mut database, mut scratch, mut error) = (null_mut(), null_mut(), null_mut::<CompileError>());
        // SAFETY: four arrays of `elements` elements, each expression as long as its length says; the three
        // pointers are written by the callee; an error holds a C string.
        unsafe {
            let code = hs_compile_lit_multi(
                expressions.as_ptr(),
                flags.as_ptr(),
                ids.as_ptr(),
                lens.as_ptr(),
                ids.len() as c_uint,
                BLOCK,
                null(),
                &mut database,
                &mut error,
            );
            if code != 0 {
                return Err(CStr::from_ptr((*error).message).to_string_lossy().into_owned());
            }
            match hs_alloc_scratch(database, &mut scratch) {
                0 => Ok(Self { database, scratch }),
                code => Err(format!("hs_alloc_scratch answered {code}")),
            }
        }
    }

    /// Bytes of the compiled set.
    pub fn bytes(&self) -> Result<usize, String> {
        let mut bytes = 0;
        // SAFETY: the database was compiled, and the number is written by the callee.
        let code = unsafe { hs_database_size(self.database, &raw mut bytes) };
        if code == 0 { Ok(bytes) } else { Err(format!("hs_database_size answered {code}")) }
    }

    /// Counts the matches.
    pub fn scan(&self, haystack: &[u8]) -> Result<u64, String> {
        let mut matches = 0_u64;
        // SAFETY: database and scratch were made for one another, the data is as long as said, and the context
        // outlives the call.
        let code = unsafe {
            let context = (&raw mut matches).cast();
            let len = haystack.len() as c_uint;
            hs_scan(self.database, haystack.as_ptr().cast(), len, 0, self.scratch, count, context)
        };
        if code == 0 { Ok(matches) } else { Err(format!("hs_scan answered {code}")) }
    }
}
