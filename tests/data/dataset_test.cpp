#include "adze/data/dataset.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <cstdlib>
#include <functional>

#include "adze/data/npy.h"
#include "tests/data/data_files.h"

namespace adze {
namespace {

using test::ramp;
using test::tar_entry;
using test::TemporaryFolder;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// zebra and ant, two pictures each, in both formats.
void add_classes(const TemporaryFolder& folder, const std::string& prefix) {
  folder.add(prefix + "zebra/1.png", encode_png(ramp(4, 3, 3, 1)));
  folder.add(prefix + "zebra/2.PNG", encode_png(ramp(4, 3, 1, 2)));
  folder.add(prefix + "ant/1.jpg", encode_jpeg(ramp(4, 3, 3, 3), 95));
  folder.add(prefix + "ant/2.png", encode_png(ramp(4, 3, 3, 4)));
}

TEST(ImageFolder, TakesSortedSubfoldersAsClasses) {
  const TemporaryFolder folder;
  add_classes(folder, "");
  folder.add("ant/notes.txt", "not a picture");
  folder.add("ant/.hidden.png", "not looked at");
  const auto data = open_dataset(folder.path());
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"ant", "zebra"}));
  ASSERT_EQ(data->size(), 4);
  EXPECT_EQ(data->label(0), 0);
  EXPECT_EQ(data->label(3), 1);
  const Sample sample = data->get(2);
  EXPECT_TRUE(sample.name.ends_with("zebra/1.png"));
  ASSERT_EQ(sample.input.shape(), (Shape{1, 3, 3, 4}));
  const Picture picture = ramp(4, 3, 3, 1);
  for (int i = 0; i < 12; ++i) {
    for (int c = 0; c < 3; ++c) EXPECT_EQ(sample.input.data<float>()[c * 12 + i], picture.pixels[i * 3 + c]);
  }
}

TEST(ImageFolder, AsksWhichSplitAndTakesTheChosenOne) {
  const TemporaryFolder folder;
  add_classes(folder, "train/");
  folder.add("val/ant/1.png", encode_png(ramp(4, 3, 3)));
  folder.add("val/zebra/1.png", encode_png(ramp(4, 3, 3)));
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder.path()); }), "several data sets: train, val"));
  EXPECT_EQ(open_dataset(folder.path(), {}, {.split = "train"})->size(), 4);
  EXPECT_EQ(open_dataset(folder.path(), {}, {.split = "test"})->size(), 2);
}

TEST(ImageFolder, SaysWhatItLookedForWhenEmpty) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "cat");
  const std::string message = message_of([&] { open_dataset(folder.path()); });
  EXPECT_TRUE(contains(message, "looked for JPEG and PNG")) << message;
  EXPECT_TRUE(contains(message, "sub-folders cat")) << message;
  EXPECT_TRUE(contains(message, folder.path().string())) << message;
}

TEST(ImageFolder, NamesAnUndecodableFileAndCountsItOnce) {
  const TemporaryFolder folder;
  add_classes(folder, "");
  folder.add("ant/3.jpg", "this is no picture");
  const auto data = open_dataset(folder.path());
  EXPECT_TRUE(data->try_get(0).has_value());
  EXPECT_FALSE(data->try_get(2).has_value());
  EXPECT_FALSE(data->try_get(2).has_value());
  ASSERT_EQ(data->bad_samples().size(), 1U);
  EXPECT_TRUE(data->bad_samples()[0].name.ends_with("ant/3.jpg"));
  EXPECT_EQ(data->bad_samples()[0].reason, "not a JPEG or PNG picture");
  EXPECT_THROW(open_dataset(folder.path(), {}, {.strict = true})->try_get(2), ModelError);
}

TEST(Archive, GivesTheSameSamplesAsTheFolder) {
  const TemporaryFolder folder;
  add_classes(folder, "set/test/");
  std::string tar = tar_entry("set/", "", '5');
  for (const char* name : {"zebra/2.PNG", "zebra/1.png", "ant/1.jpg", "ant/2.png"}) {
    tar += tar_entry(std::string("./set/test/") + name, read_text_file(folder / (std::string("set/test/") + name)));
  }
  tar += std::string(1024, '\0');
  folder.add("a.tar", tar);
  std::string packed(ZSTD_compressBound(tar.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), tar.data(), tar.size(), 3));
  folder.add("a.tar.zst", packed);

  const auto plain = open_dataset(folder / "set");
  for (const std::string name : {"a.tar", "a.tar.zst", "a.tar.zst:set/test", "a.tar:set/test/"}) {
    const auto data = open_dataset(folder / name);
    ASSERT_EQ(data->size(), plain->size()) << name;
    EXPECT_EQ(data->class_names(), plain->class_names());
    for (std::int64_t i = 0; i < data->size(); ++i) {
      EXPECT_EQ(data->label(i), plain->label(i));
      EXPECT_TRUE(identical(data->get(i).input, plain->get(i).input)) << name << i;
    }
  }
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder / "a.tar.zst:set/nothing"); }), "below \"set/nothing\""));
}

TEST(Cifar, ReadsBinaryBatches) {
  const TemporaryFolder folder;
  std::string batch;
  for (int i = 0; i < 3; ++i)
    batch += static_cast<char>(i + 7) + std::string(1024, 'R') + std::string(1024, 'G') + std::string(1024, 'B');
  folder.add("test_batch.bin", batch);
  const auto data = open_dataset(folder.path());
  ASSERT_EQ(data->size(), 3);
  EXPECT_EQ(data->label(2), 9);
  const Tensor input = data->get(1).input;
  EXPECT_EQ(input.shape(), (Shape{1, 3, 32, 32}));
  EXPECT_EQ(input.data<float>()[1024], 'G');
  folder.add("bad.bin", batch.substr(1));
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder / "bad.bin"); }), "not a CIFAR batch"));
}

std::string idx(const std::vector<int>& dims, const std::string& data) {
  std::string out("\0\0\x08", 3);
  out += static_cast<char>(dims.size());
  for (const int dim : dims) out += std::string("\0\0", 2) + static_cast<char>(dim >> 8) + static_cast<char>(dim);
  return out + data;
}

TEST(Idx, PairsImagesWithLabels) {
  const TemporaryFolder folder;
  folder.add("t10k-images-idx3-ubyte", idx({2, 2, 3}, "abcdefghijkl"));
  folder.add("t10k-labels-idx1-ubyte", idx({2}, std::string("\3\0", 2)));
  const auto data = open_dataset(folder.path());
  ASSERT_EQ(data->size(), 2);
  EXPECT_EQ(data->label(0), 3);
  const Tensor input = data->get(1).input;
  EXPECT_EQ(input.shape(), (Shape{1, 1, 2, 3}));
  EXPECT_EQ(input.data<float>()[0], 'g');
}

TEST(Npy, PairsInputsWithLabelsBesideThem) {
  const TemporaryFolder folder;
  write_npy(folder / "x.npy", Tensor::from<float>({2, 2}, {1, 2, 3, 4}));
  write_npy(folder / "y.npy", Tensor::ints({1, 0}));
  const auto data = open_dataset(folder / "x.npy");
  EXPECT_EQ(data->label(0), 1);
  EXPECT_TRUE(identical(data->get(1).input, Tensor::from<float>({1, 2}, {3, 4})));
  EXPECT_EQ(open_dataset(folder.path())->size(), 2);
}

TEST(Npz, TakesTheChosenSplitAndTreatsBytesAsPictures) {
  const TemporaryFolder folder;
  write_npz(folder / "mnist.npz", {{"x_train", Tensor(DType::U8, {3, 4, 4})},
                                   {"y_train", Tensor::ints({1, 2, 3})},
                                   {"x_test", Tensor(DType::U8, {2, 4, 4})},
                                   {"y_test", Tensor::ints({1, 2})}});
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder / "mnist.npz"); }), "train, test"));
  const auto data = open_dataset(folder / "mnist.npz", {}, {.split = "test"});
  EXPECT_EQ(data->size(), 2);
  EXPECT_EQ(data->get(0).input.shape(), (Shape{1, 1, 4, 4}));
}

TEST(Npz, NamesAMismatchOfInputsAndLabels) {
  const TemporaryFolder folder;
  write_npz(folder / "a.npz", {{"x", Tensor(DType::F32, {3, 2})}, {"y", Tensor::ints({1, 2})}});
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder / "a.npz"); }), "3 inputs but 2 labels"));
}

TEST(Csv, TakesTheNamedOrTheLastColumnAsLabel) {
  const TemporaryFolder folder;
  folder.add("named.csv", "label,a,b\r\nx,1,2\r\ny,3,4.5\r\n\r\nx,-5e1,6\r\n");
  const auto named = open_dataset(folder / "named.csv");
  EXPECT_EQ(named->class_names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(named->label(2), 0);
  EXPECT_TRUE(identical(named->get(1).input, Tensor::from<float>({1, 2}, {3, 4.5})));
  folder.add("last.csv", "1,2,0\n3,4,1\n");
  EXPECT_EQ(open_dataset(folder / "last.csv")->label(1), 1);
  EXPECT_EQ(open_dataset(folder / "last.csv")->size(), 2);
}

TEST(Csv, HasTargetsWhenTheLabelsAreFractions) {
  const TemporaryFolder folder;
  folder.add("price.csv", "size,price\n1,2.5\n2,3.5\n");
  const Sample sample = open_dataset(folder / "price.csv")->get(1);
  EXPECT_EQ(sample.label, -1);
  ASSERT_TRUE(sample.target.has_value());
  EXPECT_EQ(sample.target->data<float>()[0], 3.5F);
}

TEST(Csv, NamesLineAndColumnOfAFault) {
  const TemporaryFolder folder;
  folder.add("a.csv", "a,b,label\n1,2,0\n3,oops,1\n");
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder / "a.csv"); }), "line 3, column 2: \"oops\""));
  EXPECT_TRUE(contains(message_of([&] { open_dataset(folder / "a.csv", {}, {.label_column = "lable"}); }),
                       "did you mean 'label'"));
}

TEST(OpenDataset, SaysThatNothingIsThere) {
  EXPECT_TRUE(contains(message_of([] { open_dataset("/nonexistent/data"); }), "data set not found"));
}

TEST(SharedCifar, FolderHas5000PicturesThatTheArchiveRepeats) {
  const char* unpacked = std::getenv("ADZE_DATA");
  if (unpacked == nullptr) GTEST_SKIP() << "skipped: no ADZE_DATA";
  const auto data = open_dataset(std::filesystem::path(unpacked) / "cifar10/test");
  EXPECT_EQ(data->size(), 5000);
  EXPECT_EQ(data->class_names(), (std::vector<std::string>{"airplane", "automobile", "bird", "cat", "deer", "dog",
                                                           "frog", "horse", "ship", "truck"}));
  const std::filesystem::path archive = std::filesystem::path(ADZE_SOURCE_DIR) / "../shared/data/cifar10.tar.zst";
  if (!std::filesystem::exists(archive)) GTEST_SKIP() << "skipped: no archive beside the checkout";
  const auto packed = open_dataset(archive.string() + ":cifar10/test");
  ASSERT_EQ(packed->size(), 5000);
  for (std::int64_t i = 0; i < 5000; i += 50) {
    EXPECT_EQ(packed->label(i), data->label(i));
    EXPECT_TRUE(identical(packed->get(i).input, data->get(i).input)) << data->name(i);
  }
}

}  // namespace
}  // namespace adze
