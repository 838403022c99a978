#include "services/ctl/client/upstreams_requests.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;
using upstream::v1::UpstreamJob;

constexpr char kRunning[] = R"({"job": {"id": "7", "state": "RUNNING", "pull": {"blobsDone": 1}}})";
constexpr char kDone[] = R"({"job": {"id": "7", "state": "DONE", "pull": {"blobsDone": 2}}})";
constexpr JobPolling kNoPauses = {.pause_first = absl::ZeroDuration(), .pause_max = absl::ZeroDuration()};

class UpstreamsRequestsTest : public CommandTest {
 protected:
  absl::StatusOr<UpstreamJob> Pull() {
    upstream::v1::StartUpstreamJob start;
    start.mutable_pull()->set_repository("quay.io/a");
    const auto show = [this](const UpstreamJob& job, absl::Duration, bool answers) {
      shown_.push_back(answers ? std::to_string(job.pull().blobs_done()) : "silent");
    };
    return RunUpstreamJob(start, registry_, show, kNoPauses);
  }

  std::vector<std::string> shown_;
  RegistryClient registry_{{.registry = "http://localhost:5000"}, http_};
};

TEST_F(UpstreamsRequestsTest, ListsUpstreams) {
  http_.Answer(R"({"upstreams": {"upstreams": [{"name": "quay.io"}]}})");
  ASSERT_OK_AND_ASSIGN(const auto list, ListUpstreams(registry_));
  ASSERT_EQ(list.upstreams_size(), 1);
  EXPECT_EQ(list.upstreams(0).name(), "quay.io");
  EXPECT_EQ(http_.requests.at(0).url, "http://localhost:5000/entrepot/v1/upstreams");
  EXPECT_TRUE(IsSameJson(http_.requests.at(0).body, R"({"listUpstreams": {}})"));
}

TEST_F(UpstreamsRequestsTest, PollsAJobUntilItsEnd) {
  http_.Answer(kRunning);
  http_.AnswerWith(HttpAnswer{503, ""});
  http_.Answer(kRunning);
  http_.Answer(kDone);
  ASSERT_OK_AND_ASSIGN(const UpstreamJob job, Pull());
  EXPECT_EQ(job.pull().blobs_done(), 2u);
  EXPECT_OK(CheckDone(job));
  EXPECT_THAT(shown_, ElementsAre("1", "silent", "1"));
  ASSERT_EQ(http_.requests.size(), 4u);
  EXPECT_TRUE(IsSameJson(http_.requests[0].body, R"({"startJob": {"pull": {"repository": "quay.io/a"}}})"));
  EXPECT_TRUE(IsSameJson(http_.requests[1].body, R"({"getJob": {"id": "7"}})"));
  EXPECT_TRUE(IsSameJson(http_.requests[3].body, R"({"getJob": {"id": "7"}})"));
}

TEST_F(UpstreamsRequestsTest, ReturnsAFailedJob) {
  http_.Answer(R"({"job": {"id": "7", "state": "FAILED", "error": "no such tag\n", "pull": {"blobs": 3}}})");
  ASSERT_OK_AND_ASSIGN(const UpstreamJob job, Pull());
  EXPECT_EQ(job.pull().blobs(), 3u);
  EXPECT_THAT(CheckDone(job), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(CheckDone(job).message(), "the job failed: no such tag?");
}

TEST_F(UpstreamsRequestsTest, GivesUpAtOnceOnOtherErrors) {
  http_.Answer(kRunning);
  http_.AnswerWith(HttpAnswer{404, ""});
  EXPECT_THAT(Pull(), StatusIs(absl::StatusCode::kNotFound)) << "the registry was restarted";
}

}  // namespace
}  // namespace entrepot::ctl
