// Text to token ids in one pass: splits by bit masks over 64 bytes at a time, then byte-level BPE behind a cache of
// pre-tokens. Gives what `tokenizers` gives for the same definition; the Python beside it checks that.
//
// A pre-token is a stretch of text that no token reaches across; here it is called a word, blanks and signs included.

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <queue>
#include <system_error>
#include <thread>
#include <vector>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#if defined(__linux__)
#include <sys/mman.h>
#endif

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the keys of the cache are written for little-endian processors"
#endif

namespace {

using Byte = std::uint8_t;
using Id = std::uint16_t;
using Bits = std::uint64_t;

// What must be readable behind the last text: a block begins at its last byte.
constexpr std::size_t PADDING = 64;
// Texts are cut into parts of about this many bytes, for threads to share.
constexpr std::size_t PART_BYTES = 65536;
// Ids of a word are written by the eight, so that many may be written behind the last.
constexpr std::size_t SLACK = 8;

// ---------------------------------------------------------------- characters

// What a scalar is. The table that comes from Python holds the first four, and beside them the bit NUMERIC for what the
// split at digits cuts off; ALONE is for those that a split makes a word each.
enum Class : Byte { LETTER, NUMBER, OTHER, WHITE, ALONE };
constexpr Byte CLASS_BITS = 3, NUMERIC = 4;

struct Splits {
    bool digits, operators, whitespace, closing;
};

// What stands for the last digit of a number, of 0 and of 9.
constexpr Byte FIRST_CLOSING = 0x12, LAST_CLOSING = 0x1B;

struct Scalar {
    std::uint32_t value;
    unsigned bytes;
};

// The text is valid UTF-8: Python wrote it.
inline Scalar decode(const Byte* p) {
    if (p[0] < 0x80) return {p[0], 1};
    if (p[0] < 0xE0) return {(p[0] & 0x1Fu) << 6 | (p[1] & 0x3Fu), 2};
    if (p[0] < 0xF0) return {(p[0] & 0x0Fu) << 12 | (p[1] & 0x3Fu) << 6 | (p[2] & 0x3Fu), 3};
    return {(p[0] & 0x07u) << 18 | (p[1] & 0x3Fu) << 12 | (p[2] & 0x3Fu) << 6 | (p[3] & 0x3Fu), 4};
}

inline bool is_operator(Byte byte) {
    return byte == '+' || byte == '-' || byte == '*' || byte == '/' || byte == '=' || byte == '(' || byte == ')';
}

// 64 bytes, and which of them lie in a range.
#if defined(__AVX512BW__)
struct Block {
    __m512i bytes;
    explicit Block(const Byte* p) : bytes(_mm512_loadu_si512(p)) {}
    Bits high() const { return _mm512_movepi8_mask(bytes); }
    Bits within(Byte low, Byte high) const {
        return _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(char(low))),
                                      _mm512_set1_epi8(char(high - low)));
    }
};
#elif defined(__AVX2__)
struct Block {
    __m256i half[2];
    explicit Block(const Byte* p) {
        for (int i = 0; i < 2; ++i) half[i] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p) + i);
    }
    Bits high() const {
        return std::uint32_t(_mm256_movemask_epi8(half[0])) | Bits(std::uint32_t(_mm256_movemask_epi8(half[1]))) << 32;
    }
    Bits within(Byte low, Byte high) const {
        Bits found = 0;
        for (int i = 0; i < 2; ++i) {
            const __m256i above = _mm256_sub_epi8(half[i], _mm256_set1_epi8(char(low)));
            const __m256i inside = _mm256_cmpeq_epi8(_mm256_min_epu8(above, _mm256_set1_epi8(char(high - low))), above);
            found |= Bits(std::uint32_t(_mm256_movemask_epi8(inside))) << (32 * i);
        }
        return found;
    }
};
#else
struct Block {
    static constexpr Bits ONES = 0x0101010101010101, HIGHS = 0x8080808080808080;
    Bits words[8];
    explicit Block(const Byte* p) { std::memcpy(words, p, 64); }
    // The highest bits of eight bytes, side by side.
    static Bits gathered(Bits highs) { return ((highs & HIGHS) >> 7) * 0x0102040810204080 >> 56; }
    Bits high() const {
        Bits found = 0;
        for (int i = 0; i < 8; ++i) found |= gathered(words[i]) << (8 * i);
        return found;
    }
    // Both ends below 128.
    Bits within(Byte low, Byte high) const {
        Bits found = 0;
        for (int i = 0; i < 8; ++i) {
            const Bits seven = words[i] & ~HIGHS;
            const Bits from = seven + (0x80 - low) * ONES, beyond = seven + (0x7F - high) * ONES;
            found |= gathered(from & ~beyond & ~words[i]) << (8 * i);
        }
        return found;
    }
};
#endif

// A bit for each of so many bytes.
inline Bits inside(unsigned bytes) { return bytes == 64 ? ~Bits(0) : (Bits(1) << bytes) - 1; }

// Which bytes of a block belong to what. `alone` are characters that are a word each; `later` are all but the first
// byte of a character.
struct Masks {
    Bits letter, number, other, white, breaks, space, apostrophe, alone, later;
    unsigned bytes;
};

class Characters {
public:
    Characters(const Byte* classes, Splits splits) : classes_(classes, classes + 0x110000), splits_(splits) {
        for (std::uint32_t value = 0; value < 0x110000; ++value) {
            const bool digit = splits.digits && (classes_[value] & NUMERIC);
            const bool sign = splits.operators && value < 0x80 && is_operator(Byte(value));
            const bool closing = splits.closing && value >= FIRST_CLOSING && value <= LAST_CLOSING;
            classes_[value] = digit || sign || closing ? Byte(ALONE) : classes_[value] & CLASS_BITS;
        }
    }

    // Letters, numbers and others: what a blank in front of it joins.
    bool is_wordlike(const Byte* p) const { return classes_[decode(p).value] < WHITE; }

    // At most 64 bytes, whole characters.
    Masks masks(const Byte* p, const Byte* end) const {
        const Block block(p);
        const Bits digit = block.within('0', '9');
        const Bits sign =
            block.within('(', '+') | block.within('-', '-') | block.within('/', '/') | block.within('=', '=');
        Masks m;
        m.bytes = unsigned(std::min<std::ptrdiff_t>(64, end - p));
        m.letter = block.within('a', 'z') | block.within('A', 'Z');
        m.space = block.within(' ', ' ');
        m.white = m.space | block.within('\t', '\r');
        m.breaks = block.within('\n', '\n') | block.within('\r', '\r');
        m.apostrophe = block.within('\'', '\'');
        m.alone = (splits_.digits ? digit : 0) | (splits_.operators ? sign : 0);
        if (splits_.closing) m.alone |= block.within(FIRST_CLOSING, LAST_CLOSING);
        m.number = digit & ~m.alone;
        m.later = 0;
        const Bits high = block.high();
        m.other = ~(m.letter | digit | m.white | high) & ~m.alone;
        if (high & inside(m.bytes)) add_others(p, high & inside(m.bytes), m);
        const Bits valid = inside(m.bytes);
        for (Bits* mask : {&m.letter, &m.number, &m.other, &m.white, &m.breaks, &m.space, &m.apostrophe, &m.alone})
            *mask &= valid;
        return m;
    }

private:
    // Characters beyond ASCII; one that the block does not hold whole ends it.
    void add_others(const Byte* p, Bits high, Masks& m) const {
        while (high) {
            const unsigned at = unsigned(__builtin_ctzll(high));
            const Scalar scalar = decode(p + at);
            if (at + scalar.bytes > m.bytes) {
                m.bytes = at;
                return;
            }
            const Bits first = Bits(1) << at, all = (Bits(1) << (scalar.bytes - 1) << 1 << at) - first;
            Bits* const of_class[] = {&m.letter, &m.number, &m.other, &m.white, &m.alone};
            *of_class[classes_[scalar.value]] |= all;
            m.later |= all & ~first;
            high &= ~all;
        }
    }

    std::vector<Byte> classes_;
    Splits splits_;
};

// ---------------------------------------------------------------- text rules

// `TextRules.apply` of text_rules.py, which holds the definition and the reasons.
class TextRules {
public:
    TextRules(bool reverse_digits, bool map_case, bool close_numbers)
        : reverse_digits_(reverse_digits), map_case_(map_case), close_numbers_(close_numbers) {}

    bool any() const { return reverse_digits_ || marks(); }

    // Bytes that a byte can become.
    std::size_t growth() const { return marks() ? 2 : 1; }

    // Writes to `out`, which has room for what the text can become and PADDING; returns where it ends.
    Byte* apply(const Byte* text, const Byte* end, Byte* out) const {
        Byte* const begin = out;
        out = marks() ? put_marks(text, end, out) : std::copy(text, end, out);
        if (reverse_digits_) reverse_digits(begin, out);
        if (close_numbers_) close_numbers(begin, out);
        return out;
    }

private:
    static constexpr Byte TITLE = 0x0E, ALLCAPS = 0x0F, ESCAPE = 0x10;
    static constexpr std::ptrdiff_t MOST_DIGITS = 64, MOST_CAPITALS = 32;

    static bool is_capital(Byte byte) { return byte >= 'A' && byte <= 'Z'; }
    static bool is_small(Byte byte) { return byte >= 'a' && byte <= 'z'; }
    static bool is_digit(Byte byte) { return byte >= '0' && byte <= '9'; }

    // Whether characters of the text may have to be escaped.
    bool marks() const { return map_case_ || close_numbers_; }

    static Byte sign_of(Byte mark) {
        if (mark >= FIRST_CLOSING) return Byte("\"#%,:;<>?@"[mark - FIRST_CLOSING]);
        return mark == TITLE ? '^' : mark == ALLCAPS ? '_' : '!';
    }

    // Bytes that do not stay as they are.
    Bits meant(const Block& block) const {
        Bits found = map_case_ ? block.within('A', 'Z') | block.within(TITLE, ESCAPE) : block.within(ESCAPE, ESCAPE);
        if (close_numbers_) found |= block.within(FIRST_CLOSING, LAST_CLOSING);
        return found;
    }

    Byte* put_marks(const Byte* p, const Byte* end, Byte* out) const {
        const Byte* const begin = p;
        while (p < end) {
            const Block block(p);
            std::memcpy(out, p, 64);
            const Bits found = meant(block);
            const std::ptrdiff_t plain = std::min<std::ptrdiff_t>(found ? __builtin_ctzll(found) : 64, end - p);
            p += plain;
            out += plain;
            if (plain == 64 || p == end) continue;
            if (!is_capital(*p)) {
                *out++ = ESCAPE;
                *out++ = sign_of(*p++);
                continue;
            }
            const Byte* row_end = p + 1;
            while (row_end < end && is_capital(*row_end)) ++row_end;
            // The last of several begins a word where a small letter follows.
            const bool begins_word = row_end - p > 1 && row_end < end && is_small(*row_end);
            const bool blank = p > begin && p[-1] == ' ';
            out = write_row(p, row_end - begins_word, blank ? out - 1 : out, blank);
            if (begins_word) out = write_row(row_end - 1, row_end, out, false);
            p = row_end;
        }
        return out;
    }

    static Byte* write_row(const Byte* p, const Byte* end, Byte* out, bool blank) {
        while (p < end) {
            const std::ptrdiff_t left = end - p;
            const std::ptrdiff_t capitals = left > MOST_CAPITALS ? 1 : left;
            *out++ = capitals == 1 ? TITLE : ALLCAPS;
            if (blank) *out++ = ' ';
            blank = false;
            for (std::ptrdiff_t i = 0; i < capitals; ++i) *out++ = *p++ | 0x20;
        }
        return out;
    }

    static void reverse_digits(Byte* p, Byte* end) {
        while (p < end) {
            const Bits found = Block(p).within('0', '9');
            // A single digit is passed over; that of a block's last byte may go on.
            const Bits pairs = found & (found >> 1 | Bits(1) << 63);
            p += pairs ? __builtin_ctzll(pairs) : 64;
            if (!pairs || p >= end) continue;
            Byte* run_end = p + 1;
            while (run_end < end && is_digit(*run_end)) ++run_end;
            if (run_end - p <= MOST_DIGITS) std::reverse(p, run_end);
            p = run_end;
        }
    }

    static void close_numbers(Byte* p, Byte* end) {
        for (; p < end; p += 64) {
            Bits last = Block(p).within('0', '9');
            // What lies behind the end may look like a digit.
            if (end - p < 64) last &= inside(unsigned(end - p));
            last &= ~(last >> 1);
            if (last >> 63 && end - p > 64 && is_digit(p[64])) last &= ~(Bits(1) << 63);
            for (; last; last &= last - 1) {
                Byte& digit = p[__builtin_ctzll(last)];
                digit = Byte(digit - '0' + FIRST_CLOSING);
            }
        }
    }

    bool reverse_digits_, map_case_, close_numbers_;
};

// ---------------------------------------------------------------- words

// The length of 's 't 're 've 'm 'll 'd at an apostrophe, or 0.
inline unsigned contraction(const Byte* p, const Byte* end) {
    if (end - p < 2) return 0;
    if (p[1] == 's' || p[1] == 't' || p[1] == 'm' || p[1] == 'd') return 2;
    if (end - p < 3) return 0;
    const bool three = (p[1] == 'r' && p[2] == 'e') || (p[1] == 'v' && p[2] == 'e') || (p[1] == 'l' && p[2] == 'l');
    return three ? 3 : 0;
}

// Finds where the words of a text begin: GPT-2's expression, inside the pieces that the other splits leave.
//
//     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
class WordStarts {
public:
    WordStarts(const Characters& characters, bool isolate_whitespace)
        : characters_(characters), isolate_whitespace_(isolate_whitespace) {}

    // Calls `found` with the position of each block and a bit for each start in it.
    template <class Found>
    void scan(const Byte* p, const Byte* end, Found&& found) const {
        Before before{};
        Bits forced = 0, forbidden = 0;
        while (p < end) {
            Masks m = characters_.masks(p, end);
            if (isolate_whitespace_) m.space = 0;
            const bool goes_on = p + m.bytes < end && characters_.is_wordlike(p + m.bytes);
            Bits starts = begins(m, before, goes_on);
            // What follows a contraction may be the end of the text instead of a byte.
            starts = (starts | (forced & inside(m.bytes))) & ~forbidden;
            forced = forbidden = 0;
            for (Bits left = m.apostrophe & starts; left; left &= left - 1) {
                const unsigned at = unsigned(__builtin_ctzll(left));
                const unsigned length = contraction(p + at, end);
                if (!length) continue;
                for (unsigned i = 1; i < length; ++i) put(at + i, m.bytes, starts, forbidden, false);
                put(at + length, m.bytes, starts, forced, true);
            }
            found(p, starts);
            before = last_of(m);
            p += m.bytes;
        }
    }

private:
    // A bit each for the byte before a block.
    struct Before {
        Bits letter, number, other, white, breaks, space;
    };

    static Bits after(Bits mask, Bits before) { return mask << 1 | before; }

    static Before last_of(const Masks& m) {
        const unsigned last = m.bytes - 1;
        return {m.letter >> last & 1, m.number >> last & 1, m.other >> last & 1,
                m.white >> last & 1,  m.breaks >> last & 1, m.space >> last & 1};
    }

    // A start, or none, at a byte that may lie in the next block.
    static void put(unsigned at, unsigned bytes, Bits& starts, Bits& next, bool start) {
        if (at >= bytes)
            next |= Bits(1) << (at - bytes);
        else if (start)
            starts |= Bits(1) << at;
        else
            starts &= ~(Bits(1) << at);
    }

    Bits begins(const Masks& m, const Before& before, bool goes_on) const {
        const Bits word = ((m.letter & ~after(m.letter, before.letter)) | (m.number & ~after(m.number, before.number)) |
                           (m.other & ~after(m.other, before.other))) &
                          ~after(m.space, before.space);
        const Bits white = isolate_whitespace_ ? begins_isolated(m, before) : begins_white(m, before, goes_on);
        return (word | white | m.alone) & ~m.later;
    }

    static Bits begins_isolated(const Masks& m, const Before& before) {
        const Bits blank = m.white & ~m.breaks, blank_before = before.white & ~before.breaks;
        return (m.breaks & ~after(m.breaks, before.breaks)) | (blank & ~after(blank, blank_before));
    }

    // Where a run of white begins, and its last character if a word follows in the same piece.
    static Bits begins_white(const Masks& m, const Before& before, bool goes_on) {
        const Bits wordlike = m.letter | m.number | m.other;
        Bits last = m.white & (wordlike >> 1 | Bits(goes_on) << (m.bytes - 1));
        for (Bits inner = last & m.later; inner; inner = last & m.later) last = (last & ~inner) | inner >> 1;
        return (m.white & ~after(m.white, before.white)) | last;
    }

    const Characters& characters_;
    bool isolate_whitespace_;
};

// ---------------------------------------------------------------- merges

// From a pair of ids to the rank of their merge.
class Merges {
public:
    static constexpr std::uint32_t NONE = 0xFFFF;

    // Fewer than NONE.
    Merges(const Id* byte_ids, const Id* pairs, const Id* made, std::size_t count) : made_(made, made + count) {
        unsigned bits = 4;
        while ((std::size_t(1) << bits) < 4 * count) ++bits;
        shift_ = 64 - bits;
        mask_ = (std::size_t(1) << bits) - 1;
        slots_.assign(mask_ + 1, EMPTY);
        for (std::size_t rank = 0; rank < count; ++rank) {
            const Bits pair = key(pairs[2 * rank], pairs[2 * rank + 1]);
            std::size_t at = place(pair);
            while (slots_[at] != EMPTY && slots_[at] >> 16 != pair) at = (at + 1) & mask_;
            slots_[at] = pair << 16 | rank;
        }
        for (std::size_t i = 0; i < 256; ++i)
            for (std::size_t j = 0; j < 256; ++j) of_bytes_[i][j] = Id(find(byte_ids[i], byte_ids[j]));
    }

    std::uint32_t find(Id left, Id right) const {
        const Bits pair = key(left, right);
        for (std::size_t at = place(pair);; at = (at + 1) & mask_) {
            const Bits slot = slots_[at];
            // An empty slot ends in NONE.
            if (slot >> 16 == pair || slot == EMPTY) return slot & 0xFFFF;
        }
    }

    // The same for two bytes, without a search.
    std::uint32_t find_bytes(Byte left, Byte right) const { return of_bytes_[left][right]; }

    Id made(std::uint32_t rank) const { return made_[rank]; }

private:
    static constexpr Bits EMPTY = ~Bits(0);
    static Bits key(Id left, Id right) { return Bits(left) << 16 | right; }
    std::size_t place(Bits pair) const { return (pair * 0x9E3779B97F4A7C15u) >> shift_; }

    std::vector<Id> made_;
    std::vector<Bits> slots_;
    unsigned shift_;
    std::size_t mask_;
    Id of_bytes_[256][256];
};

// Up to this many bytes, looking through all pairs for the next merge beats keeping them in order.
constexpr std::size_t SHORT_WORD = 64;

// Merges the lowest rank first, and of equal ranks the leftmost. Writes at most `bytes` ids; returns how many.
std::size_t merge_short(const Merges& merges, const Id* byte_ids, const Byte* text, std::size_t bytes, Id* out) {
    // rank << 8 | position of the left symbol, where two symbols stand; a symbol stands where its first byte stood.
    constexpr std::uint32_t NONE = ~std::uint32_t(0);
    std::uint32_t pairs[SHORT_WORD];
    Id ids[SHORT_WORD];
    const auto weight = [](std::uint32_t rank, std::size_t at) { return rank << 8 | std::uint32_t(at); };
    for (std::size_t i = 0; i < bytes; ++i) ids[i] = byte_ids[text[i]];
    for (std::size_t i = 0; i + 1 < bytes; ++i) pairs[i] = weight(merges.find_bytes(text[i], text[i + 1]), i);
    Bits standing = bytes == 64 ? ~Bits(0) : (Bits(1) << bytes) - 1;
    const std::size_t room = (bytes + 14) / 16 * 16;
    for (std::size_t i = bytes - 1; i < room; ++i) pairs[i] = NONE;
    for (;;) {
        std::uint32_t best = NONE;
        for (std::size_t i = 0; i < room; ++i) best = std::min(best, pairs[i]);
        if (best >> 8 >= Merges::NONE) break;
        const unsigned at = best & 0xFF;
        const Bits right = standing & ~Bits(1) << at;
        const unsigned merged = unsigned(__builtin_ctzll(right));
        standing &= ~(Bits(1) << merged);
        ids[at] = merges.made(best >> 8);
        pairs[merged] = NONE;
        const Bits after = right & (right - 1), before = standing & ((Bits(1) << at) - 1);
        pairs[at] = after ? weight(merges.find(ids[at], ids[__builtin_ctzll(after)]), at) : NONE;
        if (before) {
            const unsigned left = 63 - unsigned(__builtin_clzll(before));
            pairs[left] = weight(merges.find(ids[left], ids[at]), left);
        }
    }
    std::size_t count = 0;
    for (; standing; standing &= standing - 1) out[count++] = ids[__builtin_ctzll(standing)];
    return count;
}

// The same for words of any length: a heap of pairs, of which those that have changed since are passed over.
std::size_t merge_long(const Merges& merges, const Id* byte_ids, const Byte* text, std::size_t bytes, Id* out) {
    struct Symbol {
        std::uint32_t before, after;
        Id id;
    };
    constexpr std::uint32_t END = ~std::uint32_t(0);
    std::vector<Symbol> symbols(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        symbols[i] = {std::uint32_t(i) - 1, i + 1 < bytes ? std::uint32_t(i + 1) : END, byte_ids[text[i]]};
    // rank << 32 | position
    std::vector<Bits> first;
    const auto rank_at = [&](std::uint32_t at) { return merges.find(symbols[at].id, symbols[symbols[at].after].id); };
    for (std::uint32_t at = 0; at + 1 < bytes; ++at) {
        const std::uint32_t rank = rank_at(at);
        if (rank != Merges::NONE) first.push_back(Bits(rank) << 32 | at);
    }
    std::priority_queue<Bits, std::vector<Bits>, std::greater<Bits>> waiting({}, std::move(first));
    const auto wait = [&](std::uint32_t at) {
        const std::uint32_t rank = rank_at(at);
        if (rank != Merges::NONE) waiting.push(Bits(rank) << 32 | at);
    };
    while (!waiting.empty()) {
        const Bits next = waiting.top();
        waiting.pop();
        const std::uint32_t at = std::uint32_t(next), after = symbols[at].after;
        // A symbol that was merged into the one before it has itself as the next.
        if (after == END || after == at) continue;
        const std::uint32_t rank = rank_at(at);
        if (rank != next >> 32) continue;
        symbols[at].id = merges.made(rank);
        symbols[at].after = symbols[after].after;
        symbols[after].after = after;
        if (symbols[at].after != END) {
            symbols[symbols[at].after].before = at;
            wait(at);
        }
        if (at > 0) wait(symbols[at].before);
    }
    std::size_t count = 0;
    for (std::uint32_t at = 0; at != END; at = symbols[at].after) out[count++] = symbols[at].id;
    return count;
}

// ---------------------------------------------------------------- the cache

// A word of at most 15 bytes, its length in the 16th, and its ids.
struct alignas(32) Entry {
    static constexpr unsigned BYTES = 15, IDS = 7;
    Bits low, high;
    // The last is how many of the others there are, so that one copy takes them all.
    Id ids[IDS + 1];
};

// Words met before: sets of two, of which the one that came first makes room.
class Cache {
public:
    static constexpr unsigned SET_BITS = 16;

    Cache() : entries_(static_cast<Entry*>(std::aligned_alloc(HUGE_PAGE, BYTES))) {
        if (!entries_) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
        // Measured: 15% faster, because words lie all over it. Where it is refused, nothing is lost.
        madvise(entries_.get(), BYTES, MADV_HUGEPAGE);
#endif
        std::memset(static_cast<void*>(entries_.get()), 0, BYTES);
    }

    static std::size_t place(Bits low, Bits high) {
        return ((low ^ (high * 0x9E3779B97F4A7C15u)) * 0xD6E8FEB86659FD93u) >> (64 - SET_BITS) << 1;
    }
    Entry* set(std::size_t place) { return entries_.get() + place; }

private:
    static constexpr std::size_t HUGE_PAGE = 2 << 20, BYTES = sizeof(Entry) << 1 << SET_BITS;
    struct Free {
        void operator()(Entry* entries) const { std::free(entries); }
    };
    std::unique_ptr<Entry, Free> entries_;
};

// ---------------------------------------------------------------- encoding

struct Definition {
    TextRules rules;
    Characters characters;
    WordStarts words;
    Merges merges;
    Id byte_ids[256];
};

// What one thread needs: the cache, and room for a batch of words.
class Worker {
public:
    explicit Worker(const Definition& definition) : definition_(definition) {}

    // The ids of a text, from `out` on; returns where they end. Up to SLACK ids are written beyond that.
    Id* encode(const Byte* text, const Byte* end, Id* out) {
        const TextRules& rules = definition_.rules;
        if (!rules.any()) return encode_ruled(text, end, out);
        const std::size_t room = std::size_t(end - text) * rules.growth() + PADDING;
        if (room > ruled_.size()) ruled_.resize(room);
        out = encode_ruled(ruled_.data(), rules.apply(text, end, ruled_.data()), out);
        // A rare giant is not held on to.
        if (room > 16 * PART_BYTES) std::vector<Byte>().swap(ruled_);
        return out;
    }

private:
    Id* encode_ruled(const Byte* text, const Byte* end, Id* out) {
        std::size_t count = 0;
        definition_.words.scan(text, end, [&](const Byte* block, Bits starts) {
            for (; starts; starts &= starts - 1) starts_[count++] = block + __builtin_ctzll(starts);
            if (count > BATCH) {
                out = encode_words(count - 1, out);
                starts_[0] = starts_[count - 1];
                count = 1;
            }
        });
        starts_[count] = end;
        return encode_words(count, out);
    }

    static constexpr std::size_t BATCH = 64;

    struct Key {
        Bits low, high;
    };

    // A branch on the length would be mispredicted for every third word.
    static Key key(const Byte* word, std::size_t bytes) {
        static constexpr Bits ALL = ~Bits(0);
        alignas(64) static constexpr Key KEPT[16] = {
            {0, 0},           {ALL >> 56, 0},   {ALL >> 48, 0},   {ALL >> 40, 0},
            {ALL >> 32, 0},   {ALL >> 24, 0},   {ALL >> 16, 0},   {ALL >> 8, 0},
            {ALL, 0},         {ALL, ALL >> 56}, {ALL, ALL >> 48}, {ALL, ALL >> 40},
            {ALL, ALL >> 32}, {ALL, ALL >> 24}, {ALL, ALL >> 16}, {ALL, ALL >> 8},
        };
        Key key;
        std::memcpy(&key, word, sizeof key);
        return {key.low & KEPT[bytes].low, (key.high & KEPT[bytes].high) | Bits(bytes) << 56};
    }

    Id* encode_words(std::size_t count, Id* out) {
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t bytes = std::size_t(starts_[i + 1] - starts_[i]);
            keys_[i] = key(starts_[i], std::min<std::size_t>(bytes, Entry::BYTES));
            sets_[i] = cache_.set(Cache::place(keys_[i].low, keys_[i].high));
            __builtin_prefetch(sets_[i]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t bytes = std::size_t(starts_[i + 1] - starts_[i]);
            const Key key = keys_[i];
            const Entry* const set = sets_[i];
            const bool in_first = set[0].low == key.low && set[0].high == key.high;
            const bool in_second = set[1].low == key.low && set[1].high == key.high;
            if (__builtin_expect(bytes <= Entry::BYTES && (in_first | in_second), true)) {
                const Entry& entry = set[in_second];
                std::memcpy(out, entry.ids, sizeof entry.ids);
                out += entry.ids[Entry::IDS];
            } else {
                out = bytes <= Entry::BYTES ? encode_new(i, bytes, out) : out + merge(starts_[i], bytes, out);
            }
        }
        return out;
    }

    Id* encode_new(std::size_t word, std::size_t bytes, Id* out) {
        const std::size_t count = merge(starts_[word], bytes, out);
        if (count <= Entry::IDS) {
            Entry* const set = sets_[word];
            set[1] = set[0];
            set[0].low = keys_[word].low;
            set[0].high = keys_[word].high;
            std::copy_n(out, count, set[0].ids);
            set[0].ids[Entry::IDS] = Id(count);
        }
        return out + count;
    }

    std::size_t merge(const Byte* word, std::size_t bytes, Id* out) const {
        const auto how = bytes <= SHORT_WORD ? merge_short : merge_long;
        return how(definition_.merges, definition_.byte_ids, word, bytes, out);
    }

    const Definition& definition_;
    Cache cache_;
    std::vector<Byte> ruled_;
    const Byte* starts_[BATCH + 66];
    Key keys_[BATCH + 66];
    Entry* sets_[BATCH + 66];
};

// A stretch of the joined texts, and its ids from `ids` on.
struct Part {
    std::size_t begin, end;
    Id* ids;
    std::size_t count;
};

class Encoder {
public:
    Encoder(const Byte* classes, TextRules rules, Splits splits, const Id* byte_ids, const Id* pairs, const Id* made,
            std::size_t count)
        : definition_{rules, Characters(classes, splits), WordStarts(definition_.characters, splits.whitespace),
                      Merges(byte_ids, pairs, made, count), {}} {
        std::copy_n(byte_ids, 256, definition_.byte_ids);
    }

    // For how many ids there must be room.
    std::size_t room(std::size_t bytes) const {
        return bytes * definition_.rules.growth() + SLACK * (bytes / PART_BYTES + 1);
    }

    std::size_t words(const Byte* text, std::size_t bytes, std::int64_t* ends) const {
        std::size_t count = 0;
        definition_.words.scan(text, text + bytes, [&](const Byte* block, Bits starts) {
            for (; starts; starts &= starts - 1) {
                const std::int64_t start = block - text + __builtin_ctzll(starts);
                if (start) ends[count++] = start;
            }
        });
        if (bytes) ends[count++] = std::int64_t(bytes);
        return count;
    }

    std::size_t encode(const Byte* text, const std::int64_t* ends, std::size_t texts, unsigned threads, Id* ids,
                       std::int64_t* counts) {
        std::vector<Part> parts = cut(text, ends, texts);
        const std::size_t growth = definition_.rules.growth();
        for (std::size_t i = 0; i < parts.size(); ++i) parts[i].ids = ids + parts[i].begin * growth + i * SLACK;
        std::atomic<std::size_t> next{0};
        std::atomic<bool> failed{false};
        const auto work = [&] {
            try {
                std::unique_ptr<Worker> worker = take();
                for (std::size_t i = next++; i < parts.size() && !failed; i = next++)
                    encode_part(*worker, text, ends, texts, parts[i], counts);
                give_back(std::move(worker));
            } catch (const std::bad_alloc&) {
                failed = true;
            }
        };
        std::vector<std::thread> others;
        others.reserve(threads);
        try {
            while (others.size() + 1 < std::min<std::size_t>(threads, parts.size())) others.emplace_back(work);
        } catch (const std::system_error&) {
            // The machine gives no more of them: those that there are do the work.
        }
        work();
        for (std::thread& other : others) other.join();
        if (failed) throw std::bad_alloc();
        Id* end = ids;
        for (const Part& part : parts) {
            std::memmove(end, part.ids, part.count * sizeof(Id));
            end += part.count;
        }
        return std::size_t(end - ids);
    }

private:
    // Parts end with a text, or in front of a blank or line break that follows something else: no word reaches across.
    // Nor may a text rule put a marker there, hence the small letter.
    static std::vector<Part> cut(const Byte* text, const std::int64_t* ends, std::size_t texts) {
        std::vector<Part> parts;
        std::size_t begin = 0;
        for (std::size_t i = 0; i < texts; ++i) {
            const std::size_t end = std::size_t(ends[i]);
            for (std::size_t at = begin + PART_BYTES; at + 1 < end; ++at) {
                const bool blank = text[at] == ' ' && text[at + 1] >= 'a' && text[at + 1] <= 'z';
                if ((blank || text[at] == '\n') && text[at - 1] > ' ' && text[at - 1] < 0x7F) {
                    parts.push_back({begin, at, nullptr, 0});
                    begin = at;
                    at += PART_BYTES - 1;
                }
            }
            if (end - begin >= PART_BYTES || (i + 1 == texts && end > begin)) {
                parts.push_back({begin, end, nullptr, 0});
                begin = end;
            }
        }
        return parts;
    }

    void encode_part(Worker& worker, const Byte* text, const std::int64_t* ends, std::size_t texts, Part& part,
                     std::int64_t* counts) const {
        std::size_t at = part.begin;
        std::size_t which = std::size_t(std::upper_bound(ends, ends + texts, std::int64_t(at)) - ends);
        Id* out = part.ids;
        for (; at < part.end; ++which) {
            const std::size_t end = std::min(part.end, std::size_t(ends[which]));
            Id* const begin = out;
            out = worker.encode(text + at, text + end, out);
            // The text may go on in another thread's part.
            __atomic_fetch_add(&counts[which], std::int64_t(out - begin), __ATOMIC_RELAXED);
            at = end;
        }
        part.count = std::size_t(out - part.ids);
    }

    std::unique_ptr<Worker> take() {
        {
            const std::lock_guard<std::mutex> lock(mutex_);
            if (!idle_.empty()) {
                std::unique_ptr<Worker> worker = std::move(idle_.back());
                idle_.pop_back();
                return worker;
            }
        }
        return std::make_unique<Worker>(definition_);
    }

    void give_back(std::unique_ptr<Worker> worker) {
        const std::lock_guard<std::mutex> lock(mutex_);
        idle_.push_back(std::move(worker));
    }

    Definition definition_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Worker>> idle_;
};

}  // namespace

extern "C" {

// Of `classes` one byte for each of the 0x110000 scalars; the flags are, from the lowest bit on, the splits at digits,
// operators, whitespace and closing marks, the reversal of digits, the mapping of case and the closing of numbers.
void* encoder_new(const Byte* classes, unsigned flags, const Id* byte_ids, const Id* pairs, const Id* made,
                  std::size_t merges) {
    const auto flag = [flags](unsigned bit) { return (flags >> bit & 1) != 0; };
    try {
        const Splits splits{flag(0), flag(1), flag(2), flag(3)};
        const TextRules rules(flag(4), flag(5), flag(6));
        return new Encoder(classes, rules, splits, byte_ids, pairs, made, merges);
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

void encoder_free(void* encoder) { delete static_cast<Encoder*>(encoder); }

// Writes where the words of a text end on which no rule is used, at most one for each byte; returns how many there are.
// PADDING bytes stand behind the text.
std::size_t encoder_words(const void* encoder, const Byte* text, std::size_t bytes, std::int64_t* ends) {
    return static_cast<const Encoder*>(encoder)->words(text, bytes, ends);
}

// For how many ids of a text `encoder_encode` needs room.
std::size_t encoder_room(const void* encoder, std::size_t bytes) {
    return static_cast<const Encoder*>(encoder)->room(bytes);
}

// Encodes texts that are joined, each up to its end, with PADDING bytes behind the last. `counts` are zeros and become
// the number of ids of each text. Returns the number of ids, or -1 when memory runs out.
std::int64_t encoder_encode(void* encoder, const Byte* text, const std::int64_t* ends, std::size_t texts,
                            unsigned threads, Id* ids, std::int64_t* counts) {
    try {
        return std::int64_t(static_cast<Encoder*>(encoder)->encode(text, ends, texts, threads, ids, counts));
    } catch (const std::bad_alloc&) {
        return -1;
    }
}
}
