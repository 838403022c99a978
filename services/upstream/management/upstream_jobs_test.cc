#include "services/upstream/management/upstream_jobs.h"

#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/proto_time.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::HasSubstr;

class UpstreamJobsTest : public testing::Test {
 protected:
  bool Ends(const std::string& id) {
    return Eventually([&] { return jobs_.Get(id)->state() != v1::UpstreamJob::RUNNING; });
  }

  FakeClock clock_;
  UpstreamJobs jobs_{&clock_};
};

TEST_F(UpstreamJobsTest, ShowsProgressAndTheEnd) {
  absl::Notification go_on;
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started,
                       jobs_.Start("pulls", [&](const UpstreamJobs::Show& show, StopSignal*) {
                         show([](v1::UpstreamJob* job) { job->mutable_pull()->set_blobs(3); });
                         go_on.WaitForNotification();
                         return absl::OkStatus();
                       }));
  EXPECT_EQ(started.state(), v1::UpstreamJob::RUNNING);
  EXPECT_EQ(FromTimestamp(started.started_at()), clock_.Now());
  EXPECT_TRUE(Eventually([&] { return jobs_.Get(started.id())->pull().blobs() == 3; }));
  EXPECT_FALSE(jobs_.Get(started.id())->has_ended_at());
  clock_.Advance(absl::Seconds(9));
  go_on.Notify();
  ASSERT_TRUE(Ends(started.id()));
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob ended, jobs_.Get(started.id()));
  EXPECT_EQ(ended.state(), v1::UpstreamJob::DONE);
  EXPECT_EQ(ended.error(), "");
  EXPECT_EQ(ended.pull().blobs(), 3u);
  EXPECT_EQ(FromTimestamp(ended.ended_at()), clock_.Now());
}

TEST_F(UpstreamJobsTest, KeepsTheErrorOfAJob) {
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started, jobs_.Start("pulls", [](const UpstreamJobs::Show&, StopSignal*) {
    return absl::UnavailableError("no route");
  }));
  ASSERT_TRUE(Ends(started.id()));
  EXPECT_EQ(jobs_.Get(started.id())->state(), v1::UpstreamJob::FAILED);
  EXPECT_EQ(jobs_.Get(started.id())->error(), "no route");
}

TEST_F(UpstreamJobsTest, RunsABoundedNumber) {
  absl::Notification go_on;
  std::vector<std::string> ids;
  const UpstreamJobs::Work waits = [&](const UpstreamJobs::Show&, StopSignal*) {
    go_on.WaitForNotification();
    return absl::OkStatus();
  };
  for (size_t i = 0; i < UpstreamJobs::kRunningMax; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started, jobs_.Start("pulls", waits));
    ids.push_back(started.id());
  }
  const auto refused = jobs_.Start("pulls", waits);
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_THAT(refused.status().message(), HasSubstr("8 pulls run"));
  EXPECT_OK(jobs_.Start("tests", waits));
  go_on.Notify();
  for (const std::string& id : ids) EXPECT_TRUE(Ends(id));
  EXPECT_OK(jobs_.Start("pulls", waits));
}

TEST_F(UpstreamJobsTest, ForgetsTheOldest) {
  const UpstreamJobs::Work nothing = [](const UpstreamJobs::Show&, StopSignal*) { return absl::OkStatus(); };
  std::vector<std::string> ids;
  for (size_t i = 0; i <= UpstreamJobs::kRememberedMax; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started, jobs_.Start("pulls", nothing));
    ASSERT_TRUE(Ends(started.id()));
    ids.push_back(started.id());
  }
  EXPECT_THAT(jobs_.Get(ids[0]), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_OK(jobs_.Get(ids[1]));
  EXPECT_OK(jobs_.Get(ids.back()));
}

TEST_F(UpstreamJobsTest, CancellingEndsOneJob) {
  const UpstreamJobs::Work waits = [](const UpstreamJobs::Show& show, StopSignal* stop) {
    show([](v1::UpstreamJob* job) { job->mutable_pull()->set_blobs(1); });
    stop->WaitFor(absl::Hours(1));
    return absl::CancelledError("stopped");
  };
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob other, jobs_.Start("pulls", waits, "pull b"));
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started, jobs_.Start("pulls", waits, "pull a"));
  ASSERT_OK(jobs_.Cancel(started.id()).status());
  ASSERT_TRUE(Ends(started.id()));
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob ended, jobs_.Cancel(started.id()));
  EXPECT_EQ(ended.state(), v1::UpstreamJob::FAILED);
  EXPECT_EQ(ended.error(), "an operator has cancelled the job");
  EXPECT_EQ(ended.pull().blobs(), 1u);
  EXPECT_EQ(jobs_.Get(other.id())->state(), v1::UpstreamJob::RUNNING);
  const v1::UpstreamJobList list = jobs_.List();
  ASSERT_EQ(list.jobs_size(), 2);
  EXPECT_EQ(list.jobs(0).what(), "pull a");
  EXPECT_EQ(list.jobs(1).what(), "pull b");
  EXPECT_THAT(jobs_.Cancel("none"), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(UpstreamJobsTest, AJobThatSucceedsAfterItWasCancelledIsDone) {
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started,
                       jobs_.Start("pulls", [](const UpstreamJobs::Show&, StopSignal* stop) {
                         stop->WaitFor(absl::Hours(1));
                         return absl::OkStatus();
                       }));
  ASSERT_OK(jobs_.Cancel(started.id()).status());
  ASSERT_TRUE(Ends(started.id()));
  EXPECT_EQ(jobs_.Get(started.id())->state(), v1::UpstreamJob::DONE);
}

TEST_F(UpstreamJobsTest, AnEvictionIsNotCancelled) {
  absl::Notification go_on;
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started,
                       jobs_.Start(UpstreamJobs::kEvictions, [&](const UpstreamJobs::Show&, StopSignal*) {
                         go_on.WaitForNotification();
                         return absl::OkStatus();
                       }));
  EXPECT_THAT(jobs_.Cancel(started.id()), StatusIs(absl::StatusCode::kFailedPrecondition));
  go_on.Notify();
  ASSERT_TRUE(Ends(started.id()));
  EXPECT_OK(jobs_.Cancel(started.id()).status());
}

TEST_F(UpstreamJobsTest, StopEndsJobs) {
  ASSERT_OK_AND_ASSIGN(const v1::UpstreamJob started,
                       jobs_.Start("pulls", [](const UpstreamJobs::Show&, StopSignal* stop) {
                         stop->WaitFor(absl::Hours(1));
                         return absl::OkStatus();
                       }));
  jobs_.Stop();
  ASSERT_TRUE(Ends(started.id()));
  EXPECT_EQ(jobs_.Get(started.id())->error(), "the registry was stopped");
  EXPECT_THAT(jobs_.Start("pulls", [](const UpstreamJobs::Show&, StopSignal*) { return absl::OkStatus(); }),
              StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::upstream
