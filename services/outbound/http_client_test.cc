#include "services/outbound/http_client.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/one_response_server.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::outbound {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

absl::StatusOr<HttpResponse> Get(const std::string& url, HttpClientOptions options = {}) {
  return HttpClient::Create(std::move(options))->Send({.url = url});
}

std::string RedirectTo(const std::string& url) {
  return absl::StrCat("HTTP/1.1 302 Found\r\nLocation: ", url, "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}

TEST(HttpClientTest, Gets) {
  OneResponseServer server(OkResponse("text"));
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, Get(server.Url("http"), {.user_agent = "entrepot/1"}));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "text");
  EXPECT_THAT(server.request(),
              AllOf(StartsWith("GET /keys?a=b HTTP/1.1\r\n"), HasSubstr("User-Agent: entrepot/1\r\n")));
}

TEST(HttpClientTest, ReturnsResponsesOfAnyStatus) {
  OneResponseServer server("HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, Get(server.Url("http")));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, "{}");
}

TEST(HttpClientTest, HeadHasNoBody) {
  OneResponseServer server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  ASSERT_OK_AND_ASSIGN(const HttpResponse response,
                       HttpClient::Create({})->Send({.method = "HEAD", .url = server.Url("http")}));
  EXPECT_EQ(response.body, "");
  EXPECT_THAT(server.request(), StartsWith("HEAD "));
}

TEST(HttpClientTest, SendsMethodHeadersAndBody) {
  OneResponseServer server(OkResponse(""));
  ASSERT_OK(HttpClient::Create({})->Send({.method = "PATCH",
                                          .url = server.Url("http"),
                                          .headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}},
                                          .body = "{\"a\":1}",
                                          .username = "ci",
                                          .password = "secret"}));
  EXPECT_THAT(server.request(),
              AllOf(StartsWith("PATCH /keys?a=b HTTP/1.1\r\n"), HasSubstr("\r\nContent-Type: application/json\r\n"),
                    HasSubstr("\r\nX-Empty:\r\n"), HasSubstr("\r\nAuthorization: Basic Y2k6c2VjcmV0\r\n"),
                    Not(HasSubstr("Expect")), EndsWith("\r\n\r\n{\"a\":1}")));
}

TEST(HttpClientTest, RefusesHeadersThatWouldAddOthers) {
  const std::vector<std::pair<std::string, std::string>> headers[] = {
      {{"A", "b\r\nC: d"}}, {{"A\r\nC", "d"}}, {{"A:b", "c"}}, {{"", "c"}}};
  for (const auto& bad : headers) {
    EXPECT_THAT(HttpClient::Create({})->Send({.url = "http://127.0.0.1:1/", .headers = bad}),
                StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(HttpClientTest, RefusesOtherSchemes) {
  for (const std::string url : {"file:///etc/passwd", "gopher://127.0.0.1/", "", "127.0.0.1"}) {
    EXPECT_THAT(Get(url), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

TEST(HttpClientTest, TrustsOnlyTheAuthoritiesOfItsCaFile) {
  const runtime::TestCa ca;
  const runtime::TestCa other_ca;
  const kv::TemporaryDirectory directory;
  const std::string ca_file = directory.path() + "/ca.pem";
  runtime::ReplaceFile(ca_file, ca.Pem());
  const std::string other_ca_file = directory.path() + "/other.pem";
  runtime::ReplaceFile(other_ca_file, other_ca.Pem());
  const runtime::TestCa::Issued good = ca.Issue({"IP:127.0.0.1"});
  const runtime::TestCa::Issued other_name = ca.Issue({"DNS:other.example"});

  OneResponseServer trusted(OkResponse("text"), &good);
  EXPECT_OK(Get(trusted.Url("https"), {.ca_file = ca_file}));
  OneResponseServer of_another_ca(OkResponse("text"), &good);
  EXPECT_THAT(Get(of_another_ca.Url("https"), {.ca_file = other_ca_file}), StatusIs(absl::StatusCode::kUnavailable));
  OneResponseServer unknown_to_the_system(OkResponse("text"), &good);
  EXPECT_THAT(Get(unknown_to_the_system.Url("https")), StatusIs(absl::StatusCode::kUnavailable));
  OneResponseServer of_another_name(OkResponse("text"), &other_name);
  EXPECT_THAT(Get(of_another_name.Url("https"), {.ca_file = ca_file}), StatusIs(absl::StatusCode::kUnavailable));
}

TEST(HttpClientTest, GivesUpAtTheTimeout) {
  // The server takes the client's handshake for the beginning of a request, and waits for its end.
  OneResponseServer without_tls(OkResponse("text"));
  EXPECT_THAT(Get(without_tls.Url("https"), {.timeout = absl::Milliseconds(200)}),
              StatusIs(absl::StatusCode::kUnavailable));
}

TEST(HttpClientTest, RefusesIncompleteAndOversizedResponses) {
  const std::string responses[] = {
      OkResponse("12345"),
      "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n12345",
      "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\n{}",
      absl::StrCat("HTTP/1.1 200 OK\r\nA: ", std::string(2000, 'a'), "\r\nContent-Length: 0\r\n\r\n"),
      "hello\r\n\r\n",
      "",
  };
  for (const std::string& response : responses) {
    OneResponseServer server(response);
    EXPECT_THAT(Get(server.Url("http"), {.body_bytes_max = 4, .header_bytes_max = 1000}),
                StatusIs(absl::StatusCode::kUnavailable))
        << response.substr(0, 80);
  }
  OneResponseServer server(OkResponse("1234"));
  EXPECT_OK(Get(server.Url("http"), {.body_bytes_max = 4, .header_bytes_max = 1000}));
}

TEST(HttpClientTest, ErrorsNameTheUrlWithoutItsQuery) {
  const absl::Status status = Get("http://127.0.0.1:1/keys?token=secret").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("no answer from http://127.0.0.1:1/keys: "), Not(HasSubstr("secret"))));
}

TEST(HttpClientTest, DoesNotFollowRedirectsByDefault) {
  OneResponseServer server(RedirectTo("http://127.0.0.1:1/"));
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, Get(server.Url("http")));
  EXPECT_EQ(response.status, 302);
}

TEST(HttpClientTest, FollowsRedirectsWithoutCredentialsForOtherOrigins) {
  OneResponseServer target(OkResponse("text"));
  OneResponseServer server(RedirectTo(target.Url("http")));
  std::vector<std::string> checked;
  const auto client = HttpClient::Create({.redirects_max = 1, .check_url = [&](absl::string_view url) {
                                            checked.emplace_back(url);
                                            return absl::OkStatus();
                                          }});
  ASSERT_OK_AND_ASSIGN(const HttpResponse response,
                       client->Send({.url = server.Url("http"),
                                     .headers = {{"Authorization", "Bearer secret"}, {"Accept", "text/plain"}}}));
  EXPECT_EQ(response.body, "text");
  EXPECT_THAT(checked, testing::ElementsAre(server.Url("http"), target.Url("http")));
  EXPECT_THAT(server.request(), HasSubstr("Authorization: Bearer secret"));
  EXPECT_THAT(target.request(), AllOf(HasSubstr("Accept: text/plain"), Not(HasSubstr("Authorization"))));
}

TEST(HttpClientTest, DoesNotRedirectBodies) {
  OneResponseServer server(RedirectTo("http://127.0.0.1:1/"));
  ASSERT_OK_AND_ASSIGN(const HttpResponse response, HttpClient::Create({.redirects_max = 5})
                                                        ->Send({.method = "POST",
                                                                .url = server.Url("http"),
                                                                .headers = {{"Content-Type", "text/plain"}},
                                                                .body = "text"}));
  EXPECT_EQ(response.status, 302);
}

TEST(HttpClientTest, ReturnsTheErrorOfTheUrlCheck) {
  OneResponseServer server(RedirectTo("http://127.0.0.1:1/internal"));
  const absl::Status status = Get(server.Url("http"), {.redirects_max = 1,
                                                       .check_url =
                                                           [](absl::string_view url) {
                                                             return absl::StrContains(url, "internal")
                                                                        ? absl::PermissionDeniedError("internal")
                                                                        : absl::OkStatus();
                                                           }})
                                  .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST(HttpClientTest, ReturnsTheErrorOfTheAddressCheck) {
  OneResponseServer server(OkResponse("text"));
  std::string checked;
  EXPECT_THAT(Get(server.Url("http"), {.check_address =
                                           [&](absl::string_view ip_address) {
                                             checked = std::string(ip_address);
                                             return absl::PermissionDeniedError("a loopback address");
                                           }}),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_EQ(checked, "127.0.0.1");
  EXPECT_OK(Get(server.Url("http"), {.check_address = [](absl::string_view) { return absl::OkStatus(); }}));
}

}  // namespace
}  // namespace entrepot::outbound
