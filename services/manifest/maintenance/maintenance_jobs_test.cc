#include "services/manifest/maintenance/maintenance_jobs.h"

#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::HasSubstr;

class MaintenanceJobsTest : public testing::Test {
 protected:
  v1::Job WaitForEnd(const std::string& id) {
    v1::Job job;
    EXPECT_TRUE(Eventually([&] {
      job = jobs_->Get(id).value();
      return job.state() != v1::Job::RUNNING;
    }));
    return job;
  }

  // A job that waits for `go`, and then ends with `status`.
  MaintenanceJobs::Work Waiting(absl::Notification* go, absl::Status status = absl::OkStatus()) {
    return [go, status](const Pace& pace, v1::Job* result) {
      pace(3, 5 << 20);
      EXPECT_TRUE(go->WaitForNotificationWithTimeout(absl::Seconds(30)));
      result->mutable_scrub()->set_verified(7);
      return status;
    };
  }

  static absl::Status DoNothing(const Pace&, v1::Job*) { return absl::OkStatus(); }

  FakeClock clock_;
  std::unique_ptr<MaintenanceJobs> jobs_ = std::make_unique<MaintenanceJobs>(&clock_);
};

TEST_F(MaintenanceJobsTest, RunsAndKeepsTheResult) {
  absl::Notification go;
  ASSERT_OK_AND_ASSIGN(const v1::Job started, jobs_->Start("scrub", Waiting(&go)));
  EXPECT_EQ(started.state(), v1::Job::RUNNING);
  EXPECT_EQ(started.kind(), "scrub");
  EXPECT_EQ(started.started_at().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_FALSE(started.has_ended_at());
  EXPECT_TRUE(Eventually([&] { return jobs_->Get(started.id())->progress() == "3 steps, 5 MiB"; }));
  clock_.Advance(absl::Seconds(9));
  go.Notify();
  const v1::Job ended = WaitForEnd(started.id());
  EXPECT_EQ(ended.state(), v1::Job::DONE);
  EXPECT_EQ(ended.id(), started.id());
  EXPECT_EQ(ended.kind(), "scrub");
  EXPECT_EQ(ended.scrub().verified(), 7u);
  EXPECT_EQ(ended.ended_at().seconds() - ended.started_at().seconds(), 9);
  ASSERT_EQ(jobs_->List().size(), 1u);
  EXPECT_EQ(jobs_->List().front().id(), ended.id());
  EXPECT_FALSE(jobs_->List().front().has_scrub());
}

TEST_F(MaintenanceJobsTest, ReportsTheError) {
  absl::Notification go;
  go.Notify();
  ASSERT_OK_AND_ASSIGN(const v1::Job started,
                       jobs_->Start("scrub", Waiting(&go, absl::UnavailableError("the disk is gone"))));
  const v1::Job ended = WaitForEnd(started.id());
  EXPECT_EQ(ended.state(), v1::Job::FAILED);
  EXPECT_EQ(ended.error(), "the disk is gone");
}

TEST_F(MaintenanceJobsTest, RunsOneJobOfAKindAtATime) {
  absl::Notification go;
  ASSERT_OK_AND_ASSIGN(const v1::Job first, jobs_->Start("scrub", Waiting(&go)));
  const auto second = jobs_->Start("scrub", DoNothing);
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(first.id()));
  EXPECT_OK(jobs_->Start("back_up", DoNothing));
  go.Notify();
  WaitForEnd(first.id());
  EXPECT_OK(jobs_->Start("scrub", DoNothing));
}

TEST_F(MaintenanceJobsTest, ForgetsTheOldestEndedJob) {
  absl::Notification go;
  ASSERT_OK_AND_ASSIGN(const v1::Job running, jobs_->Start("scrub", Waiting(&go)));
  std::string second;
  for (int i = 0; i < 30; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::Job job, jobs_->Start("back_up", DoNothing));
    if (i == 0) second = job.id();
    WaitForEnd(job.id());
  }
  EXPECT_OK(jobs_->Get(running.id()));
  EXPECT_THAT(jobs_->Get(second), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(jobs_->List().size(), 20u);
  go.Notify();
  WaitForEnd(running.id());
}

TEST_F(MaintenanceJobsTest, DestructorStopsRunningJobs) {
  absl::Notification started;
  bool stopped = false;
  ASSERT_OK(jobs_->Start("scrub", [&](const Pace& pace, v1::Job*) {
    started.Notify();
    stopped = Eventually([&] { return !pace(1, 0); });
    return absl::OkStatus();
  }));
  EXPECT_TRUE(started.WaitForNotificationWithTimeout(absl::Seconds(30)));
  jobs_.reset();
  EXPECT_TRUE(stopped);
}

TEST_F(MaintenanceJobsTest, JobIdsDifferBetweenProcesses) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, jobs_->Start("scrub", DoNothing));
  clock_.Advance(absl::Seconds(1));
  MaintenanceJobs later(&clock_);
  ASSERT_OK(later.Start("scrub", DoNothing));
  EXPECT_THAT(later.Get(job.id()), StatusIs(absl::StatusCode::kNotFound));
}

// Two processes with records in common.
class SharedMaintenanceJobsTest : public MaintenanceJobsTest {
 protected:
  kv::MemoryKvEngine kv_;
  std::unique_ptr<MaintenanceJobs> first_ = std::make_unique<MaintenanceJobs>(&clock_, &kv_);
  // Its ids differ by the time of its start.
  std::unique_ptr<MaintenanceJobs> second_ = [this] {
    clock_.Advance(absl::Seconds(1));
    return std::make_unique<MaintenanceJobs>(&clock_, &kv_);
  }();
};

TEST_F(SharedMaintenanceJobsTest, EachKnowsTheJobsOfTheOther) {
  absl::Notification go;
  ASSERT_OK_AND_ASSIGN(const v1::Job job, first_->Start("scrub", Waiting(&go)));
  ASSERT_OK_AND_ASSIGN(const v1::Job seen, second_->Get(job.id()));
  EXPECT_EQ(seen.state(), v1::Job::RUNNING);
  EXPECT_EQ(second_->List().size(), 1u);
  EXPECT_TRUE(Eventually([&] { return second_->Get(job.id())->progress() == "3 steps, 5 MiB"; }));
  go.Notify();
  EXPECT_TRUE(Eventually([&] { return second_->Get(job.id())->state() == v1::Job::DONE; }));
  EXPECT_EQ(second_->Get(job.id())->scrub().verified(), 7u);
  EXPECT_EQ(first_->List().size(), 1u);
  EXPECT_THAT(second_->Get("0-0"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(SharedMaintenanceJobsTest, OneJobOfAKindRunsInAll) {
  absl::Notification go;
  ASSERT_OK_AND_ASSIGN(const v1::Job job, first_->Start("scrub", Waiting(&go)));
  const auto refused = second_->Start("scrub", DoNothing);
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr(job.id()));
  EXPECT_OK(second_->Start("back_up", DoNothing));
  go.Notify();
  EXPECT_TRUE(Eventually([&] { return second_->Start("scrub", DoNothing).ok(); }));
}

TEST_F(SharedMaintenanceJobsTest, AProcessThatStopsTellsTheOther) {
  ASSERT_OK_AND_ASSIGN(const v1::Job job, first_->Start("scrub", [&](const Pace& pace, v1::Job*) {
    EXPECT_TRUE(Eventually([&] { return !pace(1, 0); }));
    return absl::OkStatus();
  }));
  first_.reset();
  EXPECT_EQ(second_->Get(job.id())->state(), v1::Job::FAILED);
  EXPECT_EQ(second_->Get(job.id())->error(), "the registry was stopped");
}

}  // namespace
}  // namespace entrepot::manifest
