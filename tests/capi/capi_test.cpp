#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "adze/capi/adze.h"
#include "adze/engine/session.h"
#include "adze/recipe/model_files.h"

namespace {

const char* const demo = ADZE_SOURCE_DIR "/examples/demo/demo.onnx";

struct Opened {
  adze_session* session = nullptr;
  ~Opened() { adze_session_close(session); }
};

adze_tensor input_of(const adze_session* session, std::vector<float>& data) {
  adze_tensor_info info;
  EXPECT_EQ(adze_session_input(session, 0, &info), ADZE_OK);
  adze_tensor tensor{ADZE_F32, info.rank, {}, nullptr, 0};
  std::size_t count = 1;
  for (int i = 0; i < info.rank; ++i) {
    tensor.dims[i] = info.dims[i] < 0 ? 1 : info.dims[i];
    count *= static_cast<std::size_t>(tensor.dims[i]);
  }
  data.resize(count);
  for (std::size_t i = 0; i < count; ++i) data[i] = static_cast<float>(i % 251);
  tensor.data = data.data();
  tensor.bytes = count * sizeof(float);
  return tensor;
}

TEST(CInterface, GivesWhatASessionGives) {
  Opened opened;
  ASSERT_EQ(adze_session_open(demo, nullptr, &opened.session), ADZE_OK) << adze_last_error();
  ASSERT_EQ(adze_session_inputs(opened.session), 1U);
  ASSERT_EQ(adze_session_outputs(opened.session), 1U);
  std::vector<float> x, y(12, 0.0f);
  const adze_tensor input = input_of(opened.session, x);
  adze_tensor output{ADZE_F32, 0, {}, y.data(), y.size() * sizeof(float)};
  ASSERT_EQ(adze_session_run(opened.session, &input, 1, &output, 1), ADZE_OK) << adze_last_error();
  ASSERT_EQ(output.rank, 2);
  EXPECT_EQ(output.dims[1], 12);
  const adze::Shape shape(input.dims, input.dims + input.rank);
  const auto expected = adze::Session(adze::load_model(demo)).run(std::vector{adze::Tensor::from(shape, x)});
  EXPECT_EQ(std::memcmp(y.data(), expected[0].bytes().data(), output.bytes), 0);
}

TEST(CInterface, OpensModelsInMemoryAndDescribesTheirPorts) {
  std::ifstream file(demo, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const adze_session_options options{2, "ref", nullptr};
  Opened opened;
  ASSERT_EQ(adze_session_open_bytes(bytes.data(), bytes.size(), &options, &opened.session), ADZE_OK)
      << adze_last_error();
  adze_tensor_info info;
  ASSERT_EQ(adze_session_output(opened.session, 0, &info), ADZE_OK);
  EXPECT_EQ(info.dtype, ADZE_F32);
  EXPECT_GT(std::strlen(info.name), 0U);
  EXPECT_EQ(adze_session_output(opened.session, 1, &info), ADZE_USAGE);
}

TEST(CInterface, SaysWhatIsWrong) {
  adze_session* session = nullptr;
  EXPECT_EQ(adze_session_open("no-such-file.onnx", nullptr, &session), ADZE_BAD_INPUT);
  EXPECT_EQ(session, nullptr);
  EXPECT_NE(std::string(adze_last_error()).find("no-such-file.onnx"), std::string::npos);
  EXPECT_EQ(adze_session_open(nullptr, nullptr, &session), ADZE_USAGE);
  EXPECT_EQ(adze_session_open_bytes("junk", 4, nullptr, &session), ADZE_BAD_INPUT);
  const adze_session_options unknown{1, "avx9", nullptr};
  EXPECT_EQ(adze_session_open(demo, &unknown, &session), ADZE_USAGE);
  EXPECT_EQ(adze_session_run(nullptr, nullptr, 0, nullptr, 0), ADZE_USAGE);
  adze_session_close(nullptr);
}

TEST(CInterface, RefusesWrongTensorsAndSaysHowMuchRoomIsNeeded) {
  Opened opened;
  ASSERT_EQ(adze_session_open(demo, nullptr, &opened.session), ADZE_OK);
  std::vector<float> x, y(12);
  adze_tensor input = input_of(opened.session, x);
  adze_tensor output{ADZE_F32, 0, {}, y.data(), 4};
  EXPECT_EQ(adze_session_run(opened.session, &input, 1, &output, 1), ADZE_USAGE);
  EXPECT_EQ(output.dims[1], 12);
  EXPECT_EQ(adze_session_run(opened.session, &input, 1, nullptr, 0), ADZE_USAGE);
  output.bytes = y.size() * sizeof(float);
  EXPECT_EQ(adze_session_run(opened.session, &input, 0, &output, 1), ADZE_BAD_INPUT);
  input.bytes -= 4;
  EXPECT_EQ(adze_session_run(opened.session, &input, 1, &output, 1), ADZE_BAD_INPUT);
  input.rank = 100;
  EXPECT_EQ(adze_session_run(opened.session, &input, 1, &output, 1), ADZE_USAGE);
}

TEST(CInterface, RunsSessionsInSeveralThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([] {
      Opened opened;
      ASSERT_EQ(adze_session_open(demo, nullptr, &opened.session), ADZE_OK);
      std::vector<float> x, y(12);
      const adze_tensor input = input_of(opened.session, x);
      adze_tensor output{ADZE_F32, 0, {}, y.data(), y.size() * sizeof(float)};
      for (int round = 0; round < 5; ++round) {
        ASSERT_EQ(adze_session_run(opened.session, &input, 1, &output, 1), ADZE_OK);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
