#include "services/auth/records/auth_format.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using ::testing::HasSubstr;

void Put(kv::KvEngine& kv, const std::string& key, const std::string& value) {
  ASSERT_OK(kv.Transact({{.key = key}}, [&](kv::KvTransaction& transaction) {
    transaction.Put(key, value);
    return absl::OkStatus();
  }));
}

TEST(AuthFormatTest, MarksAnEmptyStoreAndRecognisesIt) {
  kv::MemoryKvEngine kv;
  Put(kv, "m/of another service", "x");
  ASSERT_OK(EnsureFormat(kv));
  Put(kv, "a/u/alice", "x");
  EXPECT_OK(EnsureFormat(kv));
}

TEST(AuthFormatTest, ChecksWithoutMarking) {
  kv::MemoryKvEngine kv;
  EXPECT_THAT(HasFormat(kv), IsOkAndHolds(false));
  EXPECT_THAT(CheckFormat(kv), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(CheckFormat(kv), StatusIs(absl::StatusCode::kFailedPrecondition));
  ASSERT_OK(EnsureFormat(kv));
  EXPECT_OK(CheckFormat(kv));
  EXPECT_THAT(HasFormat(kv), IsOkAndHolds(true));
}

TEST(AuthFormatTest, RefusesAnotherFormat) {
  kv::MemoryKvEngine kv;
  Put(kv, "f/auth", "\x08\x02");
  const absl::Status status = EnsureFormat(kv);
  EXPECT_EQ(CheckFormat(kv), status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("format 2"));
}

TEST(AuthFormatTest, RefusesRecordsWithoutAMark) {
  kv::MemoryKvEngine kv;
  Put(kv, "a/u/alice", "x");
  const absl::Status status = EnsureFormat(kv);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("a/u/alice"));
}

}  // namespace
}  // namespace entrepot::auth
