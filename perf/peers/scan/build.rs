//! Hyperscan comes as Debian's shared library (package libhyperscan-dev).

fn main() {
    println!("cargo:rustc-link-lib=hs");
    println!("cargo:rerun-if-changed=build.rs");
}
