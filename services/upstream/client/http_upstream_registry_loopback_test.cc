// The registry over real connections.

#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/core/time/clock.h"
#include "services/outbound/testing/scripted_server.h"
#include "services/status/status_matchers.h"
#include "services/upstream/client/http_upstream_registry.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

using outbound::ScriptedServer;
using testing::HasSubstr;
using testing::Not;

constexpr char kManifest[] = R"({"schemaVersion":2,"config":{},"layers":[]})";

std::string Response(absl::string_view status, absl::string_view fields, absl::string_view body) {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(), "\r\n", fields, "\r\n", body);
}

class LoopbackTest : public testing::Test {
 protected:
  static Digest DigestOf(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

  std::unique_ptr<UpstreamRegistry> Make(const std::string& url, bool allow_private_addresses = true) {
    config::v1::Upstream entry;
    entry.set_name("r");
    entry.set_url(url);
    entry.set_allow_private_addresses(allow_private_addresses);
    auto made = MakeUpstreamRegistry(entry, &clock_, std::make_shared<prometheus::Registry>());
    EXPECT_OK(made);
    return *std::move(made);
  }

  SystemClock clock_;
  int server_port_ = 0;
};

TEST_F(LoopbackTest, PullsThroughAChallengeAndARedirect) {
  ScriptedServer storage([](const ScriptedServer::Request& request, ScriptedServer::Connection& connection) {
    const bool resumes = absl::StrContains(request.text, "\r\nRange: bytes=2-\r\n");
    connection.Write(resumes ? Response("206 Partial Content", "Content-Range: bytes 2-3/4\r\n", "ob")
                             : Response("200 OK", "", "blob"));
  });
  ScriptedServer server([&](const ScriptedServer::Request& request, ScriptedServer::Connection& connection) {
    if (absl::StartsWith(request.target, "/token?")) {
      connection.Write(Response("200 OK", "", R"({"token":"t"})"));
    } else if (!absl::StrContains(request.text, "\r\nAuthorization: Bearer t\r\n")) {
      const std::string realm = absl::StrCat("http://127.0.0.1:", server_port_, "/token");
      connection.Write(Response(
          "401 Unauthorized", absl::StrCat("WWW-Authenticate: Bearer realm=\"", realm, "\",service=\"r\"\r\n"), "no"));
    } else if (absl::StrContains(request.target, "/blobs/")) {
      connection.Write(Response("307 Temporary Redirect",
                                absl::StrCat("Location: ", storage.Url("/b?signature=s"), "\r\n"), "moved"));
    } else {
      const std::string head =
          absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", std::string(kManifest).size(),
                       "\r\nContent-Type: application/vnd.oci.image.manifest.v1+json\r\nDocker-Content-Digest: ",
                       DigestOf(kManifest).ToString(), "\r\n\r\n");
      connection.Write(request.method == "HEAD" ? head : absl::StrCat(head, kManifest));
    }
  });
  server_port_ = server.port();
  const auto registry = Make(server.Url(""));
  const Reference tag = *ParseReference("latest");
  const auto head = registry->HeadManifest("a", tag);
  ASSERT_OK(head);
  EXPECT_EQ(head->digest, DigestOf(kManifest));
  const auto manifest = registry->GetManifest("a", tag);
  ASSERT_OK(manifest);
  EXPECT_EQ(manifest->content, kManifest);

  std::string bytes;
  std::optional<UpstreamBlobHead> blob;
  const UpstreamRegistry::BlobSink sink{.on_head =
                                            [&](const UpstreamBlobHead& found) {
                                              blob = found;
                                              return absl::OkStatus();
                                            },
                                        .on_bytes =
                                            [&](absl::string_view piece) {
                                              absl::StrAppend(&bytes, piece);
                                              return absl::OkStatus();
                                            }};
  ASSERT_OK(registry->GetBlob("a", DigestOf("blob"), 0, sink));
  EXPECT_EQ(bytes, "blob");
  bytes.clear();
  ASSERT_OK(registry->GetBlob("a", DigestOf("blob"), 2, sink));
  EXPECT_EQ(bytes, "ob");
  ASSERT_TRUE(blob.has_value());
  EXPECT_EQ(blob->offset_bytes, 2u);
  EXPECT_EQ(blob->size_bytes, 4u);

  EXPECT_EQ(server.connections(), 1);
  ASSERT_EQ(storage.requests().size(), 2u);
  for (const auto& request : storage.requests()) {
    EXPECT_EQ(request.target, "/b?signature=s");
    EXPECT_THAT(request.text, Not(HasSubstr("Authorization")));
  }
}

TEST_F(LoopbackTest, ConnectsToNoPrivateAddressThatTheEntryDoesNotAllow) {
  ScriptedServer server([](const auto&, auto& connection) { connection.Write(Response("404 Not Found", "", "")); });
  const auto allowed = Make(server.Url(""))->ListTags("a", 1);
  EXPECT_EQ(FailureOf(allowed.status()), UpstreamFailure::kNotFound);
  for (const char* host : {"127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"}) {
    const auto tags =
        Make(absl::StrCat("http://", host, ":", server.port()), /*allow_private_addresses=*/false)->ListTags("a", 1);
    EXPECT_EQ(FailureOf(tags.status()), UpstreamFailure::kUnavailable) << host;
    EXPECT_THAT(std::string(tags.status().message()), HasSubstr("allow_private_addresses")) << host;
  }
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(LoopbackTest, IsUnavailableIfNothingListens) {
  std::string url;
  {
    ScriptedServer server([](const auto&, auto&) {});
    url = server.Url("");
  }
  const auto tags = Make(url)->ListTags("a", 1);
  EXPECT_EQ(FailureOf(tags.status()), UpstreamFailure::kUnavailable);
}

TEST_F(LoopbackTest, StopEndsABlobThatStalls) {
  ScriptedServer server([](const auto&, ScriptedServer::Connection& connection) {
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    connection.WaitForEnd(absl::Seconds(30));
  });
  const auto registry = Make(server.Url(""));
  absl::Notification begun;
  absl::Status status;
  std::thread reader([&] {
    status = registry->GetBlob("a", DigestOf("blob"), 0, {.on_head = {}, .on_bytes = [&](absl::string_view) {
                                                            if (!begun.HasBeenNotified()) begun.Notify();
                                                            return absl::OkStatus();
                                                          }});
  });
  begun.WaitForNotification();
  registry->Stop();
  reader.join();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled));
}

}  // namespace
}  // namespace entrepot::upstream
