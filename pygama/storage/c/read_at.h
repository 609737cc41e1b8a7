/* Reads a part of a file wherever its position is; nothing where the system can't. */

#ifndef PYGAMA_READ_AT_H
#define PYGAMA_READ_AT_H

#include <stdint.h>

#if defined(_WIN32)
static int64_t read_at(int file, void *out, int64_t n_bytes, int64_t offset) { return -1; }
#else
#include <unistd.h>
static int64_t read_at(int file, void *out, int64_t n_bytes, int64_t offset) {
    return pread(file, out, (size_t)n_bytes, (off_t)offset);
}
#endif

#endif
