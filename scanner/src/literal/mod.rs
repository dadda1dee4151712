//! Which of a large set of byte strings occur in a buffer, and where.
