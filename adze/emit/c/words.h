#pragma once

// Internal to emit/c: layers on activations of 16 bits.

#include <string>

#include "adze/emit/c/layer.h"
#include "adze/emit/c/pack.h"

namespace adze::emit {

/// Does the layer compute on 16-bit numbers?
bool is_words(const LayerWriter& writer);
/// Writes an integer operator or a conversion on 16-bit numbers, and says whether it knew the node's.
bool write_words(LayerWriter& writer);
/// QConv, QGemm, QMatMul.
bool write_words_compute(LayerWriter& writer);

/// ADZE_WIDE of runtime/adze_s16.h.
constexpr int words_kind_wide = 4;
/// How the sums of a QConv or QGemm become 16 bits, and the table entry for each channel.
struct WordsTable {
  int kind = words_kind_wide;
  bool narrow = false;  ///< kernels may sum in 32 bits
  std::vector<Channel> channels;
};
WordsTable words_table(const LayerWriter& writer, const Rows& rows);
/// Of a product without bias, for words_kind_wide.
Channel wide_words_channel(const RequantizeParameters& by);

/// [batch, height, width, channels] of an operand of rank 3 or 4.
Shape words_picture(const LayerWriter& writer, Shape shape);

/// Pointers to operands of 16 bits.
std::string words_in(LayerWriter& writer, std::size_t input);
std::string words_out(LayerWriter& writer);

}  // namespace adze::emit
