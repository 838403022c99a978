#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class GcCommandsTest : public CommandTest {};

TEST_F(GcCommandsTest, StatusPrintsTheQueue) {
  const std::string answer = R"({"status": {"queued": "4", "due": "0", "lease": "24h", "grace": "1h"}})";
  EXPECT_THAT(RunAndExpectPost({"gc", "status"}, "/entrepot/v1/maintain", R"({"getStatus": {}})", answer),
              HasSubstr("to be reviewed       4 blobs, in use or not, of them 0 due\n"));
  EXPECT_THAT(
      RunAndExpectPost({"gc", "status", "--output=json"}, "/entrepot/v1/maintain", R"({"getStatus": {}})", answer),
      HasSubstr("\"queued\": \"4\""));
}

TEST_F(GcCommandsTest, RunCollects) {
  EXPECT_EQ(RunJob({"gc", "run"}, R"({"collectGarbage": {}})",
                   R"("collection": {"reviewed": "1", "deleted": "1", "swept": "1", "sweptBytes": "1024"})"),
            "reviewed 1 blob, condemned 0, deleted 1; deleted 1 object, 1.0 KiB\n");
}

TEST_F(GcCommandsTest, RunNowSkipsGraces) {
  EXPECT_EQ(RunJob({"gc", "run", "--now"}, R"({"collectGarbage": {"now": true}})",
                   R"("collection": {"now": true, "reviewed": "2", "deleted": "2", "gracesSkipped": "1", "swept": "2",
                      "sweptBytes": "1024", "waits": {}})"),
            "reviewed 2 blobs, condemned 0, deleted 2; deleted 2 objects, 1.0 KiB\n"
            "skipped the grace of 1 blob\n\nnothing waits to be deleted\n");
}

TEST_F(GcCommandsTest, RunFailsIfItDidNotComplete) {
  EXPECT_THAT(RunJob({"gc", "run"}, R"({"collectGarbage": {}})", R"("collection": {"error": "disk full"})", kFailed),
              HasSubstr("left for the next run: disk full\n"));
}

TEST_F(GcCommandsTest, DryRunChangesNothing) {
  const std::string result = R"("collection": {"dryRun": true, "doomedCount": "1", "doomedBytes": "5"})";
  EXPECT_EQ(RunJob({"gc", "dry-run"}, R"({"collectGarbage": {"dryRun": true}})", result),
            "1 blob, 5 B, would be deleted; nothing was changed\n");
  EXPECT_THAT(RunJob({"gc", "dry-run", "--output=json"}, R"({"collectGarbage": {"dryRun": true}})", result),
              HasSubstr("\"doomedCount\": \"1\""));
}

TEST_F(GcCommandsTest, RunQuarantinesAnyShareOnRequest) {
  EXPECT_THAT(RunJob({"gc", "run", "--any-share"}, R"({"collectGarbage": {"anyShare": true}})",
                     R"("collection": {"quarantined": "500"})"),
              HasSubstr("quarantined 500 unreferenced objects\n"));
}

TEST_F(GcCommandsTest, StatusShowsWhyUpkeepHoldsBack) {
  EXPECT_THAT(
      RunAndExpectPost({"gc", "status"}, "/entrepot/v1/maintain", R"({"getStatus": {}})",
                       R"({"status": {"heldBack": ["the clock was set"], "queued": "1000", "moreQueued": true}})"),
      AllOf(HasSubstr("HELD BACK: the clock was set\n"), HasSubstr("at least 1000 blobs")));
}

TEST_F(GcCommandsTest, AcceptLetsUpkeepGoOn) {
  EXPECT_THAT(RunAndExpectPost({"gc", "accept", "stores"}, "/entrepot/v1/maintain", R"({"accept": {"what": "STORES"}})",
                               R"({"status": {}})"),
              HasSubstr("to be reviewed       0 blobs"));
  RunAndExpectPost({"gc", "accept", "clock"}, "/entrepot/v1/maintain", R"({"accept": {"what": "CLOCK"}})",
                   R"({"status": {}})");
  EXPECT_THAT(UsageError({"gc", "accept", "all"}), HasSubstr("takes \"stores\" or \"clock\", not \"all\""));
}

TEST_F(GcCommandsTest, ReportsErrors) {
  ExpectRefusalIsReported({"gc", "accept", "stores"});
  ExpectRefusalIsReported({"gc", "status"});
  ExpectRefusalIsReported({"gc", "run"});
  ExpectRefusalIsReported({"gc", "dry-run"});
  EXPECT_THAT(UsageError({"gc", "run", "now"}), HasSubstr("unexpected argument now"));
  EXPECT_THAT(UsageError({"gc", "run", "--dry-run"}), HasSubstr("unknown option --dry-run"));
}

}  // namespace
}  // namespace entrepot::ctl
