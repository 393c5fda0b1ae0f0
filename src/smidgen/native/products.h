// Products of small matrices whose sums stay in registers, in float32 or in bfloat16 with sums in float32.
//
// A product is rows x panel: rows lie one after the other along what is summed over; a panel holds for each summand a
// run of outputs. In bfloat16 the unit of both is a pair of neighbouring summands, 32 bits.
#pragma once
#include <type_traits>

#include "vectors.h"

namespace smidgen {

struct Float32 {
    typedef float Element;
    typedef float Number;  // what one lane multiplies
    typedef Vector Lanes;
    static constexpr int PAIR = 1;  // elements in a number
    static Lanes lanes(const Number* at) { return load(at); }
    static Lanes fill(Number number) { return filled(number); }
    static Vector add_product(Vector sum, Lanes a, Lanes b) { return sum + a * b; }
    static void narrow(const float* x, Element* to, int count) { std::memcpy(to, x, sizeof(float) * count); }
    static void pair(const Element* rows, int columns, Number* to) { std::memcpy(to, rows, sizeof(float) * columns); }
    static void store_row(const Vector (&row)[2], Element* to) { store(to, row[0]), store(to + LANES, row[1]); }
    static void store_paired(const Vector (&rows)[PAIR][2], Number* to) { store_row(rows[0], to); }
};

#if defined(__AVX512BF16__)
struct Interleaved {
    __m512i low, high;
    Interleaved() {
        uint16_t index[2][32];
        for (int i = 0; i < 32; i++) index[i / 16][i % 16 * 2] = i, index[i / 16][i % 16 * 2 + 1] = 32 + i;
        std::memcpy(&low, index[0], 64), std::memcpy(&high, index[1], 64);
    }
};
const Interleaved INTERLEAVED;
#define SMIDGEN_HAS_BFLOAT16 1
struct BFloat16 {
    typedef uint16_t Element;
    typedef uint32_t Number;
    typedef __m512i Lanes;
    static constexpr int PAIR = 2;
    static Lanes lanes(const Number* at) { return _mm512_loadu_si512(at); }
    static Lanes fill(Number number) { return _mm512_set1_epi32(number); }
    static Vector add_product(Vector sum, Lanes a, Lanes b) {
        return (Vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
    }
    // Rounded to nearest even; `count` is a multiple of 16.
    static void narrow(const float* x, Element* to, int count) {
        for (int i = 0; i < count; i += 16)
            _mm256_storeu_si256((__m256i*)(to + i), (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x + i)));
    }
    // Two rows of `columns` (a multiple of 16), one after the other, as pairs of what lies below each other.
    static void pair(const Element* rows, int columns, Number* to) {
        for (int i = 0; i < columns; i += 16) {
            const __m512i first = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)(rows + i)));
            const __m512i second = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)(rows + columns + i)));
            _mm512_storeu_si512(to + i, _mm512_or_si512(first, _mm512_slli_epi32(second, 16)));
        }
    }
    static __m512i narrowed(const Vector (&row)[2]) {
        return (__m512i)_mm512_cvtne2ps_pbh((__m512)row[1], (__m512)row[0]);
    }
    static void store_row(const Vector (&row)[2], Element* to) { _mm512_storeu_si512(to, narrowed(row)); }
    // Two rows of 32 as 32 pairs of what lies below each other.
    static void store_paired(const Vector (&rows)[PAIR][2], Number* to) {
        const Interleaved& order = INTERLEAVED;
        const __m512i first = narrowed(rows[0]), second = narrowed(rows[1]);
        _mm512_storeu_si512(to, _mm512_permutex2var_epi16(first, order.low, second));
        _mm512_storeu_si512(to + LANES, _mm512_permutex2var_epi16(first, order.high, second));
    }
};
#endif

// Factors of a product: number k of row r lies at `at[r * row + k * number]`.
template <class Number>
struct Factors {
    const Number* at;
    int row, number;
};

// sums += factors x panel over `depth` numbers, `stride` numbers from one to the next in the panel.
template <class F, int ROWS, int VECTORS>
inline __attribute__((always_inline)) void add_products(
    Factors<typename F::Number> factors, const typename F::Number* panel, int stride, int depth,
    Vector (&sums)[ROWS][VECTORS]) {
    for (int k = 0; k < depth; k++, panel += stride, factors.at += factors.number) {
        typename F::Lanes outputs[VECTORS];
#pragma GCC unroll 4
        for (int v = 0; v < VECTORS; v++) outputs[v] = F::lanes(panel + v * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < ROWS; r++) {
            const typename F::Lanes factor = F::fill(factors.at[static_cast<ptrdiff_t>(r) * factors.row]);
#pragma GCC unroll 4
            for (int v = 0; v < VECTORS; v++) sums[r][v] = F::add_product(sums[r][v], factor, outputs[v]);
        }
    }
}

// Rows of a product whose sums fill the registers; counts of rows are multiples of it.
#if defined(__AVX512F__)
constexpr int TILE_ROWS = 8;
#else
constexpr int TILE_ROWS = 4;
#endif

template <class F, int VECTORS>
inline __attribute__((always_inline)) void multiply_panel(
    Factors<typename F::Number> factors, int count, const typename F::Number* panel, int stride, int depth, float* out,
    int out_stride, bool add) {
    for (int row = 0; row < count; row += TILE_ROWS) {
        float* to = out + size_t(row) * out_stride;
        Vector sums[TILE_ROWS][VECTORS] = {};
        if (add)
#pragma GCC unroll 16
            for (int r = 0; r < TILE_ROWS; r++)
                for (int v = 0; v < VECTORS; v++) sums[r][v] = load(to + size_t(r) * out_stride + v * LANES);
        add_products<F>({factors.at + size_t(row) * factors.row, factors.row, factors.number}, panel, stride, depth, sums);
#pragma GCC unroll 16
        for (int r = 0; r < TILE_ROWS; r++)
            for (int v = 0; v < VECTORS; v++) store(to + size_t(r) * out_stride + v * LANES, sums[r][v]);
    }
}

// out (count, outputs) = or += factors (count, depth) x panel (depth, outputs). `count` is a multiple of TILE_ROWS,
// `outputs` of LANES.
template <class F>
inline __attribute__((always_inline)) void multiply(
    Factors<typename F::Number> factors, int count, const typename F::Number* panel, int stride, int outputs, int depth,
    float* out, int out_stride, bool add) {
    int output = 0;
    for (; output + 2 * LANES <= outputs; output += 2 * LANES)
        multiply_panel<F, 2>(factors, count, panel + output, stride, depth, out + output, out_stride, add);
    if (output < outputs)
        multiply_panel<F, 1>(factors, count, panel + output, stride, depth, out + output, out_stride, add);
}

}  // namespace smidgen
