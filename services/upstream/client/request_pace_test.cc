#include "services/upstream/client/request_pace.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"

namespace entrepot::upstream {
namespace {

class RequestPaceTest : public testing::Test {
 protected:
  void NoteRemaining(int remaining) {
    pace_.Note(RequestKind::kGetManifest,
               {.status = 200,
                .fields = {{"ratelimit-limit", "100;w=21600"}, {"ratelimit-remaining", std::to_string(remaining)}}});
  }
  void NoteRefusal(const std::string& retry_after) {
    pace_.Note(RequestKind::kGetManifest, {.status = 429, .fields = {{"retry-after", retry_after}}});
  }

  FakeClock clock_;
  RequestPace pace_{&clock_};
};

TEST_F(RequestPaceTest, DoesNotWaitWithoutALimit) {
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::ZeroDuration());
  EXPECT_EQ(pace_.Refusal(RequestKind::kGetManifest), std::nullopt);
  EXPECT_EQ(pace_.rate_limit().remaining, std::nullopt);
}

TEST_F(RequestPaceTest, WaitsLongerTheLessIsLeft) {
  NoteRemaining(10);
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::ZeroDuration());
  NoteRemaining(5);
  EXPECT_NEAR(absl::ToDoubleSeconds(pace_.Slowdown(RequestKind::kGetManifest)), 1, 0.001);
  clock_.Advance(absl::Minutes(1));
  NoteRemaining(0);
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::Seconds(2));
  EXPECT_EQ(pace_.rate_limit().remaining, 0);
  EXPECT_EQ(pace_.rate_limit().limit, 100);
}

TEST_F(RequestPaceTest, PutsRequestsInARowWhoseWaitIsBounded) {
  NoteRemaining(0);
  for (const int seconds : {2, 4, 6, 8, 10, 10, 10}) {
    EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::Seconds(seconds));
  }
  clock_.Advance(absl::Seconds(9));
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::Seconds(3));
  clock_.Advance(-absl::Hours(1));
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::Seconds(10));
}

TEST_F(RequestPaceTest, LetsRequestsPassThatTheLimitDoesNotCount) {
  NoteRemaining(0);
  for (const RequestKind kind : {RequestKind::kHeadManifest, RequestKind::kHeadBlob, RequestKind::kGetBlob}) {
    EXPECT_EQ(pace_.Slowdown(kind), absl::ZeroDuration());
  }
}

TEST_F(RequestPaceTest, LearnsTheLimitOfAGetFromAHead) {
  pace_.Note(RequestKind::kHeadManifest,
             {.status = 200, .fields = {{"ratelimit-limit", "100"}, {"ratelimit-remaining", "0"}}});
  EXPECT_EQ(pace_.Slowdown(RequestKind::kHeadManifest), absl::ZeroDuration());
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::Seconds(2));
}

TEST_F(RequestPaceTest, ForgetsALimitThatIsNotStatedAgain) {
  NoteRemaining(0);
  pace_.Note(RequestKind::kGetManifest, {.status = 200, .fields = {}});
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::Seconds(2));
  clock_.Advance(absl::Minutes(11));
  EXPECT_EQ(pace_.Slowdown(RequestKind::kGetManifest), absl::ZeroDuration());
}

TEST_F(RequestPaceTest, RefusesRequestsOfTheKindForAsLongAsTheUpstreamWants) {
  NoteRefusal("40");
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(pace_.Refusal(RequestKind::kGetManifest), absl::Seconds(30));
  EXPECT_EQ(pace_.Refusal(RequestKind::kGetBlob), std::nullopt);
  clock_.Advance(absl::Seconds(30));
  EXPECT_EQ(pace_.Refusal(RequestKind::kGetManifest), std::nullopt);
}

TEST_F(RequestPaceTest, DoesNotRefuseWithoutARetryAfter) {
  pace_.Note(RequestKind::kGetManifest, {.status = 429, .fields = {}});
  EXPECT_EQ(pace_.Refusal(RequestKind::kGetManifest), std::nullopt);
}

TEST_F(RequestPaceTest, EndsARefusalIfTheClockIsSetBack) {
  NoteRefusal("40");
  clock_.Advance(-absl::Hours(5));
  EXPECT_EQ(pace_.Refusal(RequestKind::kGetManifest), std::nullopt);
}

}  // namespace
}  // namespace entrepot::upstream
