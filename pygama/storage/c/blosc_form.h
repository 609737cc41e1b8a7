/* Finds the zstd frame in a chunk of Blosc that holds the planes of 16-bit samples in one piece.
 *
 * Source: README_CHUNK_FORMAT of c-blosc 1.21. */

#ifndef PYGAMA_BLOSC_FORM_H
#define PYGAMA_BLOSC_FORM_H

#include <stdint.h>

/* Blosc's header, the place of the only block, the length of its only stream. */
#define FRAME_AT 24
/* Where the header says how many bytes a chunk has. */
#define STORED_BYTES_AT 12

static uint32_t number_at(const uint8_t *chunk, int64_t place) {
    return chunk[place] | (uint32_t)chunk[place + 1] << 8 | (uint32_t)chunk[place + 2] << 16 |
           (uint32_t)chunk[place + 3] << 24;
}

/* Whether a chunk is of version 1 of the form, zstd, in one stream, shuffled by bits, of samples of two bytes. */
static int is_of_samples(const uint8_t *chunk, int64_t n_bytes, int64_t unpacked_bytes) {
    if (n_bytes <= FRAME_AT) return 0;
    return chunk[0] == 2 && chunk[1] == 1 && chunk[2] == 0x94 && chunk[3] == 2 &&
           number_at(chunk, 4) == unpacked_bytes && number_at(chunk, 8) == unpacked_bytes &&
           number_at(chunk, STORED_BYTES_AT) == n_bytes && number_at(chunk, 16) == FRAME_AT - 4 &&
           number_at(chunk, 20) == n_bytes - FRAME_AT;
}

#endif
