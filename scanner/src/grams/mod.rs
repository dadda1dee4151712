//! Which blocks of a store can contain a byte string: a bitmap of n-grams per block, stored transposed.
