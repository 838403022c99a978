#include "services/manifest/caller_check.h"

#include <memory>

#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/records/catalog_format.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

class CallerCheckTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(EnsureFormat(kv_)); }

  std::unique_ptr<CallerCheck> Open(const CallerCheck::Options& options = {}) {
    return CallerCheck::Open(&kv_, &executor_, options).value();
  }

  const Caller without_token_;
  const Caller with_token_{.account = "", .token_issued_at = absl::FromUnixSeconds(1'700'000'000)};
  kv::MemoryKvEngine kv_;
  runtime::Executor executor_{1};
};

TEST_F(CallerCheckTest, ServesEveryCallerWithoutAccounts) {
  EXPECT_OK(Open()->Check(without_token_));
  EXPECT_THAT(HasAccounts(kv_), IsOkAndHolds(false));
}

TEST_F(CallerCheckTest, LearnsOfWhatAnotherProcessHasMarked) {
  const auto check = Open({.shared = true, .read_again_after = absl::ZeroDuration()});
  const auto other = Open({.shared = true, .read_again_after = absl::Milliseconds(1)});
  EXPECT_OK(check->Check(without_token_));
  check->ReadAgain();
  EXPECT_OK(check->Check(without_token_));
  ASSERT_OK(MarkAccounts(kv_));
  check->ReadAgain();
  EXPECT_THAT(check->Check(without_token_), IsOciError(OciErrorCode::kDenied));
  // By itself.
  EXPECT_TRUE(Eventually([&] { return !other->Check(without_token_).ok(); }));
}

TEST_F(CallerCheckTest, ACallWithATokenMarksTheMetadata) {
  const auto check = Open();
  EXPECT_OK(check->Check(with_token_));
  EXPECT_THAT(check->Check(without_token_), IsOciError(OciErrorCode::kDenied));
  EXPECT_TRUE(Eventually([&] { return HasAccounts(kv_).value(); }));
  EXPECT_OK(Open()->Check(with_token_));
  EXPECT_THAT(Open()->Check(without_token_), IsOciError(OciErrorCode::kDenied));
}

TEST_F(CallerCheckTest, APolicyMarksTheMetadata) {
  EXPECT_THAT(Open({.policy_needs_accounts = true})->Check(without_token_), IsOciError(OciErrorCode::kDenied));
  EXPECT_THAT(Open()->Check(without_token_), IsOciError(OciErrorCode::kDenied));
}

TEST_F(CallerCheckTest, TheOperatorMayAllowCallersWithoutAToken) {
  EXPECT_OK(Open({.policy_needs_accounts = true, .allow_unauthenticated = true})->Check(without_token_));
}

}  // namespace
}  // namespace entrepot::manifest
