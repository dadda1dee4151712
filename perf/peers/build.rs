//! RocksDB comes as Debian's shared library (package librocksdb-dev).

fn main() {
    println!("cargo:rustc-link-lib=rocksdb");
    println!("cargo:rerun-if-changed=build.rs");
}
