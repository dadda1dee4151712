//! What a file is, and the buffers in it that signatures look at.
