// Vectors of float32 of the machine's width, for C++ that is compiled where it runs (library.py).
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace smidgen {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float Vector __attribute__((vector_size(LANES * 4)));
typedef int32_t IntVector __attribute__((vector_size(LANES * 4)));

inline IntVector lane_index() {
    IntVector index = {};
    for (int lane = 0; lane < LANES; lane++) index[lane] = lane;
    return index;
}
const IntVector LANE_INDEX = lane_index();

inline Vector load(const float* at) {
    Vector value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
inline void store(float* at, Vector value) { std::memcpy(at, &value, sizeof value); }
// Minus, because adding 0 would turn -0 into 0 and so could not be left out by the compiler.
inline Vector filled(float value) { return value - Vector{}; }
inline Vector larger(Vector a, Vector b) { return a > b ? a : b; }

// bfloat16 is the upper half of a float32; rounded to nearest even, NaN stays NaN.
typedef uint16_t NarrowVector __attribute__((vector_size(LANES * 2)));
typedef uint32_t Bits __attribute__((vector_size(LANES * 4)));
inline NarrowVector load_narrow(const uint16_t* at) {
    NarrowVector value;
    std::memcpy(&value, at, sizeof value);
    return value;
}
inline void store_narrow(uint16_t* at, NarrowVector value) { std::memcpy(at, &value, sizeof value); }
inline Vector widened(NarrowVector narrow) { return (Vector)(__builtin_convertvector(narrow, Bits) << 16); }
inline NarrowVector narrowed(Vector value) {
#if defined(__AVX512BF16__)
    return (NarrowVector)_mm512_cvtneps_pbh((__m512)value);
#else
    const Bits bits = (Bits)value;
    const Bits rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return __builtin_convertvector(value != value ? rounded * 0 + 0x7fc0 : rounded, NarrowVector);
#endif
}
inline float widened(uint16_t bits) {
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float value;
    std::memcpy(&value, &wide, 4);
    return value;
}
inline uint16_t narrowed(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return value != value ? 0x7fc0 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

inline int round_up(int n, int unit) { return (n + unit - 1) / unit * unit; }

// All lanes by one operation, halves upon halves; extracting halves needs no memory.
template <class Wide, class Fold>
inline float folded(Wide value, Fold fold) {
    if constexpr (sizeof(Wide) == 8) {
        return fold(value[0], value[1]);
    } else {
        typedef float Half __attribute__((vector_size(sizeof(Wide) / 2)));
        Half halves[2];
        std::memcpy(halves, &value, sizeof value);
        return folded(fold(halves[0], halves[1]), fold);
    }
}
inline float sum(Vector value) { return folded(value, [](auto a, auto b) { return a + b; }); }
inline float largest(Vector value) { return folded(value, [](auto a, auto b) { return a > b ? a : b; }); }

// 2^x for x up to 127, relative error below 2e-7 (minimax polynomial of degree 5 on [0, 1], fitted for this file; exact
// at whole numbers). NaN stays NaN; -infinity and whatever is below -126 give 0 or next to nothing.
inline Vector power_of_two(Vector x) {
#if defined(__AVX512DQ__)
    // What is above the next lower whole number.
    const Vector r = (Vector)_mm512_reduce_ps((__m512)x, 0x01);
#else
    x = x < -126.0f ? filled(-126.0f) : x;
    // Truncated towards zero, then one less where that was up.
    Vector whole = __builtin_convertvector(__builtin_convertvector(x, IntVector), Vector);
    whole = whole > x ? whole - 1.0f : whole;
    const Vector r = x - whole;
#endif
    Vector p = filled(1.879327129e-3f);
    p = p * r + 8.990972488e-3f;
    p = p * r + 5.581869727e-2f;
    p = p * r + 2.401592632e-1f;
    p = p * r + 6.931517399e-1f;
    p = p * r + 1.0f;
#if defined(__AVX512DQ__)
    return (Vector)_mm512_scalef_ps((__m512)p, (__m512)x);
#else
    const IntVector bits = (__builtin_convertvector(whole, IntVector) + 127) << 23;
    Vector power;
    std::memcpy(&power, &bits, sizeof power);
    return p * power;
#endif
}

}  // namespace smidgen
