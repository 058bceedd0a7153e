#include "adze/engine/kernels/conv_s8/conv_s8_call.h"
#include "adze/engine/kernels/conv_s8/finish_avx512.h"

namespace adze::kernels {
namespace {

/// acc += products of four unsigned bytes (the same in all lanes) with four signed ones. Written out because GCC 12
/// copies the accumulators of the intrinsic to memory and back when there are many.
[[gnu::always_inline]] inline void multiply_add(__m512i& acc, __m512i quad, __m512i w) {
  asm("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(quad), "v"(w));
}

[[gnu::always_inline]] inline __m512i broadcast_quad(const std::uint8_t* x) {
  int quad;
  __builtin_memcpy(&quad, x, 4);
  return _mm512_set1_epi32(quad);
}

/// Makes GCC forget what it knows of a pointer, so that it reads what lies there again instead of keeping it in
/// registers over a loop: it would move general registers to vector ones and back, on the ports that multiply.
template <typename T>
[[gnu::always_inline]] inline T* again(T* pointer) {
  asm("" : "+r"(pointer));
  return pointer;
}

/// Where the rows of a tile are: a pointer to each, or, when in fours, one to each four and the step between them.
template <int rows, bool in_fours>
struct Rows {
  static constexpr int count = in_fours ? rows / 4 : rows;
  const std::uint8_t* x[count];
  std::int64_t step, three_steps;

  [[gnu::always_inline]] Rows(const GemmS8Call& call, std::int64_t row)
      : step(call.step_in_fours), three_steps(3 * call.step_in_fours) {
#pragma GCC unroll 16
    for (int i = 0; i < count; ++i) x[i] = call.rows[row + (in_fours ? 4 * i : i)];
  }
  [[gnu::always_inline]] __m512i quad(int r, std::int64_t offset) const {
    if constexpr (!in_fours) return broadcast_quad(x[r] + offset);
    const std::uint8_t* first = again(x[r / 4] + offset);  // or GCC adds the steps first: too few registers
    if (r % 4 == 0) return broadcast_quad(first);
    return broadcast_quad(r % 4 == 1 ? first + step : r % 4 == 2 ? first + 2 * step : first + three_steps);
  }
};

/// Sums of some rows with vectors * 16 columns. ahead: weights to be fetched meanwhile, a cache line a quad (by whole
/// tiles of 64 columns: narrower ones are the last).
template <int rows, int vectors, bool in_fours>
[[gnu::always_inline]] inline void products(const GemmS8Call& call, std::int64_t row, std::int64_t column,
                                            const std::int8_t* ahead, __m512i (&acc)[rows * vectors]) {
  const std::int64_t block_bytes = call.quads * 64;
  const std::int8_t* weights = call.weights + column / 16 * block_bytes;
  [[maybe_unused]] const std::int64_t to_ahead = ahead - weights;
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    const __m512i bias = _mm512_loadu_si512(call.stage->bias + column + 16 * v);
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) acc[r * vectors + v] = bias;
  }
  if (call.row_terms != nullptr) {
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) {
      const __m512i term = _mm512_set1_epi32(call.row_terms[row + r]);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) acc[r * vectors + v] = _mm512_add_epi32(acc[r * vectors + v], term);
    }
  }
  const Rows<rows, in_fours> x(call, row);
  const std::int32_t *offset = call.offsets, *end = offset + call.quads;
  for (; offset != end; ++offset, weights += 64) {
    __m512i w[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) w[v] = _mm512_loadu_si512(weights + v * block_bytes);
    if constexpr (vectors == 4) _mm_prefetch(reinterpret_cast<const char*>(weights + to_ahead), _MM_HINT_T1);
    const std::int64_t at = *offset;
#pragma GCC unroll 32
    for (int r = 0; r < rows; ++r) {
      const __m512i quad = x.quad(r, at);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) multiply_add(acc[r * vectors + v], quad, w[v]);
    }
  }
}

/// The sums themselves as results: the first `count` columns of some rows.
template <int vectors>
[[gnu::noinline]] void store_sums(const GemmS8Call& call, const __m512i* acc, std::int64_t rows, std::int64_t row,
                                  std::int64_t column, std::int64_t count) {
  for (std::int64_t r = 0; r < rows; ++r, acc += vectors) {
    std::int32_t* to = call.sums + (row + r) * call.y_stride + column;
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const std::int64_t left = count - 16 * v;
      const auto mask = static_cast<__mmask16>(left >= 16 ? 0xFFFF : left <= 0 ? 0 : (1 << left) - 1);
      _mm512_mask_storeu_epi32(to + 16 * v, mask, acc[v]);
    }
  }
}

inline Tail tail_of(const GemmS8Call& call) {
  return call.sums != nullptr ? Tail::Sums : tail_of(*call.stage);
}

/// All rows of some columns.
template <int vectors>
class Columns {
 public:
  Columns(const GemmS8Call& call, std::int64_t column) : call_(call), column_(column), tail_(tail_of(call)) {
    const std::int64_t left = call.columns - column, block_bytes = call.quads * 64;
    bytes_ = left < 16 * vectors ? left : 16 * vectors;
    // The next columns' weights, one of their blocks with each tile; without next ones, what is in the cache already.
    next_ = call.weights + (column / 16 + (left > 16 * vectors ? vectors : 0)) * block_bytes;
    last_ = next_ + (left > 16 * vectors ? (left - 16 * vectors - 1) / 16 : 0) * block_bytes;
  }

  template <int rows, bool in_fours>
  void tile() {
    __m512i acc[rows * vectors];
    products<rows, vectors, in_fours>(call_, row_, column_, next_, acc);
    again(this)->template finish<rows>(acc);
  }
  /// Tiles of the height while there are that many rows.
  template <int rows, bool in_fours>
  void tiles() {
    while (left() >= rows) tile<rows, in_fours>();
  }
  std::int64_t left() const { return call_.row_count - row_; }

 private:
  template <int rows>
  [[gnu::always_inline]] void finish(const __m512i* acc) {
    std::uint8_t* y = call_.y + row_ * call_.y_stride + column_;
    if (tail_ == Tail::Plain) {
      finish_rows<Tail::Plain, rows, vectors>(*call_.stage, acc, column_, y, call_.y_stride, bytes_);
    } else if (tail_ == Tail::Middle) {
      finish_rows<Tail::Middle, rows, vectors>(*call_.stage, acc, column_, y, call_.y_stride, bytes_);
    } else if (tail_ == Tail::Onnx) {
      finish_rows<Tail::Onnx, rows, vectors>(*call_.stage, acc, column_, y, call_.y_stride, bytes_);
    } else {
      alignas(64) __m512i sums[rows * vectors + 3];
#pragma GCC unroll 32
      for (int i = 0; i < rows * vectors; ++i) _mm512_store_si512(sums + i, acc[i]);
      if (tail_ == Tail::Sums) {
        store_sums<vectors>(call_, sums, rows, row_, column_, bytes_);
      } else {
        finish_tile<vectors>(tail_, *call_.stage, sums, rows, column_, y, call_.y_stride, bytes_);
      }
    }
    row_ += rows;
    if (next_ < last_) next_ += call_.quads * 64;
  }

  const GemmS8Call& call_;
  std::int64_t column_, row_ = 0, bytes_;
  Tail tail_;
  const std::int8_t *next_, *last_;
};

/// Tiles of `most` rows and of one less, so that none is left over where there are enough.
template <int most, int vectors>
void even_tiles(Columns<vectors>& columns) {
  const std::int64_t less = (most - columns.left() % most) % most;
  if (less * (most - 1) <= columns.left()) {
    for (std::int64_t i = 0; i < less; ++i) columns.template tile<most - 1, false>();
  }
  columns.template tiles<most, false>();
}

template <int vectors>
[[gnu::noinline]] void column_block(const GemmS8Call& call, std::int64_t column) {
  Columns<vectors> columns(call, column);
  const bool in_fours = call.step_in_fours != 0;
  if constexpr (vectors == 4) even_tiles<6>(columns);
  if constexpr (vectors == 3) even_tiles<8>(columns);
  if constexpr (vectors == 2) {
    if (in_fours) columns.template tiles<12, true>();
    if (in_fours) columns.template tiles<8, true>();
    even_tiles<8>(columns);
  }
  if constexpr (vectors == 1) {
    if (in_fours) columns.template tiles<24, true>();
    if (in_fours) columns.template tiles<12, true>();
    columns.template tiles<8, false>();
  }
  columns.template tiles<4, false>();
  columns.template tiles<2, false>();
  columns.template tiles<1, false>();
}

[[gnu::always_inline]] inline void finish_wide_row(const GemmS8Call& call, std::int64_t column, const __m512i* acc) {
  const OutputStage& stage = *call.stage;
  const std::int64_t left = call.columns - column, second = left < 128 ? left - 64 : 64;
  std::uint8_t* y = call.y + column;
  const Tail tail = tail_of(call);
  if (tail == Tail::Plain) {
    finish_row_group<Tail::Plain, 4>(stage, acc, 1, column, y, 0, 64);
    finish_row_group<Tail::Plain, 4>(stage, acc + 4, 1, column + 64, y + 64, 0, second);
    return;
  }
  alignas(64) __m512i sums[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) _mm512_store_si512(sums + i, acc[i]);
  if (tail == Tail::Sums) return store_sums<8>(call, sums, 1, 0, column, 64 + second);
  finish_tile<4>(tail, stage, sums, 1, column, y, 0, 64);
  finish_tile<4>(tail, stage, sums + 4, 1, column + 64, y + 64, 0, second);
}

/// 128 columns of one row.
[[gnu::noinline]] void single_row(const GemmS8Call& call, std::int64_t column) {
  __m512i acc[8];
  products<1, 8, false>(call, 0, column, call.weights + column / 16 * call.quads * 64, acc);
  finish_wide_row(call, column, acc);
}

/// Up to 16 columns of one row: sums of every fourth quad beside each other, since each waits for the one before.
[[gnu::noinline]] void single_row_narrow(const GemmS8Call& call, std::int64_t column) {
  const __m512i term = call.row_terms != nullptr ? _mm512_set1_epi32(call.row_terms[0]) : _mm512_setzero_si512();
  alignas(64) __m512i sums[4] = {_mm512_loadu_si512(call.stage->bias + column), term, _mm512_setzero_si512(),
                                 _mm512_setzero_si512()};
  const std::int8_t* weights = call.weights + column * call.quads * 4;
  std::int64_t q = 0;
  for (; q + 4 <= call.quads; q += 4) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      multiply_add(sums[i], broadcast_quad(call.rows[0] + call.offsets[q + i]),
                   _mm512_loadu_si512(weights + (q + i) * 64));
    }
  }
  for (; q < call.quads; ++q) {
    multiply_add(sums[0], broadcast_quad(call.rows[0] + call.offsets[q]), _mm512_loadu_si512(weights + q * 64));
  }
  sums[0] = _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
  const Tail tail = tail_of(call);
  if (tail == Tail::Sums) return store_sums<1>(call, sums, 1, 0, column, call.columns - column);
  finish_tile<1>(tail, *call.stage, sums, 1, column, call.y + column, 0, call.columns - column);
}

}  // namespace

void gemm_s8_avx512vnni(const GemmS8Call& call) {
  std::int64_t column = 0;
  if (call.row_count == 1) {  // nothing but weights: as many streams as hide the latency
    for (; call.columns - column > 112; column += 128) single_row(call, column);
    if (call.columns - column <= 16 && call.columns > column) return single_row_narrow(call, column);
  }
  for (; call.columns - column > 48; column += 64) column_block<4>(call, column);
  for (; call.columns - column > 32; column += 48) column_block<3>(call, column);
  for (; call.columns - column > 16; column += 32) column_block<2>(call, column);
  for (; call.columns - column > 0; column += 16) column_block<1>(call, column);
}

}  // namespace adze::kernels
