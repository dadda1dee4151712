//! From similar samples to a signature that finds them and nothing else.
