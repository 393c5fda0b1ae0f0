// The output head and the cross entropy in one, for training on processors: loss and gradients without the logits.
//
// Logits of a block of tokens stay in a core's cache; there they become the loss and their own gradient, and that the
// gradient of the input. The gradient of the weights is summed over chunks of tokens. Each result is computed by one
// thread in one order: neither the number of threads nor the size of blocks changes a bit.
//
// Letters: N tokens, C hidden size, V vocabulary. Products are of bfloat16, sums and all else are float32.

#include <algorithm>
#include <new>

#include "panels.h"

using namespace smidgen;

#if defined(SMIDGEN_HAS_BFLOAT16)
namespace {

typedef BFloat16 F;
typedef F::Number Number;
typedef F::Element Element;

// Tokens of a block, and those whose logits' gradients are kept until the weights' gradient is summed over them.
constexpr int BLOCK = 32, CHUNK = 512;
// Rows a power of two apart would share few places of the cache.
constexpr int GAP = PANEL;
constexpr float LOG2_E = 1.44269504f, LOG_2 = 0.693147181f;

struct Problem {
    int32_t tokens, hidden_size, vocab_size;
    const Element* x;          // (N, C)
    const float* weight;       // (V, C)
    const int64_t* targets;    // (N)
    float* loss;               // (): the mean over tokens, in nats
    Element* x_gradient;       // (N, C)
    float* weight_gradient;    // (V, C)
};

// The cross entropy of one token; its logits become exponentials, and the target's what the gradient wants it to be.
float exponentials(float* logits, int vocab_size, int64_t target, float tokens, float& factor) {
    Vector most = load(logits);
    for (int v = LANES; v < vocab_size; v += LANES) most = larger(load(logits + v), most);
    const float top = largest(most), of_target = logits[target];
    Vector total = {};
    for (int v = 0; v < vocab_size; v += LANES) {
        const Vector power = power_of_two((load(logits + v) - top) * LOG2_E);
        total += power;
        store(logits + v, power);
    }
    const float all = sum(total);
    logits[target] -= all;
    factor = 1.0f / (all * tokens);
    return top - of_target + std::log2(all) * LOG_2;
}

struct Worker {
    Worker(const Problem& problem)
        : p(problem), logits(memory<float>(size_t(BLOCK) * (p.vocab_size + GAP))),
          gradient(memory<Element>(size_t(BLOCK) * (p.vocab_size + GAP))) {}

    // `row` is where the block begins in its chunk.
    void block(int first, int row, int count, const Number* by_row, const Number* by_column, const RowPanels& kept_x,
               const RowPanels& kept_gradient, float* losses) const {
        const int C = p.hidden_size, V = p.vocab_size, stride = V + GAP;
        const Element* x = p.x + size_t(first) * C;
        kept_x.pack(x, C, row, count);
        for (int v = 0; v < V; v += PANEL)
            multiply<F>({reinterpret_cast<const Number*>(x), C / 2, 1}, count, by_row + size_t(v) * (C / 2), PANEL, PANEL, C / 2,
                        logits.get() + v, stride, false);
        float factor[BLOCK];
        for (int r = 0; r < count; r++)
            losses[first + r] = exponentials(logits.get() + size_t(r) * stride, V, p.targets[first + r], p.tokens, factor[r]);
        for (int r = 0; r < count; r += 2)
            for (int v = 0; v < V; v += PANEL) {
                Vector both[2][2];
                for (int half = 0; half < 2; half++) {
                    const size_t at = size_t(r + half) * stride + v;
                    for (int i = 0; i < 2; i++) both[half][i] = load(logits.get() + at + i * LANES) * factor[r + half];
                    F::store_row(both[half], gradient.get() + at);
                }
                F::store_paired(both, kept_gradient.at(v, row + r));
            }
        multiply_narrow({reinterpret_cast<const Number*>(gradient.get()), stride / 2, 1}, count, by_column, C, V / 2,
                        p.x_gradient + size_t(first) * C);
    }

    const Problem& p;
    const std::unique_ptr<float[]> logits;
    const std::unique_ptr<Element[]> gradient;
};

void losses_and_gradients(const Problem& p, int threads) {
    const int C = p.hidden_size, V = p.vocab_size;
    // [V / PANEL][C / 2][PANEL] and [C / PANEL][V / 2][PANEL]
    const auto by_row = memory<Number>(size_t(V) * C / 2), by_column = memory<Number>(size_t(V) * C / 2);
    const auto losses = memory<float>(p.tokens);
    const RowPanels kept_x(CHUNK, C), kept_gradient(CHUNK, V);
#pragma omp parallel num_threads(threads)
    {
        const Worker worker(p);
#pragma omp for schedule(static) nowait
        for (int v = 0; v < V; v += PANEL) pack_rows(p.weight, C, v, by_row.get() + size_t(v) * (C / 2));
#pragma omp for schedule(static)
        for (int c = 0; c < C; c += PANEL) pack_columns(p.weight, V, C, c, by_column.get() + size_t(c) * (V / 2));
        for (int chunk = 0; chunk < p.tokens; chunk += CHUNK) {
            const int count = std::min(CHUNK, p.tokens - chunk);
#pragma omp for schedule(dynamic)
            for (int row = 0; row < count; row += BLOCK)
                worker.block(chunk + row, row, std::min(BLOCK, count - row), by_row.get(), by_column.get(), kept_x,
                             kept_gradient, losses.get());
#pragma omp for schedule(dynamic)
            for (int v = 0; v < V; v += PANEL)
                for (int c = 0; c < C; c += PANEL)
                    multiply<F>({kept_gradient.at(v, 0), 1, PANEL}, PANEL, kept_x.at(c, 0), PANEL, PANEL, count / 2,
                                p.weight_gradient + size_t(v) * C + c, C, chunk > 0);
        }
    }
    double total = 0.0;
    for (int token = 0; token < p.tokens; token++) total += losses[token];
    *p.loss = static_cast<float>(total / p.tokens);
}

}  // namespace

extern "C" {
// 0, or 1 when memory ran out. (Inside of the parallel region that is the end of the process, as in any other loop.)
int32_t head_loss(const Problem* problem, int32_t threads) {
    try {
        losses_and_gradients(*problem, threads);
    } catch (const std::bad_alloc&) {
        return 1;
    }
    return 0;
}
}
#endif

// Whether this is the fastest way here: with matrix tiles PyTorch's products are several times as fast as dot products.
#if defined(SMIDGEN_HAS_BFLOAT16) && !defined(__AMX_BF16__)
extern "C" int32_t is_fastest() { return 1; }
#else
extern "C" int32_t is_fastest() { return 0; }
#endif
