#include "services/runtime/threads/bounded_executor.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/text_serializer.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::runtime {
namespace {

using ::testing::HasSubstr;
using Place = BoundedExecutor::Place;

class BoundedExecutorTest : public testing::Test {
 protected:
  std::string Metrics() { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  BoundedExecutor executor_{{.name = "deletions",
                             .jobs = "deletions of repositories",
                             .setting = "collector.repository_deletions_max",
                             .threads = 1,
                             .jobs_max = 8,
                             .registry = registry_}};
};

TEST_F(BoundedExecutorTest, RefusesJobsBeyondTheBound) {
  std::vector<Place> places;
  for (int i = 0; i < 8; ++i) {
    ASSERT_OK_AND_ASSIGN(Place place, executor_.Reserve(""));
    places.push_back(std::move(place));
  }
  const absl::Status full = executor_.Reserve("ada").status();
  EXPECT_THAT(full, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(full.message(),
            "8 deletions of repositories run or wait, as many as collector.repository_deletions_max allows");
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_queue_jobs{queue=\"deletions\"} 8"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_queue_refused_total{queue=\"deletions\",reason=\"full\"} 1"));
  places.pop_back();
  EXPECT_OK(executor_.Reserve("ada"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_queue_jobs{queue=\"deletions\"} 7"));
}

TEST_F(BoundedExecutorTest, AnAccountHasAQuarterOfThePlaces) {
  ASSERT_OK_AND_ASSIGN(const Place first, executor_.Reserve("ada"));
  std::optional<Place> second;
  {
    ASSERT_OK_AND_ASSIGN(Place place, executor_.Reserve("ada"));
    second.emplace(std::move(place));
  }
  const absl::Status refused = executor_.Reserve("ada").status();
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("of this account"));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_queue_refused_total{queue=\"deletions\",reason=\"share\"} 1"));
  EXPECT_OK(executor_.Reserve("grace"));
  second.reset();
  EXPECT_OK(executor_.Reserve("ada"));
}

TEST_F(BoundedExecutorTest, RunsJobsOnItsThreads) {
  absl::Notification ran;
  executor_.threads().Post([&] { ran.Notify(); });
  EXPECT_TRUE(ran.WaitForNotificationWithTimeout(absl::Seconds(30)));
}

}  // namespace
}  // namespace entrepot::runtime
