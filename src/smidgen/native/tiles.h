// Products on matrix tiles of bfloat16 (Intel AMX) where the processor has them: 16 rows of 64 bytes.
#pragma once
#include "products.h"

#if defined(SMIDGEN_HAS_BFLOAT16) && defined(__AMX_BF16__) && defined(__linux__)
#define SMIDGEN_HAS_TILES 1
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace smidgen {

constexpr int TILE = 16;

#if defined(SMIDGEN_HAS_TILES)
// Linux lets a process use tiles once it has asked.
inline bool may_use_tiles() {
    constexpr long ARCH_REQ_XCOMP_PERM = 0x1023, XTILE_DATA = 18;
    static const bool granted = syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XTILE_DATA) == 0;
    return granted;
}

// The shape of tiles, for as long as it lives, on its thread.
class TileState {
  public:
    explicit TileState(bool wanted) : in_use(wanted && may_use_tiles()) {
        struct alignas(64) {
            uint8_t palette = 1, start_row = 0, reserved[14] = {};
            uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
            uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
        } config;
        if (in_use) _tile_loadconfig(&config);
    }
    ~TileState() {
        if (in_use) _tile_release();
    }
    TileState(const TileState&) = delete;

  private:
    const bool in_use;
};

// As `multiply`, for factors whose numbers lie one after the other; count, outputs and depth are multiples of TILE.
inline void multiply_tiles(Factors<BFloat16::Number> factors, int count, const BFloat16::Number* panel, int stride,
                           int outputs, int depth, float* out, int out_stride, bool add) {
    for (int output = 0; output < outputs; output += 2 * TILE) {
        for (int row = 0; row < count; row += 2 * TILE) {
            const BFloat16::Number* above = factors.at + size_t(row) * factors.row;
            const BFloat16::Number* below = above + size_t(TILE) * factors.row;
            float *first = out + size_t(row) * out_stride + output, *second = first + size_t(TILE) * out_stride;
            const bool wide = output + TILE < outputs, high = row + TILE < count;
            _tile_zero(0);
            _tile_zero(1);
            _tile_zero(2);
            _tile_zero(3);
            if (add) {
                _tile_loadd(0, first, out_stride * 4);
                if (wide) _tile_loadd(1, first + TILE, out_stride * 4);
                if (high) _tile_loadd(2, second, out_stride * 4);
                if (wide && high) _tile_loadd(3, second + TILE, out_stride * 4);
            }
            for (int k = 0; k < depth; k += TILE) {
                const BFloat16::Number* at = panel + size_t(k) * stride + output;
                _tile_loadd(4, above + k, factors.row * 4);
                _tile_loadd(6, at, stride * 4);
                _tile_dpbf16ps(0, 4, 6);
                if (wide) {
                    _tile_loadd(7, at + TILE, stride * 4);
                    _tile_dpbf16ps(1, 4, 7);
                }
                if (!high) continue;
                _tile_loadd(5, below + k, factors.row * 4);
                _tile_dpbf16ps(2, 5, 6);
                if (wide) _tile_dpbf16ps(3, 5, 7);
            }
            _tile_stored(0, first, out_stride * 4);
            if (wide) _tile_stored(1, first + TILE, out_stride * 4);
            if (high) _tile_stored(2, second, out_stride * 4);
            if (wide && high) _tile_stored(3, second + TILE, out_stride * 4);
        }
    }
}
#else
inline bool may_use_tiles() { return false; }
struct TileState {
    explicit TileState(bool) {}
};
template <class Number>
inline void multiply_tiles(Factors<Number>, int, const Number*, int, int, int, float*, int, bool) {}
#endif

// Whether products in a format run on tiles.
template <class F>
inline bool on_tiles() {
    return F::PAIR == 2 && may_use_tiles();
}

// `multiply` on tiles where there are some; the factors' numbers lie one after the other.
template <class F>
inline __attribute__((always_inline)) void multiply_rows(
    Factors<typename F::Number> factors, int count, const typename F::Number* panel, int stride, int outputs, int depth,
    float* out, int out_stride, bool add) {
    if constexpr (F::PAIR == 2)
        if (on_tiles<F>()) return multiply_tiles(factors, count, panel, stride, outputs, depth, out, out_stride, add);
    multiply<F>(factors, count, panel, stride, outputs, depth, out, out_stride, add);
}

}  // namespace smidgen
