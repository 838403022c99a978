#include "gateway/api/admin/maintenance_handler.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kTarget[] = "/entrepot/v1/maintain";

TEST(MaintenanceHandlerTest, SetsTheCallerOfACommand) {
  TestAuth auth;
  TestRegistry registry({}, auth.accounts());
  const std::string root = absl::StrCat(kJsonContentType, Bearer(auth.Token("root", "registry:administration:*")));
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
  EXPECT_EQ(registry.Call("POST", kTarget, R"({"getStatus":{}})", kJsonContentType).status, 200);
  const manifest::v1::MaintainRequest command = registry.services().maintenance()->last_request();
  EXPECT_TRUE(command.has_get_status());
  EXPECT_EQ(command.caller().account(), "");
  EXPECT_EQ(registry.Call("GET", kTarget).status, 405);
}

TEST(MaintenanceHandlerTest, RefusesABodyWithoutACommand) {
  TestRegistry registry;
  for (const char* body : {"", "{", "[]", "{}", R"({"getStatuses":{}})", R"({"startJob":{"scrub":{"fast":true}}})"}) {
    const RawResponse response = registry.Call("POST", kTarget, body, kJsonContentType);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << body;
  }
}

TEST(MaintenanceHandlerTest, RefusesOtherContentTypes) {
  TestRegistry registry;
  const std::string command = R"({"startJob":{"scrub":{}}})";
  // Those that a page may send to another origin without its consent, and none.
  for (const char* type : {"", "Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n",
                           "Content-Type: multipart/form-data; boundary=application/json\r\n"}) {
    const RawResponse response = registry.Call("POST", kTarget, command, type);
    EXPECT_EQ(response.status, 415) << type;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << type;
  }
  EXPECT_FALSE(registry.services().maintenance()->last_request().has_start_job());
  EXPECT_EQ(registry.Call("POST", kTarget, command, "Content-Type: application/json; charset=utf-8\r\n").status, 200);
}

TEST(MaintenanceHandlerTest, MapsTheStatusOfACommand) {
  TestRegistry registry;
  const auto status_after = [&](const absl::Status& status) {
    registry.services().maintenance()->FailWith(status);
    return registry.Call("POST", kTarget, R"({"startJob":{"scrub":{}}})", kJsonContentType).status;
  };
  EXPECT_EQ(status_after(absl::AlreadyExistsError("the job 1 is under way")), 409);
  EXPECT_EQ(status_after(absl::FailedPreconditionError("no rules are in force")), 409);
  EXPECT_EQ(status_after(absl::NotFoundError("there is no job")), 404);
  EXPECT_EQ(status_after(absl::InvalidArgumentError("no name")), 400);
  EXPECT_EQ(status_after(absl::UnavailableError("down")), 503);
}

}  // namespace
}  // namespace entrepot::gateway::api
