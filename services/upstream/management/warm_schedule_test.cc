#include "services/upstream/management/warm_schedule.h"

#include <atomic>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::UnorderedElementsAre;

class WarmScheduleTest : public testing::Test {
 protected:
  void SetUp() override {
    WriteFile(
        "    warm:\n"
        "      - repository: team/app\n"
        "        tags: [v1, v2]\n"
        "        platforms: [linux/amd64]\n"
        "        interval: 10m\n");
    ASSERT_OK_AND_ASSIGN(file_, UpstreamsFile::Open(path(), registry_, absl::ZeroDuration()));
    schedule_ = std::make_unique<WarmSchedule>(
        WarmSchedule::Parts{.upstreams = file_.get(),
                            .clock = &clock_,
                            .pull = [this](const ImageToPull& image, StopSignal*) { return Pull(image); },
                            .registry = registry_,
                            .poll_interval = absl::ZeroDuration()});
  }

  void WriteFile(absl::string_view fields) {
    std::ofstream(path()) << "upstreams:\n  - name: up.example\n" << fields;
    if (file_ != nullptr) {
      ASSERT_OK(file_->ReloadIfChanged());
    }
  }
  std::string path() const { return directory_.path() + "/upstreams.yaml"; }

  absl::Status Pull(const ImageToPull& image) {
    std::string text = absl::StrCat(image.repository.ToString(), ":", ReferenceToString(image.reference));
    for (const Platform& platform : image.platforms) absl::StrAppend(&text, " ", platform.ToString());
    const absl::MutexLock lock(&mutex_);
    pulls_.push_back(text);
    return result_;
  }
  void SetResult(absl::Status result) {
    const absl::MutexLock lock(&mutex_);
    result_ = std::move(result);
  }
  // Waits until so many pulls have ended since the last call, and returns them.
  std::vector<std::string> Await(size_t count) {
    counted_ += static_cast<double>(count);
    EXPECT_TRUE(Eventually([&] { return Counted("ok") + Counted("failed") >= counted_; }));
    const absl::MutexLock lock(&mutex_);
    return std::exchange(pulls_, {});
  }
  double Counted(absl::string_view result) const {
    for (const prometheus::MetricFamily& family : registry_->Collect()) {
      if (family.name != "entrepot_upstream_warm_pulls_total") continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        for (const auto& label : metric.label) {
          if (label.name == "result" && label.value == result) return metric.counter.value;
        }
      }
    }
    return 0;
  }

  const std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  absl::Mutex mutex_;
  std::vector<std::string> pulls_ ABSL_GUARDED_BY(mutex_);
  absl::Status result_ ABSL_GUARDED_BY(mutex_);
  double counted_ = 0;
  std::unique_ptr<UpstreamsFile> file_;
  std::unique_ptr<WarmSchedule> schedule_;
};

TEST_F(WarmScheduleTest, PullsAtOnceAndAfterTheInterval) {
  schedule_->Advance();
  EXPECT_THAT(Await(2),
              UnorderedElementsAre("up.example/team/app:v1 linux/amd64", "up.example/team/app:v2 linux/amd64"));
  clock_.Advance(absl::Minutes(10) - absl::Seconds(1));
  schedule_->Advance();
  clock_.Advance(absl::Seconds(1));
  schedule_->Advance();
  EXPECT_EQ(Await(2).size(), 2u);
  EXPECT_EQ(Counted("ok"), 4);
  EXPECT_EQ(Counted("failed"), 0);
}

TEST_F(WarmScheduleTest, PullsAgainSoonerAfterAFailure) {
  SetResult(absl::UnavailableError("down"));
  schedule_->Advance();
  Await(2);
  for (const int seconds : {10, 20, 40, 80, 160, 300, 300}) {
    clock_.Advance(absl::Seconds(seconds - 1));
    schedule_->Advance();
    EXPECT_EQ(Await(0).size(), 0u) << seconds;
    clock_.Advance(absl::Seconds(1));
    schedule_->Advance();
    EXPECT_EQ(Await(2).size(), 2u) << seconds;
  }
  EXPECT_EQ(Counted("failed"), 16);
  SetResult(absl::OkStatus());
  clock_.Advance(absl::Minutes(5));
  schedule_->Advance();
  EXPECT_EQ(Await(2).size(), 2u);
  EXPECT_EQ(Counted("ok"), 2);
  clock_.Advance(absl::Minutes(9));
  schedule_->Advance();
  EXPECT_EQ(Await(0).size(), 0u);
}

TEST_F(WarmScheduleTest, PullsAgainIfTheClockIsSetBack) {
  schedule_->Advance();
  Await(2);
  clock_.Advance(-absl::Hours(24));
  schedule_->Advance();
  EXPECT_EQ(Await(2).size(), 2u);
}

TEST_F(WarmScheduleTest, FollowsTheFile) {
  schedule_->Advance();
  Await(2);
  WriteFile("    warm: [{repository: other, tags: [v3]}]\n");
  schedule_->Advance();
  EXPECT_THAT(Await(1), UnorderedElementsAre("up.example/other:v3"));
  clock_.Advance(absl::Minutes(59));
  schedule_->Advance();
  EXPECT_EQ(Await(0).size(), 0u);
  clock_.Advance(absl::Minutes(1));
  schedule_->Advance();
  EXPECT_EQ(Await(1).size(), 1u);
}

TEST_F(WarmScheduleTest, CountsTagsThatTheEntryDoesNotAllow) {
  WriteFile("    repositories: [team/*]\n    warm: [{repository: other, tags: [v3]}]\n");
  schedule_->Advance();
  EXPECT_EQ(Await(1).size(), 0u);
  EXPECT_EQ(Counted("failed"), 1);
}

TEST_F(WarmScheduleTest, PullsByItselfAndEndsPullsThatRun) {
  absl::Notification runs;
  std::atomic<int> stopped = 0;
  WriteFile("    warm: [{repository: other, tags: [v3]}]\n");
  {
    const WarmSchedule schedule({.upstreams = file_.get(),
                                 .clock = &clock_,
                                 .pull =
                                     [&](const ImageToPull&, StopSignal* stop) {
                                       runs.Notify();
                                       if (stop->WaitFor(absl::Seconds(30))) ++stopped;
                                       return absl::CancelledError("stopped");
                                     },
                                 .registry = registry_});
    EXPECT_TRUE(Eventually([&] { return runs.HasBeenNotified(); }));
    EXPECT_EQ(stopped, 0);
  }
  EXPECT_EQ(stopped, 1);
}

}  // namespace
}  // namespace entrepot::upstream
