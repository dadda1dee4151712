//! An address that strangers can reach is bound only with TLS and tokens, unless told otherwise.

use std::net::SocketAddr;

/// Why an address is not bound.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{listener} would listen on {address}, which other computers can reach, without {missing}: configure it, listen \
     on 127.0.0.1, or allow it with security.allow_insecure = true"
)]
pub struct RefusedBinding {
    listener: &'static str,
    address: SocketAddr,
    missing: &'static str,
}

/// How a listener is protected.
#[derive(Debug, Clone, Copy)]
pub struct Protection {
    /// It speaks TLS.
    pub tls: bool,
    /// Callers need a token.
    pub tokens: bool,
    /// The administrator accepts the risk.
    pub allow_insecure: bool,
}

/// Decides whether `listener` may listen on `address`.
///
/// # Errors
/// The address is no loopback address and TLS or tokens are missing.
pub fn check(listener: &'static str, address: SocketAddr, protection: Protection) -> Result<(), RefusedBinding> {
    if address.ip().to_canonical().is_loopback() || protection.allow_insecure {
        return Ok(());
    }
    let missing = match (protection.tls, protection.tokens) {
        (true, true) => return Ok(()),
        (false, false) => "TLS and tokens",
        (false, true) => "TLS",
        (true, false) => "tokens",
    };
    Err(RefusedBinding { listener, address, missing })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_on(address: &str, tls: bool, tokens: bool, allow_insecure: bool) -> Result<(), RefusedBinding> {
        check("http", address.parse().expect("a socket address"), Protection { tls, tokens, allow_insecure })
    }

    #[test]
    fn a_reachable_address_needs_tls_and_tokens() {
        assert!(check_on("0.0.0.0:80", true, true, false).is_ok());
        assert!(check_on("0.0.0.0:80", false, false, true).is_ok());
        for (tls, tokens, missing) in [(false, false, "TLS and tokens"), (false, true, "TLS"), (true, false, "tokens")]
        {
            let refused = check_on("[::]:80", tls, tokens, false).expect_err("reachable and unprotected");
            assert_eq!(refused.missing, missing);
        }
    }

    #[test]
    fn loopback_needs_nothing() {
        for address in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"] {
            assert!(check_on(address, false, false, false).is_ok(), "{address}");
        }
    }
}
