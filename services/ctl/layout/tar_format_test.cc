#include "services/ctl/layout/tar_format.h"

#include <fcntl.h>

#include <cstdlib>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/files/owned_fd.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TarFormatTest : public testing::Test {
 protected:
  std::string PathOf(const std::string& name) const { return absl::StrCat(directory_.path(), "/", name); }
  void Write(const std::string& name, const std::string& content) { std::ofstream(PathOf(name)) << content; }
  // Runs a command of the shell in the directory.
  void Shell(const std::string& command) {
    ASSERT_EQ(std::system(absl::StrCat("cd ", directory_.path(), " && ", command).c_str()), 0) << command;
  }
  // "PATH=CONTENT" of each file.
  std::vector<std::string> FilesOf(const std::string& name) {
    const OwnedFd fd(open(PathOf(name).c_str(), O_RDONLY | O_CLOEXEC));
    TarReader reader(fd.get());
    std::vector<std::string> files;
    while (true) {
      const auto entry = reader.Next();
      EXPECT_OK(entry.status());
      if (!entry.ok() || !entry->has_value()) return files;
      if (!(*entry)->is_file) continue;
      const auto content = ReadAt(fd.get(), (*entry)->data_offset, (*entry)->size_bytes);
      files.push_back(absl::StrCat((*entry)->path, "=", content.value_or("?")));
    }
  }

  kv::TemporaryDirectory directory_;
};

TEST_F(TarFormatTest, TarReadsWhatIsWritten) {
  Write("x.tar", absl::StrCat(TarHeader("oci-layout", 2), "{}", TarPadding(2), TarHeader("blobs/sha256/ab", 512),
                              std::string(512, 'x'), TarPadding(512), TarHeader("empty", 0), TarEnd()));
  Shell("mkdir out && tar -xf x.tar -C out && tar -tvf x.tar > list");
  Shell("test \"$(cat out/oci-layout)\" = '{}' && test $(stat -c %s out/blobs/sha256/ab) = 512 && test -f out/empty");
  EXPECT_THAT(FilesOf("x.tar"),
              ElementsAre("oci-layout={}", absl::StrCat("blobs/sha256/ab=", std::string(512, 'x')), "empty="));
}

TEST_F(TarFormatTest, ReadsWhatTarWrites) {
  const std::string name(120, 'n');
  Write(name, "long");
  Write("b", "short");
  Shell("mkdir d && mv b d/");
  for (const char* format : {"gnu", "pax", "ustar", "v7"}) {
    const std::string files = std::string(format) == "gnu" || std::string(format) == "pax" ? "./d ./n*" : "./d";
    Shell(absl::StrCat("tar --format=", format, " -cf ", format, ".tar ", files));
    const std::vector<std::string> found = FilesOf(absl::StrCat(format, ".tar"));
    ASSERT_FALSE(found.empty()) << format;
    EXPECT_EQ(found[0], "d/b=short") << format;
    if (files != "./d") {
      EXPECT_THAT(found, ElementsAre("d/b=short", absl::StrCat(name, "=long"))) << format;
    }
  }
}

TEST_F(TarFormatTest, ReadsWhatFollowsALinkWithALongTarget) {
  Write("z", "behind");
  Shell(absl::StrCat("ln -s ", std::string(120, 't'), " link && tar --format=gnu -cf x.tar link z"));
  EXPECT_THAT(FilesOf("x.tar"), ElementsAre("z=behind"));
}

TEST_F(TarFormatTest, ASizeAbove8GiBIsKept) {
  constexpr uint64_t kSize = 10'000'000'000;
  Write("large.tar", TarHeader("blob", kSize));
  const OwnedFd fd(open(PathOf("large.tar").c_str(), O_RDONLY | O_CLOEXEC));
  TarReader reader(fd.get());
  ASSERT_OK_AND_ASSIGN(const auto entry, reader.Next());
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->size_bytes, kSize);
  EXPECT_EQ(entry->end_offset(), 512 + (kSize + 511) / 512 * 512);
}

TEST_F(TarFormatTest, RefusesOtherFiles) {
  Write("x", std::string(2000, 'x'));
  const OwnedFd fd(open(PathOf("x").c_str(), O_RDONLY | O_CLOEXEC));
  TarReader reader(fd.get());
  const absl::Status status = reader.Next().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(status.message()), HasSubstr("no tar header at byte 0"));
}

}  // namespace
}  // namespace entrepot::ctl
