#include "services/blob/s3/object_urls.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/s3/s3_metrics.h"
#include "services/blob/s3/sigv4.h"
#include "services/blob/s3/testing/fake_s3.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

class TemporaryCredentials : public CredentialsSource {
 public:
  absl::StatusOr<Credentials> Get() override {
    RETURN_IF_ERROR(status);
    return credentials;
  }
  void Forget(const Credentials&) override {}

  absl::Status status;
  Credentials credentials = {.access_key_id = "key", .secret_access_key = "secret", .session_token = "a/token"};
};

class ObjectUrlsTest : public testing::Test {
 protected:
  ObjectUrls Make(const std::vector<std::string>& clients, bool virtual_hosted = false) {
    ObjectUrls::Options options{
        .target = {.endpoint = "https://public.example:9000", .bucket = "bucket", .virtual_hosted = virtual_hosted},
        .clients = {},
        .lifetime = absl::Seconds(90)};
    for (const std::string& text : clients) options.clients.push_back(*IpNetwork::Parse(text));
    return ObjectUrls(std::move(options), &credentials_, &client_, metrics_.redirects());
  }
  // What the server computes from a URL, and compares with its signature.
  std::string Signed(const std::string& host, const std::string& path) {
    const RequestToSign request{.method = "GET",
                                .host = host,
                                .path = path,
                                .query = {{"response-content-disposition", "attachment"},
                                          {"response-content-type", "application/octet-stream"}},
                                .headers = {},
                                .payload_hash = ""};
    return absl::StrCat("https://", host, path, "?",
                        PresignQuery(request, credentials_.credentials, {.region = "us-east-1"}, client_.ServerTime(),
                                     absl::Seconds(90)));
  }

  FakeClock clock_;
  FakeS3 server_{{.clock_ahead = absl::Hours(1)}, &clock_};
  TemporaryCredentials credentials_;
  prometheus::Registry registry_;
  S3Metrics metrics_{registry_};
  S3Client client_{{.target = {.endpoint = "http://s3.test", .bucket = "bucket"}, .wait = [](absl::Duration) {}},
                   &server_,
                   &credentials_,
                   &clock_,
                   &metrics_};
};

TEST_F(ObjectUrlsTest, SignsForTheHostThatClientsReach) {
  EXPECT_THAT(Make({"0.0.0.0/0"}).UrlFor("r/a b", "192.0.2.1"),
              IsOkAndHolds(Signed("public.example:9000", "/bucket/r/a%20b")));
  EXPECT_THAT(Make({"0.0.0.0/0"}, true).UrlFor("r/a b", "192.0.2.1"),
              IsOkAndHolds(Signed("bucket.public.example:9000", "/r/a%20b")));
  ASSERT_OK_AND_ASSIGN(const std::string url, Make({"0.0.0.0/0"}).UrlFor("k", "192.0.2.1"));
  EXPECT_THAT(url, testing::HasSubstr("&X-Amz-Expires=90&"));
  EXPECT_THAT(url, testing::HasSubstr("&X-Amz-Security-Token=a%2Ftoken&"));
  EXPECT_THAT(url, testing::HasSubstr("&response-content-disposition=attachment&"));
  EXPECT_THAT(url, testing::HasSubstr("&response-content-type=application%2Foctet-stream&"));
  EXPECT_EQ(metrics_.redirects()->Value(), 3);
}

TEST_F(ObjectUrlsTest, DatesUrlsByTheClockOfTheServer) {
  const absl::Time before = client_.ServerTime();
  credentials_.credentials.session_token.clear();
  // Refused, because it is an hour late; then the client knows.
  ASSERT_OK(client_.Send({.operation = "GetObject", .method = "GET", .key = "k"}));
  EXPECT_EQ(client_.ServerTime() - before, absl::Hours(1));
  EXPECT_THAT(Make({"0.0.0.0/0"}).UrlFor("k", "192.0.2.1"), IsOkAndHolds(Signed("public.example:9000", "/bucket/k")));
}

TEST_F(ObjectUrlsTest, GivesUrlsToSomeClientsOnly) {
  const ObjectUrls urls = Make({"192.0.2.0/24", "2001:db8::/32", "198.51.100.7"});
  for (const char* client : {"192.0.2.255", "2001:db8:1::", "198.51.100.7", "::ffff:192.0.2.1"}) {
    EXPECT_THAT(urls.UrlFor("k", client), IsOkAndHolds(testing::StartsWith("https://"))) << client;
  }
  for (const char* client : {"192.0.3.0", "2001:db9::", "198.51.100.8", "::1", "", "unix", "192.0.2.1:80"}) {
    EXPECT_THAT(urls.UrlFor("k", client), IsOkAndHolds("")) << client;
  }
}

TEST_F(ObjectUrlsTest, CredentialsOutliveAUrl) {
  const ObjectUrls urls = Make({"0.0.0.0/0"});
  credentials_.credentials.expires_at = clock_.Now() + absl::Seconds(89);
  EXPECT_THAT(urls.UrlFor("k", "192.0.2.1"), IsOkAndHolds(""));
  credentials_.credentials.expires_at = clock_.Now() + absl::Seconds(90);
  EXPECT_THAT(urls.UrlFor("k", "192.0.2.1"), IsOkAndHolds(testing::Not("")));
  credentials_.status = OciError(OciErrorCode::kUnavailable, "none");
  EXPECT_THAT(urls.UrlFor("k", "192.0.2.1"), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(urls.UrlFor("k", "2001:db8::"), IsOkAndHolds("")) << "needs none";
}

}  // namespace
}  // namespace entrepot::blob::s3
