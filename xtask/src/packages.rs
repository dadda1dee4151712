//! Debian packages that the tests need: looked for first, installed in one batch, never twice.

use crate::step::{Step, Warden};
use anyhow::Result;
use std::path::Path;

/// A program or file, the package that brings it, and what for.
pub struct Need {
    /// A program on the search path, or a file by its whole path.
    program: &'static str,
    package: &'static str,
    what_for: &'static str,
}

/// What the test run needs.
pub const FOR_TESTS: &[Need] = &[
    Need { program: "cc", package: "build-essential", what_for: "compiles SQLite, zstd and ring" },
    Need { program: "mkfs.ext4", package: "e2fsprogs", what_for: "power cut tests on ext4" },
    Need { program: "mkfs.xfs", package: "xfsprogs", what_for: "power cut tests on xfs" },
    Need { program: "mount", package: "mount", what_for: "power cut tests mount their images" },
    Need { program: "tinyproxy", package: "tinyproxy", what_for: "a proxy between a quarantine and a centre" },
    Need { program: "clamscan", package: "clamav", what_for: "the oracle of what definitions detect" },
    Need { program: "yara", package: "yara", what_for: "the oracle of what YARA rules hold" },
    Need {
        program: "/usr/share/clamav-testfiles/clam.exe",
        package: "clamav-testfiles",
        what_for: "packed files that the scanner must open",
    },
    Need { program: "zip", package: "zip", what_for: "archives as their own tools make them" },
    Need { program: "7z", package: "p7zip-full", what_for: "archives as their own tools make them" },
    Need { program: "gcab", package: "gcab", what_for: "archives as their own tools make them" },
    Need { program: "arj", package: "arj", what_for: "archives as their own tools make them" },
    Need { program: "cpio", package: "cpio", what_for: "archives as their own tools make them" },
    Need { program: "genisoimage", package: "genisoimage", what_for: "archives as their own tools make them" },
    Need { program: "uuencode", package: "sharutils", what_for: "archives as their own tools make them" },
    Need { program: "xz", package: "xz-utils", what_for: "archives as their own tools make them" },
];

/// What counting instructions needs.
pub const FOR_COUNTS: &[Need] =
    &[Need { program: "valgrind", package: "valgrind", what_for: "counts instructions, the gate on speed" }];

/// What the peers need.
pub const FOR_PEERS: &[Need] = &[
    Need { program: "c++", package: "build-essential", what_for: "links RocksDB" },
    Need { program: "/usr/include/rocksdb/c.h", package: "librocksdb-dev", what_for: "RocksDB as a peer" },
    Need { program: "redis-server", package: "redis-server", what_for: "Redis as a peer" },
    Need { program: "pg_lsclusters", package: "postgresql", what_for: "PostgreSQL as a peer" },
];

/// What other scanners need.
pub const FOR_SCAN: &[Need] = &[
    Need { program: "/usr/include/hs/hs.h", package: "libhyperscan-dev", what_for: "Hyperscan as a peer" },
    Need { program: "yara", package: "yara", what_for: "YARA as a peer" },
    Need { program: "clamscan", package: "clamav", what_for: "clamscan as a peer" },
];

/// What servers of others need that are measured over the network.
pub const FOR_NETWORK: &[Need] = &[
    Need { program: "clamd", package: "clamav-daemon", what_for: "clamd as a peer" },
    Need { program: "pg_lsclusters", package: "postgresql", what_for: "MWDB's database" },
    Need { program: "/usr/lib/x86_64-linux-gnu/libfuzzy.so.2", package: "libfuzzy2", what_for: "MWDB's fuzzy hashes" },
];

/// Minutes before a package manager that does not answer is given up.
const INSTALL_MINUTES_MAX: u64 = 10;

/// Installs what is missing when root on Debian, else prints the command. A package that cannot be
/// had is no error here: the capability that needs it is then reported as unavailable.
///
/// # Errors
/// The package manager cannot be started at all.
pub fn install(warden: &Warden, needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !on_path(need.program)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    for need in &missing {
        println!("missing: {} (package {}): {}", need.program, need.package, need.what_for);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !is_root() || !on_path("apt-get") {
        println!("install them with: apt-get update && apt-get install -y {}", packages.join(" "));
        return Ok(());
    }
    let update = Step::new("apt-get").args(["update", "-qq"]).minutes(INSTALL_MINUTES_MAX);
    let install = Step::new("apt-get")
        .args(["install", "-y", "-qq", "--no-install-recommends"])
        .args(packages)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .minutes(INSTALL_MINUTES_MAX);
    if !(warden.run(update)?.success && warden.run(install)?.success) {
        println!("the packages above could not be installed; what needs them is reported below");
    }
    Ok(())
}

/// Whether a program is on the search path or among the administrator's programs, or a file is there.
fn on_path(program: &str) -> bool {
    if program.starts_with('/') {
        return Path::new(program).is_file();
    }
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|folder| Path::new(folder).join(program).is_file())
}

fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status.lines().any(|line| line.strip_prefix("Uid:").and_then(|ids| ids.split_whitespace().nth(1)) == Some("0"))
    })
}
