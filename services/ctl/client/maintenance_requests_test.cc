#include "services/ctl/client/maintenance_requests.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using manifest::v1::Job;

constexpr char kRunning[] = R"({"job": {"id": "7", "state": "RUNNING", "progress": "half"}})";
constexpr char kDone[] = R"({"job": {"id": "7", "state": "DONE", "scrub": {"verified": "2"}}})";
constexpr JobPolling kNoPauses = {.pause_first = absl::ZeroDuration(), .pause_max = absl::ZeroDuration()};

class MaintenanceRequestsTest : public CommandTest {
 protected:
  absl::StatusOr<Job> Scrub(const JobPolling& polling = kNoPauses) {
    manifest::v1::StartJob start;
    start.mutable_scrub();
    return ctl::RunJob(start, registry_, polling);
  }

  RegistryClient registry_{{.registry = "http://localhost:5000"}, http_};
};

TEST_F(MaintenanceRequestsTest, GetsTheStatus) {
  http_.Answer(R"({"status": {"queued": "4"}})");
  ASSERT_OK_AND_ASSIGN(const auto status, GetMaintenanceStatus(registry_));
  EXPECT_EQ(status.queued(), 4u);
  EXPECT_TRUE(IsSameJson(http_.requests.at(0).body, R"({"getStatus": {}})"));
}

TEST_F(MaintenanceRequestsTest, PollsAJobUntilItsEnd) {
  http_.Answer(kRunning);
  http_.Answer(kRunning);
  http_.Answer(kDone);
  ASSERT_OK_AND_ASSIGN(const Job job, Scrub());
  EXPECT_EQ(job.scrub().verified(), 2u);
  ASSERT_EQ(http_.requests.size(), 3u);
  EXPECT_TRUE(IsSameJson(http_.requests[0].body, R"({"startJob": {"scrub": {}}})"));
  EXPECT_TRUE(IsSameJson(http_.requests[1].body, R"({"getJob": {"id": "7"}})"));
  EXPECT_TRUE(IsSameJson(http_.requests[2].body, R"({"getJob": {"id": "7"}})"));
}

TEST_F(MaintenanceRequestsTest, ReportsAFailedJob) {
  http_.Answer(kRunning);
  http_.Answer(R"({"job": {"id": "7", "state": "FAILED", "error": "disk full\n"}})");
  const absl::Status status = Scrub().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(status.message(), "the job failed: disk full?");
}

TEST_F(MaintenanceRequestsTest, WaitsForARegistryThatIsUnavailableForAWhile) {
  http_.Answer(kRunning);
  http_.AnswerWith(absl::UnavailableError("no answer"));
  http_.AnswerWith(HttpAnswer{503, ""});
  http_.Answer(kDone);
  EXPECT_OK(Scrub().status());
}

TEST_F(MaintenanceRequestsTest, GivesUpWhenItsPatienceHasEnded) {
  JobPolling polling = kNoPauses;
  polling.patience = absl::ZeroDuration();
  http_.Answer(kRunning);
  http_.AnswerWith(absl::UnavailableError("no answer"));
  EXPECT_THAT(Scrub(polling), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(MaintenanceRequestsTest, GivesUpAtOnceOnOtherErrors) {
  http_.AnswerWith(HttpAnswer{409, ""});
  EXPECT_THAT(Scrub(), StatusIs(absl::StatusCode::kFailedPrecondition)) << "it was not started";
  http_.Answer(kRunning);
  http_.AnswerWith(HttpAnswer{404, ""});
  EXPECT_THAT(Scrub(), StatusIs(absl::StatusCode::kNotFound)) << "the registry was restarted";
}

}  // namespace
}  // namespace entrepot::ctl
