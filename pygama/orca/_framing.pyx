# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""Walks from record to record and finds the way back after damage: `framing.py`, compiled.

The rules and the reasons for them are told there; a test holds the two together.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp

cdef enum:
    MORE, HEADER, DAMAGE, END, FOUND, NOTHING
cdef enum:
    RECORD, HEADER_RECORD, NONE, UNREAD
cdef enum:
    SLOTS = 8256
    PAIRS = 65536
    MASK = 0x3FFFF
    HEAD_BYTES = 13
    SEEN = 3
    MANY_LENGTHS = 4
    CHAIN = 64
    STRANGERS = 8
    ENOUGH = 9
    UNSEEN_CHAIN = 8
    COVERED_BYTES = 2048
    TINY_WORDS = 16
    SMALL_WORDS = 64
    CLOSE = 64
    ALIKE = 4
    MAX_RECORD_BYTES = 256 << 20

cdef struct Head:
    int kind
    int key
    int extended
    int64_t words

cdef struct Source:
    const uint8_t *data
    int64_t fill
    bint at_end
    bint big_endian
    const uint8_t *declared
    uint64_t *pairs
    int64_t *n_pairs
    int64_t *n_lengths
    int64_t *shortest
    int64_t *longest

cdef struct Chain:
    int n
    bint is_first_choice
    Head heads[CHAIN]

cdef struct Walk:
    int64_t n
    int64_t at
    int64_t need
    int status


def walk(const uint8_t[::1] data, int64_t begin, int64_t fill, bint at_end, bint big_endian, memory, out):
    """Walk the records in data[begin:fill]; see framing.walk_plain."""
    from pygama.orca.framing import Walked

    cdef Source source = _source(data, fill, at_end, big_endian, memory)
    cdef int64_t[::1] at = out.at
    cdef int64_t[::1] words = out.words
    cdef int32_t[::1] key = out.key
    cdef uint8_t[::1] extended = out.extended
    cdef Walk walked
    with nogil:
        walked = _walk(&source, begin, at.shape[0], &at[0], &words[0], &key[0], &extended[0])
    return Walked(walked.n, walked.at, walked.status, walked.need)


def search(const uint8_t[::1] data, int64_t start, int64_t fill, bint at_end, bint big_endian, memory):
    """Find where a chain of good records begins; see framing.search_plain."""
    cdef Source source = _source(data, fill, at_end, big_endian, memory)
    cdef int64_t at
    cdef int status
    with nogil:
        status = _search(&source, start, fill, False, &at)
    return status, at


cdef Source _source(const uint8_t[::1] data, int64_t fill, bint at_end, bint big_endian, memory):
    cdef const uint8_t[::1] declared = memory.declared
    cdef uint64_t[::1] pairs = memory.pairs
    cdef int64_t[::1] n_pairs = memory.n_pairs
    cdef int64_t[::1] n_lengths = memory.n_lengths
    cdef int64_t[::1] shortest = memory.shortest
    cdef int64_t[::1] longest = memory.longest
    cdef Source source
    source.data = &data[0]
    source.fill = fill
    source.at_end = at_end
    source.big_endian = big_endian
    source.declared = &declared[0]
    source.pairs = &pairs[0]
    source.n_pairs = &n_pairs[0]
    source.n_lengths = &n_lengths[0]
    source.shortest = &shortest[0]
    source.longest = &longest[0]
    return source


cdef Walk _walk(
    Source *source, int64_t at, int64_t room, int64_t *out_at, int64_t *words, int32_t *key, uint8_t *extended
) noexcept nogil:
    cdef int64_t n = 0, size, need
    cdef Head head
    cdef bint is_known
    while n < room:
        head = _head_at(source, at)
        size = 4 * head.words
        if head.kind == UNREAD:
            return _walked(n, at, END, head.words) if source.at_end else _held_back(out_at, n, at, head.words)
        if head.kind == NONE:
            return _walked(n, at, DAMAGE, 0)
        is_known = head.kind == HEADER_RECORD or _is_seen(source, &head)
        if at + size > source.fill and source.at_end:
            return _walked(n, at, DAMAGE, size if is_known or _weight(source, &head) else 0)
        if at + size > source.fill:
            return _walked(n, at, MORE, size) if is_known else _held_back(out_at, n, at, size + 16)
        if head.kind == HEADER_RECORD:
            return _walked(n, at, HEADER, size)
        if not is_known:
            need = _judge(source, at, &head)
            if need:
                return _walked(n, at, DAMAGE, 0) if need < 0 else _held_back(out_at, n, at, need)
            _remember(source, &head)
        out_at[n] = at
        words[n] = head.words
        key[n] = head.key
        extended[n] = head.extended
        n += 1
        at += size
    return _held_back(out_at, n, at, 0)


cdef inline Walk _walked(int64_t n, int64_t at, int status, int64_t need) noexcept nogil:
    cdef Walk walked
    walked.n = n
    walked.at = at
    walked.status = status
    walked.need = need
    return walked


cdef inline Walk _held_back(int64_t *out_at, int64_t n, int64_t at, int64_t need) noexcept nogil:
    if n == 0:
        return _walked(0, at, MORE, need)
    return _walked(n - 1, out_at[n - 1], MORE, need + at - out_at[n - 1])


cdef int _search(
    Source *source, int64_t start, int64_t limit, bint is_seen_only, int64_t *found
) noexcept nogil:
    cdef int64_t longest = 0, patience, second_choice = source.fill, origin = -1, at = start
    cdef int64_t stop = source.fill - (3 if source.at_end else HEAD_BYTES - 1)
    cdef int slot, verdict
    cdef Head head
    cdef Chain chain
    for slot in range(SLOTS):
        longest = max(longest, source.longest[slot])
    patience = min(16 * longest, <int64_t>MAX_RECORD_BYTES // 2)
    while at < min(stop, limit) and at <= second_choice + patience:
        if _is_hopeful(source, at) and (not is_seen_only or _is_large_and_seen(source, at)):
            verdict = _verify(source, start, at, &chain)
            if verdict == MORE:
                found[0] = at if origin < 0 else origin
                return MORE
            if verdict == FOUND and chain.is_first_choice:
                found[0] = second_choice if _leads_to(source, second_choice, at) else at
                return FOUND
            if verdict == FOUND:
                origin = at if origin < 0 else origin
                second_choice = min(second_choice, at + _untrusted_bytes(source, &chain))
        at += 1
    if source.at_end or stop >= limit or stop > second_choice + patience:
        found[0] = second_choice if second_choice < limit else source.fill
        return FOUND if second_choice < limit else NOTHING
    found[0] = origin if origin >= 0 else max(start, stop)
    return MORE


cdef inline bint _is_hopeful(Source *source, int64_t at) noexcept nogil:
    cdef uint32_t w0 = _word(source, at)
    cdef int slot = 8192 + (w0 >> 26) if w0 >> 31 else w0 >> 18
    if slot == 0:
        return at + 8 < source.fill and source.data[at + 8] == 60
    return source.declared[slot] != 0 or source.n_lengths[slot] > 0


cdef inline uint32_t _word(Source *source, int64_t at) noexcept nogil:
    cdef const uint8_t *b = source.data + at
    if source.big_endian:
        return b[3] | <uint32_t>b[2] << 8 | <uint32_t>b[1] << 16 | <uint32_t>b[0] << 24
    return b[0] | <uint32_t>b[1] << 8 | <uint32_t>b[2] << 16 | <uint32_t>b[3] << 24


cdef inline Head _a_head(int kind, int key, int64_t words, int extended) noexcept nogil:
    cdef Head head
    head.kind = kind
    head.key = key
    head.words = words
    head.extended = extended
    return head


cdef inline Head _head_at(Source *source, int64_t at) noexcept nogil:
    cdef int64_t rest = source.fill - at
    cdef uint32_t w0, words
    if rest < 4:
        return _a_head(UNREAD, 0, 4, 0)
    w0 = _word(source, at)
    if w0 >> 31:
        return _a_head(RECORD, -<int>(w0 >> 26), 1, 0)
    if w0 >> 18 == 0:
        return _header_at(source, at, w0)
    if w0 & MASK:
        return _a_head(RECORD, w0 >> 18, w0 & MASK, 0)
    if rest < 8:
        return _a_head(UNREAD, 0, 8, 0)
    words = _word(source, at + 4)
    if 2 <= words <= <uint32_t>MAX_RECORD_BYTES // 4:
        return _a_head(RECORD, w0 >> 18, words, 1)
    return _a_head(NONE, 0, 0, 0)


cdef Head _header_at(Source *source, int64_t at, uint32_t w0) noexcept nogil:
    cdef int64_t words
    if source.fill - at < 8:
        return _a_head(UNREAD, 0, HEAD_BYTES, 0)
    words = (8 + <int64_t>_word(source, at + 4) + 3) // 4
    if words & MASK != w0:
        words += 1
    if words & MASK != w0 or words > MAX_RECORD_BYTES // 4:
        return _a_head(NONE, 0, 0, 0)
    if source.fill - at < HEAD_BYTES:
        return _a_head(UNREAD, 0, HEAD_BYTES, 0)
    if memcmp(source.data + at + 8, b"<?xml", 5) != 0:
        return _a_head(NONE, 0, 0, 0)
    return _a_head(HEADER_RECORD, 0, words, 0)


cdef int64_t _judge(Source *source, int64_t at, Head *judged) noexcept nogil:
    cdef int weight = 0, step, n_strangers = 0, i
    cdef int enough = 1 if _weight(source, judged) == SEEN else SEEN
    cdef bint is_declared = source.declared[_slot(judged.key)]
    cdef int64_t here = at + 4 * judged.words, believed = here, end
    cdef Head strangers[STRANGERS]
    cdef Head head
    for i in range(CHAIN):
        if (source.at_end and source.fill - here < 4) or weight >= enough or (
            weight and here - at > MAX_RECORD_BYTES
        ):
            return _unless_hidden(source, at, believed, is_declared and n_strangers == 0)
        if here - at > MAX_RECORD_BYTES:
            return -1
        head = _head_at(source, here)
        end = here + 4 * head.words
        if head.kind == HEADER_RECORD:
            weight = SEEN
            continue
        if head.kind != RECORD:
            return here + 16 - at if head.kind == UNREAD and not source.at_end else -1
        step = _weight(source, &head)
        if is_declared and _is_same(&head, judged):
            step = SEEN if head.words >= TINY_WORDS else 1
        weight += step
        if weight == 0:
            believed = end
        if step == 0 and _count(strangers, n_strangers, &head) == 0:
            if n_strangers == STRANGERS:
                return -1
            strangers[n_strangers] = head
            n_strangers += 1
        if end > source.fill and weight < enough:
            if not source.at_end:
                return end + 16 - at
            return _unless_hidden(source, at, source.fill, False) if step else -1
        here = end
    if not is_declared and _may_be_samples(judged):
        return -1
    for i in range(n_strangers):
        if not is_declared and _may_be_samples(&strangers[i]):
            return -1
    return _unless_hidden(source, at, believed, False)


cdef inline bint _may_be_samples(Head *head) noexcept nogil:
    cdef int64_t high = 4 * <int64_t>head.key, low = 0
    if not head.extended:
        high |= head.words >> 16
        low = head.words & 0xFFFF
    return head.key < 0 or -CLOSE <= high - low <= CLOSE


cdef int64_t _unless_hidden(Source *source, int64_t at, int64_t limit, bint is_seen_only) noexcept nogil:
    cdef int64_t found
    cdef int status
    if source.n_pairs[0] >= PAIRS // 2:
        return 0
    status = _search(source, at + 4, min(limit, source.fill), is_seen_only, &found)
    if status == MORE:
        return source.fill - at + 1
    return -1 if status == FOUND else 0


cdef int _verify(Source *source, int64_t first, int64_t start, Chain *chain) noexcept nogil:
    cdef int64_t at = start, end
    cdef int weight = 0, step
    cdef bint is_covered, is_behind_stranger = False
    cdef Head head
    chain.n = 0
    chain.is_first_choice = False
    while True:
        if source.at_end and source.fill - at < 4 and chain.n:
            return FOUND if _is_enough(chain, at == source.fill) else NOTHING
        head = _head_at(source, at)
        end = at + 4 * head.words
        if head.kind == UNREAD:
            return NOTHING if source.at_end else MORE
        if head.kind == HEADER_RECORD and chain.n:
            return FOUND if chain.is_first_choice or chain.n >= 2 else NOTHING
        if head.kind == HEADER_RECORD and end <= source.fill:
            chain.is_first_choice = True
            return FOUND
        step = SEEN if head.kind == HEADER_RECORD else _weight(source, &head)
        if step == 0 and not is_behind_stranger and _may_hold_stranger(chain, &head):
            if end - start > MAX_RECORD_BYTES or end > source.fill:
                return NOTHING if source.at_end or end <= source.fill else MORE
            at = end
            is_behind_stranger = True
            continue
        if head.kind == NONE or step == 0:
            return NOTHING
        is_behind_stranger = False
        if chain.n == 0:
            chain.is_first_choice = step == SEEN
            if _is_repeated(source, first, at, 4 * head.words):
                return NOTHING
        chain.heads[chain.n] = head
        chain.n += 1
        weight += step
        if end > source.fill and source.at_end:
            return FOUND if chain.is_first_choice and step == SEEN and chain.n >= 2 else NOTHING
        is_covered = end - start >= COVERED_BYTES
        if is_covered and chain.is_first_choice and chain.n >= 3 and weight >= ENOUGH:
            return FOUND
        if is_covered and not chain.is_first_choice and chain.n >= UNSEEN_CHAIN:
            return FOUND
        if chain.n == CHAIN:
            return FOUND
        if end - start > MAX_RECORD_BYTES:
            return NOTHING
        if end > source.fill:
            return MORE
        at = end


cdef bint _may_hold_stranger(Chain *chain, Head *stranger) noexcept nogil:
    if stranger.kind != RECORD or chain.n == 0 or _may_be_samples(stranger):
        return False
    if chain.is_first_choice:
        return chain.heads[0].words >= TINY_WORDS or chain.n >= 2
    return chain.heads[0].words >= TINY_WORDS and _count(chain.heads, chain.n, &chain.heads[0]) >= 3


cdef inline bint _is_enough(Chain *chain, bint is_exact) noexcept nogil:
    if chain.is_first_choice:
        return is_exact or chain.n >= 2
    if chain.n == 2:
        return _is_same(&chain.heads[0], &chain.heads[1]) and chain.heads[0].words >= TINY_WORDS
    return is_exact and chain.n >= 3


cdef bint _leads_to(Source *source, int64_t at, int64_t goal) noexcept nogil:
    cdef Head head
    while at < goal:
        head = _head_at(source, at)
        if head.kind != RECORD:
            return False
        at += 4 * head.words
    return at == goal


cdef bint _is_repeated(Source *source, int64_t first, int64_t at, int64_t size) noexcept nogil:
    cdef const uint8_t *this = source.data + at
    if size > 4 * SMALL_WORDS or at + size > source.fill:
        return False
    if at - size >= first and memcmp(this, this - size, size) == 0:
        return True
    return at + 2 * size <= source.fill and memcmp(this, this + size, size) == 0


cdef int64_t _untrusted_bytes(Source *source, Chain *chain) noexcept nogil:
    cdef int64_t n_bytes = 0
    cdef int i, n_alike = 0
    for i in range(chain.n):
        n_alike += _is_same(&chain.heads[i], &chain.heads[0])
        if _weight(source, &chain.heads[i]) == SEEN:
            return 0 if n_alike >= ALIKE and 4 * n_alike >= 3 * i else n_bytes
        if chain.heads[i].words >= TINY_WORDS and _count(chain.heads, chain.n, &chain.heads[i]) > 1:
            return n_bytes
        n_bytes += 4 * chain.heads[i].words
    n_bytes = 0
    for i in range(chain.n):
        if chain.heads[i].words >= TINY_WORDS:
            return n_bytes
        n_bytes += 4 * chain.heads[i].words
    return 0


cdef inline int _count(Head *heads, int n, Head *head) noexcept nogil:
    cdef int i, n_same = 0
    for i in range(n):
        n_same += _is_same(&heads[i], head)
    return n_same


cdef inline bint _is_same(Head *a, Head *b) noexcept nogil:
    return a.key == b.key and a.words == b.words and a.extended == b.extended


cdef inline int _slot(int key) noexcept nogil:
    return key if key >= 0 else 8192 - key


cdef inline int _weight(Source *source, Head *head) noexcept nogil:
    cdef int slot = _slot(head.key)
    if head.key < 0:
        return source.declared[slot]
    if (
        source.n_lengths[slot] >= MANY_LENGTHS
        and source.shortest[slot] <= head.words
        and head.words <= source.longest[slot]
    ):
        return SEEN
    return SEEN if _is_seen(source, head) else source.declared[slot]


cdef inline bint _is_large_and_seen(Source *source, int64_t at) noexcept nogil:
    cdef Head head = _head_at(source, at)
    return head.words >= TINY_WORDS and _weight(source, &head) == SEEN


cdef inline bint _is_seen(Source *source, Head *head) noexcept nogil:
    return source.pairs[_place(source, head)] != 0


cdef void _remember(Source *source, Head *head) noexcept nogil:
    cdef uint64_t place = _place(source, head)
    cdef int slot = _slot(head.key)
    if source.pairs[place] != 0 or source.n_pairs[0] >= PAIRS // 2:
        return
    source.pairs[place] = _code(head)
    source.n_pairs[0] += 1
    source.n_lengths[slot] += 1
    source.shortest[slot] = min(source.shortest[slot], head.words)
    source.longest[slot] = max(source.longest[slot], head.words)


cdef inline uint64_t _place(Source *source, Head *head) noexcept nogil:
    cdef uint64_t code = _code(head)
    cdef uint64_t place = (code * <uint64_t>0x9E3779B97F4A7C15) >> 48
    while source.pairs[place] != 0 and source.pairs[place] != code:
        place = (place + 1) % PAIRS
    return place


cdef inline uint64_t _code(Head *head) noexcept nogil:
    return (<uint64_t>_slot(head.key) << 33 | <uint64_t>head.words << 1 | <uint64_t>head.extended) + 1
