#include "services/blob/s3/s3_client.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "services/blob/s3/testing/fake_s3.h"
#include "services/core/time/fake_clock.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using Lie = FakeS3::Lie;

class RenewableCredentials : public CredentialsSource {
 public:
  absl::StatusOr<Credentials> Get() override {
    if (forgotten == 0) return Credentials{.access_key_id = "old", .secret_access_key = "old", .session_token = "t"};
    return Credentials{.access_key_id = "key", .secret_access_key = "secret", .session_token = ""};
  }
  void Forget(const Credentials&) override { ++forgotten; }

  int forgotten = 1;
};

class S3ClientTest : public testing::Test {
 protected:
  S3Client Make(S3Target target = {.endpoint = "http://s3.test", .bucket = "bucket"}) {
    return S3Client({.target = std::move(target), .wait = [this](absl::Duration wait) { waits_.push_back(wait); }},
                    &server_, &credentials_, &clock_, &metrics_);
  }
  absl::StatusOr<S3Answer> Put(S3Client& client, const std::string& key) {
    return client.Send({.operation = "PutObject", .method = "PUT", .key = key, .body = "bytes"});
  }

  FakeClock clock_;
  FakeS3 server_{{}, &clock_};
  RenewableCredentials credentials_;
  prometheus::Registry registry_;
  S3Metrics metrics_{registry_};
  std::vector<absl::Duration> waits_;
};

TEST_F(S3ClientTest, SignsKeysOfAnyCharacters) {
  S3Client client = Make();
  for (const char* key : {"a b", "a+b=c", "a(b)!", "\xc3\xa9/@:", "a%2Fb"}) {
    ASSERT_OK_AND_ASSIGN(const S3Answer answer, Put(client, key));
    EXPECT_TRUE(answer.ok()) << key << answer.error_code;
    EXPECT_EQ(server_.ObjectBytes(key), "bytes");
  }
}

TEST_F(S3ClientTest, TriesThreeTimesAndWaitsRandomly) {
  S3Client client = Make();
  server_.SetRule([](const FakeS3::Request&) { return Lie::kSlowDown; });
  const absl::Status status = Put(client, "a").status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("503 SlowDown"));
  EXPECT_THAT(server_.Requests(), SizeIs(3));
  EXPECT_THAT(waits_, SizeIs(2));
  for (const absl::Duration wait : waits_) EXPECT_LE(wait, absl::Seconds(2));
}

TEST_F(S3ClientTest, TriesOnceIfThatIsAskedFor) {
  S3Client client = Make();
  server_.SetRule([](const FakeS3::Request&) { return Lie::kLost; });
  const absl::Status status =
      client.Send({.operation = "HeadObject", .method = "HEAD", .key = "a", .tries_max = 1}).status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("the S3 server did not answer HeadObject: "));
  EXPECT_THAT(server_.Requests(), SizeIs(1));
}

TEST_F(S3ClientTest, AServerThatIsDownGetsFewerRepetitionsInTheEnd) {
  S3Client client = Make();
  server_.SetRule([](const FakeS3::Request&) { return Lie::kLost; });
  constexpr size_t kRequests = 300;
  for (size_t i = 0; i < kRequests; ++i) EXPECT_THAT(Put(client, "a"), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(server_.Requests(), SizeIs(kRequests + 100));
}

TEST_F(S3ClientTest, DoesNotRepeatWhatIsRefused) {
  S3Client client = Make();
  server_.SetRule([](const FakeS3::Request&) { return Lie::kDenied; });
  ASSERT_OK_AND_ASSIGN(const S3Answer answer, Put(client, "a"));
  EXPECT_EQ(answer.error_code, "AccessDenied");
  EXPECT_THAT(server_.Requests(), SizeIs(1));
  const absl::Status error = client.ErrorOf({.operation = "PutObject", .method = "PUT", .key = "a"}, answer);
  EXPECT_THAT(error, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(error.message(), HasSubstr("PutObject in the bucket \"bucket\" with 403 AccessDenied"));
}

TEST_F(S3ClientTest, AMissingBucketIsNotAMissingObject) {
  S3Client client = Make();
  const S3Request get{.operation = "GetObject", .method = "GET", .key = "a"};
  ASSERT_OK_AND_ASSIGN(S3Answer answer, client.Send(get));
  EXPECT_THAT(client.ErrorOf(get, answer), IsOciError(OciErrorCode::kBlobUnknown));
  server_.SetRule([](const FakeS3::Request&) { return Lie::kNoBucket; });
  ASSERT_OK_AND_ASSIGN(answer, client.Send(get));
  EXPECT_THAT(client.ErrorOf(get, answer), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(S3ClientTest, CorrectsItsClock) {
  FakeS3 ahead({.clock_ahead = absl::Hours(-5)}, &clock_);
  S3Client client({.target = {.endpoint = "http://s3.test", .bucket = "bucket"}}, &ahead, &credentials_, &clock_,
                  &metrics_);
  ASSERT_OK_AND_ASSIGN(S3Answer answer, Put(client, "a"));
  EXPECT_TRUE(answer.ok()) << answer.error_code;
  EXPECT_THAT(ahead.Requests(), SizeIs(2));
  ASSERT_OK_AND_ASSIGN(answer, Put(client, "b"));
  EXPECT_THAT(ahead.Requests(), SizeIs(3));
}

TEST_F(S3ClientTest, AnErrorInThe200IsRepeated) {
  S3Client client = Make();
  server_.SetRule([first = std::make_shared<bool>(true)](const FakeS3::Request&) {
    return std::exchange(*first, false) ? Lie::kLateError : Lie::kNone;
  });
  const S3Request copy{.operation = "CopyObject", .method = "PUT", .key = "a", .body = "x", .may_fail_late = true};
  ASSERT_OK_AND_ASSIGN(const S3Answer answer, client.Send(copy));
  EXPECT_TRUE(answer.ok());
  EXPECT_THAT(server_.Requests(), SizeIs(2));
}

// Records where a request goes.
class RecordingTransport : public Transport {
 public:
  absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) override {
    url = request.url;
    return OciError(OciErrorCode::kUnavailable, "none");
  }
  std::string url;
};

TEST_F(S3ClientTest, DoesNotRepeatARequestThatFoundNoConnection) {
  class FullTransport : public Transport {
   public:
    absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest&) override {
      ++sent;
      return WithRetryAfter(OciError(OciErrorCode::kUnavailable, "all are in use"), absl::Seconds(5));
    }
    int sent = 0;
  };
  FullTransport transport;
  S3Client client({.target = {.endpoint = "http://s3.test", .bucket = "b"}, .wait = [](absl::Duration) {}}, &transport,
                  &credentials_, &clock_, &metrics_);
  const absl::Status status = Put(client, "k").status();
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(GetRetryAfter(status), absl::Seconds(5));
  EXPECT_EQ(transport.sent, 1);
  const std::string metrics = prometheus::TextSerializer().Serialize(registry_.Collect());
  EXPECT_THAT(metrics,
              HasSubstr("entrepot_s3_request_duration_seconds_count{operation=\"PutObject\",result=\"unsent\"} 1"));
  EXPECT_THAT(metrics, testing::Not(HasSubstr("failed"))) << "the server is not at fault";
}

// While it hangs, it answers no request before that gives up.
class HangingTransport : public Transport {
 public:
  explicit HangingTransport(Transport* server) : server_(*server) {}

  absl::StatusOr<std::unique_ptr<WireResponse>> Send(const WireRequest& request) override {
    methods.push_back(request.method);
    if (!hangs) return server_.Send(request);
    absl::SleepFor(request.idle_timeout);
    return OciError(OciErrorCode::kUnavailable, "the server was silent");
  }

  bool hangs = true;
  std::vector<std::string> methods;

 private:
  Transport& server_;
};

TEST_F(S3ClientTest, AServerThatHangsKeepsFewCallersWaiting) {
  HangingTransport transport(&server_);
  S3Client client({.target = {.endpoint = "http://s3.test", .bucket = "bucket"},
                   .probe_silence = absl::Milliseconds(1),
                   .wait = [](absl::Duration) {}},
                  &transport, &credentials_, &clock_, &metrics_);
  const auto put = [&] {
    return client
        .Send({.operation = "PutObject",
               .method = "PUT",
               .key = "a",
               .body = "bytes",
               .idle_timeout = absl::Milliseconds(1)})
        .status();
  };
  EXPECT_THAT(put().message(), HasSubstr("the S3 server did not answer PutObject: the server was silent"));
  EXPECT_THAT(transport.methods, ElementsAre("PUT", "PUT", "PUT"));
  for (int i = 0; i < 10; ++i) {
    const absl::Status refused = put();
    EXPECT_THAT(refused, IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(refused.message(), HasSubstr("the S3 server did not answer lately"));
    EXPECT_TRUE(GetRetryAfter(refused).has_value());
  }
  EXPECT_THAT(transport.methods, SizeIs(3));

  transport.methods.clear();
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(absl::Seconds(5));
    EXPECT_TRUE(GetRetryAfter(put()).has_value());
  }
  EXPECT_THAT(transport.methods, ElementsAre("HEAD", "HEAD", "HEAD")) << "no upload is sent to find out";

  transport.methods.clear();
  transport.hangs = false;
  EXPECT_TRUE(GetRetryAfter(put()).has_value()) << "the pause is not over";
  clock_.Advance(absl::Seconds(5));
  EXPECT_OK(put());
  EXPECT_OK(put());
  EXPECT_THAT(transport.methods, ElementsAre("HEAD", "PUT", "PUT"));
}

TEST_F(S3ClientTest, AddressesTheBucketByPathOrByHost) {
  RecordingTransport transport;
  for (const bool virtual_hosted : {false, true}) {
    S3Client client({.target = {.endpoint = "https://s3.example:1", .bucket = "b", .virtual_hosted = virtual_hosted},
                     .wait = [](absl::Duration) {}},
                    &transport, &credentials_, &clock_, &metrics_);
    EXPECT_FALSE(Put(client, "k").ok());
    EXPECT_EQ(transport.url, virtual_hosted ? "https://b.s3.example:1/k" : "https://s3.example:1/b/k");
  }
}

}  // namespace
}  // namespace entrepot::blob::s3
