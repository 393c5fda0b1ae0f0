// Matrices in the layouts that products in bfloat16 read: panels of 32 outputs, pairs of summands.
#pragma once
#include <memory>

#include "products.h"

#if defined(SMIDGEN_HAS_BFLOAT16)
namespace smidgen {

constexpr int PANEL = 2 * LANES;

template <class Number>
std::unique_ptr<Number[]> memory(size_t count) {
    return std::unique_ptr<Number[]>(new Number[count]);
}

// Rows `first` to `first + PANEL` of (out, in) as a panel [in / 2][PANEL], summed over `in`, a multiple of PANEL.
inline void pack_rows(const float* weight, int in, int first, BFloat16::Number* to) {
    for (int row = 0; row < PANEL; row++)
        for (int from = 0; from < in; from += PANEL) {
            BFloat16::Number pairs[PANEL / 2];
            BFloat16::narrow(weight + size_t(first + row) * in + from, reinterpret_cast<BFloat16::Element*>(pairs), PANEL);
            for (int k = 0; k < PANEL / 2; k++) to[size_t(from / 2 + k) * PANEL + row] = pairs[k];
        }
}
// Columns `first` to `first + PANEL` of (in, out) as a panel [in / 2][PANEL], summed over `in`.
inline void pack_columns(const float* weight, int in, int out, int first, BFloat16::Number* to) {
    BFloat16::Element two[2 * PANEL];
    for (int k = 0; k < in; k += 2, to += PANEL) {
        BFloat16::narrow(weight + size_t(k) * out + first, two, PANEL);
        BFloat16::narrow(weight + size_t(k + 1) * out + first, two + PANEL, PANEL);
        BFloat16::pair(two, PANEL, to);
    }
}

// Panels [columns / PANEL][rows / 2][PANEL] of a matrix that is summed over its rows.
class RowPanels {
  public:
    RowPanels(int rows, int columns) : pairs(rows / 2), panels(memory<BFloat16::Number>(size_t(pairs) * columns)) {}
    BFloat16::Number* at(int column, int row) const {
        return panels.get() + (size_t(column / PANEL) * pairs + row / 2) * PANEL;
    }
    // `count` rows of `columns` in bfloat16, from `row` on.
    void pack(const BFloat16::Element* from, int columns, int row, int count) const {
        for (int r = 0; r < count; r += 2, from += 2 * size_t(columns))
            for (int c = 0; c < columns; c += PANEL) {
                BFloat16::Element two[2 * PANEL];
                std::memcpy(two, from + c, sizeof two / 2);
                std::memcpy(two + PANEL, from + columns + c, sizeof two / 2);
                BFloat16::pair(two, PANEL, at(c, row + r));
            }
    }

  private:
    const int pairs;
    const std::unique_ptr<BFloat16::Number[]> panels;
};

// Sums of products into rows of bfloat16.
inline void multiply_narrow(Factors<BFloat16::Number> factors, int count, const BFloat16::Number* panels, int outputs,
                            int depth, BFloat16::Element* out) {
    for (int output = 0; output < outputs; output += PANEL, panels += size_t(depth) * PANEL)
        for (int row = 0; row < count; row += TILE_ROWS) {
            Vector sums[TILE_ROWS][2] = {};
            add_products<BFloat16>({factors.at + size_t(row) * factors.row, factors.row, factors.number}, panels, PANEL,
                                   depth, sums);
            for (int r = 0; r < TILE_ROWS; r++) BFloat16::store_row(sums[r], out + size_t(row + r) * outputs + output);
        }
}

}  // namespace smidgen
#endif
