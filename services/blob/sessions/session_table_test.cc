#include "services/blob/sessions/session_table.h"

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SessionTableTest : public testing::Test {
 protected:
  UploadId Add() { return Add(owner_); }

  UploadId Add(const UploadOwner& owner) {
    const UploadId id = UploadId::Random();
    EXPECT_OK(table_.Add(id, owner));
    return id;
  }
  // A session with bytes.
  UploadId AddFilled(const UploadOwner& owner) {
    const UploadId id = Add(owner);
    absl::StatusOr<SessionTable::Claim> claim = table_.ClaimFor(SessionUse::kAppend, id, owner);
    EXPECT_OK(claim);
    claim->Update(SessionState::kOpen, 5, /*trusted=*/true);
    return id;
  }
  absl::Status Refusal(const UploadOwner& owner) { return table_.Add(UploadId::Random(), owner).status(); }
  UploadOwner Account(const std::string& account) const { return {owner_.repository, account}; }
  UploadOwner Client(const std::string& address) const { return {owner_.repository, "", address}; }
  double OpenSessions() { return metrics_.upload_sessions()->Value(); }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  FakeClock clock_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  SessionTable table_{{.open_max = 4, .share_max = 2, .lifetime = absl::Hours(1)}, &clock_, &metrics_};
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
  // A client that did not get the answer repeats the request with the last bytes, while the first one seals.
  EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, owner_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(table_.ClaimFor(SessionUse::kVerify, id, owner_), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(SessionTableTest, ASessionWhoseStartFailedIsGone) {
  const UploadId id = UploadId::Random();
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Added added, table_.Add(id, owner_));
    EXPECT_EQ(OpenSessions(), 1);
    added.session.Remove();
    EXPECT_FALSE(added.session.open());
  }
  EXPECT_EQ(OpenSessions(), 0);
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
  EXPECT_EQ(OpenSessions(), 1);
  EXPECT_THAT(table_.Find(first, owner_)->offset_bytes, 5);
  Add();
  EXPECT_FALSE(table_.RemoveSealed(first, UploadOwner{owner_.repository, "grace"}));
  EXPECT_TRUE(table_.RemoveSealed(first, owner_));
  EXPECT_FALSE(table_.RemoveSealed(first, owner_));
  EXPECT_EQ(OpenSessions(), 2);
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

TEST_F(SessionTableTest, ClaimsExpiredSessions) {
  Add();
  Add();
  EXPECT_THAT(table_.ClaimDue().deletable, IsEmpty());
  clock_.Advance(absl::Hours(1));
  std::vector<SessionTable::Claim> claims = table_.ClaimDue().deletable;
  ASSERT_THAT(claims, SizeIs(2));
  EXPECT_THAT(table_.ClaimDue().deletable, IsEmpty());
  claims[0].Remove();
}

TEST_F(SessionTableTest, AnEndingSessionStaysDueUntilItIsRemoved) {
  const UploadId id = Add();
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kEnd, id, owner_));
    claim.End();
  }
  EXPECT_EQ(OpenSessions(), 0);
  EXPECT_THAT(table_.Find(id, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(table_.ClaimFor(SessionUse::kAppend, id, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(table_.ClaimDue().deletable, SizeIs(1));
  // Its owner may try again too.
  EXPECT_OK(table_.ClaimFor(SessionUse::kEnd, id, owner_));
  std::vector<SessionTable::Claim> claims = table_.ClaimDue().deletable;
  ASSERT_THAT(claims, SizeIs(1));
  claims[0].Remove();
  EXPECT_FALSE(table_.Contains(id));
}

TEST_F(SessionTableTest, EachAccountHasAShare) {
  AddFilled(owner_);
  AddFilled(owner_);
  const absl::Status refusal = Refusal(owner_);
  EXPECT_THAT(refusal, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(refusal.message(), HasSubstr("this account has 2 uploads open, as many as "
                                           "uploads.sessions_per_account_max allows"));
  EXPECT_EQ(GetRetryAfter(refusal), absl::Hours(1));
  AddFilled(Account("grace"));
  AddFilled(Account("grace"));
  const absl::Status full = Refusal(Account("eve"));
  EXPECT_THAT(full, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(full.message(), HasSubstr("4 uploads are open, as many as uploads.sessions_max allows"));
}

TEST_F(SessionTableTest, TheUpstreamServiceHasNoShare) {
  for (int i = 0; i < 3; ++i) AddFilled(Account(kUpstreamAccount));
  AddFilled(owner_);
  EXPECT_THAT(Refusal(Account(kUpstreamAccount)).message(), HasSubstr("uploads.sessions_max allows"));
}

TEST_F(SessionTableTest, AnOpenSessionOfTheUpstreamServiceExpiresEarly) {
  const UploadOwner fetch = Account(kUpstreamAccount);
  const UploadId left = AddFilled(fetch);
  const UploadId sealed = AddFilled(fetch);
  table_.ClaimFor(SessionUse::kSeal, sealed, fetch)->Update(SessionState::kSealed, 5, /*trusted=*/true);
  const UploadId of_client = AddFilled(owner_);
  clock_.Advance(absl::Minutes(29));
  EXPECT_OK(table_.Find(left, fetch));
  const absl::Time now = clock_.Now();
  EXPECT_EQ(table_.Totals().idle.first_at, now + absl::Minutes(1));
  EXPECT_EQ(table_.Totals().idle.last_at, now + absl::Minutes(31));
  EXPECT_EQ(table_.List({.account = kUpstreamAccount}, "", 10).uploads.at(0).expires_at, now + absl::Minutes(1));
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(table_.Find(left, fetch), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(table_.ClaimDue().deletable, SizeIs(1));
  EXPECT_OK(table_.Find(sealed, fetch));
  EXPECT_OK(table_.Find(of_client, owner_));
}

TEST_F(SessionTableTest, CallersWithoutAnAccountHaveAShareForEachNetwork) {
  AddFilled(Client("2001:db8::1"));
  AddFilled(Client("2001:db8::2"));
  EXPECT_THAT(Refusal(Client("2001:db8::3")).message(), HasSubstr("this address has 2 uploads open"));
  const UploadId id = AddFilled(Client("192.0.2.1"));
  // The address may change during an upload.
  EXPECT_OK(table_.Find(id, Client("192.0.2.2")));
  // An account may be named like an address.
  AddFilled(Account("2001:db8::/64"));
}

TEST_F(SessionTableTest, AnEndedSessionLeavesItsShare) {
  const UploadId first = AddFilled(owner_);
  AddFilled(owner_);
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kSeal, first, owner_));
    claim.Update(SessionState::kSealed, 5, /*trusted=*/true);
  }
  const UploadId third = AddFilled(owner_);
  EXPECT_THAT(Refusal(owner_), IsOciError(OciErrorCode::kTooManyRequests));
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kEnd, third, owner_));
    claim.Remove();
  }
  Add();
}

TEST_F(SessionTableTest, AnIdleEmptySessionOfAFullShareMakesRoom) {
  const UploadId oldest = Add();
  const UploadId other = Add(Account("grace"));
  clock_.Advance(absl::Minutes(1));
  const UploadId newer = Add();
  EXPECT_EQ(GetRetryAfter(Refusal(owner_)), absl::Minutes(9));
  clock_.Advance(absl::Minutes(9));
  {
    ASSERT_OK_AND_ASSIGN(const SessionTable::Added added, table_.Add(UploadId::Random(), owner_));
    ASSERT_THAT(added.evicted, SizeIs(1));
    EXPECT_EQ(added.evicted[0].id(), oldest);
    EXPECT_THAT(table_.Find(oldest, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
  }
  EXPECT_OK(table_.Find(newer, owner_));
  EXPECT_OK(table_.Find(other, Account("grace")));
  EXPECT_THAT(table_.ClaimDue().deletable, SizeIs(1));
}

TEST_F(SessionTableTest, AnIdleEmptySessionOfAnyShareMakesRoomIfAllAreOpen) {
  const UploadId oldest = Add();
  Add();
  Add(Account("grace"));
  AddFilled(Account("grace"));
  clock_.Advance(absl::Minutes(10));
  ASSERT_OK_AND_ASSIGN(const SessionTable::Added added, table_.Add(UploadId::Random(), Account("eve")));
  ASSERT_THAT(added.evicted, SizeIs(1));
  EXPECT_EQ(added.evicted[0].id(), oldest);
}

TEST_F(SessionTableTest, SessionsInUseOrWithBytesDoNotMakeRoom) {
  AddFilled(owner_);
  const UploadId used = Add();
  ASSERT_OK_AND_ASSIGN(const SessionTable::Claim claim, table_.ClaimFor(SessionUse::kAppend, used, owner_));
  clock_.Advance(absl::Minutes(30));
  EXPECT_EQ(GetRetryAfter(Refusal(owner_)), absl::Minutes(30));
  EXPECT_EQ(OpenSessions(), 2);
}

TEST_F(SessionTableTest, RestoredSessionsCountAgainstTheirShare) {
  for (int i = 0; i < 5; ++i) {
    table_.Restore(
        UploadId::Random(),
        {.owner = {.repository = "team/app", .account = "ada"}, .offset_bytes = 7, .touched_at = clock_.Now()});
  }
  EXPECT_THAT(Refusal(owner_).message(), HasSubstr("this account has 5 uploads open"));
  EXPECT_EQ(table_.Totals().sessions, 5u);
  EXPECT_EQ(table_.Totals().bytes, 35u);
  EXPECT_EQ(metrics_.upload_bytes()->Value(), 35);
}

TEST_F(SessionTableTest, ListsOpenSessionsInPages) {
  AddFilled(owner_);
  const UploadId other = AddFilled({*RepositoryName::Parse("b"), "", "192.0.2.1"});
  Add();
  OpenUploadPage page = table_.List({}, "", 2);
  ASSERT_THAT(page.uploads, SizeIs(2));
  EXPECT_LT(page.uploads[0].id, page.uploads[1].id);
  EXPECT_EQ(page.next, page.uploads[1].id);
  page = table_.List({}, page.next, 2);
  ASSERT_THAT(page.uploads, SizeIs(1));
  EXPECT_EQ(page.next, "");

  for (const UploadFilter& filter : {UploadFilter{.repository = "b"}, UploadFilter{.client = "192.0.2.1"},
                                     UploadFilter{.id = other.ToString(), .repository = "b"}}) {
    page = table_.List(filter, "", 10);
    ASSERT_THAT(page.uploads, SizeIs(1));
    EXPECT_EQ(page.uploads[0].id, other.ToString());
    EXPECT_EQ(page.uploads[0].received_bytes, 5u);
    EXPECT_EQ(page.uploads[0].started_at, clock_.Now());
    EXPECT_EQ(page.uploads[0].expires_at, clock_.Now() + absl::Hours(1));
    EXPECT_FALSE(page.uploads[0].in_use);
  }
  EXPECT_THAT(table_.List({.account = "ada"}, "", 10).uploads, SizeIs(2));
  EXPECT_THAT(table_.List({.repository = "b", .account = "ada"}, "", 10).uploads, IsEmpty());
}

TEST_F(SessionTableTest, AClaimedSessionThatMatchesEndsWithItsClaim) {
  const UploadId used = AddFilled(owner_);
  const UploadId idle = AddFilled(owner_);
  const UploadId other = AddFilled(Account("grace"));
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kAppend, used, owner_));
    SessionTable::Selected selected = table_.ClaimMatching({.account = "ada"});
    ASSERT_THAT(selected.idle, SizeIs(1));
    EXPECT_EQ(selected.idle[0].id(), idle);
    EXPECT_EQ(selected.in_use, 1u);
    selected.idle[0].Remove();
    claim.Update(SessionState::kOpen, 6, /*trusted=*/true);
    EXPECT_OK(table_.Find(used, owner_));
  }
  EXPECT_THAT(table_.Find(used, owner_), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(table_.ClaimDue().deletable, SizeIs(1));
  EXPECT_OK(table_.Find(other, Account("grace")));
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

TEST_F(SessionTableTest, CountsWhatWaitsForItsEnd) {
  EXPECT_EQ(table_.Totals().idle.count + table_.Totals().sealed.count, 0u);
  const UploadId first = AddFilled(owner_);
  clock_.Advance(absl::Minutes(10));
  const UploadId second = AddFilled(owner_);
  const UploadTotals open = table_.Totals();
  EXPECT_EQ(open.sessions, 2u);
  EXPECT_EQ(open.idle.count, 2u);
  EXPECT_EQ(open.idle.bytes, 10u);
  EXPECT_EQ(open.idle.first_at, clock_.Now() + absl::Minutes(50));
  EXPECT_EQ(open.idle.last_at, clock_.Now() + absl::Hours(1));
  EXPECT_EQ(open.sealed.count, 0u);
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kSeal, first, owner_));
    const UploadTotals used = table_.Totals();
    EXPECT_EQ(used.sessions, 2u);
    EXPECT_EQ(used.bytes, 10u);
    EXPECT_EQ(used.idle.count, 1u);
    EXPECT_EQ(used.idle.bytes, 5u);
    claim.Update(SessionState::kSealed, 7, /*trusted=*/true);
  }
  const UploadTotals sealed = table_.Totals();
  EXPECT_EQ(sealed.sessions, 1u);
  EXPECT_EQ(sealed.sealed.count, 1u);
  EXPECT_EQ(sealed.sealed.bytes, 7u);
  EXPECT_EQ(sealed.sealed.first_at, clock_.Now() + absl::Hours(1));
  EXPECT_EQ(sealed.sealed.last_at, clock_.Now() + absl::Hours(1));

  EXPECT_TRUE(table_.RemoveSealed(first, owner_));
  EXPECT_EQ(table_.Totals().sealed.count, 0u);
  EXPECT_EQ(table_.Totals().sealed.bytes, 0u);
  {
    ASSERT_OK_AND_ASSIGN(SessionTable::Claim claim, table_.ClaimFor(SessionUse::kSeal, second, owner_));
    claim.Update(SessionState::kSealed, 5, /*trusted=*/true);
  }
  clock_.Advance(absl::Hours(1));
  EXPECT_THAT(table_.ClaimDue().sealed, SizeIs(1));
  EXPECT_EQ(table_.Totals().sealed.count, 0u);
  EXPECT_EQ(table_.Totals().sealed.bytes, 0u);
  EXPECT_EQ(table_.Totals().sealed.first_at, std::nullopt);
}

}  // namespace
}  // namespace entrepot::blob
