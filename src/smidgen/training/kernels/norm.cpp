// Root-mean-square norms for training on processors, of whole tokens or of their heads, and their gradients.
//
// Every head has its own weights; the norm of a whole token is that of one head. What a chunk of tokens leaves for the
// gradient of the weights is summed by one thread, then chunk is added to chunk in their order: the number of threads
// does not change a bit.
//
// Letters: M models, N tokens of a model, P channels of a token, H heads from the first channel on, D channels of a head.

#include <algorithm>
#include <new>
#include <vector>

#include "vectors.h"

using namespace smidgen;

namespace {

constexpr int D = HEAD_DIM;
static_assert(D % LANES == 0);
// Tokens of a chunk: few enough for many threads, so many that adding up the chunks takes no time.
constexpr int CHUNK = 64;

struct Problem {
    int32_t models, tokens, channels, heads;
    int32_t narrow, narrow_out;  // whether x, out and their gradients are bfloat16; else they are float32
    float eps;
    const void* x;               // (M, N, P)
    const float* weight;         // (M, H, D)
    void* out;                   // (M, N, P): channels behind the heads are those of x
    const void* out_gradient;    // (M, N, P)
    void* x_gradient;            // (M, N, P)
    float* weight_gradient;      // (M, H, D)
};

inline Vector get(const float* at) { return load(at); }
inline Vector get(const uint16_t* at) { return widened(load_narrow(at)); }
inline void put(float* at, Vector value) { store(at, value); }
inline void put(uint16_t* at, Vector value) { store_narrow(at, narrowed(value)); }
// As it is when it has been written and read again.
template <class Element>
inline Vector rounded(Vector value) {
    if constexpr (sizeof(Element) == 2) value = widened(narrowed(value));
    return value;
}

inline float inverse_root_mean(Vector squares, float eps) { return 1.0f / std::sqrt(sum(squares) / D + eps); }

// Rounded before the weight, as in model/norm.py.
template <class Element, class Out>
inline void norm(const Element* x, const float* weight, float eps, Out* out) {
    Vector squares = {};
    for (int d = 0; d < D; d += LANES) squares += get(x + d) * get(x + d);
    const float scale = inverse_root_mean(squares, eps);
    for (int d = 0; d < D; d += LANES) put(out + d, load(weight + d) * rounded<Element>(get(x + d) * scale));
}

// Adds to the weights' gradient.
template <class Element, class Out>
inline void gradients(const Element* x, const float* weight, float eps, const Out* out_gradient, Element* x_gradient,
                      float* weight_gradient) {
    Vector squares = {}, along = {};
    for (int d = 0; d < D; d += LANES) {
        squares += get(x + d) * get(x + d);
        along += get(x + d) * (get(out_gradient + d) * load(weight + d));
    }
    const float scale = inverse_root_mean(squares, eps), share = sum(along) / D * scale * scale * scale;
    for (int d = 0; d < D; d += LANES) {
        const Vector value = get(x + d), gradient = get(out_gradient + d);
        store(weight_gradient + d, load(weight_gradient + d) + gradient * rounded<Element>(value * scale));
        put(x_gradient + d, gradient * load(weight + d) * scale - value * share);
    }
}

template <class From, class To>
inline void copy(const From* from, int count, To* to) {
    for (int c = 0; c < count; c += LANES) put(to + c, get(from + c));
}

template <class Element, class Out>
class Norms {
  public:
    explicit Norms(const Problem& problem)
        : p(problem), chunks((p.tokens + CHUNK - 1) / CHUNK), normed(p.heads * D), rest(p.channels - normed) {}

    void forward(int threads) const {
        const Element* x = static_cast<const Element*>(p.x);
        Out* out = static_cast<Out*>(p.out);
#pragma omp parallel for schedule(static) num_threads(threads)
        for (int chunk = 0; chunk < p.models * chunks; chunk++)
            for_each_token(chunk, [&](size_t at, const float* weight) {
                for (int c = 0; c < normed; c += D) norm(x + at + c, weight + c, p.eps, out + at + c);
                copy(x + at + normed, rest, out + at + normed);
            });
    }

    void backward(int threads) const {
        const Element* x = static_cast<const Element*>(p.x);
        const Out* out_gradient = static_cast<const Out*>(p.out_gradient);
        Element* x_gradient = static_cast<Element*>(p.x_gradient);
        std::vector<float> kept(size_t(p.models) * chunks * normed);
#pragma omp parallel num_threads(threads)
        {
#pragma omp for schedule(static)
            for (int chunk = 0; chunk < p.models * chunks; chunk++) {
                float* sums = kept.data() + size_t(chunk) * normed;
                for_each_token(chunk, [&](size_t at, const float* weight) {
                    for (int c = 0; c < normed; c += D)
                        gradients(x + at + c, weight + c, p.eps, out_gradient + at + c, x_gradient + at + c, sums + c);
                    copy(out_gradient + at + normed, rest, x_gradient + at + normed);
                });
            }
#pragma omp for schedule(static)
            for (int model = 0; model < p.models; model++) add_up(model, kept.data());
        }
    }

  private:
    const Problem& p;
    const int chunks, normed, rest;  // chunks of a model; channels of a token that are normed and that are not

    // Each token of a chunk: where it begins, and the weights of its model.
    template <class Use>
    void for_each_token(int chunk, Use&& use) const {
        const int model = chunk / chunks, first = chunk % chunks * CHUNK;
        for (int token = first; token < std::min(first + CHUNK, p.tokens); token++)
            use((size_t(model) * p.tokens + token) * p.channels, p.weight + size_t(model) * normed);
    }

    void add_up(int model, const float* kept) const {
        float* to = p.weight_gradient + size_t(model) * normed;
        std::fill_n(to, normed, 0.0f);
        for (int chunk = model * chunks; chunk < (model + 1) * chunks; chunk++)
            for (int c = 0; c < normed; c += LANES)
                store(to + c, load(to + c) + load(kept + size_t(chunk) * normed + c));
    }
};

template <class Element, class Out>
void run(const Problem& problem, bool backward, int threads) {
    const Norms<Element, Out> norms(problem);
    backward ? norms.backward(threads) : norms.forward(threads);
}
void run(const Problem& problem, bool backward, int threads) {
    if (problem.narrow) return run<uint16_t, uint16_t>(problem, backward, threads);
    problem.narrow_out ? run<float, uint16_t>(problem, backward, threads) : run<float, float>(problem, backward, threads);
}

// Exceptions may not leave a library of C.
int guarded(const Problem& problem, bool backward, int threads) {
    try {
        run(problem, backward, threads);
    } catch (const std::bad_alloc&) {
        return 1;
    }
    return 0;
}

}  // namespace

extern "C" {
// 0, or 1 when memory ran out.
int32_t norm_forward(const Problem* problem, int32_t threads) { return guarded(*problem, false, threads); }
int32_t norm_backward(const Problem* problem, int32_t threads) { return guarded(*problem, true, threads); }

// Whether this is the fastest way here, which narrower vectors have not been asked.
#if defined(__AVX512F__)
int32_t is_fastest() { return 1; }
#else
int32_t is_fastest() { return 0; }
#endif
}
