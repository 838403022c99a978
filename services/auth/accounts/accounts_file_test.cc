#include "services/auth/accounts/accounts_file.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::HasSubstr;

class AccountsFileTest : public testing::Test {
 protected:
  void Write(const std::string& text) {
    std::ofstream(path_ + ".new") << text;
    std::filesystem::rename(path_ + ".new", path_);
  }
  void Open() { ASSERT_OK_AND_ASSIGN(file_, AccountsFile::Open(path_, registry_, absl::ZeroDuration())); }
  bool Has(const std::string& name) const { return file_->current()->users.contains(name); }
  double Count(const std::string& result) const {
    const auto families = registry_->Collect();
    for (const auto& metric : families.at(0).metric) {
      if (metric.label.at(0).value == result) return metric.counter.value;
    }
    return -1;
  }

  const std::string hash_ = BcryptHash::Make("secret", 4).ToString();
  const std::string costly_hash_ = BcryptHash::Make("secret", 6).ToString();
  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  kv::TemporaryDirectory directory_;
  const std::string path_ = directory_.path() + "/users";
  std::unique_ptr<AccountsFile> file_;
};

TEST_F(AccountsFileTest, HasNoUsersWithoutAFile) {
  ASSERT_OK_AND_ASSIGN(const auto file, AccountsFile::Open("", registry_));
  EXPECT_TRUE(file->current()->users.empty());
  EXPECT_OK(file->ReloadIfChanged());
}

TEST_F(AccountsFileTest, RefusesAnUnusableFirstFile) {
  const auto missing = AccountsFile::Open(path_, registry_, absl::ZeroDuration());
  EXPECT_THAT(missing, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr(path_));
  Write("alice:x\n");
  const auto bad = AccountsFile::Open(path_, registry_, absl::ZeroDuration());
  EXPECT_THAT(bad, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(bad.status().message()), HasSubstr(path_ + ":1: user alice"));
}

TEST_F(AccountsFileTest, LoadsValidChangesOnly) {
  Write("alice:" + hash_ + "\n");
  Open();
  EXPECT_TRUE(Has("alice"));
  EXPECT_EQ(file_->current()->cost_max, 4);
  const auto before = file_->current();
  testing::internal::CaptureStderr();
  Write("bob:" + costly_hash_ + "\n");
  EXPECT_OK(file_->ReloadIfChanged());
  EXPECT_FALSE(Has("alice"));
  EXPECT_TRUE(Has("bob"));
  EXPECT_EQ(file_->current()->cost_max, 6);
  EXPECT_TRUE(before->users.contains("alice"));
  Write("bob\n");
  EXPECT_THAT(file_->ReloadIfChanged(), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(Has("bob"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("new accounts file refused, the old one stays"));
  EXPECT_EQ(Count("success"), 2);
  EXPECT_EQ(Count("failure"), 1);
}

}  // namespace
}  // namespace entrepot::auth
