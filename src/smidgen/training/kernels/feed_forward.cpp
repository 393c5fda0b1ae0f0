// The gated feed-forward layer for training on processors: y = down (silu(gate x) * (up x)), and its gradients.
//
// Products and what happens between them run on blocks of tokens that stay in a core's cache. Each result is computed by
// one thread in one order: neither the number of threads nor the size of blocks changes a bit.
//
// Letters: N tokens, C hidden size, I intermediate size. Sums are over pairs of bfloat16.

#include <algorithm>
#include <new>

#include "panels.h"

using namespace smidgen;

#if defined(SMIDGEN_HAS_BFLOAT16)
namespace {

typedef BFloat16 F;
typedef F::Number Number;
typedef F::Element Element;

constexpr int C = HIDDEN_SIZE, I = INTERMEDIATE_SIZE;
static_assert(C % PANEL == 0 && I % PANEL == 0);
// Tokens of a block, and those whose gradients are kept until weights' gradients are summed over them. Measured.
constexpr int BLOCK = 64, CHUNK = 512;
// Rows of two products whose sums stay in registers together.
constexpr int AT_ONCE = 4;

struct Problem {
    int32_t tokens;
    const Element* x;                           // (N, C)
    const float *gate_weight, *up_weight;       // (I, C)
    const float* down_weight;                   // (C, I)
    Element* out;                               // (N, C)
    Element *gate, *up;                         // (N, I): before the activation, kept for the gradient
    const Element* out_gradient;                // (N, C)
    Element* x_gradient;                        // (N, C)
    float *gate_gradient, *up_gradient, *down_gradient;  // as the weights
};

inline Vector sigmoid(Vector x) {
    Vector power = x * -1.44269504f;
    // Beyond, the quotient's correction would multiply infinity with zero.
    power = power_of_two(power > 126.0f ? filled(126.0f) : power) + 1.0f;
    const Vector near = (Vector)_mm512_rcp14_ps((__m512)power);
    return near * (2.0f - power * near);
}
inline void load_wide(const Element* at, Vector (&row)[2]) {
    row[0] = widened(load_narrow(at)), row[1] = widened(load_narrow(at + LANES));
}

void forward_block(const Problem& p, int first, int count, const Number* gate_up, const Number* down, Element* hidden) {
    const Number* x = reinterpret_cast<const Number*>(p.x + size_t(first) * C);
    for (int panel = 0; panel < I; panel += PANEL, gate_up += size_t(C) * PANEL)
        for (int row = 0; row < count; row += AT_ONCE) {
            Vector gate[AT_ONCE][2] = {}, up[AT_ONCE][2] = {};
            const Factors<Number> factors{x + size_t(row) * (C / 2), C / 2, 1};
            add_products<F>(factors, gate_up, PANEL, C / 2, gate);
            add_products<F>(factors, gate_up + size_t(C / 2) * PANEL, PANEL, C / 2, up);
#pragma GCC unroll 4
            for (int r = 0; r < AT_ONCE; r++) {
                const size_t at = size_t(first + row + r) * I + panel;
                F::store_row(gate[r], p.gate + at);
                F::store_row(up[r], p.up + at);
                const Vector product[2] = {gate[r][0] * sigmoid(gate[r][0]) * up[r][0],
                                           gate[r][1] * sigmoid(gate[r][1]) * up[r][1]};
                F::store_row(product, hidden + size_t(row + r) * I + panel);
            }
        }
    multiply_narrow({reinterpret_cast<const Number*>(hidden), I / 2, 1}, count, down, C, I / 2, p.out + size_t(first) * C);
}

// What a chunk of tokens leaves for the gradients of weights.
struct Kept {
    const RowPanels x{CHUNK, C}, out_gradient{CHUNK, C}, hidden{CHUNK, I}, gate{CHUNK, I}, up{CHUNK, I};
};

// `row` is where the block begins in its chunk; `both` holds gradients before the activation, [count][2 I].
void backward_block(const Problem& p, int first, int row, int count, const Number* down, const Number* gate_up, const Kept& kept,
                    Element* both) {
    const Element* out_gradient = p.out_gradient + size_t(first) * C;
    kept.out_gradient.pack(out_gradient, C, row, count);
    kept.x.pack(p.x + size_t(first) * C, C, row, count);
    for (int panel = 0; panel < I; panel += PANEL, down += size_t(C / 2) * PANEL)
        for (int tile = 0; tile < count; tile += TILE_ROWS) {
            Vector sums[TILE_ROWS][2] = {};
            add_products<F>({reinterpret_cast<const Number*>(out_gradient) + size_t(tile) * (C / 2), C / 2, 1}, down, PANEL,
                            C / 2, sums);
#pragma GCC unroll 4
            for (int r = 0; r < TILE_ROWS; r += 2) {
                Vector hidden[2][2], gate_gradient[2][2], up_gradient[2][2];
                for (int half = 0; half < 2; half++) {
                    Vector gate[2], up[2];
                    const size_t at = size_t(first + tile + r + half) * I + panel;
                    load_wide(p.gate + at, gate);
                    load_wide(p.up + at, up);
                    for (int v = 0; v < 2; v++) {
                        const Vector open = sigmoid(gate[v]), active = gate[v] * open, g = sums[r + half][v];
                        hidden[half][v] = active * up[v];
                        up_gradient[half][v] = g * active;
                        gate_gradient[half][v] = g * up[v] * (open + active * (1.0f - open));
                    }
                    Element* to = both + size_t(tile + r + half) * 2 * I + panel;
                    F::store_row(gate_gradient[half], to);
                    F::store_row(up_gradient[half], to + I);
                }
                F::store_paired(hidden, kept.hidden.at(panel, row + tile + r));
                F::store_paired(gate_gradient, kept.gate.at(panel, row + tile + r));
                F::store_paired(up_gradient, kept.up.at(panel, row + tile + r));
            }
        }
    multiply_narrow({reinterpret_cast<const Number*>(both), I, 1}, count, gate_up, C, I, p.x_gradient + size_t(first) * C);
}

// Gradients of PANEL channels of the intermediate layer: job 0 to I / PANEL of the gate, then of up, then of down.
void weight_gradients(const Problem& p, int job, int count, bool add, const Kept& kept) {
    const int kind = job / (I / PANEL), channel = job % (I / PANEL) * PANEL;
    for (int c = 0; c < C; c += PANEL) {
        if (kind == 2)
            multiply<F>({kept.out_gradient.at(c, 0), 1, PANEL}, PANEL, kept.hidden.at(channel, 0), PANEL, PANEL,
                        count / 2, p.down_gradient + size_t(c) * I + channel, I, add);
        else
            multiply<F>({(kind ? kept.up : kept.gate).at(channel, 0), 1, PANEL}, PANEL, kept.x.at(c, 0), PANEL,
                        PANEL, count / 2, (kind ? p.up_gradient : p.gate_gradient) + size_t(channel) * C + c, C, add);
    }
}

void forward(const Problem& p, int threads) {
    // [I / PANEL][gate, up][C / 2][PANEL] and [C / PANEL][I / 2][PANEL]
    const auto gate_up = memory<Number>(size_t(C) * I), down = memory<Number>(size_t(C) * I / 2);
#pragma omp parallel num_threads(threads)
    {
        const auto hidden = memory<Element>(size_t(BLOCK) * I);
#pragma omp for schedule(static) nowait
        for (int panel = 0; panel < I / PANEL; panel++) {
            Number* to = gate_up.get() + size_t(panel) * C * PANEL;
            pack_rows(p.gate_weight, C, panel * PANEL, to);
            pack_rows(p.up_weight, C, panel * PANEL, to + size_t(C / 2) * PANEL);
        }
#pragma omp for schedule(static)
        for (int panel = 0; panel < C / PANEL; panel++)
            pack_rows(p.down_weight, I, panel * PANEL, down.get() + size_t(panel) * (I / 2) * PANEL);
#pragma omp for schedule(dynamic)
        for (int first = 0; first < p.tokens; first += BLOCK)
            forward_block(p, first, std::min(BLOCK, p.tokens - first), gate_up.get(), down.get(), hidden.get());
    }
}

void backward(const Problem& p, int threads) {
    // [I / PANEL][C / 2][PANEL], and [C / PANEL][gate then up, I][PANEL]
    const auto down = memory<Number>(size_t(C) * I / 2), gate_up = memory<Number>(size_t(C) * I);
    const Kept kept;
#pragma omp parallel num_threads(threads)
    {
        const auto both = memory<Element>(size_t(BLOCK) * 2 * I);
#pragma omp for schedule(static) nowait
        for (int panel = 0; panel < I / PANEL; panel++)
            pack_columns(p.down_weight, C, I, panel * PANEL, down.get() + size_t(panel) * (C / 2) * PANEL);
#pragma omp for schedule(static)
        for (int panel = 0; panel < C / PANEL; panel++) {
            Number* to = gate_up.get() + size_t(panel) * I * PANEL;
            pack_columns(p.gate_weight, I, C, panel * PANEL, to);
            pack_columns(p.up_weight, I, C, panel * PANEL, to + size_t(I / 2) * PANEL);
        }
        for (int chunk = 0; chunk < p.tokens; chunk += CHUNK) {
            const int count = std::min(CHUNK, p.tokens - chunk);
#pragma omp for schedule(dynamic)
            for (int row = 0; row < count; row += BLOCK)
                backward_block(p, chunk + row, row, std::min(BLOCK, count - row), down.get(), gate_up.get(), kept, both.get());
#pragma omp for schedule(dynamic)
            for (int job = 0; job < 3 * I / PANEL; job++) weight_gradients(p, job, count, chunk > 0, kept);
        }
    }
}

// Exceptions may not leave a parallel region; there, lack of memory is the end of the process, as in any other loop of it.
int guarded(void (*work)(const Problem&, int), const Problem& problem, int threads) {
    try {
        work(problem, threads);
    } catch (const std::bad_alloc&) {
        return 1;
    }
    return 0;
}

}  // namespace

extern "C" {
// 0, or 1 when memory ran out.
int32_t feed_forward(const Problem* problem, int32_t threads) { return guarded(forward, *problem, threads); }
int32_t feed_forward_backward(const Problem* problem, int32_t threads) { return guarded(backward, *problem, threads); }
}
#endif

// Whether this is the fastest way here: with matrix tiles PyTorch's products are several times as fast as dot products.
#if defined(SMIDGEN_HAS_BFLOAT16) && !defined(__AMX_BF16__)
extern "C" int32_t is_fastest() { return 1; }
#else
extern "C" int32_t is_fastest() { return 0; }
#endif
