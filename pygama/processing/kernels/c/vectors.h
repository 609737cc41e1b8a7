/* Vectors of four numbers, and how wide the machine's are. */

#ifndef PYGAMA_VECTORS_H
#define PYGAMA_VECTORS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Let the machine choose the width of its vectors at run time, where the loader can. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__GLIBC__)
#if __GNUC__ >= 12
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define CLONES __attribute__((target_clones("avx2", "default")))
#endif
#else
#define CLONES
#endif

/* Rows worked on side by side, and samples worked on at a time. */
#define LANES 8
#define CHUNK 128

#if defined(__GNUC__)
#define HAS_VECTORS 1
#define INLINE static inline __attribute__((always_inline))
typedef double four __attribute__((vector_size(32)));
typedef int64_t mask __attribute__((vector_size(32)));
typedef double loose __attribute__((vector_size(32), aligned(8), may_alias));
#define AT(pointer) (*(const loose *)(pointer))
#define PUT(pointer) (*(loose *)(pointer))
#ifdef __clang__
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#define UNROLL _Pragma("unroll")
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (mask){__VA_ARGS__})
#define UNROLL _Pragma("GCC unroll 8")
#endif

/* Make of four samples of four rows the four rows of each sample, and the other way round. */
INLINE void turn(four *v) {
    four a = SHUFFLE(v[0], v[1], 0, 4, 2, 6), b = SHUFFLE(v[0], v[1], 1, 5, 3, 7);
    four c = SHUFFLE(v[2], v[3], 0, 4, 2, 6), d = SHUFFLE(v[2], v[3], 1, 5, 3, 7);
    v[0] = SHUFFLE(a, c, 0, 1, 4, 5);
    v[1] = SHUFFLE(b, d, 0, 1, 4, 5);
    v[2] = SHUFFLE(a, c, 2, 3, 6, 7);
    v[3] = SHUFFLE(b, d, 2, 3, 6, 7);
}

INLINE int is_any(const mask *found) {
    return ((*found)[0] | (*found)[1] | (*found)[2] | (*found)[3]) != 0;
}
#else
#define HAS_VECTORS 0
#define INLINE static inline
#endif

#endif
