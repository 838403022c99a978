#include "gateway/api/admin/maintenance_handler.h"

#include <string>

#include "absl/strings/match.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kTarget[] = "/entrepot/v1/maintain";

TEST(MaintenanceHandlerTest, SetsTheCallerOfACommand) {
  TestAuth auth;
  TestRegistry registry({}, auth.accounts());
  const std::string root = Bearer(auth.Token("root", "registry:administration:*"));
  const RawResponse response = registry.Call(
      "POST", kTarget, R"({"startJob":{"backUp":{"name":"n"}},"caller":{"account":"forged"},"remoteAddress":"forged"})",
      root);
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(absl::StrContains(response.body, R"("state":"RUNNING")")) << response.body;
  EXPECT_EQ(response.Field("content-type"), "application/json");
  const manifest::v1::MaintainRequest command = registry.services().maintenance()->last_request();
  EXPECT_EQ(command.start_job().back_up().name(), "n");
  EXPECT_EQ(command.caller().account(), "root");
  EXPECT_EQ(command.remote_address(), "127.0.0.1");

  const std::string pusher = Bearer(auth.Token("ci", "repository:**:*"));
  EXPECT_EQ(registry.Call("POST", kTarget, R"({"getStatus":{}})", pusher).status, 401);
}

TEST(MaintenanceHandlerTest, ServesEveryCallerWithoutAccounts) {
  TestRegistry registry;
  EXPECT_EQ(registry.Call("POST", kTarget, R"({"getStatus":{}})").status, 200);
  const manifest::v1::MaintainRequest command = registry.services().maintenance()->last_request();
  EXPECT_TRUE(command.has_get_status());
  EXPECT_EQ(command.caller().account(), "");
  EXPECT_EQ(registry.Call("GET", kTarget).status, 405);
}

TEST(MaintenanceHandlerTest, RefusesABodyWithoutACommand) {
  TestRegistry registry;
  for (const char* body : {"", "{", "[]", "{}", R"({"getStatuses":{}})", R"({"startJob":{"scrub":{"fast":true}}})"}) {
    const RawResponse response = registry.Call("POST", kTarget, body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << body;
  }
}

TEST(MaintenanceHandlerTest, MapsTheStatusOfACommand) {
  TestRegistry registry;
  const auto status_after = [&](const absl::Status& status) {
    registry.services().maintenance()->FailWith(status);
    return registry.Call("POST", kTarget, R"({"startJob":{"scrub":{}}})").status;
  };
  EXPECT_EQ(status_after(absl::AlreadyExistsError("the job 1 is under way")), 409);
  EXPECT_EQ(status_after(absl::FailedPreconditionError("no rules are in force")), 409);
  EXPECT_EQ(status_after(absl::NotFoundError("there is no job")), 404);
  EXPECT_EQ(status_after(absl::InvalidArgumentError("no name")), 400);
  EXPECT_EQ(status_after(absl::UnavailableError("down")), 503);
}

}  // namespace
}  // namespace entrepot::gateway::api
