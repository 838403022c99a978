#include "services/core/files/backup_name.h"

#include <string>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot {
namespace {

TEST(BackupNameTest, Names) {
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
