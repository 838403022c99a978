#include "gateway/api/admin/admin_handler.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kTarget[] = "/entrepot/v1/administer";

class AdminHandlerTest : public testing::Test {
 protected:
  RawResponse Post(absl::string_view body) {
    return registry_.Call("POST", kTarget, body,
                          absl::StrCat(kJsonContentType, Bearer(auth_.Token("root", "registry:administration:*"))));
  }

  TestAuth auth_;
  TestRegistry registry_{{}, auth_.accounts()};
};

TEST_F(AdminHandlerTest, SetsTheCallerOfACommand) {
  const RawResponse response =
      Post(R"({"createUser":{"name":"bob","password":"hush"},"caller":{"account":"forged"},"remoteAddress":"forged"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"done":{}})");
  EXPECT_EQ(response.Field("content-type"), "application/json");
  EXPECT_EQ(response.Field("cache-control"), "no-store");
  const auth::v1::AdministerRequest command = auth_.last_command();
  EXPECT_EQ(command.create_user().name(), "bob");
  EXPECT_EQ(command.caller().account(), "root");
  EXPECT_EQ(command.caller().token_issued_at().seconds(), 1'700'000'000);
  EXPECT_EQ(command.remote_address(), "127.0.0.1");
  // The proto's own field names are accepted too.
  EXPECT_EQ(Post(R"({"create_user":{"name":"carol"}})").status, 200);
  EXPECT_EQ(auth_.last_command().create_user().name(), "carol");
}

TEST_F(AdminHandlerTest, RefusesABodyWithoutACommand) {
  for (const char* body : {"", "{", "[]", "null", "{}", R"({"caller":{"account":"x"}})", R"({"createUsers":{}})",
                           R"({"createUser":{"name":"a","passwort":"hush"}})", R"({"createUser":{"name":["hush"]}})",
                           R"({"createUser":{},"deleteUser":{}})"}) {
    const RawResponse response = Post(body);
    EXPECT_EQ(response.status, 400) << body;
    EXPECT_EQ(ErrorCode(response), "UNSUPPORTED") << body;
    EXPECT_FALSE(absl::StrContains(response.body, "hush")) << body;
  }
  EXPECT_EQ(Post(std::string((1 << 20) + 1, ' ')).status, 413);
}

TEST_F(AdminHandlerTest, MapsTheStatusOfACommand) {
  const RawResponse taken = Post(R"({"createUser":{"name":"ann"}})");
  EXPECT_EQ(taken.status, 409);
  EXPECT_TRUE(absl::StrContains(taken.body, "there is a user"));
  auth_.FailWith(absl::NotFoundError("no such robot"));
  // The keys have been fetched by now, so the failure concerns the command only.
  EXPECT_EQ(Post(R"({"deleteRobot":{"name":"x"}})").status, 404);
  auth_.FailWith(absl::InvalidArgumentError("a name has no blanks"));
  EXPECT_EQ(Post(R"({"deleteRobot":{"name":"x"}})").status, 400);
  auth_.FailWith(absl::PermissionDeniedError("no administrator any more"));
  EXPECT_EQ(Post(R"({"deleteRobot":{"name":"x"}})").status, 403);
  auth_.FailWith(absl::UnavailableError("down"));
  EXPECT_EQ(Post(R"({"deleteRobot":{"name":"x"}})").status, 503);
}

}  // namespace
}  // namespace entrepot::gateway::api
