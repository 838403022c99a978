#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/ctl/command_line/command.h"
#include "services/ctl/testing/command_test_fixture.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

constexpr char kPath[] = "/entrepot/v1/maintain";

class UploadCommandsTest : public CommandTest {};

TEST_F(UploadCommandsTest, ListPrintsUploads) {
  const std::string answer = R"({"uploads": {"uploads": [
      {"id": "0123", "repository": "driftwood/web", "account": "ada", "receivedBytes": "1024",
       "startedAt": "2026-01-02T03:04:05Z", "touchedAt": "2026-01-02T03:05:06Z", "expiresAt": "2026-01-03T03:05:06Z"},
      {"id": "4567", "repository": "driftwood/web", "client": "192.0.2.1", "inUse": true,
       "startedAt": "2026-01-02T03:04:05Z"}]}})";
  const std::string text = RunAndExpectPost({"uploads", "list"}, kPath, R"({"listUploads": {"filter": {}}})", answer);
  EXPECT_THAT(text, HasSubstr("0123    driftwood/web  ada        1.0 KiB   2026-01-02 03:04:05  2026-01-02 03:05:06  "
                              "2026-01-03 03:05:06\n"));
  EXPECT_THAT(text, HasSubstr("4567    driftwood/web  192.0.2.1  0 B       2026-01-02 03:04:05  in use"));
  EXPECT_THAT(text, HasSubstr("2 open uploads, 1.0 KiB\n"));
  EXPECT_THAT(
      RunAndExpectPost({"uploads", "list", "--output=json", "--repository", "a", "--account=b", "--client=c"}, kPath,
                       R"({"listUploads": {"filter": {"repository": "a", "account": "b", "client": "c"}}})", answer),
      HasSubstr("\"receivedBytes\": \"1024\""));
}

TEST_F(UploadCommandsTest, ListGetsAllPages) {
  http_.Answer(R"({"uploads": {"uploads": [{"id": "1"}], "next": "1"}})");
  http_.Answer(R"({"uploads": {"uploads": [{"id": "2"}]}})");
  const Outcome outcome = Run({"uploads", "list"});
  EXPECT_EQ(outcome.code, kOk);
  EXPECT_THAT(outcome.out, HasSubstr("2 open uploads"));
  ASSERT_EQ(http_.requests.size(), 2u);
  EXPECT_TRUE(IsSameJson(http_.requests[1].body, R"({"listUploads": {"filter": {}, "startAfter": "1"}})"));
}

TEST_F(UploadCommandsTest, CancelSendsItsFilter) {
  EXPECT_EQ(RunAndExpectPost({"uploads", "cancel", "0123"}, kPath, R"({"cancelUploads": {"filter": {"id": "0123"}}})",
                             R"({"cancelledUploads": {"cancelled": "1"}})"),
            "cancelled 1 upload\n");
  EXPECT_EQ(RunAndExpectPost({"uploads", "cancel", "--account", "ada"}, kPath,
                             R"({"cancelUploads": {"filter": {"account": "ada"}}})",
                             R"({"cancelledUploads": {"cancelled": "2", "inUse": "1"}})"),
            "cancelled 2 uploads; 1 upload in use ends with its request\n");
}

TEST_F(UploadCommandsTest, ReportsErrors) {
  ExpectRefusalIsReported({"uploads", "list"});
  ExpectRefusalIsReported({"uploads", "cancel", "0123"});
  EXPECT_THAT(UsageError({"uploads", "cancel"}), HasSubstr("needs an ID, --repository, --account or --client"));
  EXPECT_THAT(UsageError({"uploads", "list", "0123"}), HasSubstr("unexpected argument 0123"));
}

}  // namespace
}  // namespace entrepot::ctl
