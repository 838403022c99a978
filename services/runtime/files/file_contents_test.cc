#include "services/runtime/files/file_contents.h"

#include <sys/stat.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::testing::HasSubstr;

std::string WriteFile(const std::string& name, const std::string& contents) {
  const std::string path = testing::TempDir() + "/" + name;
  std::ofstream(path, std::ios::binary) << contents;
  return path;
}

TEST(FileContentsTest, ReadsAllBytes) {
  const std::string contents("a\0b\n\xff", 5);
  EXPECT_THAT(ReadFileContents(WriteFile("all", contents), 5), IsOkAndHolds(contents));
  EXPECT_THAT(ReadFileContents(WriteFile("empty", ""), 5), IsOkAndHolds(std::string()));
  EXPECT_THAT(ReadFileContents(WriteFile("empty", ""), 0), IsOkAndHolds(std::string()));
}

TEST(FileContentsTest, RefusesLargerFiles) {
  const std::string path = WriteFile("large", "123456");
  const auto result = ReadFileContents(path, 5);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(result.status().message(), path + " is larger than 5 bytes");
}

TEST(FileContentsTest, NamesTheFileThatCannotBeRead) {
  const std::string missing = testing::TempDir() + "/missing";
  const auto result = ReadFileContents(missing, 5);
  EXPECT_THAT(result, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(result.status().message()), HasSubstr(missing));
}

TEST(FileContentsTest, RefusesDirectoriesAndFifos) {
  EXPECT_THAT(ReadFileContents(testing::TempDir(), 5), StatusIs(absl::StatusCode::kInvalidArgument));
  // A FIFO without a writer would block an open() that waits.
  const std::string fifo = testing::TempDir() + "/fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(ReadFileContents(fifo, 5), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::runtime
