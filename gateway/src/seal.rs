//! Who signs replies and who believes a signature. The keys are the ones that vouch for definitions, so whoever can be
//! given definitions can be given answers.

/// What a signature is for: none that was made for anything else is one of a reply.
pub const PURPOSE: &str = "gateway reply";

/// Signs replies.
pub trait Signs: Send + Sync {
    /// A signature of `message`, as one line of text.
    fn sign(&self, message: &[u8]) -> String;
}

/// Believes signatures.
pub trait Vouches: Send + Sync {
    /// Whether a key that is trusted made `signature` of `message`.
    fn vouches(&self, message: &[u8], signature: &str) -> bool;
}
