#include "services/core/files/named_backup.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

namespace fs = std::filesystem;

class NamedBackupTest : public testing::Test {
 protected:
  NamedBackupTest() {
    std::string name = testing::TempDir() + "named_backup.XXXXXX";
    parent_ = mkdtemp(name.data());
    parent_ += "/backups";
  }
  ~NamedBackupTest() override { fs::remove_all(fs::path(parent_).parent_path()); }

  static absl::Status WriteRecords(const std::string& directory) {
    std::ofstream(directory + "/records") << "all";
    return absl::OkStatus();
  }
  size_t Entries() const {
    const fs::directory_iterator entries(parent_);
    return static_cast<size_t>(std::distance(begin(entries), end(entries)));
  }

  std::string parent_;
};

TEST_F(NamedBackupTest, GetsItsNameOnceItIsComplete) {
  ASSERT_OK(MakeNamedBackup(parent_, "nightly", [&](const std::string& directory) {
    EXPECT_FALSE(fs::exists(parent_ + "/nightly"));
    EXPECT_TRUE(fs::is_empty(directory));
    return WriteRecords(directory);
  }));
  EXPECT_TRUE(fs::exists(parent_ + "/nightly/records"));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(NamedBackupTest, DoesNotOverwriteABackup) {
  ASSERT_OK(MakeNamedBackup(parent_, "nightly", WriteRecords));
  const auto fail = [](const std::string&) { return absl::InternalError("was called"); };
  EXPECT_THAT(MakeNamedBackup(parent_, "nightly", fail), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(MakeNamedBackup(parent_, "../nightly2", fail), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(Entries(), 1);
}

TEST_F(NamedBackupTest, AFailedBackupLeavesNothing) {
  EXPECT_THAT(MakeNamedBackup(parent_, "nightly",
                              [](const std::string& directory) {
                                EXPECT_OK(WriteRecords(directory));
                                return absl::UnavailableError("the disk is full");
                              }),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(Entries(), 0);
}

TEST_F(NamedBackupTest, ReplacesAnInterruptedBackup) {
  std::string cut_off;
  EXPECT_FALSE(MakeNamedBackup(parent_, "nightly", [&](const std::string& directory) {
                 cut_off = directory;
                 return absl::UnavailableError("");
               }).ok());
  fs::create_directories(cut_off);
  ASSERT_OK(WriteRecords(cut_off));
  ASSERT_OK(MakeNamedBackup(parent_, "nightly", [](const std::string& directory) {
    EXPECT_TRUE(fs::is_empty(directory));
    return absl::OkStatus();
  }));
  EXPECT_TRUE(fs::is_empty(parent_ + "/nightly"));
  EXPECT_EQ(Entries(), 1);
}

TEST(BackupNameTest, AllowsPlainNamesOnly) {
  for (const std::string& good : {std::string("a"), std::string("20261124-200700"), std::string("before_v1.2"),
                                  std::string("-x"), std::string(64, 'x')}) {
    EXPECT_OK(CheckBackupName(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string("."), std::string(".."), std::string(".x"),
                                 std::string("a/b"), std::string("Nightly"), std::string("a b"), std::string("a\0b", 3),
                                 std::string("\xc3\xa9"), std::string(65, 'x')}) {
    EXPECT_THAT(CheckBackupName(bad), StatusIs(absl::StatusCode::kInvalidArgument)) << bad;
  }
}

}  // namespace
}  // namespace entrepot
