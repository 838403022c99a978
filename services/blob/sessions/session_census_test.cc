#include "services/blob/sessions/session_census.h"

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class SessionCensusTest : public testing::Test {
 protected:
  SessionInfo Info(const std::string& account, uint64_t offset_bytes = 0) {
    return {.owner = {.repository = "team/app", .account = account},
            .offset_bytes = offset_bytes,
            .started_at = clock_.Now(),
            .touched_at = clock_.Now()};
  }
  UploadId Add(const std::string& account, uint64_t offset_bytes = 0) {
    const UploadId id = UploadId::Random();
    EXPECT_OK(census_.Add(id, Info(account)).status);
    if (offset_bytes > 0) census_.Set(id, {.info = Info(account, offset_bytes)});
    return id;
  }

  FakeClock clock_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  SessionCensus census_{{.open_max = 4, .share_max = 3}, &clock_, &metrics_};
};

TEST_F(SessionCensusTest, BoundsSharesAndTheSum) {
  for (int i = 0; i < 3; ++i) Add("ada");
  const SessionCensus::Room share = census_.Add(UploadId::Random(), Info("ada"));
  EXPECT_THAT(share.status, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_EQ(share.limit, UploadLimit::kShare);
  EXPECT_EQ(share.evictable, std::nullopt);
  Add("grace");
  const SessionCensus::Room sum = census_.Add(UploadId::Random(), Info("grace"));
  EXPECT_THAT(sum.status, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_EQ(sum.limit, UploadLimit::kSum);
  EXPECT_EQ(metrics_.upload_sessions()->Value(), 4);
}

TEST_F(SessionCensusTest, FindsTheSessionThatIsIdleAndEmptyLongest) {
  Add("ada", 5);
  clock_.Advance(absl::Seconds(1));
  const UploadId oldest = Add("ada");
  clock_.Advance(absl::Seconds(1));
  const UploadId in_use = Add("ada");
  census_.Set(in_use, {.info = Info("ada"), .in_use = true});
  clock_.Advance(SessionLimits::kEvictableAfter);
  EXPECT_EQ(census_.Add(UploadId::Random(), Info("ada")).evictable, oldest);
}

TEST_F(SessionCensusTest, AScanReplacesAllButLaterChanges) {
  const UploadId forgotten = Add("ada");
  const UploadId ended = Add("ada");
  census_.BeginScan();
  const UploadId started = Add("ada", 7);
  census_.Remove(ended);
  const UploadId elsewhere = UploadId::Random();
  census_.EndScan({{ended, {.info = Info("ada")}}, {elsewhere, {.info = Info("grace", 3)}}});
  EXPECT_EQ(census_.scanned_at(), clock_.Now());
  EXPECT_EQ(census_.Totals().sessions, 2u);
  EXPECT_EQ(census_.Totals().bytes, 10u);
  EXPECT_THAT(census_.Find({.account = "ada"}), ElementsAre(started));
  EXPECT_THAT(census_.Find({.account = "grace"}), ElementsAre(elsewhere));
  EXPECT_THAT(census_.Find({.id = forgotten.ToString()}), IsEmpty());
}

TEST_F(SessionCensusTest, FindsWhatIsDue) {
  const UploadId expired = Add("ada");
  const UploadId sealed = UploadId::Random();
  SessionInfo info = Info("ada", 5);
  info.state = SessionState::kSealed;
  census_.Set(sealed, {.info = info});
  clock_.Advance(absl::Hours(24));
  Add("ada");
  const UploadId ended = UploadId::Random();
  info = Info("ada");
  info.state = SessionState::kEnding;
  census_.Set(ended, {.info = info});
  EXPECT_THAT(census_.Due(clock_.Now() - absl::Minutes(1)), ElementsAre(expired));
  EXPECT_THAT(census_.Due(clock_.Now()), SizeIs(2));
  EXPECT_THAT(census_.Abandoned(10), ElementsAre(sealed));
  EXPECT_EQ(census_.Totals().sealed.count, 1u);
  EXPECT_EQ(census_.OldestAge(), absl::Hours(24));
}

TEST_F(SessionCensusTest, ListsPages) {
  for (int i = 0; i < 3; ++i) Add("ada");
  const OpenUploadPage first = census_.List({}, "", 2);
  ASSERT_THAT(first.uploads, SizeIs(2));
  EXPECT_EQ(first.next, first.uploads.back().id);
  const OpenUploadPage second = census_.List({}, first.next, 2);
  ASSERT_THAT(second.uploads, SizeIs(1));
  EXPECT_EQ(second.next, "");
  EXPECT_GT(second.uploads.front().id, first.next);
}

}  // namespace
}  // namespace entrepot::blob
