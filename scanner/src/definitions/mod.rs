//! Signatures as people write them: the text databases of ClamAV, their containers, and repair recipes.
