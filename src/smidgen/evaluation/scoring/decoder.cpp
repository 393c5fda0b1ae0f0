// A decoder's forward pass over prefix trees, for scoring on processors.
//
// Texts that begin alike share the tokens they have in common: a tree of tokens, in which each token reads its
// ancestors. A block of trees runs through all layers on one thread, so that activations stay in that core's cache and
// nothing waits for another core; blocks are shared out one by one. Matrices come packed in panels (see `Matrix`).
//
// Rows of a block are tokens. Letters: C hidden size, D head size, H query heads, K key-value heads, I intermediate
// size, V vocabulary, P tokens on the path from the root to the end of a segment.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <vector>
#include "tiles.h"

using namespace smidgen;

namespace {

// The tile of a product that is kept in registers: TILE_ROWS x PANEL accumulators, one broadcast and two vectors of
// weights.
constexpr int TILE_ROWS = LANES == 16 ? 12 : 6;
constexpr int VECTORS = 2, PANEL = VECTORS * LANES;

// exp by 2^n * p(r), relative error below 2e-7 (the polynomial of Cephes' expf). NaN stays NaN.
inline Vector exponential(Vector x) {
    x = x < -87.0f ? filled(-87.0f) : x;
    x = x > 88.0f ? filled(88.0f) : x;
    // Adding and subtracting 1.5 * 2^23 rounds to the nearest integer.
    Vector n = x * 1.44269504088896341f + 12582912.0f - 12582912.0f;
    Vector r = x - n * 0.693359375f + n * 2.12194440e-4f;
    Vector p = filled(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    IntVector bits = (__builtin_convertvector(n, IntVector) + 127) << 23;
    Vector power;
    std::memcpy(&power, &bits, sizeof power);
    return p * power;
}

// What functions may cost in rounded products: errors of 1e-4 at most, bfloat16 has 4e-3.
inline Vector rough_exponential(Vector x) { return power_of_two(x * 1.44269504088896341f); }
inline Vector rough_quotient(Vector a, Vector b) {
#if defined(__AVX512F__)
    return a * (Vector)_mm512_rcp14_ps((__m512)b);
#else
    return a / b;
#endif
}

// A matrix (out, in) packed as panels of PANEL outputs, [out / PANEL][in][PANEL] in float32; in bfloat16 pairs of
// inputs lie together, [out / PANEL][in / 2][PANEL][2]. Outputs are padded with zeros. `bias` may be missing.
//
// With `scales`, one for each output, it is of int8 in fours of inputs, [out / PANEL][in / 4][PANEL][4]. `offsets` are
// 128 times the sum of each output's weights: the instruction wants inputs without sign, so they are moved by 128.
struct Matrix {
    const void* packed;
    const float *bias, *scales, *offsets;
    int32_t in, out;
};

// Row-major (rows, columns), `stride` floats from row to row.
struct Rows {
    float* at;
    int stride;
    float* row(int index) const { return at + static_cast<size_t>(index) * stride; }
};

template <int ROWS>
inline void multiply_tile(const float* x, int x_stride, const float* panel, int in, Vector (&sums)[ROWS][VECTORS]) {
    for (int k = 0; k < in; k++, panel += PANEL) {
        const Vector first = load(panel), second = load(panel + LANES);
#pragma GCC unroll 16
        for (int row = 0; row < ROWS; row++) {
            const Vector factor = filled(x[static_cast<size_t>(row) * x_stride + k]);
            sums[row][0] += factor * first;
            sums[row][1] += factor * second;
        }
    }
}

#if defined(__AVX512BF16__)
constexpr bool HAS_BFLOAT16 = true;
template <int ROWS>
inline void multiply_tile(const uint32_t* x, int x_stride, const uint32_t* panel, int in, Vector (&sums)[ROWS][VECTORS]) {
    for (int k = 0; k < in; k++, panel += PANEL) {
        const __m512bh first = (__m512bh)_mm512_loadu_si512(panel);
        const __m512bh second = (__m512bh)_mm512_loadu_si512(panel + LANES);
#pragma GCC unroll 16
        for (int row = 0; row < ROWS; row++) {
            const __m512bh factor = (__m512bh)_mm512_set1_epi32(x[static_cast<size_t>(row) * x_stride + k]);
            sums[row][0] = (Vector)_mm512_dpbf16_ps((__m512)sums[row][0], factor, first);
            sums[row][1] = (Vector)_mm512_dpbf16_ps((__m512)sums[row][1], factor, second);
        }
    }
}
// Pairs of neighbouring columns as bfloat16, rounded to nearest even; `columns` is even.
void narrow(const float* x, uint32_t* pairs, int columns) {
    int column = 0;
    for (; column + 16 <= columns; column += 16)
        _mm256_storeu_si256((__m256i*)(pairs + column / 2), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + column)));
    for (; column < columns; column += 2) {
        __m128bh pair = _mm_cvtneps_pbh(_mm_set_ps(0, 0, x[column + 1], x[column]));
        std::memcpy(pairs + column / 2, &pair, 4);
    }
}
#else
constexpr bool HAS_BFLOAT16 = false;
template <int ROWS>
inline void multiply_tile(const uint32_t*, int, const uint32_t*, int, Vector (&)[ROWS][VECTORS]) {}
void narrow(const float*, uint32_t*, int) {}
#endif

// Four inputs of a byte each.
struct Bytes {
    uint32_t four;
};
#if defined(__AVX512VNNI__)
constexpr bool HAS_INT8 = true;
// Always inline, because sums that are handed over go through memory: 8% of the time.
template <int ROWS>
__attribute__((always_inline)) inline void multiply_tile(const Bytes* x, int x_stride, const Bytes* panel, int in, Vector (&sums)[ROWS][VECTORS]) {
    // In variables of its own: sums of integers that are passed by reference are spilt to memory (GCC 12).
    IntVector counts[ROWS][VECTORS] = {};
    for (int k = 0; k < in; k++, panel += PANEL) {
        const __m512i first = _mm512_loadu_si512(panel), second = _mm512_loadu_si512(panel + LANES);
#pragma GCC unroll 16
        for (int row = 0; row < ROWS; row++) {
            const __m512i factor = _mm512_set1_epi32(x[static_cast<size_t>(row) * x_stride + k].four);
            counts[row][0] = (IntVector)_mm512_dpbusd_epi32((__m512i)counts[row][0], factor, first);
            counts[row][1] = (IntVector)_mm512_dpbusd_epi32((__m512i)counts[row][1], factor, second);
        }
    }
#pragma GCC unroll 16
    for (int row = 0; row < ROWS; row++)
        for (int v = 0; v < VECTORS; v++) sums[row][v] = __builtin_convertvector(counts[row][v], Vector);
}
// Columns (a multiple of 16) in 255 steps around 128; returns the size of a step.
float quantise(const float* x, Bytes* to, int columns) {
    Vector most = {};
    for (int c = 0; c < columns; c += LANES) {
        const Vector value = load(x + c);
        most = larger(value > 0.0f ? value : -value, most);
    }
    const float top = std::max(largest(most), 1e-30f);
    for (int c = 0; c < columns; c += LANES) {
        const __m512i steps = _mm512_cvtps_epi32((__m512)(load(x + c) * (127.0f / top)));
        _mm_storeu_si128((__m128i*)(to + c / 4), _mm512_cvtepi32_epi8(_mm512_add_epi32(steps, _mm512_set1_epi32(128))));
    }
    return top / 127.0f;
}
#else
constexpr bool HAS_INT8 = false;
template <int ROWS>
inline void multiply_tile(const Bytes*, int, const Bytes*, int, Vector (&)[ROWS][VECTORS]) {}
float quantise(const float*, Bytes*, int) { return 0; }
#endif

// Calls `use(row, first_row_of_tile...)` for ROWS rows starting at `row`; a template, since the tile must be in registers.
template <int ROWS, class Number, class Sink>
inline void tile(const Number* x, int x_stride, const Number* panel, int in, int row, Sink&& sink) {
    Vector sums[ROWS][VECTORS] = {};
    multiply_tile<ROWS>(x + static_cast<size_t>(row) * x_stride, x_stride, panel, in, sums);
#pragma GCC unroll 16
    for (int r = 0; r < ROWS; r++) sink(row + r, sums[r]);
}

template <class Number, class Sink>
inline void remaining_rows(int count, const Number* x, int x_stride, const Number* panel, int in, int row, Sink&& sink) {
    switch (count) {
        case 1: tile<1>(x, x_stride, panel, in, row, sink); break;
        case 2: tile<2>(x, x_stride, panel, in, row, sink); break;
        case 3: tile<3>(x, x_stride, panel, in, row, sink); break;
        case 4: tile<4>(x, x_stride, panel, in, row, sink); break;
        case 5: tile<5>(x, x_stride, panel, in, row, sink); break;
        case 6: tile<6>(x, x_stride, panel, in, row, sink); break;
        case 7: tile<7>(x, x_stride, panel, in, row, sink); break;
        case 8: tile<8>(x, x_stride, panel, in, row, sink); break;
        case 9: tile<9>(x, x_stride, panel, in, row, sink); break;
        case 10: tile<10>(x, x_stride, panel, in, row, sink); break;
        case 11: tile<11>(x, x_stride, panel, in, row, sink); break;
    }
}

// For each row and panel: sink(row, first output, its PANEL sums). `in` counts Numbers: floats, or pairs of bfloat16;
// panels hold `depth` of them, of which the first `in` are used.
template <class Number, class Sink>
inline void for_each_product(
    const Number* x, int x_stride, int rows, const Number* packed, int depth, int in, int out, Sink&& sink) {
    for (int first = 0; first < out; first += PANEL, packed += static_cast<size_t>(depth) * PANEL) {
        auto to = [&](int row, const Vector (&sums)[VECTORS]) { sink(row, first, sums); };
        int row = 0;
        for (; row + TILE_ROWS <= rows; row += TILE_ROWS) tile<TILE_ROWS>(x, x_stride, packed, in, row, to);
        remaining_rows(rows - row, x, x_stride, packed, in, row, to);
    }
}

#if defined(SMIDGEN_HAS_TILES)
// As for_each_product for pairs of bfloat16, 2 x 2 tiles of sums at a time. `in` is a multiple of 16 pairs, and below
// the last row up to 31 more can be read, whose sums are left out.
template <class Sink>
inline void for_each_tile_product(
    const uint32_t* x, int x_stride, int rows, const uint32_t* packed, int in, int out, Sink&& sink) {
    static_assert(PANEL == 2 * TILE);
    alignas(64) float result[PANEL][PANEL];
    for (int first = 0; first < out; first += PANEL, packed += static_cast<size_t>(in) * PANEL) {
        for (int row = 0; row < rows; row += PANEL) {
            const uint32_t* at = x + static_cast<size_t>(row) * x_stride;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            for (int k = 0; k < in; k += TILE) {
                _tile_loadd(4, at + k, x_stride * 4);
                _tile_loadd(5, at + static_cast<size_t>(TILE) * x_stride + k, x_stride * 4);
                _tile_loadd(6, packed + static_cast<size_t>(k) * PANEL, PANEL * 4);
                _tile_loadd(7, packed + static_cast<size_t>(k) * PANEL + TILE, PANEL * 4);
                _tile_dpbf16ps(0, 4, 6);
                _tile_dpbf16ps(1, 4, 7);
                _tile_dpbf16ps(2, 5, 6);
                _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, &result[0][0], PANEL * 4);
            _tile_stored(1, &result[0][TILE], PANEL * 4);
            _tile_stored(2, &result[TILE][0], PANEL * 4);
            _tile_stored(3, &result[TILE][TILE], PANEL * 4);
            for (int r = 0; r < std::min(PANEL, rows - row); r++) {
                const Vector sums[VECTORS] = {load(result[r]), load(result[r] + LANES)};
                sink(row + r, first, sums);
            }
        }
    }
}
#else
template <class Sink>
inline void for_each_tile_product(const uint32_t*, int, int, const uint32_t*, int, int, Sink&&) {}
#endif

struct Layer {
    const float *input_norm, *post_attention_norm;
    const float *q_norm, *k_norm;  // (D), or null
    Matrix qkv, o, gate, up, down;
};

struct Model {
    int32_t hidden, layers, heads, kv_heads, head_dim, intermediate, vocab, bfloat16, xsa;
    float eps, softcap;
    const float *cos, *sin;  // (positions, D / 2)
    const float* final_norm;
    Matrix head;
    const Layer* layer;
};

// Blocks of trees. A segment is a run of tokens with one child each, read after its parent segment's; parents come
// first. Queries are tokens whose next-token distribution is wanted, in the order of their rows; targets are the
// tokens asked of each.
struct Work {
    int32_t blocks;
    const int32_t* block_segments;  // (blocks + 1): segments of each block
    const int32_t *segment_start, *segment_length, *segment_parent;  // rows over all blocks; parent -1 at a root
    const int32_t* position;                                         // of each row
    const float* embedded;                                           // (rows, C)
    const int32_t* segment_queries;                                  // (segments + 1): queries of each segment
    const int32_t* query_row;
    const int32_t* query_targets;  // (queries + 1): targets of each query
    const int32_t* target_token;
    float* log_probability;  // of each target
    uint8_t* is_best;        // whether the target is the most probable token
};

// Rows of a product that go through the feed-forward layer and through the head at a time: what fits a core's cache.
constexpr int FEED_FORWARD_ROWS = 96, HEAD_ROWS = 24;

class Worker {
  public:
    Worker(const Model& model, const Work& work, int most_rows, int longest_path)
        : m(model), w(work), C(model.hidden), D(model.head_dim), Q(model.heads * model.head_dim),
          KV(model.kv_heads * model.head_dim), padded_D(round_up(model.head_dim, PANEL)), path_capacity(round_up(longest_path, PANEL)),
          scale(1.0f / std::sqrt(static_cast<float>(model.head_dim))),
          x(static_cast<size_t>(most_rows) * C), normed(x.size()),
          qkv(static_cast<size_t>(most_rows) * round_up(Q + 2 * KV, PANEL)), mixed(static_cast<size_t>(most_rows) * Q),
          inner(static_cast<size_t>(FEED_FORWARD_ROWS) * round_up(model.intermediate, PANEL)),
          logits(static_cast<size_t>(HEAD_ROWS) * round_up(model.vocab, PANEL)),
          scores(static_cast<size_t>(TILE_ROWS) * path_capacity), out(static_cast<size_t>(TILE_ROWS) * padded_D) {
        const size_t key_count = static_cast<size_t>(D) * path_capacity, value_count = static_cast<size_t>(padded_D) * path_capacity;
        if (m.bfloat16) {
            key_pairs.resize(key_count / 2), value_pairs.resize(value_count / 2);
            const int widest = std::max({C, Q, m.intermediate});
            // Products by tiles read up to 31 rows beyond the last.
            const size_t rows_read = std::max(most_rows, FEED_FORWARD_ROWS) + PANEL;
            pairs.resize(std::max(rows_read * widest, scores.size()) / 2);
            steps.resize(rows_read);
        } else {
            keys.resize(key_count), values.resize(value_count);
        }
    }

    void run(int block) {
        first_segment = w.block_segments[block], end_segment = w.block_segments[block + 1];
        first_row = w.segment_start[first_segment];
        rows = w.segment_start[end_segment - 1] + w.segment_length[end_segment - 1] - first_row;
        std::copy_n(w.embedded + static_cast<size_t>(first_row) * C, static_cast<size_t>(rows) * C, x.data());
        for (int index = 0; index < m.layers; index++) layer(m.layer[index], index == m.layers - 1);
        head();
    }

  private:
    const Model& m;
    const Work& w;
    const int C, D, Q, KV, padded_D, path_capacity;
    const float scale;
    std::vector<float> x, normed, qkv, mixed, inner, logits, scores, out, keys, values, steps;
    std::vector<uint32_t> pairs, key_pairs, value_pairs;
    int first_segment = 0, end_segment = 0, first_row = 0, rows = 0;

    void layer(const Layer& l, bool is_last) {
        normalise(l.input_norm, x.data(), normed.data(), rows, C);
        const int stride = round_up(Q + 2 * KV, PANEL);
        linear(l.qkv, normed.data(), C, rows, [&](int row, int first, const Vector (&sums)[VECTORS]) {
            write(qkv.data() + static_cast<size_t>(row) * stride + first, sums);
        });
        for (int row = 0; row < rows; row++)
            for (int head = 0; head < m.heads + m.kv_heads; head++) {
                float* at = qkv.data() + static_cast<size_t>(row) * stride + head * D;
                if (l.q_norm) normalise(head < m.heads ? l.q_norm : l.k_norm, at, at, 1, D);
                rotate(at, w.position[first_row + row]);
            }
        for (int segment = first_segment; segment < end_segment; segment++) attend(segment, is_last);
        // After the last attention only queries are needed: their rows close up.
        if (is_last) keep_queries();
        linear(l.o, mixed.data(), Q, rows, [&](int row, int first, const Vector (&sums)[VECTORS]) {
            add(x.data() + static_cast<size_t>(row) * C, first, C, sums);
        });
        normalise(l.post_attention_norm, x.data(), normed.data(), rows, C);
        for (int row = 0; row < rows; row += FEED_FORWARD_ROWS)
            feed_forward(l, row, std::min(FEED_FORWARD_ROWS, rows - row));
    }

    void keep_queries() {
        const int first = w.segment_queries[first_segment], count = w.segment_queries[end_segment] - first;
        for (int query = 0; query < count; query++) {
            const int row = w.query_row[first + query] - first_row;
            std::memmove(&x[static_cast<size_t>(query) * C], &x[static_cast<size_t>(row) * C], C * sizeof(float));
            std::memmove(&mixed[static_cast<size_t>(query) * Q], &mixed[static_cast<size_t>(row) * Q], Q * sizeof(float));
        }
        rows = count;
    }

    void feed_forward(const Layer& l, int first_of_part, int count) {
        const int stride = round_up(m.intermediate, PANEL);
        const Input in = entered(l.gate, normed.data() + static_cast<size_t>(first_of_part) * C, C, count);
        linear(l.gate, in, [&](int row, int first, const Vector (&sums)[VECTORS]) {
            write(inner.data() + static_cast<size_t>(row) * stride + first, sums);
        });
        linear(l.up, in, [&](int row, int first, const Vector (&sums)[VECTORS]) {
            float* at = inner.data() + static_cast<size_t>(row) * stride + first;
            for (int v = 0; v < VECTORS; v++) store(at + v * LANES, silu(load(at + v * LANES)) * sums[v]);
        });
        linear(l.down, inner.data(), stride, count, [&](int row, int first, const Vector (&sums)[VECTORS]) {
            add(x.data() + static_cast<size_t>(first_of_part + row) * C, first, C, sums);
        });
    }

    // The rows of one segment read its whole path; only from the first query on where nothing else is needed.
    void attend(int segment, bool queries_only) {
        const int length = w.segment_length[segment], start = w.segment_start[segment] - first_row;
        int skipped = 0;
        if (queries_only) {
            if (w.segment_queries[segment] == w.segment_queries[segment + 1]) return;
            skipped = w.query_row[w.segment_queries[segment]] - w.segment_start[segment];
        }
        const int stride = round_up(Q + 2 * KV, PANEL);
        const int group = m.heads / m.kv_heads;
        int path = 0;
        for (int at = segment; at >= 0; at = w.segment_parent[at]) path += w.segment_length[at];
        const int before = path - length;
        for (int kv = 0; kv < m.kv_heads; kv++) {
            gather(segment, kv, path, stride);
            const float* value = qkv.data() + static_cast<size_t>(start) * stride + Q + KV + kv * D;
            for (int head = kv * group; head < (kv + 1) * group; head++)
                // A few rows at a time, so that what later tokens alone may read is not computed for all.
                for (int row = skipped; row < length; row += TILE_ROWS) {
                    const int count = std::min(TILE_ROWS, length - row);
                    read(qkv.data() + static_cast<size_t>(start + row) * stride + head * D, stride, count, before + row + 1);
                    for (int r = 0; r < count; r++) {
                        float* to = mixed.data() + static_cast<size_t>(start + row + r) * Q + head * D;
                        std::copy_n(out.data() + static_cast<size_t>(r) * padded_D, D, to);
                        if (m.xsa) exclude(to, value + static_cast<size_t>(row + r) * stride);
                    }
                }
        }
    }

    // Attention of `count` neighbouring tokens, the first of which reads the first `visible` of the path, each later one
    // a token more.
    void read(const float* queries, int stride, int count, int visible) {
        const int seen = visible + count - 1, padded = round_up(seen, PANEL);
        auto to_scores = [&](int row, int first, const Vector (&sums)[VECTORS]) {
            write(scores.data() + row * padded + first, sums);
        };
        float shares[TILE_ROWS];
        auto to_out = [&](int row, int first, const Vector (&sums)[VECTORS]) {
            for (int v = 0; v < VECTORS; v++)
                store(out.data() + row * padded_D + first + v * LANES, sums[v] * shares[row]);
        };
        if (m.bfloat16) {
            for (int row = 0; row < count; row++)
                narrow(queries + static_cast<size_t>(row) * stride, pairs.data() + row * (D / 2), D);
            for_each_product(pairs.data(), D / 2, count, key_pairs.data(), D / 2, D / 2, padded, to_scores);
        } else {
            for_each_product(queries, stride, count, keys.data(), D, D, padded, to_scores);
        }
        softmax(count, visible, padded, shares);
        if (m.bfloat16) {
            narrow(scores.data(), pairs.data(), count * padded);
            for_each_product(
                pairs.data(), padded / 2, count, value_pairs.data(), path_capacity / 2, (seen + 1) / 2, padded_D, to_out);
        } else {
            for_each_product(scores.data(), padded, count, values.data(), path_capacity, seen, padded_D, to_out);
        }
    }

    // Keys and values of the path as packed matrices: keys (P, D) as panels over P, values (D, P) as panels over D.
    void gather(int segment, int kv, int path, int stride) {
        for (int at = segment, end = path; at >= 0; at = w.segment_parent[at]) {
            end -= w.segment_length[at];
            const float* key = qkv.data() + static_cast<size_t>(w.segment_start[at] - first_row) * stride + Q + kv * D;
            for (int place = end; place < end + w.segment_length[at]; place++, key += stride)
                m.bfloat16 ? gather_pairs(key, place) : gather_token(key, place);
        }
        // What lies beyond the path is multiplied with zero, or computed and not read: it only must not be NaN.
        if (m.bfloat16 && path % 2) gather_pairs(std::vector<float>(KV + D).data(), path);
    }

    void gather_token(const float* key, int place) {
        float* to = keys.data() + static_cast<size_t>(place / PANEL) * PANEL * D + place % PANEL;
        for (int d = 0; d < D; d++) to[d * PANEL] = key[d];
        for (int d = 0; d < D; d += PANEL)
            std::copy_n(key + KV + d, std::min(PANEL, D - d),
                        values.data() + static_cast<size_t>(d) * path_capacity + static_cast<size_t>(place) * PANEL);
    }

    // The same in bfloat16: pairs along D for keys, along P for values.
    void gather_pairs(const float* key, int place) {
        uint32_t* narrowed = pairs.data();
        narrow(key, narrowed, D);
        uint32_t* to = key_pairs.data() + static_cast<size_t>(place / PANEL) * PANEL * (D / 2) + place % PANEL;
        for (int d = 0; d < D / 2; d++) to[d * PANEL] = narrowed[d];
        narrow(key + KV, narrowed, D);
        const uint16_t* value = reinterpret_cast<const uint16_t*>(narrowed);
        for (int d = 0; d < D; d += PANEL) {
            uint32_t* column = value_pairs.data() + static_cast<size_t>(d) * (path_capacity / 2) + static_cast<size_t>(place / 2) * PANEL;
            uint16_t* half = reinterpret_cast<uint16_t*>(column) + place % 2;
            for (int lane = 0; lane < std::min(PANEL, D - d); lane++) half[2 * lane] = value[d + lane];
        }
    }

    // Rows of scores, the first of which counts up to `visible`, become exponentials; `shares` are what to multiply them
    // with. Beyond the count stands exp(-87), 1e-38: nothing in float32. Each step runs over all rows, because the steps
    // of one row wait for each other.
    void softmax(int count, int visible, int padded, float* shares) {
        Vector top[TILE_ROWS], total[TILE_ROWS];
        for (int row = 0; row < count; row++) {
            float* at = scores.data() + row * padded;
            const int seen = visible + row;
            for (int p = seen / LANES * LANES; p < padded; p += LANES)
                store(at + p, p + LANE_INDEX < seen ? load(at + p) : filled(-INFINITY));
            top[row] = load(at);
            for (int p = LANES; p < padded; p += LANES) top[row] = larger(load(at + p), top[row]);
        }
        for (int row = 0; row < count; row++) top[row] = filled(largest(top[row]) * scale);
        for (int row = 0; row < count; row++) {
            float* at = scores.data() + row * padded;
            total[row] = Vector{};
            for (int p = 0; p < padded; p += LANES) {
                const Vector value = exp_of(load(at + p) * scale - top[row]);
                store(at + p, value);
                total[row] += value;
            }
        }
        for (int row = 0; row < count; row++) shares[row] = 1.0f / sum(total[row]);
    }

    // Exclusive self attention (arXiv:2603.09078): what points along the token's own value is taken away. The sums run
    // in one order, so that the first token, whose output is its value, becomes exactly zero.
    void exclude(float* y, const float* v) const {
        float along = 0, length = 0;
        for (int d = 0; d < D; d++) along += y[d] * v[d];
        for (int d = 0; d < D; d++) length += v[d] * v[d];
        const float share = along / std::max(length, 1e-20f);
        for (int d = 0; d < D; d++) y[d] -= share * v[d];
    }

    // Pairs (d, d + D / 2) turn together: the layout of LlamaForCausalLM.
    void rotate(float* head, int position) const {
        const int half = D / 2;
        const float *cos = m.cos + static_cast<size_t>(position) * half, *sin = m.sin + static_cast<size_t>(position) * half;
        float *__restrict first = head, *__restrict second = head + half;
        for (int d = 0; d < half; d++) {
            const float a = first[d], b = second[d];
            first[d] = a * cos[d] - b * sin[d];
            second[d] = b * cos[d] + a * sin[d];
        }
    }

    // Rows of so many channels, each to unit root mean square and by the weight; `to` may be `from`.
    void normalise(const float* weight, const float* from, float* to, int count, int channels) const {
        for (int row = 0; row < count; row++, from += channels, to += channels) {
            Vector squares = {};
            int c = 0;
            for (; c + LANES <= channels; c += LANES) squares += load(from + c) * load(from + c);
            float total = sum(squares);
            for (; c < channels; c++) total += from[c] * from[c];
            const float scale = 1.0f / std::sqrt(total / channels + m.eps);
            for (c = 0; c < channels; c++) to[c] = weight[c] * (from[c] * scale);
        }
    }

    void head() {
        normalise(m.final_norm, x.data(), normed.data(), rows, C);
        const int stride = round_up(m.vocab, PANEL);
        const int first_query = w.segment_queries[first_segment];
        for (int part = 0; part < rows; part += HEAD_ROWS) {
            const int count = std::min(HEAD_ROWS, rows - part);
            linear(m.head, normed.data() + static_cast<size_t>(part) * C, C, count,
                   [&](int row, int first, const Vector (&sums)[VECTORS]) {
                       write(logits.data() + static_cast<size_t>(row) * stride + first, sums);
                   });
            for (int row = 0; row < count; row++) answer(first_query + part + row, logits.data() + static_cast<size_t>(row) * stride);
        }
    }

    // Log-probabilities of the targets of one query.
    void answer(int query, float* row) const {
        const int whole = m.vocab / LANES * LANES;
        // cap * tanh(logit / cap); rows are padded to whole panels.
        for (int v = 0; m.softcap > 0 && v < m.vocab; v += LANES)
            store(row + v, m.softcap - 2.0f * m.softcap / (exponential(load(row + v) * (2.0f / m.softcap)) + 1.0f));
        Vector most = filled(-INFINITY);
        for (int v = 0; v < whole; v += LANES) most = larger(load(row + v), most);
        float top = largest(most);
        for (int v = whole; v < m.vocab; v++) top = std::max(top, row[v]);
        Vector total = {};
        for (int v = 0; v < whole; v += LANES) total += exp_of(load(row + v) - top);
        double sum_of_all = sum(total);
        for (int v = whole; v < m.vocab; v++) sum_of_all += std::exp(row[v] - top);
        const float log_of_sum = static_cast<float>(std::log(sum_of_all));
        for (int target = w.query_targets[query]; target < w.query_targets[query + 1]; target++) {
            const int token = w.target_token[target];
            w.log_probability[target] = row[token] - top - log_of_sum;
            // Of equal logits the first is the best, as argmax has it.
            w.is_best[target] = row[token] == top && std::find(row, row + token, top) == row + token;
        }
    }

    Vector exp_of(Vector x) const { return m.bfloat16 ? rough_exponential(x) : exponential(x); }
    Vector silu(Vector x) const {
        return m.bfloat16 ? rough_quotient(x, 1.0f + rough_exponential(-x)) : x / (1.0f + exponential(-x));
    }

    // Rows that enter products, in the numbers of these.
    struct Input {
        const float* at;
        int stride, count;
    };

    // In rounded numbers they lie in `pairs` until the next call; for all matrices of the same kind and inputs.
    Input entered(const Matrix& matrix, const float* in, int stride, int count) {
        for (int row = 0; m.bfloat16 && row < count; row++) {
            const float* from = in + static_cast<size_t>(row) * stride;
            if (matrix.scales)
                steps[row] = quantise(from, reinterpret_cast<Bytes*>(pairs.data()) + static_cast<size_t>(row) * (matrix.in / 4), matrix.in);
            else
                narrow(from, pairs.data() + static_cast<size_t>(row) * (matrix.in / 2), matrix.in);
        }
        return {in, stride, count};
    }

    template <class Sink>
    void linear(const Matrix& matrix, const float* in, int stride, int count, Sink&& sink) {
        linear(matrix, entered(matrix, in, stride, count), sink);
    }

    // x (rows, in) times the matrix, plus its bias.
    template <class Sink>
    void linear(const Matrix& matrix, const Input& x, Sink&& sink) {
        auto biased = [&](int row, int first, const Vector (&sums)[VECTORS]) {
            if (!matrix.bias) return sink(row, first, sums);
            Vector shifted[VECTORS];
            for (int v = 0; v < VECTORS; v++) shifted[v] = sums[v] + load(matrix.bias + first + v * LANES);
            sink(row, first, shifted);
        };
        if (!m.bfloat16)
            return for_each_product(x.at, x.stride, x.count, static_cast<const float*>(matrix.packed), matrix.in,
                                    matrix.in, matrix.out, biased);
        if (matrix.scales) return linear_in_bytes(matrix, x.count, biased);
        const int half = matrix.in / 2;
        const uint32_t* packed = static_cast<const uint32_t*>(matrix.packed);
        if (may_use_tiles() && half % TILE == 0)
            for_each_tile_product(pairs.data(), half, x.count, packed, half, matrix.out, biased);
        else
            for_each_product(pairs.data(), half, x.count, packed, half, half, matrix.out, biased);
    }

    template <class Sink>
    void linear_in_bytes(const Matrix& matrix, int count, Sink&& sink) {
        const int fours = matrix.in / 4;
        const Bytes* bytes = reinterpret_cast<const Bytes*>(pairs.data());
        for_each_product(bytes, fours, count, static_cast<const Bytes*>(matrix.packed), fours, fours, matrix.out,
                         [&](int row, int first, const Vector (&sums)[VECTORS]) {
                             Vector scaled[VECTORS];
                             for (int v = 0; v < VECTORS; v++) {
                                 const int at = first + v * LANES;
                                 scaled[v] = (sums[v] - load(matrix.offsets + at)) * (load(matrix.scales + at) * steps[row]);
                             }
                             sink(row, first, scaled);
                         });
    }

    static void write(float* at, const Vector (&sums)[VECTORS]) {
        for (int v = 0; v < VECTORS; v++) store(at + v * LANES, sums[v]);
    }

    // Onto a row without padding.
    static void add(float* row, int first, int width, const Vector (&sums)[VECTORS]) {
        for (int v = 0; v < VECTORS; v++, first += LANES) {
            if (first + LANES <= width) store(row + first, load(row + first) + sums[v]);
            else
                for (int lane = 0; first + lane < width; lane++) row[first + lane] += sums[v][lane];
        }
    }
};

}  // namespace

extern "C" {

int32_t panel_width() { return PANEL; }
int32_t has_bfloat16() { return HAS_BFLOAT16; }
int32_t has_int8() { return HAS_BFLOAT16 && HAS_INT8; }
int32_t has_tiles() { return may_use_tiles(); }

// 0, or 1 when memory ran out. Every thread takes the next block until none is left.
int32_t score(const Model* model, const Work* work, int32_t threads) {
    int most_rows = 0, longest_path = 0;
    for (int block = 0; block < work->blocks; block++) {
        const int first = work->block_segments[block], last = work->block_segments[block + 1] - 1;
        most_rows = std::max(most_rows, work->segment_start[last] + work->segment_length[last] - work->segment_start[first]);
        for (int segment = first; segment <= last; segment++) {
            const int end = work->segment_start[segment] + work->segment_length[segment] - 1;
            longest_path = std::max(longest_path, work->position[end] + 1);
        }
    }
    std::atomic<int> next{0}, failed{0};
    auto take_blocks = [&] {
        try {
            Worker worker(*model, *work, most_rows, longest_path);
            [[maybe_unused]] TileState tiles(model->bfloat16);
            for (int block; (block = next++) < work->blocks;) worker.run(block);
        } catch (const std::bad_alloc&) {
            failed = 1;
        }
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; thread++) others.emplace_back(take_blocks);
    take_blocks();
    for (auto& thread : others) thread.join();
    return failed;
}
}
