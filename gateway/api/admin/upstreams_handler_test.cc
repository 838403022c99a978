#include "gateway/api/admin/upstreams_handler.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gateway/api/testing/test_upstreams.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kTarget[] = "/entrepot/v1/upstreams";
constexpr char kFile[] = "upstreams: [{name: docker.io}]";

TEST(UpstreamsHandlerTest, SetsTheCallerOfACommand) {
  TestAuth auth;
  TestUpstreams upstreams(kFile);
  TestRegistry registry({}, auth.accounts(), {}, upstreams.upstreams());
  const std::string root = absl::StrCat(kJsonContentType, Bearer(auth.Token("root", "registry:administration:*")));
  const RawResponse response = registry.Call(
      "POST", kTarget,
      R"({"startJob":{"test":{"upstream":"docker.io"}},"caller":{"account":"forged"},"remoteAddress":"forged"})", root);
  EXPECT_EQ(response.status, 200);
  EXPECT_TRUE(absl::StrContains(response.body, R"("state":"RUNNING")")) << response.body;
  EXPECT_EQ(response.Field("content-type"), "application/json");
  EXPECT_EQ(response.Field("cache-control"), "no-store");
  const upstream::v1::ManageUpstreamsRequest command = upstreams.last_command();
  EXPECT_EQ(command.start_job().test().upstream(), "docker.io");
  EXPECT_EQ(command.caller().account(), "root");
  EXPECT_EQ(command.remote_address(), "127.0.0.1");
}

TEST(UpstreamsHandlerTest, RefusesCallersThatAreNoAdministrators) {
  TestAuth auth;
  TestUpstreams upstreams(kFile);
  TestRegistry registry({}, auth.accounts(), {}, upstreams.upstreams());
  for (const char* access : {"", "registry:catalog:*", "repository:docker.io/library/nginx:*"}) {
    const std::string fields = absl::StrCat(kJsonContentType, Bearer(auth.Token("ci", access)));
    EXPECT_EQ(registry.Call("POST", kTarget, R"({"listUpstreams":{}})", fields).status, 401) << access;
  }
  EXPECT_EQ(registry.Call("POST", kTarget, R"({"listUpstreams":{}})", kJsonContentType).status, 401);
  EXPECT_FALSE(upstreams.last_command().has_list_upstreams());
}

TEST(UpstreamsHandlerTest, ServesEveryCallerWithoutAccounts) {
  TestUpstreams upstreams(kFile);
  TestRegistry registry({}, {}, {}, upstreams.upstreams());
  EXPECT_EQ(registry.Call("POST", kTarget, R"({"list_upstreams":{}})", kJsonContentType).status, 200);
  EXPECT_TRUE(upstreams.last_command().has_list_upstreams());
  EXPECT_EQ(upstreams.last_command().caller().account(), "");
  EXPECT_EQ(registry.Call("GET", kTarget).status, 405);
}

TEST(UpstreamsHandlerTest, RefusesABodyWithoutACommand) {
  TestUpstreams upstreams(kFile);
  TestRegistry registry({}, {}, {}, upstreams.upstreams());
  for (const char* body : {"", "{", "[]", "{}", R"({"listUpstream":{}})", R"({"startJob":{"pull":{"fast":true}}})"}) {
    const RawResponse response = registry.Call("POST", kTarget, body, kJsonContentType);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << body;
  }
  // Pages of other origins may send it without the registry's consent.
  EXPECT_EQ(registry.Call("POST", kTarget, R"({"listUpstreams":{}})", "Content-Type: text/plain\r\n").status, 415);
  EXPECT_FALSE(upstreams.last_command().has_list_upstreams());
}

TEST(UpstreamsHandlerTest, ARegistryWithoutUpstreamsHasNoCommandsForThem) {
  TestRegistry registry;
  const RawResponse response = registry.Call("POST", kTarget, R"({"listUpstreams":{}})", kJsonContentType);
  EXPECT_EQ(response.status, 404);
  EXPECT_TRUE(absl::StrContains(response.body, "no upstreams")) << response.body;
}

TEST(UpstreamsHandlerTest, MapsTheStatusOfACommand) {
  TestUpstreams upstreams(kFile);
  TestRegistry registry({}, {}, {}, upstreams.upstreams());
  const auto status_after = [&](const absl::Status& status) {
    upstreams.FailWith(status);
    return registry.Call("POST", kTarget, R"({"getJob":{"id":"7"}})", kJsonContentType).status;
  };
  EXPECT_EQ(status_after(absl::NotFoundError("there is no job")), 404);
  EXPECT_EQ(status_after(OciError(OciErrorCode::kNameUnknown, "no upstream")), 404);
  EXPECT_EQ(status_after(absl::InvalidArgumentError("no platform")), 400);
  EXPECT_EQ(status_after(absl::ResourceExhaustedError("8 jobs run")), 429);
  EXPECT_EQ(status_after(absl::CancelledError("the registry stops")), 503);
  EXPECT_EQ(status_after(absl::UnavailableError("down")), 503);
}

}  // namespace
}  // namespace entrepot::gateway::api
