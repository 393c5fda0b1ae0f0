// Causal attention for training on processors: rotation, grouped heads, exclusion of the own value, and gradients.
//
// One unit of work is one sequence and one key-value head with its group of query heads; a unit runs on one thread from
// beginning to end, so that results depend neither on the number of threads nor on their order. Scores live in blocks
// that fit the core's cache: the forward pass keeps their log-sum-exp, the backward pass computes them again.
//
// Letters: B sequences, T tokens, H query heads, K key-value heads, G query heads of a group, D channels of a head
// (padded with zeros to a multiple of 16 inside). Rows are queries, columns are keys.

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

#include "tiles.h"

using namespace smidgen;

namespace {

// Queries of one head in a block; of how many heads rows are taken together, so that sums over rows are long.
constexpr int QUERIES = 32, HEADS = 4, MOST_ROWS = QUERIES * HEADS;
// Rows whose scores are kept from the product to the exponential, and what channels are filled up to.
#if defined(SMIDGEN_HAS_TILES)
constexpr int STRIP = 2 * TILE, FULL = 2 * TILE;
#else
constexpr int STRIP = 16, FULL = 16;
#endif
// Panels of keys whose scores' gradients are kept until the queries' gradients are summed over them.
constexpr int CHUNK = 4;
// Rows whose scores and gradients stay in registers together.
constexpr int AT_ONCE = LANES == 16 ? 4 : 2;
// Channels of a head, given to the compiler so that loops over them unroll; the same in whole vectors.
constexpr int D = HEAD_DIM, padded = (D + FULL - 1) / FULL * FULL;
// As in model/attention.py.
constexpr float LEAST_SQUARED_VALUE = 1e-20f;

// What is read and written: float32, or bfloat16 where `bfloat16` is set.
struct Problem {
    int32_t batch, tokens, heads, kv_heads;
    int32_t bfloat16;  // format of the tensors
    int32_t products;  // 0 in float32, 1 in bfloat16
    int32_t xsa;
    const void* projected;      // (B, T, (H + 2 K) D): queries, keys, values
    const float *cos, *sin;     // (1 or B, T, D / 2)
    int64_t rotation_stride;    // floats from sequence to sequence, 0 for one rotation of all
    const int32_t* first;       // (B, T): the first token that each token reads; may be missing
    void* out;                  // (B, T, H D)
    float *log_sum, *share;     // (B, H, T): log2 of the sum of exponentials; part of the own value taken away
    const void* out_gradient;   // (B, T, H D)
    void* projected_gradient;   // (B, T, (H + 2 K) D)
};

// One head of one token, from `offset` on; what fills the last vector becomes zero.
inline void read(const void* tensor, bool bfloat16, size_t offset, float* to) {
    int i = 0;
    if (bfloat16) {
        const uint16_t* from = static_cast<const uint16_t*>(tensor) + offset;
        for (; i + LANES <= D; i += LANES) store(to + i, widened(load_narrow(from + i)));
        for (; i < D; i++) to[i] = widened(from[i]);
    } else {
        const float* from = static_cast<const float*>(tensor) + offset;
        for (; i + LANES <= D; i += LANES) store(to + i, load(from + i));
        for (; i < D; i++) to[i] = from[i];
    }
    for (; i < padded; i++) to[i] = 0.0f;
}
inline void write(void* tensor, bool bfloat16, size_t offset, const float* from) {
    int i = 0;
    if (bfloat16) {
        uint16_t* to = static_cast<uint16_t*>(tensor) + offset;
        for (; i + LANES <= D; i += LANES) store_narrow(to + i, narrowed(load(from + i)));
        for (; i < D; i++) to[i] = narrowed(from[i]);
    } else {
        float* to = static_cast<float*>(tensor) + offset;
        for (; i + LANES <= D; i += LANES) store(to + i, load(from + i));
        for (; i < D; i++) to[i] = from[i];
    }
}

// Sum of a * b over the channels, always in the same order.
inline float dot(const float* a, const float* b) {
    Vector total = {};
    for (int i = 0; i < padded; i += LANES) total += load(a + i) * load(b + i);
    return sum(total);
}

// Memory of one thread, cut from one aligned piece.
class Arena {
  public:
    template <class Number>
    Number* take(size_t count) {
        const size_t at = used;
        used += (count * sizeof(Number) + 63) / 64 * 64;
        return base ? reinterpret_cast<Number*>(base + at) : nullptr;
    }
    void allocate() {
        owned.reset(new char[used + 64]);
        base = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(owned.get()) + 63) / 64 * 64);
        used = 0;
    }

  private:
    std::unique_ptr<char[]> owned;
    char* base = nullptr;
    size_t used = 0;
};

template <class F>
class Unit {
    typedef typename F::Element Element;
    typedef typename F::Number Number;
    static constexpr int PAIR = F::PAIR;

  public:
    Unit(const Problem& problem, bool backward)
        : p(problem), tokens(round_up(p.tokens, QUERIES)), group(p.heads / p.kv_heads),
          width((p.heads + 2 * p.kv_heads) * D), scale(1.44269504f / std::sqrt(static_cast<float>(D))) {
        for (int pass = 0; pass < 2; pass++) {
            if (pass) arena.allocate();
            key_panels = arena.take<Number>(size_t(tokens) * depth);
            rows = arena.take<Element>(MOST_ROWS * padded);
            wide = arena.take<float>(MOST_ROWS * padded);
            value = arena.take<float>(size_t(tokens) * padded);
            narrow = arena.take<Element>(PANEL * padded);
            backward ? lay_out_backward() : lay_out_forward();
        }
    }

    void forward(int unit);
    void backward(int unit);

  private:
    static constexpr int PANEL = 2 * LANES;      // keys of a panel
    static constexpr int depth = padded / PAIR;  // numbers of a row
    const Problem& p;
    const int tokens, group, width;
    const float scale;  // of scores whose exponential is a power of two
    int sequence, kv;
    Arena arena;
    Number *key_panels = nullptr, *value_panels = nullptr;  // [tokens / PANEL][depth][PANEL]: summed over channels
    Number *key_rows = nullptr, *value_rows = nullptr;      // [tokens / PAIR][padded]: summed over tokens
    Element *rows, *narrow;  // [rows][padded], [PANEL][padded]
    float *wide, *value;     // [rows][padded], [tokens][padded]
    // Forward.
    float* strip;      // [STRIP][tokens]
    Element* weights;  // [STRIP][tokens]
    // Backward.
    Element* gradient_rows;                      // [rows][padded]
    Number *rows_paired, *gradient_rows_paired;  // [rows / PAIR][padded]
    Number *weight_panel, *score_panel;          // [rows / PAIR][PANEL]
    Element* score_rows;                         // [rows][CHUNK * PANEL]
    float *log_sum, *delta;                      // [rows]
    int* first_seen;                             // [rows]: the first key that a row reads
    float *key_gradient, *value_gradient;        // [tokens / PANEL][padded][PANEL]
    float* value_excluded;                       // [tokens][padded]: gradient through the exclusion

    void lay_out_forward() {
        value_rows = arena.take<Number>(size_t(tokens) / PAIR * padded);
        strip = arena.take<float>(size_t(STRIP) * tokens);
        weights = arena.take<Element>(size_t(STRIP) * tokens);
    }
    void lay_out_backward() {
        value_panels = arena.take<Number>(size_t(tokens) * depth);
        key_rows = arena.take<Number>(size_t(tokens) / PAIR * padded);
        gradient_rows = arena.take<Element>(MOST_ROWS * padded);
        rows_paired = arena.take<Number>(MOST_ROWS / PAIR * padded);
        gradient_rows_paired = arena.take<Number>(MOST_ROWS / PAIR * padded);
        first_seen = arena.take<int>(MOST_ROWS);
        weight_panel = arena.take<Number>(MOST_ROWS / PAIR * PANEL);
        score_panel = arena.take<Number>(MOST_ROWS / PAIR * PANEL);
        score_rows = arena.take<Element>(MOST_ROWS * CHUNK * PANEL);
        log_sum = arena.take<float>(MOST_ROWS);
        delta = arena.take<float>(MOST_ROWS);
        key_gradient = arena.take<float>(size_t(tokens) * padded);
        value_gradient = arena.take<float>(size_t(tokens) * padded);
        value_excluded = arena.take<float>(size_t(tokens) * padded);
    }

    void begin(int unit) {
        sequence = unit / p.kv_heads;
        kv = unit % p.kv_heads;
    }
    size_t at(int token, int channel) const { return (size_t(sequence) * p.tokens + token) * width + channel; }
    size_t at_out(int token, int head) const { return ((size_t(sequence) * p.tokens + token) * p.heads + head) * D; }
    size_t at_row(int head, int token) const { return (size_t(sequence) * p.heads + head) * p.tokens + token; }
    int key_channel() const { return (p.heads + kv) * D; }
    int value_channel() const { return (p.heads + p.kv_heads + kv) * D; }
    // The first token that a token reads.
    int first_of(int token) const {
        return p.first ? std::clamp(p.first[size_t(sequence) * p.tokens + token], 0, token) : 0;
    }

    // Channels d and d + D / 2 turn together (model/rope.py), the other way round for gradients.
    template <bool BACK>
    void rotate(float* head, int token) const {
        constexpr int half = D / 2;
        const size_t from = sequence * p.rotation_stride + size_t(token) * half;
        const float *cos = p.cos + from, *sin = p.sin + from;
        float *a = head, *b = head + half;
        int d = 0;
        auto turn = [&](auto get, auto put) {
            const auto first = get(a + d), second = get(b + d), along = get(cos + d);
            const auto across = BACK ? -get(sin + d) : get(sin + d);
            put(a + d, first * along - second * across);
            put(b + d, second * along + first * across);
        };
        for (; d + LANES <= half; d += LANES) turn(load, store);
        for (; d < half; d++) turn([](const float* x) { return *x; }, [](float* x, float value) { *x = value; });
    }

    void read_rotated(int token, int channel, float* to) const {
        if (token >= p.tokens) return std::fill(to, to + padded, 0.0f);
        read(p.projected, p.bfloat16, at(token, channel), to);
        rotate<false>(to, token);
    }
    void read_value(int token, float* to) const {
        if (token >= p.tokens) return std::fill(to, to + padded, 0.0f);
        read(p.projected, p.bfloat16, at(token, value_channel()), to);
    }

    // Rows of elements as numbers.
    static const Number* numbers(const Element* elements) { return reinterpret_cast<const Number*>(elements); }

    // [count][padded] into a panel [depth][count], numbers being kept.
    void turn_numbers(const Element* from, int count, Number* to) const {
        for (int row = 0; row < count; row++)
            for (int k = 0; k < depth; k++) to[size_t(k) * count + row] = numbers(from)[size_t(row) * depth + k];
    }
    // [count][padded] into [count / PAIR][padded] numbers, pairs along the rows.
    static void pair_rows(const Element* from, int count, Number* to) {
        for (int row = 0; row < count; row += PAIR, from += PAIR * padded, to += padded) F::pair(from, padded, to);
    }

    // [count / PAIR][padded] into [padded][count / PAIR], which tiles want.
    void turn_pairs(int count, Number* pairs) const {
        Number turned[MOST_ROWS / PAIR * padded];
        const int summands = count / PAIR;
        for (int k = 0; k < summands; k++)
            for (int d = 0; d < padded; d++) turned[d * summands + k] = pairs[k * padded + d];
        std::copy_n(turned, summands * padded, pairs);
    }

    void pack_keys_and_values() {
        float* key = wide;
        for (int panel = 0; panel < tokens; panel += PANEL) {
            for (int k = 0; k < PANEL; k++) {
                read_rotated(panel + k, key_channel(), key);
                F::narrow(key, narrow + k * padded, padded);
            }
            turn_numbers(narrow, PANEL, key_panels + size_t(panel) * depth);
            if (key_rows) pair_rows(narrow, PANEL, key_rows + size_t(panel) / PAIR * padded);
            for (int k = 0; k < PANEL; k++) {
                float* to = value + size_t(panel + k) * padded;
                read_value(panel + k, to);
                F::narrow(to, narrow + k * padded, padded);
            }
            if (value_panels) turn_numbers(narrow, PANEL, value_panels + size_t(panel) * depth);
            if (value_rows) pair_rows(narrow, PANEL, value_rows + size_t(panel) / PAIR * padded);
        }
    }

    // A block of queries: `heads` heads from the group's `head` on, tokens from `start` on.
    struct Block {
        int start, head, heads, rows, first_panel, panels_end;
    };
    template <class Use>
    void for_each_block(Use&& use) {
        for (int start = 0; start < p.tokens; start += QUERIES) {
            int first = start;
            for (int token = start; token < std::min(start + QUERIES, p.tokens); token++)
                first = std::min(first, first_of(token));
            for (int head = 0; head < group; head += HEADS) {
                const int heads = std::min(HEADS, group - head);
                use(Block{start, kv * group + head, heads, heads * QUERIES, first / PANEL, (start + QUERIES) / PANEL});
            }
        }
    }
    void pack_queries(const Block& block) {
        for (int row = 0; row < block.rows; row++)
            read_rotated(block.start + row % QUERIES, (block.head + row / QUERIES) * D, wide + row * padded);
        F::narrow(wide, rows, block.rows * padded);
    }

    void softmax(const Block& block, int row, int count, float (&inverse)[MOST_ROWS], float (&log2)[MOST_ROWS]);
    void score_panel_gradients(const Block& block, int panel, int column);
    void add_over_rows(const Number* factors, int count, const Number* panel, float* to) const;
    void score_gradients(const Block& block, int panel, int row, const Vector (&score)[AT_ONCE][2],
                         const Vector (&weight_gradient)[AT_ONCE][2], int column);
    void finish_rows(const Block& block, int row, int count, const float* inverse, const float* log2);
    void pack_gradients(const Block& block);
    void write_gradients();
    void write_turned(const float* turned, int channel, bool rotated, const float* more);
};

template <class F>
void Unit<F>::forward(int unit) {
    begin(unit);
    pack_keys_and_values();
    for_each_block([&](const Block& block) {
        pack_queries(block);
        const int columns = (block.panels_end - block.first_panel) * PANEL;
        float inverse[MOST_ROWS], log2[MOST_ROWS];
        for (int row = 0; row < block.rows; row += STRIP) {
            const int count = std::min(STRIP, block.rows - row);
            for (int panel = block.first_panel; panel < block.panels_end; panel++)
                multiply_rows<F>({numbers(rows + row * padded), depth, 1}, count, key_panels + size_t(panel) * depth * PANEL, PANEL,
                            PANEL, depth, strip + (panel - block.first_panel) * PANEL, tokens, false);
            softmax(block, row, count, inverse, log2);
            multiply_rows<F>({numbers(weights), tokens / PAIR, 1}, count,
                        value_rows + size_t(block.first_panel) * PANEL / PAIR * padded, padded, padded, columns / PAIR,
                        wide + row * padded, padded, false);
            finish_rows(block, row, count, inverse, log2);
        }
    });
}

// Scores become exponentials relative to the row's largest, in `weights`; what is not read becomes zero.
template <class F>
void Unit<F>::softmax(const Block& block, int row, int count, float (&inverse)[MOST_ROWS], float (&log2)[MOST_ROWS]) {
    const int from = block.first_panel * PANEL, columns = block.panels_end * PANEL - from;
    for (int r = 0; r < count; r++) {
        const int token = std::min(block.start + (row + r) % QUERIES, p.tokens - 1);
        const int first = first_of(token) - from, last = token - from;
        float* at = strip + size_t(r) * tokens;
        for (int c = 0; c < columns; c += LANES) {
            if (c >= first && c + LANES - 1 <= last) {
                c = std::max(c, (last + 1) / LANES * LANES - LANES);
                continue;
            }
            const IntVector index = LANE_INDEX + c;
            store(at + c, (index >= first) & (index <= last) ? load(at + c) : filled(-INFINITY));
        }
        Vector most = load(at);
        for (int c = LANES; c < columns; c += LANES) most = larger(load(at + c), most);
        const float top = largest(most);
        Element* to = weights + size_t(r) * tokens;
        Vector total = {};
        for (int c = 0; c < columns; c += PANEL) {
            alignas(64) float both[PANEL];
            for (int v = 0; v < PANEL; v += LANES) {
                // The difference first, so that the largest gives exactly one.
                const Vector weight = power_of_two((load(at + c + v) - top) * scale);
                total += weight;
                store(both + v, weight);
            }
            F::narrow(both, to + c, PANEL);
        }
        const float all = sum(total);
        inverse[row + r] = 1.0f / all;
        log2[row + r] = top * scale + std::log2(all);
    }
}

template <class F>
void Unit<F>::finish_rows(const Block& block, int row, int count, const float* inverse, const float* log2) {
    for (int r = row; r < row + count; r++) {
        const int token = block.start + r % QUERIES, head = block.head + r / QUERIES;
        if (token >= p.tokens) continue;
        float* y = wide + r * padded;
        const float* v = value + size_t(token) * padded;
        for (int d = 0; d < padded; d += LANES) store(y + d, load(y + d) * inverse[r]);
        if (p.xsa) {
            const float share = dot(y, v) / std::max(dot(v, v), LEAST_SQUARED_VALUE);
            for (int d = 0; d < padded; d += LANES) store(y + d, load(y + d) - share * load(v + d));
            p.share[at_row(head, token)] = share;
        }
        p.log_sum[at_row(head, token)] = log2[r];
        write(p.out, p.bfloat16, at_out(token, head), y);
    }
}

template <class F>
void Unit<F>::backward(int unit) {
    begin(unit);
    pack_keys_and_values();
    std::fill_n(key_gradient, size_t(tokens) * padded, 0.0f);
    std::fill_n(value_gradient, size_t(tokens) * padded, 0.0f);
    std::fill_n(value_excluded, size_t(tokens) * padded, 0.0f);
    for_each_block([&](const Block& block) {
        pack_queries(block);
        pack_gradients(block);
        pair_rows(rows, block.rows, rows_paired);
        pair_rows(gradient_rows, block.rows, gradient_rows_paired);
        if (on_tiles<F>()) {
            turn_pairs(block.rows, rows_paired);
            turn_pairs(block.rows, gradient_rows_paired);
        }
        for (int chunk = block.first_panel; chunk < block.panels_end; chunk += CHUNK) {
            const int end = std::min(chunk + CHUNK, block.panels_end);
            for (int panel = chunk; panel < end; panel++) {
                score_panel_gradients(block, panel, (panel - chunk) * PANEL);
                add_over_rows(gradient_rows_paired, block.rows, weight_panel, value_gradient + size_t(panel) * padded * PANEL);
                add_over_rows(rows_paired, block.rows, score_panel, key_gradient + size_t(panel) * padded * PANEL);
            }
            multiply_rows<F>({numbers(score_rows), CHUNK * PANEL / PAIR, 1}, block.rows,
                        key_rows + size_t(chunk) * PANEL / PAIR * padded, padded, padded, (end - chunk) * PANEL / PAIR, wide,
                        padded, chunk > block.first_panel);
        }
        const float factor = 1.0f / std::sqrt(static_cast<float>(D));
        for (int row = 0; row < block.rows; row++) {
            const int token = block.start + row % QUERIES;
            if (token >= p.tokens) continue;
            float* gradient = wide + row * padded;
            for (int d = 0; d < padded; d += LANES) store(gradient + d, load(gradient + d) * factor);
            rotate<true>(gradient, token);
            write(p.projected_gradient, p.bfloat16, at(token, (block.head + row / QUERIES) * D), gradient);
        }
    });
    write_gradients();
}

// Weights and gradients of scores of all rows and one panel of keys; `column` is where its columns begin in the chunk.
template <class F>
void Unit<F>::score_panel_gradients(const Block& block, int panel, int column) {
    const Number *keys = key_panels + size_t(panel) * depth * PANEL, *values = value_panels + size_t(panel) * depth * PANEL;
    if (on_tiles<F>()) {
        alignas(64) float score[STRIP][PANEL], weight_gradient[STRIP][PANEL];
        for (int row = 0; row < block.rows; row += STRIP) {
            multiply_rows<F>({numbers(rows + row * padded), depth, 1}, STRIP, keys, PANEL, PANEL, depth, score[0], PANEL, false);
            multiply_rows<F>({numbers(gradient_rows + row * padded), depth, 1}, STRIP, values, PANEL, PANEL, depth,
                             weight_gradient[0], PANEL, false);
            for (int r = 0; r < STRIP; r += AT_ONCE) {
                Vector scores[AT_ONCE][2], weight_gradients[AT_ONCE][2];
                std::memcpy(scores, score[r], sizeof scores);
                std::memcpy(weight_gradients, weight_gradient[r], sizeof weight_gradients);
                score_gradients(block, panel, row + r, scores, weight_gradients, column);
            }
        }
        return;
    }
    for (int row = 0; row < block.rows; row += AT_ONCE) {
        Vector score[AT_ONCE][2] = {}, weight_gradient[AT_ONCE][2] = {};
        add_products<F>({numbers(rows + row * padded), depth, 1}, keys, PANEL, depth, score);
        add_products<F>({numbers(gradient_rows + row * padded), depth, 1}, values, PANEL, depth, weight_gradient);
        score_gradients(block, panel, row, score, weight_gradient, column);
    }
}

// to (padded, PANEL) += the sum over a block's rows of factors x panel.
template <class F>
void Unit<F>::add_over_rows(const Number* factors, int count, const Number* panel, float* to) const {
    const int summands = count / PAIR;
    if (on_tiles<F>()) return multiply_rows<F>({factors, summands, 1}, padded, panel, PANEL, PANEL, summands, to, PANEL, true);
    multiply<F>({factors, 1, padded}, padded, panel, PANEL, PANEL, summands, to, PANEL, true);
}

// The gradient of the output becomes that of attention's: through the exclusion, which also reaches the own value.
template <class F>
void Unit<F>::pack_gradients(const Block& block) {
    for (int row = 0; row < block.rows; row++) {
        const int token = block.start + row % QUERIES, head = block.head + row / QUERIES;
        float* gradient = wide + row * padded;
        log_sum[row] = delta[row] = 0.0f;
        first_seen[row] = first_of(std::min(token, p.tokens - 1));
        if (token >= p.tokens) {
            std::fill_n(gradient, padded, 0.0f);
            continue;
        }
        read(p.out_gradient, p.bfloat16, at_out(token, head), gradient);
        alignas(64) float y[padded];
        read(p.out, p.bfloat16, at_out(token, head), y);
        if (p.xsa) {
            const float* v = value + size_t(token) * padded;
            float* excluded = value_excluded + size_t(token) * padded;
            const float share = p.share[at_row(head, token)], squared = dot(v, v);
            const float along = dot(gradient, v) / std::max(squared, LEAST_SQUARED_VALUE);
            const float twice = squared >= LEAST_SQUARED_VALUE ? share : 0.0f;
            for (int d = 0; d < padded; d += LANES) {
                // y is attention's output again; d(share) / d(v) = (y - 2 share v) / |v|^2.
                const Vector own = load(v + d), g = load(gradient + d), all = load(y + d) + share * own;
                store(y + d, all);
                store(excluded + d, load(excluded + d) - share * g - along * (all - 2.0f * twice * own));
                store(gradient + d, g - along * own);
            }
        }
        log_sum[row] = p.log_sum[at_row(head, token)];
        delta[row] = dot(gradient, y);
    }
    F::narrow(wide, gradient_rows, block.rows * padded);
}

// Weights and gradients of scores of some rows and one panel of keys, in the layouts of the products that follow.
template <class F>
inline __attribute__((always_inline)) void Unit<F>::score_gradients(
    const Block& block, int panel, int row, const Vector (&score)[AT_ONCE][2],
    const Vector (&weight_gradient)[AT_ONCE][2], int column) {
    const int from = panel * PANEL;
#pragma GCC unroll 4
    for (int r = 0; r < AT_ONCE; r += PAIR) {
        Vector weight[PAIR][2], gradient[PAIR][2];
#pragma GCC unroll 2
        for (int half = 0; half < PAIR; half++) {
            const int at = row + r + half;
#pragma GCC unroll 2
            for (int v = 0; v < 2; v++)
                weight[half][v] = power_of_two(score[r + half][v] * scale - log_sum[at]);
            const int first = first_seen[at] - from, last = block.start + at % QUERIES - from;
            if (first > 0 || last < PANEL - 1)
#pragma GCC unroll 2
                for (int v = 0; v < 2; v++) {
                    const IntVector index = LANE_INDEX + v * LANES;
                    weight[half][v] = (index >= first) & (index <= last) ? weight[half][v] : Vector{};
                }
#pragma GCC unroll 2
            for (int v = 0; v < 2; v++) gradient[half][v] = weight[half][v] * (weight_gradient[r + half][v] - delta[at]);
        }
        const size_t number = size_t(row + r) / PAIR * PANEL;
        F::store_paired(weight, weight_panel + number);
        F::store_paired(gradient, score_panel + number);
        for (int half = 0; half < PAIR; half++)
            F::store_row(gradient[half], score_rows + size_t(row + r + half) * CHUNK * PANEL + column);
    }
}

template <class F>
void Unit<F>::write_gradients() {
    write_turned(key_gradient, key_channel(), true, nullptr);
    write_turned(value_gradient, value_channel(), false, value_excluded);
}

// [tokens / PANEL][padded][PANEL] back to one row for each token.
template <class F>
void Unit<F>::write_turned(const float* turned, int channel, bool rotated, const float* more) {
    const float factor = rotated ? 1.0f / std::sqrt(static_cast<float>(D)) : 1.0f;
    for (int token = 0; token < p.tokens; token++) {
        const float* from = turned + size_t(token / PANEL) * padded * PANEL + token % PANEL;
        float* row = wide;
        for (int d = 0; d < padded; d++) row[d] = from[d * PANEL] * factor;
        if (rotated) rotate<true>(row, token);
        if (more)
            for (int d = 0; d < padded; d += LANES) store(row + d, load(row + d) + load(more + size_t(token) * padded + d));
        write(p.projected_gradient, p.bfloat16, at(token, channel), row);
    }
}

template <class F>
int run(const Problem& problem, bool backward, int threads) {
    const int units = problem.batch * problem.kv_heads;
    std::atomic<int> next{0}, failed{0};
#pragma omp parallel num_threads(std::min(threads, units))
    {
        try {
            Unit<F> worker(problem, backward);
            [[maybe_unused]] TileState tiles(on_tiles<F>());
            for (int unit; (unit = next++) < units;) backward ? worker.backward(unit) : worker.forward(unit);
        } catch (const std::bad_alloc&) {
            failed = 1;
        }
    }
    return failed;
}

int run(const Problem& problem, bool backward, int threads) {
#if defined(SMIDGEN_HAS_BFLOAT16)
    if (problem.products) return run<BFloat16>(problem, backward, threads);
#endif
    return run<Float32>(problem, backward, threads);
}

}  // namespace

extern "C" {

#if defined(SMIDGEN_HAS_BFLOAT16)
int32_t has_bfloat16() { return 1; }
#else
int32_t has_bfloat16() { return 0; }
#endif

int32_t has_tiles() { return may_use_tiles(); }

// 0, or 1 when memory ran out.
int32_t attention_forward(const Problem* problem, int32_t threads) { return run(*problem, false, threads); }
int32_t attention_backward(const Problem* problem, int32_t threads) { return run(*problem, true, threads); }
}
