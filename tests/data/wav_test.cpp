#include "adze/data/wav.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "adze/base/error.h"
#include "adze/base/random.h"

namespace adze {
namespace {

std::string little(std::uint64_t value, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

template <typename T>
std::string raw(std::initializer_list<T> values) {
  std::string out;
  for (const T value : values) out.append(reinterpret_cast<const char*>(&value), sizeof value);
  return out;
}

std::string chunk(const std::string& tag, const std::string& content) {
  return tag + little(content.size(), 4) + content + (content.size() % 2 != 0 ? std::string(1, '\0') : "");
}

std::string format(int code, int channels, int bits, std::uint32_t rate = 8000) {
  const auto frame = static_cast<std::uint64_t>(channels * bits / 8);
  return little(static_cast<std::uint64_t>(code), 2) + little(static_cast<std::uint64_t>(channels), 2) +
         little(rate, 4) + little(rate * frame, 4) + little(frame, 2) + little(static_cast<std::uint64_t>(bits), 2);
}

std::string riff(const std::string& chunks) {
  return "RIFF" + little(4 + chunks.size(), 4) + "WAVE" + chunks;
}

Sound read(const std::string& file, std::int64_t max_samples = default_max_sound_samples) {
  return read_wav(std::as_bytes(std::span(file)), "a.wav", max_samples);
}

TEST(Wav, ReadsEveryWidth) {
  const auto samples = [](int code, int bits, const std::string& data) {
    return read(riff(chunk("fmt ", format(code, 1, bits)) + chunk("data", data))).samples;
  };
  EXPECT_EQ(samples(1, 8, raw<std::uint8_t>({0, 128, 192})), (std::vector<float>{-1, 0, 0.5}));
  EXPECT_EQ(samples(1, 16, raw<std::int16_t>({-32768, 0, 16384, 1})), (std::vector<float>{-1, 0, 0.5, 1 / 32768.0f}));
  EXPECT_EQ(samples(1, 24, std::string("\x00\x00\x80\x00\x00\x40\x00\x00\xE0\x01\x00\x00", 12)),
            (std::vector<float>{-1, 0.5, -0.25, 1 / 8388608.0f}));
  EXPECT_EQ(samples(1, 32, raw<std::int32_t>({std::numeric_limits<std::int32_t>::min(), 1 << 30})),
            (std::vector<float>{-1, 0.5}));
  EXPECT_EQ(samples(3, 32, raw<float>({0.25f, -3.0f})), (std::vector<float>{0.25, -3}));
  EXPECT_EQ(samples(3, 64, raw<double>({0.25, -3.0})), (std::vector<float>{0.25, -3}));
}

TEST(Wav, AveragesChannelsAndReadsTheRate) {
  const Sound sound =
      read(riff(chunk("fmt ", format(1, 2, 16, 44100)) + chunk("data", raw<std::int16_t>({16384, 0, -16384, -16384}))));
  EXPECT_EQ(sound.rate, 44100);
  EXPECT_EQ(sound.samples, (std::vector<float>{0.25, -0.5}));
}

TEST(Wav, PassesOverOtherChunksAndReadsTheExtensibleFormat) {
  const std::string extensible =
      format(0xFFFE, 1, 16) + little(22, 2) + little(16, 2) + little(4, 4) + little(1, 2) + std::string(14, '\x10');
  const std::string data = chunk("data", raw<std::int16_t>({16384}));
  EXPECT_EQ(read(riff(chunk("LIST", "odd") + chunk("fmt ", extensible) + chunk("fact", "1234") + data)).samples,
            (std::vector<float>{0.5}));
}

TEST(Wav, TakesWhatIsThereFromAStreamOfUnknownLength) {
  const std::string stream =
      riff(chunk("fmt ", format(1, 1, 16)) + "data" + little(0xFFFFFFFF, 4) + raw<std::int16_t>({16384, 1}));
  EXPECT_EQ(read(stream).samples.size(), 2u);
}

TEST(Wav, WritesWhatItReads) {
  const Sound sound{16000, {0.5f, -0.25f, 0, 2.0f, -2.0f}};
  const Sound again = read(wav_bytes(sound));
  EXPECT_EQ(again.rate, 16000);
  EXPECT_EQ(again.samples, (std::vector<float>{0.5f, -0.25f, 0, 32767 / 32768.0f, -1}));
}

TEST(Wav, RefusesDamagedFiles) {
  const std::string data = chunk("data", raw<std::int16_t>({1, 2}));
  const std::string good = riff(chunk("fmt ", format(1, 1, 16)) + data);
  ASSERT_EQ(read(good).samples.size(), 2u);
  for (const std::string& wrong :
       {std::string(), std::string("RIFF"), std::string("RIFX") + good.substr(4), riff(""), riff(data),
        riff(chunk("fmt ", format(1, 1, 16))), riff(chunk("fmt ", "short") + data),
        riff(chunk("fmt ", format(1, 0, 16)) + data), riff(chunk("fmt ", format(1, 1, 16, 0)) + data),
        riff(chunk("fmt ", format(0xFFFE, 1, 16)) + data), riff("fmt " + little(0x7FFFFFFF, 4) + "x"),
        riff(chunk("fmt ", format(1, 1, 16)) + "data" + little(0xFFFFFFFE, 4) + "ab"),
        riff(
            chunk("fmt ", little(1, 2) + little(1, 2) + little(8000, 4) + little(1, 4) + little(3, 2) + little(16, 2)) +
            data),
        riff(chunk("fmt ", format(3, 1, 32)) + chunk("data", raw<float>({std::numeric_limits<float>::quiet_NaN()})))}) {
    EXPECT_THROW(read(wrong), ModelError);
  }
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_THROW(read(good.substr(0, length)), ModelError) << length;
  }
}

TEST(Wav, NamesCodingsThatItDoesNotRead) {
  const std::string data = chunk("data", "abcd");
  for (const auto& [code, bits] : {std::pair{2, 4}, {6, 8}, {7, 8}, {1, 12}, {1, 64}, {3, 16}, {85, 0}}) {
    EXPECT_THROW(read(riff(chunk("fmt ", format(code, 1, bits)) + data)), UnsupportedError) << code << " " << bits;
  }
}

TEST(Wav, KeepsToItsLimit) {
  const std::string file = riff(chunk("fmt ", format(1, 2, 16)) + chunk("data", std::string(400, 'a')));
  EXPECT_EQ(read(file, 200).samples.size(), 100u);
  EXPECT_THROW(read(file, 199), LimitError);
}

TEST(Wav, EndsInASoundOrAnErrorForAnyBytes) {
  const std::string good =
      riff(chunk("LIST", "odd") + chunk("fmt ", format(1, 1, 24)) + chunk("data", std::string(30, 'x')));
  Random random(1);
  for (int round = 0; round < 5000; ++round) {
    std::string file = good;
    for (int i = 0; i < 3; ++i) file[random.below(file.size())] = static_cast<char>(random.below(256));
    file.resize(random.below(file.size()) + 1);
    try {
      EXPECT_LE(read(file).samples.size(), file.size());
    } catch (const ModelError&) {
    }
  }
}

}  // namespace
}  // namespace adze
