/* Parts 16-bit samples into their bits, and puts them together again.
 *
 * Blosc's bit shuffle stores the lowest bits of all samples first, then the second ones, and so on: 16 planes.
 * Eight planes are eight rows of a matrix of bits, which is turned around its diagonal, eight columns at a time,
 * by exchanging ever smaller squares. Only bytes are read and written, so the order of bytes does not matter. */

#ifndef PYGAMA_BIT_PLANES_H
#define PYGAMA_BIT_PLANES_H

#include <stdint.h>
#include <string.h>

/* Bytes of each plane that are worked on at a time: what comes of them stays in the nearest cache. */
#define WORDS 32
#define STRETCH (8 * WORDS)

#define EXCHANGE(a, b, by, mask) { uint64_t t = (((a) >> (by)) ^ (b)) & (mask); (b) ^= t; (a) ^= t << (by); }

/* Turn eight planes of STRETCH bytes: byte k of turned[j] is then made of bit j of each plane's byte k. */
static inline void turn(const uint8_t *planes, int64_t plane_bytes, uint64_t turned[8][WORDS]) {
    const uint64_t fours = 0x0f0f0f0f0f0f0f0f, twos = 0x3333333333333333, ones = 0x5555555555555555;
    uint64_t rows[8][WORDS];
    for (int i = 0; i < 8; i++) memcpy(rows[i], planes + i * plane_bytes, STRETCH);
    for (int w = 0; w < WORDS; w++) {
        uint64_t a = rows[0][w], b = rows[1][w], c = rows[2][w], d = rows[3][w];
        uint64_t e = rows[4][w], f = rows[5][w], g = rows[6][w], h = rows[7][w];
        EXCHANGE(a, e, 4, fours) EXCHANGE(b, f, 4, fours) EXCHANGE(c, g, 4, fours) EXCHANGE(d, h, 4, fours)
        EXCHANGE(a, c, 2, twos) EXCHANGE(b, d, 2, twos) EXCHANGE(e, g, 2, twos) EXCHANGE(f, h, 2, twos)
        EXCHANGE(a, b, 1, ones) EXCHANGE(c, d, 1, ones) EXCHANGE(e, f, 1, ones) EXCHANGE(g, h, 1, ones)
        turned[0][w] = a; turned[1][w] = b; turned[2][w] = c; turned[3][w] = d;
        turned[4][w] = e; turned[5][w] = f; turned[6][w] = g; turned[7][w] = h;
    }
}

/* Make the samples of STRETCH bytes of each plane: 16 * STRETCH bytes. */
static void join_stretch_plainly(const uint8_t *planes, int64_t plane_bytes, uint8_t *out) {
    uint64_t low[8][WORDS], high[8][WORDS];
    turn(planes, plane_bytes, low);
    turn(planes + 8 * plane_bytes, plane_bytes, high);
    const uint8_t *lows = (const uint8_t *)low, *highs = (const uint8_t *)high;
    for (int k = 0; k < STRETCH; k++) {
        for (int j = 0; j < 8; j++) {
            out[16 * k + 2 * j] = lows[j * STRETCH + k];
            out[16 * k + 2 * j + 1] = highs[j * STRETCH + k];
        }
    }
}

/* Part the samples of 16 * STRETCH bytes into STRETCH bytes of each plane. Turned twice, planes are as before. */
static void split_stretch_plainly(const uint8_t *samples, int64_t plane_bytes, uint8_t *planes) {
    uint8_t low[8][STRETCH], high[8][STRETCH];
    uint64_t turned[8][WORDS];
    for (int k = 0; k < STRETCH; k++) {
        for (int j = 0; j < 8; j++) {
            low[j][k] = samples[16 * k + 2 * j];
            high[j][k] = samples[16 * k + 2 * j + 1];
        }
    }
    turn(&low[0][0], STRETCH, turned);
    for (int i = 0; i < 8; i++) memcpy(planes + i * plane_bytes, turned[i], STRETCH);
    turn(&high[0][0], STRETCH, turned);
    for (int i = 0; i < 8; i++) memcpy(planes + (8 + i) * plane_bytes, turned[i], STRETCH);
}

#if defined(__GNUC__) && defined(__x86_64__) && !defined(_WIN32)
#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))
#define BYTES 32
#define EXCHANGE_IN(a, b, by, mask)                                                        \
    {                                                                                      \
        __m256i t = _mm256_and_si256(_mm256_xor_si256(_mm256_srli_epi64(a, by), b), mask); \
        b = _mm256_xor_si256(b, t);                                                        \
        a = _mm256_xor_si256(a, _mm256_slli_epi64(t, by));                                 \
    }

/* What `turn` does, of BYTES bytes of each plane. */
AVX2 static inline void turn_in_vectors(__m256i v[8]) {
    const __m256i fours = _mm256_set1_epi8(0x0f), twos = _mm256_set1_epi8(0x33), ones = _mm256_set1_epi8(0x55);
    for (int i = 0; i < 4; i++) EXCHANGE_IN(v[i], v[i + 4], 4, fours)
    for (int i = 0; i < 8; i += 4) {
        EXCHANGE_IN(v[i], v[i + 2], 2, twos)
        EXCHANGE_IN(v[i + 1], v[i + 3], 2, twos)
    }
    for (int i = 0; i < 8; i += 2) EXCHANGE_IN(v[i], v[i + 1], 1, ones)
}

AVX2 static inline void load_planes(const uint8_t *planes, int64_t plane_bytes, __m256i v[8]) {
    for (int i = 0; i < 8; i++) v[i] = _mm256_loadu_si256((const __m256i *)(planes + i * plane_bytes));
}

/* Turn rows and columns of 8 x 8 samples, in each half: column 2 * k becomes even[k]. */
AVX2 static inline void lay_across(const __m256i v[8], __m256i even[4], __m256i odd[4]) {
    __m256i pairs[8], fours[8];
    for (int j = 0; j < 4; j++) {
        pairs[2 * j] = _mm256_unpacklo_epi16(v[2 * j], v[2 * j + 1]);
        pairs[2 * j + 1] = _mm256_unpackhi_epi16(v[2 * j], v[2 * j + 1]);
    }
    for (int j = 0; j < 8; j += 4)
        for (int i = 0; i < 2; i++) {
            fours[j + 2 * i] = _mm256_unpacklo_epi32(pairs[j + i], pairs[j + i + 2]);
            fours[j + 2 * i + 1] = _mm256_unpackhi_epi32(pairs[j + i], pairs[j + i + 2]);
        }
    for (int k = 0; k < 4; k++) {
        even[k] = _mm256_unpacklo_epi64(fours[k], fours[k + 4]);
        odd[k] = _mm256_unpackhi_epi64(fours[k], fours[k + 4]);
    }
}

/* Make of sample 8 * k + j, k = 0 ... 7, in place k of v[j], sample 8 * k + j in place j of row k; in each half. */
AVX2 static inline void lay_in_order(const __m256i v[8], uint8_t *out) {
    __m256i even[4], odd[4];
    lay_across(v, even, odd);
    for (int k = 0; k < 4; k++) {
        uint8_t *here = out + 32 * k;
        _mm_storeu_si128((__m128i *)here, _mm256_castsi256_si128(even[k]));
        _mm_storeu_si128((__m128i *)(here + 16), _mm256_castsi256_si128(odd[k]));
        _mm_storeu_si128((__m128i *)(here + 8 * BYTES), _mm256_extracti128_si256(even[k], 1));
        _mm_storeu_si128((__m128i *)(here + 8 * BYTES + 16), _mm256_extracti128_si256(odd[k], 1));
    }
}

/* The reverse of lay_in_order. */
AVX2 static inline void lay_by_place(const uint8_t *samples, __m256i v[8]) {
    __m256i rows[8], even[4], odd[4];
    for (int k = 0; k < 8; k++) {
        const __m128i front = _mm_loadu_si128((const __m128i *)(samples + 16 * k));
        const __m128i back = _mm_loadu_si128((const __m128i *)(samples + 8 * BYTES + 16 * k));
        rows[k] = _mm256_inserti128_si256(_mm256_castsi128_si256(front), back, 1);
    }
    lay_across(rows, even, odd);
    for (int k = 0; k < 4; k++) {
        v[2 * k] = even[k];
        v[2 * k + 1] = odd[k];
    }
}

AVX2 static void join_stretch_in_vectors(const uint8_t *planes, int64_t plane_bytes, uint8_t *out) {
    for (int at = 0; at < STRETCH; at += BYTES) {
        __m256i low[8], high[8], front[8], back[8];
        load_planes(planes + at, plane_bytes, low);
        load_planes(planes + 8 * plane_bytes + at, plane_bytes, high);
        turn_in_vectors(low);
        turn_in_vectors(high);
        for (int j = 0; j < 8; j++) {
            front[j] = _mm256_unpacklo_epi8(low[j], high[j]);
            back[j] = _mm256_unpackhi_epi8(low[j], high[j]);
        }
        lay_in_order(front, out + 16 * at);
        lay_in_order(back, out + 16 * at + 4 * BYTES);
    }
}

AVX2 static void split_stretch_in_vectors(const uint8_t *samples, int64_t plane_bytes, uint8_t *planes) {
    const __m256i lows = _mm256_set1_epi16(0x00ff);
    for (int at = 0; at < STRETCH; at += BYTES) {
        __m256i low[8], high[8], front[8], back[8];
        lay_by_place(samples + 16 * at, front);
        lay_by_place(samples + 16 * at + 4 * BYTES, back);
        for (int j = 0; j < 8; j++) {
            low[j] = _mm256_packus_epi16(_mm256_and_si256(front[j], lows), _mm256_and_si256(back[j], lows));
            high[j] = _mm256_packus_epi16(_mm256_srli_epi16(front[j], 8), _mm256_srli_epi16(back[j], 8));
        }
        turn_in_vectors(low);
        turn_in_vectors(high);
        for (int i = 0; i < 8; i++) {
            _mm256_storeu_si256((__m256i *)(planes + i * plane_bytes + at), low[i]);
            _mm256_storeu_si256((__m256i *)(planes + (8 + i) * plane_bytes + at), high[i]);
        }
    }
}

static int has_vectors(void) { return __builtin_cpu_supports("avx2"); }
#else
#define join_stretch_in_vectors join_stretch_plainly
#define split_stretch_in_vectors split_stretch_plainly
static int has_vectors(void) { return 0; }
#endif

/* plainly: without the vectors of the machine, whatever it has. */
static void join_planes(const uint8_t *planes, int64_t plane_bytes, uint8_t *out, int plainly) {
    void (*join_stretch)(const uint8_t *, int64_t, uint8_t *) =
        plainly || !has_vectors() ? join_stretch_plainly : join_stretch_in_vectors;
    int64_t at = 0;
    for (; at + STRETCH <= plane_bytes; at += STRETCH) join_stretch(planes + at, plane_bytes, out + 16 * at);
    int64_t left = plane_bytes - at;
    if (left) {
        uint8_t rest[16][STRETCH] = {{0}}, made[16 * STRETCH];
        for (int i = 0; i < 16; i++) memcpy(rest[i], planes + i * plane_bytes + at, left);
        join_stretch(&rest[0][0], STRETCH, made);
        memcpy(out + 16 * at, made, 16 * left);
    }
}

/* The reverse of join_planes. */
static void split_planes(const uint8_t *samples, int64_t plane_bytes, uint8_t *planes, int plainly) {
    void (*split_stretch)(const uint8_t *, int64_t, uint8_t *) =
        plainly || !has_vectors() ? split_stretch_plainly : split_stretch_in_vectors;
    int64_t at = 0;
    for (; at + STRETCH <= plane_bytes; at += STRETCH) split_stretch(samples + 16 * at, plane_bytes, planes + at);
    int64_t left = plane_bytes - at;
    if (left) {
        uint8_t rest[16 * STRETCH] = {0}, made[16][STRETCH];
        memcpy(rest, samples + 16 * at, 16 * left);
        split_stretch(rest, STRETCH, &made[0][0]);
        for (int i = 0; i < 16; i++) memcpy(planes + i * plane_bytes + at, made[i], left);
    }
}

#endif
