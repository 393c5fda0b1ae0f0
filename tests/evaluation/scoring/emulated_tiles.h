// The tile instructions that decoder.cpp uses, as Intel's manual describes them, in plain C++: put before the source, so
// that the layout of its data is tested on processors without them.
#pragma once
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#define __AMX_BF16__ 1
#define __AMX_TILE__ 1
// Linux is not asked for what is not there.
#define syscall(...) 0L

namespace emulated {
struct Tile {
    uint8_t bytes[16][64];
};
inline thread_local Tile tiles[8];
inline thread_local bool configured = false;

inline void load(int tile, const void* base, long stride) {
    for (int row = 0; row < 16; row++) std::memcpy(tiles[tile].bytes[row], (const uint8_t*)base + row * stride, 64);
}
inline void store(int tile, void* base, long stride) {
    for (int row = 0; row < 16; row++) std::memcpy((uint8_t*)base + row * stride, tiles[tile].bytes[row], 64);
}
inline float widened(uint16_t bits) {
    const uint32_t wide = (uint32_t)bits << 16;
    float value;
    std::memcpy(&value, &wide, 4);
    return value;
}
// C[m][n] += A[m][2k] * B[k][2n] + A[m][2k + 1] * B[k][2n + 1]
inline void multiply(int c, int a, int b) {
    float sums[16][16];
    uint16_t left[16][32], right[16][32];
    std::memcpy(sums, &tiles[c], 1024), std::memcpy(left, &tiles[a], 1024), std::memcpy(right, &tiles[b], 1024);
    for (int m = 0; m < 16; m++)
        for (int k = 0; k < 16; k++)
            for (int n = 0; n < 16; n++)
                for (int half = 0; half < 2; half++)
                    sums[m][n] += widened(left[m][2 * k + half]) * widened(right[k][2 * n + half]);
    // Without a configuration the instruction would fault.
    if (!configured) sums[0][0] = 1e30f;
    std::memcpy(&tiles[c], sums, 1024);
}
// Palette 1, all rows of 64 bytes, 16 rows, for the 8 tiles.
inline void configure(const void* config) {
    const uint8_t* at = (const uint8_t*)config;
    configured = at[0] == 1;
    for (int tile = 0; tile < 8; tile++) configured = configured && at[16 + 2 * tile] == 64 && at[48 + tile] == 16;
}
}  // namespace emulated

#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps
#define _tile_loadconfig(config) emulated::configure(config)
#define _tile_release() (emulated::configured = false)
#define _tile_zero(tile) std::memset(&emulated::tiles[tile], 0, sizeof(emulated::Tile))
#define _tile_loadd(tile, base, stride) emulated::load(tile, base, stride)
#define _tile_stored(tile, base, stride) emulated::store(tile, base, stride)
#define _tile_dpbf16ps(c, a, b) emulated::multiply(c, a, b)
