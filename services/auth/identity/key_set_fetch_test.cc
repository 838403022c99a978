#include "services/auth/identity/key_set_fetch.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/one_response_server.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

using outbound::OkResponse;
using outbound::OneResponseServer;
using testing::HasSubstr;
using testing::StartsWith;

TEST(KeySetFetchTest, Fetches) {
  OneResponseServer server(OkResponse(R"({"keys":[]})"));
  EXPECT_THAT(FetchKeySet(server.Url("http"), ""), IsOkAndHolds(R"({"keys":[]})"));
  EXPECT_THAT(server.request(), StartsWith("GET /keys?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(server.request(), HasSubstr("\r\nUser-Agent: entrepot/dev\r\n"));
}

TEST(KeySetFetchTest, TrustsTheCaFile) {
  const runtime::TestCa ca;
  const kv::TemporaryDirectory directory;
  const std::string ca_file = directory.path() + "/ca.pem";
  runtime::ReplaceFile(ca_file, ca.Pem());
  const runtime::TestCa::Issued certificate = ca.Issue({"IP:127.0.0.1"});
  OneResponseServer server(OkResponse("text"), &certificate);
  EXPECT_THAT(FetchKeySet(server.Url("https"), ca_file), IsOkAndHolds("text"));
  OneResponseServer unknown_to_the_system(OkResponse("text"), &certificate);
  EXPECT_THAT(FetchKeySet(unknown_to_the_system.Url("https"), ""), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(KeySetFetchTest, DoesNotFollowRedirects) {
  OneResponseServer target(OkResponse("text"));
  OneResponseServer server(absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", target.Url("http"),
                                        "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
  const auto text = FetchKeySet(server.Url("http"), "");
  EXPECT_THAT(text, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(text.status().message()), HasSubstr("answers 302, not 200"));
}

TEST(KeySetFetchTest, AcceptsOnlyComplete200ResponsesOfABoundedSize) {
  const std::string large(256 * 1024 + 1, ' ');
  const std::string responses[] = {
      "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
      "HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
      OkResponse(large),
      absl::StrCat("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", large),
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{}",
      absl::StrCat("HTTP/1.1 200 OK\r\nA: ", std::string(70'000, 'a'), "\r\n\r\n"),
      "hello\r\n\r\n",
      "",
  };
  for (const std::string& response : responses) {
    OneResponseServer server(response);
    EXPECT_THAT(FetchKeySet(server.Url("http"), ""), StatusIs(absl::StatusCode::kUnavailable))
        << response.substr(0, 80);
  }
  OneResponseServer server(OkResponse(large.substr(1)));
  EXPECT_OK(FetchKeySet(server.Url("http"), ""));
}

TEST(KeySetFetchTest, RefusesAddressesThatAPolicyMayNotName) {
  for (const std::string url : {"file:///etc/passwd", "http://192.0.2.1/keys", "gopher://127.0.0.1/", ""}) {
    EXPECT_THAT(FetchKeySet(url, ""), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

}  // namespace
}  // namespace entrepot::auth
