#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPath[] = "/entrepot/v1/upstreams";
constexpr char kList[] = R"({"listUpstreams": {}})";
constexpr char kTwo[] = R"({"upstreams": {"upstreams": [
    {"name": "docker.io", "url": "https://registry-1.docker.io", "state": "ok"},
    {"name": "quay.io", "url": "https://quay.io", "state": "time-out"}]}})";

class UpstreamsCommandsTest : public CommandTest {
 protected:
  std::string RunUpstreamJob(const std::vector<std::string>& words, const std::string& start, const std::string& job,
                             int code = 0) {
    return RunAndExpectPost(words, kPath, absl::StrCat(R"({"startJob": )", start, "}"),
                            absl::StrCat(R"({"job": {"id": "7", )", job, "}}"), code);
  }
};

TEST_F(UpstreamsCommandsTest, ListsUpstreams) {
  EXPECT_THAT(RunAndExpectPost({"upstreams", "list"}, kPath, kList, kTwo), HasSubstr("quay.io    https://quay.io"));
  EXPECT_THAT(RunAndExpectPost({"upstreams", "list", "--output=json"}, kPath, kList, kTwo),
              HasSubstr("\"name\": \"quay.io\""));
}

TEST_F(UpstreamsCommandsTest, StatusFailsIfAnUpstreamFails) {
  EXPECT_THAT(RunAndExpectPost({"upstreams", "status"}, kPath, kList, kTwo, kFailed),
              HasSubstr("\n\nquay.io\n  url         https://quay.io\n  state       time-out\n"));
  const std::string one = RunAndExpectPost({"upstreams", "status", "docker.io"}, kPath, kList, kTwo);
  EXPECT_THAT(one, HasSubstr("  state       ok\n"));
  EXPECT_THAT(one, Not(HasSubstr("quay.io")));
  http_.Answer(kTwo);
  const Outcome unknown = Run({"upstreams", "status", "gcr.io"});
  EXPECT_EQ(unknown.code, kFailed);
  EXPECT_EQ(unknown.err, "entrepotctl: the registry has no upstream \"gcr.io\"\n");
}

TEST_F(UpstreamsCommandsTest, JobsAreListedAndCancelled) {
  const char jobs[] = R"({"jobs": {"jobs": [{"id": "a-1", "what": "pull x/y:1", "state": "RUNNING"}]}})";
  EXPECT_THAT(RunAndExpectPost({"upstreams", "jobs"}, kPath, R"({"listJobs": {}})", jobs),
              HasSubstr("a-1  pull x/y:1"));
  const char cancel[] = R"({"cancelJob": {"id": "a-1"}})";
  const char running[] = R"({"job": {"id": "a-1", "what": "pull x/y:1", "state": "RUNNING"}})";
  EXPECT_EQ(RunAndExpectPost({"upstreams", "cancel", "a-1"}, kPath, cancel, running),
            "the job a-1 ends soon: pull x/y:1\n");
  const char done[] = R"({"job": {"id": "a-1", "what": "pull x/y:1", "state": "DONE"}})";
  EXPECT_EQ(RunAndExpectPost({"upstreams", "cancel", "a-1"}, kPath, cancel, done),
            "the job a-1 had ended already: pull x/y:1\n");
}

TEST_F(UpstreamsCommandsTest, TestShowsEachStep) {
  EXPECT_EQ(RunUpstreamJob({"upstreams", "test", "quay.io"}, R"({"test": {"upstream": "quay.io"}})",
                           R"("state": "DONE", "test": {"steps": [{"name": "address", "result": "OK",
                              "detail": "192.0.2.1", "seconds": 0.5}]})"),
            "STEP     RESULT  TIME     DETAIL\naddress  ok      0.500 s  192.0.2.1\n");
  const std::string failed = R"("state": "FAILED", "error": "TLS failed", "test": {"steps": [
      {"name": "TLS", "result": "FAILED", "detail": "expired"}]})";
  const std::string start = R"({"test": {"upstream": "docker.io", "repository": "library/alpine", "reference": "3"}})";
  const std::vector<std::string> words = {"upstreams", "test", "docker.io", "--repository=library/alpine",
                                          "--reference=3"};
  EXPECT_THAT(RunUpstreamJob(words, start, failed, kFailed), HasSubstr("TLS   FAILED  0.000 s  expired\n"));
}

TEST_F(UpstreamsCommandsTest, ATestThatDidNotBeginIsAnError) {
  http_.Answer(R"({"job": {"id": "7", "state": "FAILED", "error": "the registry stops"}})");
  const Outcome outcome = Run({"upstreams", "test", "quay.io"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "entrepotctl: the job failed: the registry stops\n");
}

TEST_F(UpstreamsCommandsTest, PullNamesTheImageAsClientsDo) {
  const std::string done = R"("state": "DONE", "pull": {"digest": "sha256:aa", "manifests": 1, "blobs": 2})";
  const auto pull = [&](const char* image, const char* start) {
    return RunUpstreamJob({"upstreams", "pull", image}, absl::StrCat(R"({"pull": )", start, "}"), done);
  };
  EXPECT_THAT(pull("docker.io/library/nginx", R"({"repository": "docker.io/library/nginx"})"),
              HasSubstr("pulled docker.io/library/nginx, sha256:aa\n1 manifest, 2 blobs, "));
  pull("quay.io/a:v1", R"({"repository": "quay.io/a", "reference": "v1"})");
  pull("quay.io/a@sha256:aa", R"({"repository": "quay.io/a", "reference": "sha256:aa"})");
  pull("quay.io/a:v1@sha256:aa", R"({"repository": "quay.io/a", "reference": "sha256:aa"})");
  pull("up.example:5000/a", R"({"repository": "up.example:5000/a"})");
  EXPECT_THAT(
      RunUpstreamJob(
          {"upstreams", "pull", "quay.io/a", "--platform", "linux/amd64", "--platform=linux/arm64", "--output=json"},
          R"({"pull": {"repository": "quay.io/a", "platforms": ["linux/amd64", "linux/arm64"]}})", done),
      HasSubstr("\"digest\": \"sha256:aa\""));
  EXPECT_THAT(UsageError({"upstreams", "pull", "nginx:1.27"}), HasSubstr("must begin with its upstream"));
}

TEST_F(UpstreamsCommandsTest, PullFailsWithTheReason) {
  http_.Answer(R"({"job": {"id": "7", "state": "RUNNING", "pull": {"blobs": 2}}})");
  http_.Answer(R"({"job": {"id": "7", "state": "FAILED", "error": "the image has no platform x"}})");
  const Outcome outcome = Run({"upstreams", "pull", "quay.io/a"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "entrepotctl: the job failed: the image has no platform x\n");
}

TEST_F(UpstreamsCommandsTest, EvictsImagesOrMakesRoom) {
  const std::string done = R"("state": "DONE", "evict": {"imageCount": "1", "freedBytes": "5"})";
  const auto evict = [&](std::vector<std::string> words, const char* start) {
    words.insert(words.begin(), {"upstreams", "evict"});
    return RunUpstreamJob(words, absl::StrCat(R"({"evict": )", start, "}"), done);
  };
  EXPECT_EQ(evict({"quay.io/a:v1"}, R"({"repository": "quay.io/a", "reference": "v1"})"),
            "1 image evicted, 5 B freed\n");
  evict({"quay.io/a"}, R"({"repository": "quay.io/a"})");
  EXPECT_THAT(evict({"quay.io", "--to", "2 GiB", "--dry-run"},
                    R"({"upstream": "quay.io", "bytesMax": "2147483648", "dryRun": true})"),
              HasSubstr("1 image would be evicted, 5 B freed; nothing was changed\n"));
  evict({"quay.io", "--all"}, R"({"upstream": "quay.io", "bytesMax": "0"})");
}

TEST_F(UpstreamsCommandsTest, EvictsNoWholeUpstreamByMistake) {
  EXPECT_THAT(UsageError({"upstreams", "evict", "quay.io"}), HasSubstr("either --to SIZE or --all"));
  EXPECT_THAT(UsageError({"upstreams", "evict", "quay.io", "--all", "--to=1GiB"}),
              HasSubstr("either --to SIZE or --all"));
  EXPECT_THAT(UsageError({"upstreams", "evict", "quay.io/a", "--all"}), HasSubstr("for a whole upstream"));
  EXPECT_THAT(UsageError({"upstreams", "evict", "quay.io", "--to=100"}), HasSubstr("--to must be from 1MiB"));
  EXPECT_THAT(UsageError({"upstreams", "test", "quay.io", "--reference=v1"}), HasSubstr("together with --repository"));
}

TEST_F(UpstreamsCommandsTest, ReportsErrors) {
  ExpectRefusalIsReported({"upstreams", "list"});
  ExpectRefusalIsReported({"upstreams", "status"});
  ExpectRefusalIsReported({"upstreams", "test", "quay.io"});
  ExpectRefusalIsReported({"upstreams", "pull", "quay.io/a"});
  ExpectRefusalIsReported({"upstreams", "evict", "quay.io/a"});
}

}  // namespace
}  // namespace entrepot::ctl
