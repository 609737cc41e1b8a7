/* Computes the CRC-32 of zlib, PNG and Ethernet: polynomial 0x04c11db7, bits mirrored.
 *
 * Where the machine multiplies without carry, 64 bytes are folded into the 64 behind them at a time; what is
 * left, 16 bytes, has the same remainder as all that went into it.
 * Source: V. Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ, Intel 2009. */

#ifndef PYGAMA_CRC32_H
#define PYGAMA_CRC32_H

#include <stdint.h>

/* crc_tables[k][b]: the remainder of byte b with k bytes of zero behind it. */
static uint32_t crc_tables[8][256];

static void make_crc_tables(void) {
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t left = b;
        for (int bit = 0; bit < 8; bit++) left = left >> 1 ^ (left & 1 ? 0xedb88320u : 0);
        crc_tables[0][b] = left;
    }
    for (int k = 1; k < 8; k++)
        for (int b = 0; b < 256; b++) {
            const uint32_t before = crc_tables[k - 1][b];
            crc_tables[k][b] = before >> 8 ^ crc_tables[0][before & 0xff];
        }
}

/* Go on from the remainder `left` through more bytes. */
static uint32_t crc_plainly(uint32_t left, const uint8_t *data, int64_t n_bytes) {
    for (; n_bytes >= 8; data += 8, n_bytes -= 8)
        left = crc_tables[7][data[0] ^ (left & 0xff)] ^ crc_tables[6][data[1] ^ (left >> 8 & 0xff)] ^
               crc_tables[5][data[2] ^ (left >> 16 & 0xff)] ^ crc_tables[4][data[3] ^ left >> 24] ^
               crc_tables[3][data[4]] ^ crc_tables[2][data[5]] ^ crc_tables[1][data[6]] ^ crc_tables[0][data[7]];
    for (; n_bytes; data++, n_bytes--) left = left >> 8 ^ crc_tables[0][(left ^ *data) & 0xff];
    return left;
}

#if defined(__GNUC__) && defined(__x86_64__) && !defined(_WIN32)
#include <immintrin.h>

#define CARRYLESS __attribute__((target("pclmul,sse4.1")))

/* Move 16 bytes as far towards the end as `by` says, and add what lies there. */
CARRYLESS static inline __m128i fold(__m128i bytes, __m128i by, __m128i there) {
    const __m128i low = _mm_clmulepi64_si128(bytes, by, 0x00), high = _mm_clmulepi64_si128(bytes, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

CARRYLESS static inline __m128i bytes_at(const uint8_t *data) { return _mm_loadu_si128((const __m128i *)data); }

/* At least 64 bytes, a multiple of 16. */
CARRYLESS static uint32_t crc_by_folding(uint32_t left, const uint8_t *data, int64_t n_bytes) {
    /* x^544 and x^480, x^160 and x^96 modulo the polynomial, mirrored. */
    const __m128i by_64 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by_16 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
    __m128i a = _mm_xor_si128(bytes_at(data), _mm_cvtsi32_si128((int)left));
    __m128i b = bytes_at(data + 16), c = bytes_at(data + 32), d = bytes_at(data + 48);
    for (data += 64, n_bytes -= 64; n_bytes >= 64; data += 64, n_bytes -= 64) {
        a = fold(a, by_64, bytes_at(data));
        b = fold(b, by_64, bytes_at(data + 16));
        c = fold(c, by_64, bytes_at(data + 32));
        d = fold(d, by_64, bytes_at(data + 48));
    }
    a = fold(fold(fold(a, by_16, b), by_16, c), by_16, d);
    for (; n_bytes; data += 16, n_bytes -= 16) a = fold(a, by_16, bytes_at(data));
    uint8_t rest[16];
    _mm_storeu_si128((__m128i *)rest, a);
    return crc_plainly(0, rest, 16);
}

static int has_carryless(void) { return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1"); }
#else
#define crc_by_folding crc_plainly
static int has_carryless(void) { return 0; }
#endif

/* before: the checksum of what lies in front, 0 of nothing. plainly: without the instructions of the machine,
 * whatever it has. */
static uint32_t crc32_of(const uint8_t *data, int64_t n_bytes, uint32_t before, int plainly) {
    uint32_t left = ~before;
    if (n_bytes >= 64 && !plainly && has_carryless()) {
        const int64_t folded = n_bytes & ~(int64_t)15;
        left = crc_by_folding(left, data, folded);
        data += folded;
        n_bytes -= folded;
    }
    return ~crc_plainly(left, data, n_bytes);
}

#endif
