//! The search for candidates with AVX2: eight windows at a time.
//!
//! A window of up to eight bytes is two 32-bit lanes, so eight windows at a distance of four bytes are two
//! loads; those at smaller distances are the same loads again, one or two bytes further. The words of the
//! filter are fetched by gather. Positions that pass are packed together by a table of 256 permutations, so
//! that no branch depends on the data.
#![allow(unsafe_code)]

use super::filter::{Filter, HIGH, LAST, LOW};
use super::probe::{Candidates, PIECE_BYTES};
use super::shape::{Shape, WIDTH_MAX};
use std::arch::x86_64::*;
use std::ops::Range;

/// Bytes of eight lanes.
const VECTOR_BYTES: usize = 32;

/// For each mask of lanes the lanes that are set, first, as distances of four bytes.
static PACKED: [[u16; 8]; 256] = {
    let mut packed = [[0; 8]; 256];
    let mut mask = 0;
    while mask < 256 {
        let (mut lane, mut count) = (0, 0);
        while lane < 8 {
            if mask >> lane & 1 == 1 {
                packed[mask][count] = 4 * lane as u16;
                count += 1;
            }
            lane += 1;
        }
        mask += 1;
    }
    packed
};

/// Writes candidates among `positions` and says how many, and the first position that is still to be looked
/// at: all of them where the processor lacks AVX2, and always those near the end of the buffer.
pub(super) fn probe(
    shape: Shape,
    filter: &Filter,
    haystack: &[u8],
    positions: Range<usize>,
    candidates: &mut Candidates,
) -> (usize, usize) {
    if !is_x86_feature_detected!("avx2") {
        return (0, positions.start);
    }
    // SAFETY: the processor has AVX2, which is all that the function needs.
    unsafe {
        match shape.stride {
            1 => probe_dense::<1>(shape, filter, haystack, positions, candidates),
            2 => probe_dense::<2>(shape, filter, haystack, positions, candidates),
            4 => probe_dense::<4>(shape, filter, haystack, positions, candidates),
            _ => probe_eighth(shape, filter, haystack, positions, candidates),
        }
    }
}

/// What stays the same for a whole piece.
#[derive(Clone, Copy)]
struct Constants<'a> {
    low_mask: __m256i,
    high_mask: __m256i,
    words: &'a [u32],
    shift: __m128i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn constants(shape: Shape, filter: &Filter) -> Constants<'_> {
    let (words, shift) = (filter.words(), filter.shift());
    // `may_hold` relies on it: an index of 32 - shift bits is below the number of words.
    assert!(shift < 32 && words.len() == 1 << (32 - shift));
    Constants {
        low_mask: _mm256_set1_epi32(shape.mask() as i32),
        high_mask: _mm256_set1_epi32((shape.mask() >> 32) as i32),
        words,
        shift: _mm_cvtsi32_si128(shift as i32),
    }
}

/// Strides of 1, 2 and 4.
#[target_feature(enable = "avx2")]
fn probe_dense<const STRIDE: usize>(
    shape: Shape,
    filter: &Filter,
    haystack: &[u8],
    positions: Range<usize>,
    candidates: &mut Candidates,
) -> (usize, usize) {
    let constants = constants(shape, filter);
    let (mut at, mut count) = (positions.start, 0);
    while at + VECTOR_BYTES <= positions.end && at + VECTOR_BYTES + WIDTH_MAX <= haystack.len() {
        let mut phase = 0;
        while phase < 4 {
            let low = load(haystack, at + phase);
            let high = load(haystack, at + phase + 4);
            let lanes = may_hold(constants, low, high);
            count += pack::<0>(lanes, at + phase - positions.start, candidates, count);
            phase += STRIDE;
        }
        at += VECTOR_BYTES;
    }
    (count, at)
}

/// A stride of 8: the even lanes of two vectors begin windows, the odd ones end them.
#[target_feature(enable = "avx2")]
fn probe_eighth(
    shape: Shape,
    filter: &Filter,
    haystack: &[u8],
    positions: Range<usize>,
    candidates: &mut Candidates,
) -> (usize, usize) {
    let constants = constants(shape, filter);
    let (mut at, mut count) = (positions.start, 0);
    while at + 2 * VECTOR_BYTES <= positions.end && at + 2 * VECTOR_BYTES <= haystack.len() {
        let first = _mm256_castsi256_ps(load(haystack, at));
        let second = _mm256_castsi256_ps(load(haystack, at + VECTOR_BYTES));
        // Shuffles stay within halves of a vector; the permutation puts the quarters in order again.
        let low = _mm256_castps_si256(_mm256_shuffle_ps::<0b10_00_10_00>(first, second));
        let high = _mm256_castps_si256(_mm256_shuffle_ps::<0b11_01_11_01>(first, second));
        let low = _mm256_permute4x64_epi64::<0b11_01_10_00>(low);
        let high = _mm256_permute4x64_epi64::<0b11_01_10_00>(high);
        let lanes = may_hold(constants, low, high);
        count += pack::<1>(lanes, at - positions.start, candidates, count);
        at += 2 * VECTOR_BYTES;
    }
    (count, at)
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(haystack: &[u8], at: usize) -> __m256i {
    let bytes = &haystack[at..at + VECTOR_BYTES];
    // SAFETY: the slice is as long as the load, which asks for no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// A bit for each lane whose window may be filed: `Filter::may_hold` eight times.
#[inline]
#[target_feature(enable = "avx2")]
fn may_hold(constants: Constants<'_>, low: __m256i, high: __m256i) -> usize {
    let low = _mm256_mullo_epi32(_mm256_and_si256(low, constants.low_mask), _mm256_set1_epi32(LOW as i32));
    let high = _mm256_mullo_epi32(_mm256_and_si256(high, constants.high_mask), _mm256_set1_epi32(HIGH as i32));
    let mixed = _mm256_add_epi32(low, high);
    let mixed = _mm256_xor_si256(mixed, _mm256_srli_epi32::<15>(mixed));
    let index = _mm256_srl_epi32(_mm256_mullo_epi32(mixed, _mm256_set1_epi32(LAST as i32)), constants.shift);
    // SAFETY: every lane of `index` was shifted right by `shift`, so it is below 2^(32 - shift), which
    // `constants` asserted to be the number of words; it also stays below 2^31, as the gather reads indices
    // signed, because `Filter` never has more than 2^23 words. The scale is the size of a word.
    let words = unsafe { _mm256_i32gather_epi32::<4>(constants.words.as_ptr().cast(), index) };
    let one = _mm256_set1_epi32(1);
    let first = _mm256_sllv_epi32(one, _mm256_srli_epi32::<27>(mixed));
    let five = _mm256_set1_epi32(31);
    let second = _mm256_sllv_epi32(one, _mm256_and_si256(_mm256_srli_epi32::<22>(mixed), five));
    let bits = _mm256_or_si256(first, second);
    let held = _mm256_cmpeq_epi32(_mm256_and_si256(words, bits), bits);
    _mm256_movemask_ps(_mm256_castsi256_ps(held)) as usize
}

/// Appends the positions of the lanes that are set and says how many there are. Lanes are four bytes apart,
/// or eight with `DOUBLED` = 1.
#[inline]
#[target_feature(enable = "avx2")]
fn pack<const DOUBLED: i32>(lanes: usize, at: usize, candidates: &mut Candidates, count: usize) -> usize {
    debug_assert!(at < PIECE_BYTES);
    let packed = &PACKED[lanes];
    // SAFETY: a row of the table is as long as the load.
    let distances = unsafe { _mm_loadu_si128(packed.as_ptr().cast()) };
    let positions = _mm_add_epi16(_mm_slli_epi16::<DOUBLED>(distances), _mm_set1_epi16(at as i16));
    let room = &mut candidates[count..count + 8];
    // SAFETY: the slice is as long as the store, which asks for no alignment.
    unsafe { _mm_storeu_si128(room.as_mut_ptr().cast(), positions) };
    lanes.count_ones() as usize
}
