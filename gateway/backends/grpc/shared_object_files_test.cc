#include "gateway/backends/grpc/shared_object_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SharedObjectFilesTest : public ::testing::Test {
 protected:
  // Writes the file, and describes it as the service would.
  ObjectFile Write(const std::string& path, absl::string_view bytes) {
    const std::string whole = directory_.path() + "/" + path;
    std::filesystem::create_directories(std::filesystem::path(whole).parent_path());
    std::ofstream(whole) << bytes;
    struct stat found {};
    EXPECT_EQ(::stat(whole.c_str(), &found), 0);
    return {.path = path,
            .inode = found.st_ino,
            .size_bytes = static_cast<uint64_t>(found.st_size),
            .modified_nanoseconds = found.st_mtim.tv_sec * 1'000'000'000 + found.st_mtim.tv_nsec};
  }

  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  kv::TemporaryDirectory directory_;
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  SharedObjectFiles files_{directory_.path(), registry_};
};

TEST_F(SharedObjectFilesTest, OpensTheDescribedFile) {
  const ObjectFile file = Write("objects/ab/f1", "layer");
  EXPECT_TRUE(files_.usable());
  const absl::StatusOr<OwnedFd> fd = files_.Open(file);
  ASSERT_OK(fd);
  std::array<char, 16> bytes{};
  EXPECT_EQ(::read(fd->get(), bytes.data(), bytes.size()), 5);
  EXPECT_EQ(absl::string_view(bytes.data(), 5), "layer");
  EXPECT_TRUE(files_.usable());
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_gateway_object_files_total{result=\"opened\"} 1"));
}

TEST_F(SharedObjectFilesTest, RefusesAnotherFile) {
  const ObjectFile file = Write("objects/ab/f1", "layer");
  for (int changed = 0; changed < 3; ++changed) {
    ObjectFile other = file;
    if (changed == 0) ++other.inode;
    if (changed == 1) ++other.size_bytes;
    if (changed == 2) ++other.modified_nanoseconds;
    EXPECT_THAT(files_.Open(other), StatusIs(absl::StatusCode::kFailedPrecondition)) << changed;
  }
  EXPECT_THAT(Metrics(), AllOf(HasSubstr("entrepot_gateway_object_files_total{result=\"refused\"} 3"),
                               HasSubstr("entrepot_gateway_object_files_total{result=\"opened\"} 0")));
}

TEST_F(SharedObjectFilesTest, AMissingFileIsNoReasonToPauseButManyAre) {
  const ObjectFile file = Write("objects/ab/f1", "layer");
  const auto miss = [&](int times) {
    for (int i = 0; i < times; ++i) {
      EXPECT_THAT(files_.Open({.path = "objects/ab/none"}), StatusIs(absl::StatusCode::kNotFound));
    }
  };
  for (int round = 0; round < 2; ++round) {
    miss(SharedObjectFiles::kMissingInARowMax - 1);
    EXPECT_TRUE(files_.usable());
    EXPECT_OK(files_.Open(file).status());
  }
  miss(SharedObjectFiles::kMissingInARowMax);
  EXPECT_FALSE(files_.usable());
}

TEST_F(SharedObjectFilesTest, PausesWithoutTheDirectory) {
  SharedObjectFiles files(directory_.path() + "/none", registry_);
  EXPECT_THAT(files.Open({.path = "objects/ab/f1"}), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_FALSE(files.usable());
}

// Without a reader of the FIFO the thread would wait for a writer.
TEST_F(SharedObjectFilesTest, RefusesAFifoAtOnce) {
  ObjectFile file = Write("objects/ab/f1", "layer");
  const std::string whole = directory_.path() + "/objects/ab/fifo";
  ASSERT_EQ(::mkfifo(whole.c_str(), 0600), 0);
  file.path = "objects/ab/fifo";
  EXPECT_THAT(files_.Open(file), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(SharedObjectFilesTest, RefusesPathsOutsideOfTheDirectoryAndLinks) {
  ObjectFile file = Write("objects/ab/f1", "layer");
  std::filesystem::create_symlink("f1", directory_.path() + "/objects/ab/link");
  std::filesystem::create_directory_symlink("ab", directory_.path() + "/objects/cd");
  for (const char* path : {"objects/ab/link", "objects/cd/f1"}) {
    file.path = path;
    EXPECT_THAT(files_.Open(file), StatusIs(absl::StatusCode::kUnavailable)) << path;
  }
  for (const char* path : {"", "/etc/passwd", "../x", "objects/../../x"}) {
    file.path = path;
    EXPECT_THAT(files_.Open(file), StatusIs(absl::StatusCode::kInvalidArgument)) << path;
  }
}

}  // namespace
}  // namespace entrepot::gateway
