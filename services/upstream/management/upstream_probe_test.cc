// Over real connections.

#include "services/upstream/management/upstream_probe.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/scripted_server.h"
#include "services/runtime/tls/test_certificates.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

// Of a Status or StatusOr.
MATCHER_P2(FailsWith, code, message, "") {
  const absl::Status status = StatusOf(arg);
  return status.code() == code && testing::ExplainMatchResult(message, std::string(status.message()), result_listener);
}

using outbound::ScriptedServer;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Request = ScriptedServer::Request;
using Connection = ScriptedServer::Connection;
using Step = v1::UpstreamTest::Step;

constexpr char kPassword[] = "pass-word";

std::string Response(absl::string_view status, absl::string_view fields = "", absl::string_view body = "") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(), "\r\n", fields, "\r\n", body);
}
std::string ManifestHead(absl::string_view fields = "") {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n",
                      "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n",
                      "Docker-Content-Digest: sha256:", std::string(64, 'a'), "\r\n", fields, "\r\n");
}

class UpstreamProbeTest : public testing::Test {
 protected:
  void SetUp() override {
    probe_.entry.set_name("r");
    probe_.entry.set_allow_private_addresses(true);
    probe_.clock = &clock_;
  }

  void SetRepository(const std::string& repository) { probe_.repository = repository; }
  void SetCredentials() {
    const std::string path = directory_.path() + "/password";
    runtime::ReplaceFile(path, kPassword);
    probe_.entry.mutable_credentials()->set_username("ada");
    probe_.entry.mutable_credentials()->set_password_file(path);
  }
  // Runs the probe against the URL; sets status_ and steps_.
  void Run(const std::string& url) {
    probe_.entry.set_url(url);
    v1::UpstreamTest test;
    int shown = 0;
    status_ = RunProbe(probe_, &stop_, [&](const v1::UpstreamTest& now) {
      EXPECT_EQ(now.steps_size(), ++shown);
      test = now;
    });
    steps_.assign(test.steps().begin(), test.steps().end());
    EXPECT_THAT(test.ShortDebugString(), Not(HasSubstr(kPassword)));
    EXPECT_THAT(std::string(status_.message()), Not(HasSubstr(kPassword)));
    for (const Step& step : steps_) EXPECT_GE(step.seconds(), 0) << step.name();
  }
  // "address ok, connection failed".
  std::string Summary() const {
    std::string summary;
    for (const Step& step : steps_) {
      absl::StrAppend(&summary, summary.empty() ? "" : ", ", step.name(),
                      step.result() == Step::OK       ? " ok"
                      : step.result() == Step::FAILED ? " failed"
                                                      : " skipped");
    }
    return summary;
  }
  std::string Detail(const std::string& name) const {
    for (const Step& step : steps_) {
      if (step.name() == name) return step.detail();
    }
    return "no such step";
  }

  SystemClock clock_;
  StopSignal stop_;
  kv::TemporaryDirectory directory_;
  UpstreamProbe probe_;
  absl::Status status_;
  std::vector<Step> steps_;
};

TEST_F(UpstreamProbeTest, FindsThatAllWorks) {
  ScriptedServer server([](const Request& request, Connection& connection) {
    connection.Write(request.method == "HEAD"
                         ? ManifestHead("RateLimit-Limit: 100;w=21600\r\nRateLimit-Remaining: 76\r\n")
                         : Response("200 OK"));
  });
  SetRepository("team/app");
  Run(server.Url(""));
  EXPECT_OK(status_);
  EXPECT_EQ(Summary(), "address ok, connection ok, TLS skipped, login ok, manifest ok, rate limit ok");
  EXPECT_THAT(Detail("address"), HasSubstr("127.0.0.1"));
  EXPECT_THAT(Detail("connection"), HasSubstr(absl::StrCat("127.0.0.1 port ", server.port())));
  EXPECT_EQ(Detail("login"), "anonymous");
  EXPECT_THAT(Detail("manifest"), AllOf(HasSubstr("team/app latest"), HasSubstr("sha256:aaa"), HasSubstr("oci.image")));
  EXPECT_THAT(Detail("rate limit"), HasSubstr("76 of 100"));
  const std::vector<Request> requests = server.requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].target, "/v2/");
  EXPECT_EQ(requests[1].target, "/v2/team/app/manifests/latest");
}

TEST_F(UpstreamProbeTest, AsksOnlyTheRootWithoutARepository) {
  ScriptedServer server([](const Request&, Connection& connection) { connection.Write(Response("200 OK")); });
  Run(server.Url(""));
  EXPECT_OK(status_);
  EXPECT_EQ(Summary(), "address ok, connection ok, TLS skipped, login ok, manifest skipped, rate limit skipped");
  EXPECT_EQ(server.requests().size(), 1u);
}

TEST_F(UpstreamProbeTest, FindsAHostWithoutAnAddress) {
  Run("https://registry.invalid");
  EXPECT_EQ(Summary(),
            "address failed, connection skipped, TLS skipped, login skipped, manifest skipped, rate limit skipped");
  EXPECT_THAT(Detail("address"), HasSubstr("registry.invalid"));
  EXPECT_THAT(status_, FailsWith(absl::StatusCode::kUnavailable, HasSubstr("address")));
}

TEST_F(UpstreamProbeTest, FindsAnAddressThatTheEntryDoesNotAllow) {
  ScriptedServer server([](const Request&, Connection& connection) { connection.Write(Response("200 OK")); });
  probe_.entry.set_allow_private_addresses(false);
  Run(server.Url(""));
  EXPECT_THAT(Summary(), HasSubstr("address failed, connection skipped"));
  EXPECT_THAT(Detail("address"), AllOf(HasSubstr("127.0.0.1"), HasSubstr("allow_private_addresses")));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(UpstreamProbeTest, FindsAClosedPort) {
  int port = 0;
  {
    const ScriptedServer server([](const Request&, Connection&) {});
    port = server.port();
  }
  Run(absl::StrCat("http://127.0.0.1:", port));
  EXPECT_THAT(Summary(), HasSubstr("address ok, connection failed, TLS skipped, login skipped"));
  EXPECT_THAT(Detail("connection"), HasSubstr(absl::StrCat(port)));
}

TEST_F(UpstreamProbeTest, FindsACertificateThatIsNotTrusted) {
  const runtime::TestCa ca;
  const runtime::TestCa::Issued certificate = ca.Issue({"IP:127.0.0.1"});
  ScriptedServer server([](const Request&, Connection& connection) { connection.Write(Response("200 OK")); },
                        {.certificate = &certificate});
  Run(server.Url("", "https"));
  EXPECT_THAT(Summary(), HasSubstr("connection ok, TLS failed, login skipped"));
  EXPECT_THAT(Detail("TLS"),
              AllOf(HasSubstr("ca_file"), HasSubstr("not trusted"), HasSubstr("valid until"), HasSubstr("127.0.0.1")));

  const std::string ca_file = directory_.path() + "/ca.pem";
  runtime::ReplaceFile(ca_file, ca.Pem());
  probe_.entry.set_ca_file(ca_file);
  Run(server.Url("", "https"));
  EXPECT_THAT(Summary(), HasSubstr("connection ok, TLS ok, login ok"));
  // It is valid for a day.
  EXPECT_THAT(Detail("TLS"), AllOf(HasSubstr("valid until"), HasSubstr("it ends in"), HasSubstr("127.0.0.1")));

  // Another name than that of the certificate.
  Run(server.Url("", "https", "localhost"));
  EXPECT_THAT(Summary(), HasSubstr("connection ok, TLS failed, login skipped"));
  EXPECT_THAT(Detail("TLS"), AllOf(HasSubstr("localhost"), HasSubstr("for \"127.0.0.1\"")));
}

// A registry whose token service is under /token.
class TokenRegistry {
 public:
  // Whether it gives a token to a request.
  explicit TokenRegistry(std::function<bool(const Request& request)> gives)
      : server_([this, gives = std::move(gives)](const Request& request, Connection& connection) {
          if (absl::StartsWith(request.target, "/token")) {
            connection.Write(gives(request)
                                 ? Response("200 OK", "", R"({"token":"t"})")
                                 : Response("401 Unauthorized", "", R"({"errors":[{"code":"UNAUTHORIZED"}]})"));
          } else if (!absl::StrContains(request.text, "\r\nAuthorization: Bearer t\r\n")) {
            connection.Write(Response("401 Unauthorized", absl::StrCat("WWW-Authenticate: Bearer realm=\"",
                                                                       server_.Url("/token"), "\",service=\"r\"\r\n")));
          } else {
            connection.Write(request.method == "HEAD" ? ManifestHead() : Response("200 OK"));
          }
        }) {}

  ScriptedServer& server() { return server_; }

 private:
  ScriptedServer server_;
};

TEST_F(UpstreamProbeTest, NamesTheLoginOfATokenService) {
  TokenRegistry registry([](const Request&) { return true; });
  SetRepository("team/app");
  Run(registry.server().Url(""));
  EXPECT_OK(status_);
  EXPECT_EQ(Detail("login"), "anonymous, by a token of 127.0.0.1");
  SetCredentials();
  Run(registry.server().Url(""));
  EXPECT_OK(status_);
  EXPECT_EQ(Detail("login"), "with the credentials of \"ada\", by a token of 127.0.0.1");
}

TEST_F(UpstreamProbeTest, LogsInWithoutARepository) {
  TokenRegistry registry([](const Request& request) { return !absl::StrContains(request.target, "scope"); });
  SetCredentials();
  Run(registry.server().Url(""));
  EXPECT_OK(status_);
  EXPECT_THAT(Summary(), HasSubstr("login ok, manifest skipped"));
}

TEST_F(UpstreamProbeTest, FindsCredentialsThatAreRefused) {
  TokenRegistry registry(
      [](const Request& request) { return !absl::StrContains(request.text, "\r\nAuthorization: Basic "); });
  SetCredentials();
  Run(registry.server().Url(""));
  EXPECT_THAT(Summary(), HasSubstr("TLS skipped, login failed, manifest skipped"));
  EXPECT_THAT(Detail("login"), AllOf(HasSubstr("401"), HasSubstr("with the credentials of \"ada\"")));
}

TEST_F(UpstreamProbeTest, FindsThatBasicCredentialsAreMissing) {
  ScriptedServer server([](const Request&, Connection& connection) {
    connection.Write(Response("401 Unauthorized", "WWW-Authenticate: Basic realm=\"r\"\r\n"));
  });
  Run(server.Url(""));
  EXPECT_THAT(Summary(), HasSubstr("login failed"));
  EXPECT_THAT(Detail("login"), AllOf(HasSubstr("401"), HasSubstr("anonymous")));
}

TEST_F(UpstreamProbeTest, FindsAnUpstreamThatIsNoRegistry) {
  ScriptedServer server([](const Request&, Connection& connection) { connection.Write(Response("404 Not Found")); });
  Run(server.Url(""));
  EXPECT_THAT(Summary(), HasSubstr("login failed"));
  EXPECT_THAT(Detail("login"), AllOf(HasSubstr("404"), HasSubstr("url")));
}

TEST_F(UpstreamProbeTest, FindsAManifestThatIsNotThere) {
  ScriptedServer server([](const Request& request, Connection& connection) {
    connection.Write(Response(request.method == "HEAD" ? "404 Not Found" : "200 OK"));
  });
  SetRepository("team/app");
  Run(server.Url(""));
  EXPECT_THAT(Summary(), HasSubstr("login ok, manifest failed"));
  EXPECT_THAT(Detail("manifest"), AllOf(HasSubstr("404"), HasSubstr("/v2/team/app/manifests/latest"),
                                        HasSubstr("the entry needs credentials")));
}

TEST_F(UpstreamProbeTest, FindsALimitThatHasRunOut) {
  ScriptedServer server([](const Request& request, Connection& connection) {
    connection.Write(
        request.method == "HEAD"
            ? Response("429 Too Many Requests", "Retry-After: 90\r\nRateLimit-Limit: 100\r\nRateLimit-Remaining: 0\r\n")
            : Response("200 OK"));
  });
  SetRepository("team/app");
  Run(server.Url(""));
  EXPECT_THAT(Summary(), HasSubstr("login ok, manifest failed, rate limit failed"));
  EXPECT_THAT(Detail("manifest"), AllOf(HasSubstr("429"), HasSubstr("1m30s")));
  EXPECT_THAT(Detail("rate limit"), HasSubstr("0 of 100"));
}

TEST_F(UpstreamProbeTest, EndsIfItIsStopped) {
  ScriptedServer server([](const Request&, Connection& connection) { connection.WaitForEnd(absl::Seconds(30)); });
  std::thread stopper([&] {
    server.WaitForRequests(1);
    stop_.Stop();
  });
  Run(server.Url(""));
  EXPECT_THAT(status_, StatusIs(absl::StatusCode::kCancelled));
  stopper.join();
}

}  // namespace
}  // namespace entrepot::upstream
