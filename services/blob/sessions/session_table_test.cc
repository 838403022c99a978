#include "services/blob/sessions/session_table.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class SessionTableTest : public testing::Test {
 protected:
  UploadId Add() {
    const UploadId id = UploadId::Random();
    EXPECT_OK(table_.Add(id, owner_));
    return id;
  }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  FakeClock clock_;
  prometheus::Gauge gauge_;
  SessionTable table_{2, absl::Hours(1), &clock_, &gauge_};
};

TEST_F(SessionTableTest, ASessionIsClaimedOnce) {
  const UploadId id = Add();
  {
    ASSERT_OK_AND_ASSIGN(const SessionTable::Claim claim, table_.ClaimFor(SessionUse::kAppend, id, owner_));
    EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, owner_), IsOciError(OciErrorCode::kRangeInvalid));
    EXPECT_THAT(table_.ClaimFor(SessionUse::kSeal, id, owner_), IsOciError(OciErrorCode::kRangeInvalid));
    EXPECT_OK(table_.Find(id, owner_));
  }
  EXPECT_OK(table_.ClaimFor(SessionUse::kSeal, id, owner_));
}

TEST_F(SessionTableTest, ASessionIsUnknownToOtherOwners) {
  const UploadId id = Add();
  const RepositoryName elsewhere = *RepositoryName::Parse("team/other");
  for (const UploadOwner& other :
       {UploadOwner{owner_.repository, "grace"}, UploadOwner{owner_.repository, ""}, UploadOwner{elsewhere, "ada"}}) {
    EXPECT_THAT(table_.Find(id, other), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, other), IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_FALSE(table_.RemoveSealed(id, other));
  }
  EXPECT_OK(table_.Find(id, owner_));
}

TEST_F(SessionTableTest, ATemporaryClaimIsUnavailable) {
  const UploadId id = Add();
  ASSERT_OK_AND_ASSIGN(const SessionTable::Claim claim, table_.ClaimFor(SessionUse::kSeal, id, owner_));
  EXPECT_THAT(table_.ClaimFor(SessionUse::kSeal, id, owner_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, owner_), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_THAT(table_.ClaimFor(SessionUse::kVerify, id, owner_), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(SessionTableTest, ASessionWhoseStartFailedIsGone) {
  const UploadId id = UploadId::Random();
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.Add(id, owner_));
    EXPECT_EQ(gauge_.Value(), 1);
    claim.Remove();
    EXPECT_FALSE(claim.open());
  }
  EXPECT_EQ(gauge_.Value(), 0);
  EXPECT_THAT(table_.Find(id, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(SessionTableTest, CountsOpenSessionsOnly) {
  const UploadId first = Add();
  Add();
  EXPECT_THAT(table_.Add(UploadId::Random(), owner_), IsOciError(OciErrorCode::kTooManyRequests));
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kSeal, first, owner_));
    EXPECT_TRUE(claim.open());
    claim.Update(SessionState::kSealed, 5, /*trusted=*/true);
    EXPECT_FALSE(claim.open());
  }
  EXPECT_EQ(gauge_.Value(), 1);
  EXPECT_THAT(table_.Find(first, owner_)->offset_bytes, 5);
  Add();
  EXPECT_FALSE(table_.RemoveSealed(first, UploadOwner{owner_.repository, "grace"}));
  EXPECT_TRUE(table_.RemoveSealed(first, owner_));
  EXPECT_FALSE(table_.RemoveSealed(first, owner_));
  EXPECT_EQ(gauge_.Value(), 2);
}

TEST_F(SessionTableTest, AMovedClaimReleasesOnce) {
  const UploadId id = Add();
  std::optional<SessionTable::Claim> moved;
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kAppend, id, owner_));
    moved.emplace(std::move(claim));
  }
  EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, owner_), IsOciError(OciErrorCode::kRangeInvalid));
  moved.reset();
  EXPECT_OK(table_.ClaimFor(SessionUse::kAppend, id, owner_));
}

TEST_F(SessionTableTest, ReleasingAClaimTouchesTheSession) {
  const UploadId id = Add();
  clock_.Advance(absl::Minutes(59));
  { ASSERT_OK(table_.ClaimFor(SessionUse::kAppend, id, owner_)); }
  clock_.Advance(absl::Minutes(59));
  EXPECT_OK(table_.Find(id, owner_));
  EXPECT_EQ(table_.OldestAge(), absl::Minutes(59));
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(table_.Find(id, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(SessionTableTest, ClaimsExpiredSessionsUpToALimit) {
  Add();
  Add();
  EXPECT_THAT(table_.ClaimExpired(10).open, IsEmpty());
  clock_.Advance(absl::Hours(1));
  std::vector<SessionTable::Claim> claims = table_.ClaimExpired(1).open;
  ASSERT_THAT(claims, SizeIs(1));
  EXPECT_THAT(table_.ClaimExpired(10).open, SizeIs(1));
  claims[0].Remove();
}

TEST_F(SessionTableTest, OneThreadAtATimeClaimsASession) {
  const UploadId id = Add();
  std::atomic<int> holders{0};
  std::atomic<int> claims{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 2'000; ++j) {
        absl::StatusOr<SessionTable::Claim> claim = table_.ClaimFor(SessionUse::kAppend, id, owner_);
        if (!claim.ok()) continue;
        EXPECT_EQ(++holders, 1);
        ++claims;
        --holders;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(claims, 0);
}

}  // namespace
}  // namespace entrepot::blob
