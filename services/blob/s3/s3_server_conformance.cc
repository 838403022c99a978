// The S3 store on a real server. tests/s3 starts one and runs this program; the environment names the server and the
// keys of its owner.

#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/blob/s3/object_urls.h"
#include "services/blob/s3/s3_object_store.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/clock.h"
#include "services/outbound/curl_transport.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob::s3 {
namespace {

constexpr uint64_t kPartBytes = 5 << 20;

std::string FromEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) std::abort();
  return value;
}

class OwnersCredentials : public CredentialsSource {
 public:
  absl::StatusOr<Credentials> Get() override {
    return Credentials{.access_key_id = FromEnvironment("ENTREPOT_S3_TEST_ACCESS_KEY"),
                       .secret_access_key = FromEnvironment("ENTREPOT_S3_TEST_SECRET_KEY"),
                       .session_token = ""};
  }
  void Forget(const Credentials&) override {}
};

// A store below a prefix of its own.
struct StoreOnServer {
  explicit StoreOnServer(std::string prefix = RandomLowerHex(8) + "/") : prefix(std::move(prefix)) {
    // The bucket; it exists already but for the first time.
    EXPECT_OK(client.Send({.operation = "CreateBucket", .method = "PUT"}));
  }

  const std::string prefix;
  SystemClock clock;
  OwnersCredentials credentials;
  prometheus::Registry registry;
  BlobMetrics metrics{registry};
  S3Metrics s3_metrics{registry};
  outbound::CurlTransport transport{{}};
  S3Client client{{.target = {.endpoint = FromEnvironment("ENTREPOT_S3_TEST_ENDPOINT"), .bucket = "entrepot-test"}},
                  &transport,
                  &credentials,
                  &clock,
                  &s3_metrics};
  S3Bucket bucket{&client, {}};
  S3ObjectStore store{{.prefix = prefix, .part_bytes = kPartBytes}, &bucket, &clock, &metrics, &s3_metrics};
};

INSTANTIATE_TEST_SUITE_P(Server, ObjectStoreConformance, testing::Values([] {
                           auto made = std::make_shared<StoreOnServer>();
                           return std::shared_ptr<StagingObjectStore>(made, &made->store);
                         }));

class S3ServerTest : public testing::Test {
 protected:
  std::unique_ptr<StagedUpload> Stage(S3ObjectStore& store, absl::string_view bytes) {
    absl::StatusOr<std::unique_ptr<StagedUpload>> staged = store.OpenStaged(id_, 0, "");
    EXPECT_OK(staged);
    EXPECT_OK((*staged)->Append(bytes));
    return *std::move(staged);
  }
  std::string Stored() {
    const absl::StatusOr<OpenObject> object = store_.Open(key_);
    EXPECT_OK(object);
    return object.ok() ? Contents(*object) : "";
  }

  StoreOnServer one_;
  // Another process.
  StoreOnServer other_{one_.prefix};
  S3ObjectStore& store_ = one_.store;
  const UploadId id_ = UploadId::Random();
  const StorageKey key_ = StagingObjectStore::KeyOf(id_);
  const std::string bytes_ = std::string(2 * kPartBytes, 'a') + std::string(1000, 'b');
};

TEST_F(S3ServerTest, AnotherProcessGoesOnWithAnUpload) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  staged.reset();
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(staged->Append("more"));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_ + "more");
}

TEST_F(S3ServerTest, AStaleProcessMakesASealFailAtMost) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, stale->Save());
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(staged->Append(std::string(kPartBytes, 'x')));
  ASSERT_OK(staged->Save());
  ASSERT_OK(stale->Append(std::string(kPartBytes, 'y')));
  ASSERT_OK(stale->Save());
  EXPECT_THAT(other_.store.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(S3ServerTest, ALateTailDoesNotHarmWhatWasSavedMeanwhile) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, stale->Save());
  const std::string more(kPartBytes, 'x');
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(staged->Append(more));
  ASSERT_OK_AND_ASSIGN(const std::string saved, staged->Save());
  staged.reset();
  ASSERT_OK(stale->Append(more.substr(0, 100)));
  ASSERT_OK(stale->Save());
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size() + more.size(), saved));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_ + more);
}

TEST_F(S3ServerTest, ObjectUrlsWorkForTheirHostAndRange) {
  ASSERT_OK(store_.Publish(id_, Stage(store_, bytes_)));
  ObjectUrls urls({.target = one_.client.target(), .clients = {*IpNetwork::Parse("192.0.2.0/24")}}, &one_.credentials,
                  &one_.client, one_.s3_metrics.redirects());
  ASSERT_OK_AND_ASSIGN(const std::string url,
                       urls.UrlFor(absl::StrCat(one_.prefix, "objects/", key_.ToString()), "192.0.2.1"));
  const std::string range = absl::StrCat("bytes=", 2 * kPartBytes - 1, "-", 2 * kPartBytes);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> response,
                       one_.transport.Send({.url = url, .headers = {{"Range", range}}}));
  EXPECT_EQ(response->status(), 206);
  EXPECT_EQ(response->headers().at("content-disposition"), "attachment");
  EXPECT_EQ(response->headers().at("content-type"), "application/octet-stream");
  char bytes[10];
  ASSERT_OK_AND_ASSIGN(const size_t count, response->Read(bytes, sizeof(bytes)));
  EXPECT_EQ(absl::string_view(bytes, count), "ab");
}

TEST_F(S3ServerTest, AStaleProcessDoesNotReplaceTheObject) {
  std::unique_ptr<StagedUpload> stale = Stage(store_, "old");
  ASSERT_OK(other_.store.Publish(id_, Stage(other_.store, "new")));
  EXPECT_THAT(store_.Publish(id_, std::move(stale)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(Stored(), "new");
  EXPECT_THAT(store_.Publish(id_, Stage(store_, bytes_)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_EQ(Stored(), "new");
  ASSERT_OK(store_.DiscardStaged(id_, ""));
}

TEST_F(S3ServerTest, AnotherProcessRepeatsAPublish) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK_AND_ASSIGN(const std::string state, staged->Save());
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(staged, other_.store.OpenStaged(id_, bytes_.size(), state));
  ASSERT_OK(other_.store.Publish(id_, std::move(staged)));
  EXPECT_TRUE(Stored() == bytes_);
}

TEST_F(S3ServerTest, DiscardingLeavesNothing) {
  std::unique_ptr<StagedUpload> staged = Stage(store_, bytes_);
  ASSERT_OK(staged->Save());
  ASSERT_OK(store_.DiscardStaged(id_, ""));
  EXPECT_THAT(one_.bucket.ListUploads(one_.prefix + "objects/" + key_.ToString()), IsOkAndHolds(testing::IsEmpty()));
  ASSERT_OK_AND_ASSIGN(const S3Listing left, one_.bucket.List(one_.prefix, "", 10));
  EXPECT_THAT(left.objects, testing::IsEmpty());
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(S3ServerTest, AQuarantinedObjectIsCopied) {
  ASSERT_OK(store_.Publish(id_, Stage(store_, bytes_)));
  ASSERT_OK(store_.Quarantine(key_));
  EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kBlobUnknown));
  ASSERT_OK_AND_ASSIGN(const Waiting waiting, store_.CountQuarantined(10));
  EXPECT_EQ(waiting.bytes, bytes_.size());
}

TEST_F(S3ServerTest, LargeObjectsAreCopiedInPieces) {
  ASSERT_OK(store_.Publish(id_, Stage(store_, bytes_)));
  S3Bucket bucket(&one_.client, {}, {.bytes_max = bytes_.size() - 1, .piece_bytes = kPartBytes});
  const std::string to = one_.prefix + "copy";
  ASSERT_OK(bucket.Copy(absl::StrCat(one_.prefix, "objects/", key_.ToString()), to, bytes_.size()));
  ASSERT_OK_AND_ASSIGN(const std::string copy, bucket.Get(to, bytes_.size()));
  EXPECT_TRUE(copy == bytes_);
}

TEST_F(S3ServerTest, KeysMayHaveAnyCharacters) {
  for (const char* name : {"a b", "a+b=c", "a(b)!", "\xc3\xa9@:,", "a%2Fb"}) {
    const std::string key = absl::StrCat(one_.prefix, name);
    EXPECT_THAT(one_.bucket.Put(key, "bytes", /*if_absent=*/true), IsOkAndHolds(true)) << name;
    EXPECT_THAT(one_.bucket.Get(key, 100), IsOkAndHolds("bytes")) << name;
    ASSERT_OK_AND_ASSIGN(const S3Listing found, one_.bucket.List(key, "", 10));
    ASSERT_THAT(found.objects, testing::SizeIs(1)) << name;
    EXPECT_EQ(found.objects[0].key, key);
  }
}

TEST_F(S3ServerTest, APresignedUrlNeedsNoHeaders) {
  const std::string key = one_.prefix + "presigned";
  ASSERT_OK(one_.bucket.Put(key, "bytes", /*if_absent=*/true));
  const S3Target& target = one_.client.target();
  const RequestToSign request{.method = "GET",
                              .host = target.endpoint.substr(target.endpoint.find("//") + 2),
                              .path = absl::StrCat("/", target.bucket, "/", key),
                              .payload_hash = ""};
  ASSERT_OK_AND_ASSIGN(const Credentials credentials, one_.credentials.Get());
  const std::string query =
      PresignQuery(request, credentials, SigningScope{.region = target.region}, one_.clock.Now(), absl::Minutes(5));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<WireResponse> response,
                       one_.transport.Send({.url = absl::StrCat(target.endpoint, request.path, "?", query),
                                            .headers = {{"Range", "bytes=1-2"}}}));
  EXPECT_EQ(response->status(), 206);
  char bytes[10];
  ASSERT_OK_AND_ASSIGN(const size_t count, response->Read(bytes, sizeof(bytes)));
  EXPECT_EQ(absl::string_view(bytes, count), "yt");
}

}  // namespace
}  // namespace entrepot::blob::s3
