#include "adze/data/detail/byte_source.h"

#include <algorithm>
#include <vector>

#include <zstd.h>

#include "adze/base/error.h"
#include "adze/base/text.h"

namespace adze::detail {

namespace {

constexpr std::int64_t piece_bytes = std::int64_t{1} << 17;
constexpr int max_window_log = 27;

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(SharedBytes bytes) : bytes_(std::move(bytes)) {}

  SharedBytes take(std::int64_t count) override {
    const auto begin = position_;
    position_ += static_cast<std::size_t>(skip_count(count));
    return {bytes_.owner, bytes_.bytes.subspan(begin, position_ - begin)};
  }
  std::int64_t skip(std::int64_t count) override {
    const std::int64_t skipped = skip_count(count);
    position_ += static_cast<std::size_t>(skipped);
    return skipped;
  }

 private:
  std::int64_t skip_count(std::int64_t count) const {
    return std::clamp<std::int64_t>(count, 0, static_cast<std::int64_t>(bytes_.bytes.size() - position_));
  }

  SharedBytes bytes_;
  std::size_t position_ = 0;
};

class ZstdSource : public ByteSource {
 public:
  ZstdSource(SharedBytes packed, std::string name, std::int64_t max_bytes)
      : packed_(std::move(packed)),
        name_(std::move(name)),
        left_(max_bytes),
        context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
    if (context_ == nullptr) throw LimitError("out of memory for the zstd decoder", {name_, {}, {}});
    ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, max_window_log);
    input_ = {packed_.bytes.data(), packed_.bytes.size(), 0};
  }

  SharedBytes take(std::int64_t count) override {
    auto out = std::make_shared<std::vector<std::byte>>();
    std::int64_t filled = 0;
    while (filled < count) {
      const std::int64_t want = std::min(count - filled, std::max(filled, piece_bytes));
      out->resize(static_cast<std::size_t>(filled + want));
      const std::int64_t got = unpack(out->data() + filled, want);
      filled += got;
      if (got < want) break;
    }
    out->resize(static_cast<std::size_t>(filled));
    return {out, *out};
  }

  std::int64_t skip(std::int64_t count) override {
    scratch_.resize(static_cast<std::size_t>(piece_bytes));
    std::int64_t skipped = 0;
    while (skipped < count) {
      const std::int64_t want = std::min(count - skipped, piece_bytes);
      const std::int64_t got = unpack(scratch_.data(), want);
      skipped += got;
      if (got < want) break;
    }
    return skipped;
  }

 private:
  std::int64_t unpack(std::byte* out, std::int64_t count) {
    ZSTD_outBuffer output{out, static_cast<std::size_t>(count), 0};
    while (output.pos < output.size) {
      const std::size_t before = output.pos;
      const std::size_t read_before = input_.pos;
      const std::size_t state = ZSTD_decompressStream(context_.get(), &output, &input_);
      if (ZSTD_isError(state) != 0) {
        throw ModelError(cat("damaged zstd data: ", std::string_view(ZSTD_getErrorName(state))), {name_, {}, {}});
      }
      if (output.pos == before && input_.pos == read_before) {
        if (input_.pos == input_.size && state != 0 && !between_frames_) {
          throw ModelError("zstd data ends too early", {name_, {}, {}});
        }
        break;
      }
      between_frames_ = state == 0;
      if (between_frames_ && input_.pos == input_.size) break;
    }
    left_ -= static_cast<std::int64_t>(output.pos);
    if (left_ < 0) throw LimitError("zstd data unpacks to far more than its size allows", {name_, {}, {}});
    return static_cast<std::int64_t>(output.pos);
  }

  SharedBytes packed_;
  std::string name_;
  std::int64_t left_;
  std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context_;
  ZSTD_inBuffer input_{};
  bool between_frames_ = false;
  std::vector<std::byte> scratch_;
};

}  // namespace

std::unique_ptr<ByteSource> memory_source(SharedBytes bytes) {
  return std::make_unique<MemorySource>(std::move(bytes));
}

std::unique_ptr<ByteSource> zstd_source(SharedBytes packed, std::string name, std::int64_t max_bytes) {
  return std::make_unique<ZstdSource>(std::move(packed), std::move(name), max_bytes);
}

bool looks_like_zstd(std::span<const std::byte> bytes) {
  constexpr std::byte magic[] = {std::byte{0x28}, std::byte{0xB5}, std::byte{0x2F}, std::byte{0xFD}};
  return bytes.size() >= 4 && std::equal(bytes.begin(), bytes.begin() + 4, magic);
}

}  // namespace adze::detail
