#include "services/ctl/commands/administer_and_print.h"

#include <string>

#include "gtest/gtest.h"
#include "services/ctl/testing/command_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

class AdministerAndPrintTest : public CommandTest {
 protected:
  struct Printed {
    absl::StatusOr<int> code;
    std::string out;
  };

  // Answers the request with `answer` and prints as --output `format` asks.
  Printed Print(const std::string& format, const std::string& answer) {
    RegistryClient registry({.registry = "http://localhost:5000", .username = "admin", .password = "s3cret"}, http_);
    auth::v1::AdministerRequest request;
    request.mutable_list_groups();
    http_.Answer(answer);
    testing::internal::CaptureStdout();
    const absl::StatusOr<int> code =
        AdministerAndPrint(request, CommandLine(nullptr, {}, {{"--output", {format}}}), registry, "done\x1b");
    return {code, testing::internal::GetCapturedStdout()};
  }
};

TEST_F(AdministerAndPrintTest, PrintsTheAnswerAsText) {
  const Printed printed = Print("table", R"({"explanation": {"allowed": true, "reason": "rule 1"}})");
  EXPECT_THAT(printed.code, IsOkAndHolds(kOk));
  EXPECT_EQ(printed.out, "allowed: rule 1\n");
  EXPECT_TRUE(IsSameJson(http_.requests.at(0).body, R"({"listGroups": {}})"));
}

TEST_F(AdministerAndPrintTest, PrintsDoneIfTheAnswerHasNoText) {
  const Printed printed = Print("table", R"({"done": {}})");
  EXPECT_THAT(printed.code, IsOkAndHolds(kOk));
  EXPECT_EQ(printed.out, "done?\n");
}

TEST_F(AdministerAndPrintTest, PrintsTheResultAsJson) {
  const Printed printed = Print("json", R"({"groups": {"groups": []}})");
  EXPECT_THAT(printed.code, IsOkAndHolds(kOk));
  EXPECT_TRUE(IsSameJson(printed.out, R"({"groups": []})"));
  EXPECT_TRUE(IsSameJson(Print("json", R"({"done": {}})").out, "{}"));
}

TEST_F(AdministerAndPrintTest, PrintsNothingIfTheAnswerIsNotJson) {
  const Printed printed = Print("table", "<html>");
  EXPECT_THAT(printed.code, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(printed.out, "");
}

}  // namespace
}  // namespace entrepot::ctl
