#include "services/runtime/files/secret_file.h"

#include <sys/stat.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string Written(const std::string& name, mode_t mode) {
  std::string path = testing::TempDir() + name;
  std::ofstream(path) << "secret";
  EXPECT_EQ(::chmod(path.c_str(), mode), 0);
  return path;
}

std::string Warning(const std::string& path) {
  testing::internal::CaptureStderr();
  WarnIfOpenToOthers(path);
  return testing::internal::GetCapturedStderr();
}

TEST(SecretFileTest, OwnerAndGroupMayRead) {
  EXPECT_FALSE(IsOpenToOthers(Written("private.key", 0600)));
  EXPECT_FALSE(IsOpenToOthers(Written("group.key", 0640)));
  EXPECT_THAT(Warning(Written("private.key", 0600)), IsEmpty());
  EXPECT_FALSE(IsOpenToOthers(testing::TempDir() + "missing.key"));
}

TEST(SecretFileTest, WarnsIfOthersMayReadOrWrite) {
  const std::string path = Written("open.key", 0644);
  EXPECT_TRUE(IsOpenToOthers(path));
  EXPECT_THAT(Warning(path), AllOf(HasSubstr("\"level\":\"warning\""), HasSubstr(path), HasSubstr("0644")));
  EXPECT_TRUE(IsOpenToOthers(Written("writable.key", 0602)));
}

}  // namespace
}  // namespace entrepot::runtime
