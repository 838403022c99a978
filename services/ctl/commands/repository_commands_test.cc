#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kStart[] = R"({"measureUsage": {}})";
constexpr char kUsageResult[] = R"("usage": {"repositories": [
    {"name": "team/app", "blobs": "3", "bytes": "2048", "ownBytes": "1024", "manifests": "1", "tags": "2"},
    {"name": "team/web", "blobs": "1", "bytes": "1024"}], "repositoryCount": "2", "blobs": "4", "storedBytes": "3072",
    "linkedBytes": "3072"})";

class RepositoryCommandsTest : public CommandTest {};

TEST_F(RepositoryCommandsTest, DeleteSendsADelete) {
  http_.AnswerWith(HttpAnswer{202, ""});
  const Outcome outcome = Run({"repositories", "delete", "team/o ld"});
  EXPECT_EQ(outcome.code, kOk) << outcome.err;
  EXPECT_EQ(outcome.out, "deleted the repository team/o ld\n");
  const HttpRequest& request = http_.requests.at(0);
  EXPECT_EQ(request.method, "DELETE");
  EXPECT_EQ(request.url, "http://localhost:5000/entrepot/v1/repositories/team/o%20ld");
  EXPECT_EQ(request.token, "t0k3n");
  EXPECT_EQ(request.body, "");
}

TEST_F(RepositoryCommandsTest, DeletePrintsAnEmptyJsonObject) {
  http_.AnswerWith(HttpAnswer{202, ""});
  EXPECT_EQ(Run({"repositories", "delete", "a", "--output=json"}).out, "{}\n");
}

TEST_F(RepositoryCommandsTest, DeleteReportsErrors) {
  EXPECT_THAT(UsageError({"repositories", "delete"}), HasSubstr("NAME is required"));
  ExpectRefusalIsReported({"repositories", "delete", "a"});
  http_.AnswerWith(HttpAnswer{404, R"({"errors": [{"code": "NAME_UNKNOWN", "message": "no repository"}]})"});
  const Outcome outcome = Run({"repositories", "delete", "a"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "entrepotctl: the registry answered 404 NAME_UNKNOWN: no repository\n");
}

TEST_F(RepositoryCommandsTest, DuPrintsAllRepositoriesAndTheTotal) {
  const std::string text = RunJob({"du"}, kStart, kUsageResult);
  EXPECT_THAT(text, HasSubstr("REPOSITORY  BLOBS  SIZE     OWN      MANIFESTS  TAGS\n"
                              "team/app    3      2.0 KiB  1.0 KiB  1          2\n"));
  EXPECT_THAT(text, HasSubstr("stored  3.0 KiB in 4 blobs\n"));
  EXPECT_THAT(RunJob({"du", "--output", "json"}, kStart, kUsageResult), HasSubstr("\"storedBytes\": \"3072\""));
}

TEST_F(RepositoryCommandsTest, DuPrintsOneRepository) {
  EXPECT_THAT(RunJob({"du", "--repository", "team/web"}, kStart, kUsageResult),
              AllOf(HasSubstr("team/web"), Not(HasSubstr("team/app")), Not(HasSubstr("stored"))));
  EXPECT_TRUE(IsSameJson(RunJob({"du", "--repository=team/web", "--output=json"}, kStart, kUsageResult),
                         R"({"name": "team/web", "blobs": "1", "bytes": "1024", "ownBytes": "0", "manifests": "0",
                             "tags": "0", "cacheOf": ""})"));
}

TEST_F(RepositoryCommandsTest, DuReportsErrors) {
  http_.Answer(std::string(R"({"job": {"state": "DONE", )") + kUsageResult + "}}");
  const Outcome outcome = Run({"du", "--repository", "team/x"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, HasSubstr("the repository team/x is not there"));
  ExpectRefusalIsReported({"du"});
  EXPECT_THAT(UsageError({"du", "team/app"}), HasSubstr("unexpected argument team/app"));
  EXPECT_THAT(UsageError({"du", "--repository"}), HasSubstr("--repository needs a value"));
}

}  // namespace
}  // namespace entrepot::ctl
