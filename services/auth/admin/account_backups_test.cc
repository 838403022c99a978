#include "services/auth/admin/account_backups.h"

#include <filesystem>
#include <memory>

#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/auth/records/auth_format.h"
#include "services/kv/stack/kv_stack.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

TEST(AccountBackupsTest, CopiesTheRecordsOfAnOpenStore) {
  const kv::TemporaryDirectory directory;
  const auto kv = *kv::KvStack::Open(directory.path() + "/kv", std::make_shared<prometheus::Registry>());
  ASSERT_OK(EnsureFormat(*kv->engine()));
  AccountBackups backups(directory.path() + "/backups", [&](const std::string& to) { return kv->Snapshot(to); });
  ASSERT_OK_AND_ASSIGN(const v1::AccountsBackup backup, backups.Take("nightly"));
  EXPECT_EQ(backup.directory(), std::filesystem::path(directory.path() + "/backups/nightly").lexically_normal());
  const auto copy = *kv::KvStack::Open(backup.directory() + "/kv", std::make_shared<prometheus::Registry>());
  EXPECT_OK(CheckFormat(*copy->engine()));
  EXPECT_THAT(backups.Take("nightly"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(backups.Take("../nightly2"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(AccountBackupsTest, DoesNothingIfAnotherServiceBacksUpTheKv) {
  const kv::TemporaryDirectory directory;
  AccountBackups backups(directory.path() + "/backups", {});
  ASSERT_OK_AND_ASSIGN(const v1::AccountsBackup backup, backups.Take("nightly"));
  EXPECT_EQ(backup.directory(), "");
  EXPECT_FALSE(std::filesystem::exists(directory.path() + "/backups"));
}

}  // namespace
}  // namespace entrepot::auth
