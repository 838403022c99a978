#include "gateway/api/upstream/cached_content.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_registry.h"
#include "gateway/api/testing/test_upstreams.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/caller.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/core/upload.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kNginx = "docker.io/library/nginx";
const std::string kManifests = "/v2/docker.io/nginx/manifests/";
const std::string kBlobs = "/v2/docker.io/nginx/blobs/";

// The requests of a pull by the path prefix.
class CachedContentTest : public testing::Test {
 protected:
  CachedContentTest() { upstreams_.StoreIn(&registry_.services()); }

  std::vector<std::string> Calls() { return upstreams_.TakeCalls(); }
  absl::Status Down() { return OciError(OciErrorCode::kUnavailable, "connection refused"); }
  absl::Status Failed() { return OciError(OciErrorCode::kUnavailable, "docker.io: time-out", "docker.io: time-out"); }

  // Makes the cached repository have the blob.
  Digest StoreBlob(const std::string& bytes) {
    const UploadOwner owner{.repository = *RepositoryName::Parse(kNginx), .account = ""};
    blob::UploadSessions& sessions = registry_.services().blobs()->upload_sessions();
    const Upload upload = sessions.Start(owner, DigestAlgorithm::kSha256).value();
    const auto appender = sessions.Append(owner, upload.id, {}).value();
    EXPECT_OK(appender->Append(bytes));
    const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, bytes);
    const Blob blob = appender->FinishAndSeal(digest).value();
    EXPECT_OK(registry_.services().catalog()->blobs().Commit(Caller(), owner.repository, blob, "docker.io"));
    return digest;
  }
  // entrepot_upstream_served_bytes_total of the source.
  double Served(absl::string_view source) {
    for (const prometheus::MetricFamily& family : registry_.metrics().Collect()) {
      if (family.name != "entrepot_upstream_served_bytes_total") continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        for (const auto& label : metric.label) {
          if (label.name == "source" && label.value == source) return metric.counter.value;
        }
      }
    }
    return -1;
  }

  // The server counts a response after the client has all of it.
  void ExpectServed(absl::string_view source, double bytes) {
    EXPECT_TRUE(Eventually([&] { return Served(source) == bytes; })) << source << ": " << Served(source);
  }

  TestUpstreams upstreams_{"upstreams: [{name: docker.io}]"};
  TestRegistry registry_{{}, {}, {}, upstreams_.upstreams()};
};

TEST_F(CachedContentTest, TheFirstHeadOfATagHasTheUpstreamsAnswer) {
  const Digest digest = upstreams_.AddManifest(kNginx, "latest", "one");
  const RawResponse head = registry_.Call("HEAD", kManifests + "latest");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Field("docker-content-digest"), digest.ToString());
  EXPECT_EQ(head.Field("etag"), absl::StrCat("\"", digest.ToString(), "\""));
  EXPECT_EQ(head.Field("content-type"), "application/vnd.oci.image.index.v1+json");
  EXPECT_EQ(head.Field("content-length"), absl::StrCat(TestUpstreams::Manifest("one").size()));
  EXPECT_EQ(head.Field("warning"), "(none)");
}

TEST_F(CachedContentTest, AManifestIsFetchedOnceForItsDigestAndAskedForAtEachTag) {
  const Digest digest = upstreams_.AddManifest(kNginx, "latest", "one");
  const RawResponse get = registry_.Call("GET", kManifests + "latest");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, TestUpstreams::Manifest("one"));
  EXPECT_THAT(Calls(), ElementsAre("ResolveManifest docker.io/library/nginx latest"));
  EXPECT_EQ(registry_.Call("GET", kManifests + digest.ToString()).body, get.body);
  EXPECT_EQ(registry_.Call("HEAD", kManifests + digest.ToString()).status, 200);
  EXPECT_THAT(Calls(), IsEmpty());
  const Digest newer = upstreams_.AddManifest(kNginx, "latest", "two");
  EXPECT_EQ(registry_.Call("GET", kManifests + "latest").Field("docker-content-digest"), newer.ToString());
  EXPECT_EQ(
      registry_.Call("GET", kManifests + "latest", "", absl::StrCat("If-None-Match: \"", newer.ToString(), "\"\r\n"))
          .status,
      304);
}

TEST_F(CachedContentTest, AManifestByDigestThatIsNotHereIsFetched) {
  const Digest digest = upstreams_.AddManifest(kNginx, "latest", "one");
  EXPECT_EQ(registry_.Call("GET", kManifests + digest.ToString()).body, TestUpstreams::Manifest("one"));
  EXPECT_EQ(registry_.Call("GET", kManifests + "absent").status, 404);
  EXPECT_EQ(ErrorCode(registry_.Call("GET", kManifests + "absent")), "MANIFEST_UNKNOWN");
}

TEST_F(CachedContentTest, AStaleTagHasAWarningAndAnAge) {
  upstreams_.AddManifest(kNginx, "latest", "one");
  upstreams_.MakeStale("docker.io: \"429\"\nlater", absl::Seconds(90));
  for (const char* method : {"GET", "HEAD"}) {
    const RawResponse response = registry_.Call(method, kManifests + "latest");
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Field("warning"), R"(299 - "docker.io: \"429\"?later")");
    EXPECT_EQ(response.Field("age"), "90");
  }
}

TEST_F(CachedContentTest, WhatIsHereIsServedWithoutTheUpstreamService) {
  const Digest digest = upstreams_.AddManifest(kNginx, "latest", "one");
  const Digest blob = registry_.PushBlob("hosted", "bytes");
  ASSERT_EQ(registry_.Call("GET", kManifests + "latest").status, 200);
  upstreams_.FailWith(Down());
  const RawResponse by_tag = registry_.Call("GET", kManifests + "latest");
  EXPECT_EQ(by_tag.status, 200);
  EXPECT_EQ(by_tag.Field("warning"), R"(299 - "the upstream service does not respond")");
  EXPECT_EQ(registry_.Call("GET", kManifests + digest.ToString()).status, 200);
  EXPECT_EQ(registry_.Call("GET", kManifests + "other").status, 503);
  EXPECT_EQ(registry_.Call("GET", "/v2/docker.io/nginx/tags/list").body,
            R"({"name":"docker.io/library/nginx","tags":["latest"]})");
  EXPECT_EQ(registry_.Call("GET", absl::StrCat("/v2/docker.io/nginx/referrers/", digest.ToString())).status, 200);
  EXPECT_EQ(registry_.Call("GET", kBlobs + blob.ToString()).status, 503);
}

TEST_F(CachedContentTest, ARecalledTagIsServedWithoutTheUpstreamService) {
  const Digest digest = upstreams_.AddManifest(kNginx, "latest", "one");
  ASSERT_EQ(registry_.Call("GET", kManifests + "latest").status, 200);
  Calls();
  upstreams_.Recall(kNginx, "latest", RecalledTag{.digest = digest});
  const RawResponse get = registry_.Call("GET", kManifests + "latest");
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, TestUpstreams::Manifest("one"));
  EXPECT_EQ(get.Field("docker-content-digest"), digest.ToString());
  EXPECT_EQ(get.Field("warning"), "(none)");
  EXPECT_EQ(registry_.Call("HEAD", kManifests + "latest").status, 200);
  upstreams_.Recall(kNginx, "latest",
                    RecalledTag{.digest = digest, .stale_reason = "docker.io: gone", .age = absl::Seconds(9)});
  const RawResponse stale = registry_.Call("GET", kManifests + "latest");
  EXPECT_EQ(stale.body, TestUpstreams::Manifest("one"));
  EXPECT_EQ(stale.Field("warning"), R"(299 - "docker.io: gone")");
  EXPECT_EQ(stale.Field("age"), "9");
  EXPECT_THAT(Calls(), IsEmpty());
  EXPECT_EQ(upstreams_.recalled_count(), 3);
}

TEST_F(CachedContentTest, AsksTheUpstreamForARecalledTagThatNamesAnotherManifestHere) {
  const Digest one = upstreams_.AddManifest(kNginx, "latest", "one");
  upstreams_.Recall(kNginx, "latest", RecalledTag{.digest = one});
  // The tag is not here.
  EXPECT_EQ(registry_.Call("GET", kManifests + "latest").body, TestUpstreams::Manifest("one"));
  EXPECT_THAT(Calls(), ElementsAre("ResolveManifest docker.io/library/nginx latest"));
  // It names another manifest here.
  const Digest two = upstreams_.AddManifest(kNginx, "latest", "two");
  upstreams_.Recall(kNginx, "latest", RecalledTag{.digest = two});
  EXPECT_EQ(registry_.Call("GET", kManifests + "latest").body, TestUpstreams::Manifest("two"));
  EXPECT_THAT(Calls(), ElementsAre("ResolveManifest docker.io/library/nginx latest"));
  EXPECT_EQ(upstreams_.recalled_count(), 0);
}

TEST_F(CachedContentTest, ForwardsTheErrorOfTheUpstream) {
  upstreams_.AddManifest(kNginx, "latest", "one");
  ASSERT_EQ(registry_.Call("GET", kManifests + "latest").status, 200);
  // The upstream service would have returned the tag if it may still be served.
  upstreams_.FailWith(Failed());
  const RawResponse response = registry_.Call("GET", kManifests + "latest");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, testing::HasSubstr("docker.io: time-out"));
}

TEST_F(CachedContentTest, ABlobIsServedWhileItIsFetched) {
  const std::string bytes(10'000, 'x');
  const Digest digest = upstreams_.AddBlob(bytes);
  const RawResponse get = registry_.Call("GET", kBlobs + digest.ToString());
  EXPECT_EQ(get.status, 200);
  EXPECT_EQ(get.body, bytes);
  EXPECT_EQ(get.Field("content-length"), "10000");
  EXPECT_EQ(get.Field("docker-content-digest"), digest.ToString());
  EXPECT_EQ(get.Field("content-type"), "application/octet-stream");
  EXPECT_THAT(Calls(), ElementsAre(absl::StrCat("OpenBlob ", kNginx, " ", digest.ToString())));
  const RawResponse head = registry_.Call("HEAD", kBlobs + digest.ToString());
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.Field("content-length"), "10000");
  EXPECT_EQ(head.Field("accept-ranges"), "bytes");
  EXPECT_THAT(Calls(), ElementsAre(absl::StrCat("FindBlob ", kNginx, " ", digest.ToString())));
  EXPECT_EQ(registry_.Call("GET", kBlobs + ComputeDigest(DigestAlgorithm::kSha256, "absent").ToString()).status, 404);
}

TEST_F(CachedContentTest, ARangeIsServedFromTheFetch) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&bytes, i, ",");
  const std::string target = kBlobs + upstreams_.AddBlob(bytes).ToString();
  const auto range = [&](const std::string& value) {
    return registry_.Call("GET", target, "", absl::StrCat("Range: bytes=", value, "\r\n"));
  };
  const RawResponse part = range("100-199");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, bytes.substr(100, 100));
  EXPECT_EQ(part.Field("content-range"), absl::StrCat("bytes 100-199/", bytes.size()));
  EXPECT_EQ(range("0-").status, 206);
  EXPECT_EQ(range("0-").body, bytes);
  EXPECT_EQ(range("-10").body, bytes.substr(bytes.size() - 10));
  EXPECT_EQ(range("3000-9999999").body, bytes.substr(3000));
  EXPECT_EQ(range("9999999-").status, 416);
  // The whole, in place of several ranges.
  EXPECT_EQ(range("0-1,10-20").status, 200);
  EXPECT_EQ(range("0-1,10-20").body, bytes);
}

TEST_F(CachedContentTest, AFetchThatFailsCutsTheBody) {
  const std::string bytes(10'000, 'x');
  const Digest digest = upstreams_.AddBlob(bytes, /*breaks_at=*/4000);
  const RawResponse cut = registry_.Call("GET", kBlobs + digest.ToString());
  EXPECT_EQ(cut.Field("content-length"), "10000");
  EXPECT_EQ(cut.body.size(), 4000u);
}

TEST_F(CachedContentTest, ABlobThatWasStoredMeanwhileIsServedAsAHostedOne) {
  upstreams_.StoreBlobs();
  const Digest absent = upstreams_.AddBlob("of another repository");
  EXPECT_EQ(registry_.Call("GET", kBlobs + absent.ToString()).status, 404);
}

TEST_F(CachedContentTest, CountsTheBytesOfBlobsThatAreSent) {
  const Digest whole = upstreams_.AddBlob(std::string(10'000, 'x'));
  const Digest cut = upstreams_.AddBlob(std::string(10'000, 'y'), /*breaks_at=*/4000);
  registry_.Call("GET", kBlobs + whole.ToString());
  registry_.Call("HEAD", kBlobs + whole.ToString());
  registry_.Call("GET", kBlobs + whole.ToString(), "", "Range: bytes=0-9\r\n");
  ExpectServed("fetched", 10'010);
  registry_.Call("GET", kBlobs + cut.ToString());
  ExpectServed("fetched", 14'010);
  ExpectServed("stored", 0);
  const Digest stored = StoreBlob("five!");
  ASSERT_EQ(registry_.Call("GET", kBlobs + stored.ToString()).body, "five!");
  registry_.Call("HEAD", kBlobs + stored.ToString());
  ExpectServed("stored", 5);
  // What is no upstream's is not counted.
  registry_.Call("GET", absl::StrCat("/v2/hosted/blobs/", registry_.PushBlob("hosted", "bytes").ToString()));
  ExpectServed("stored", 5);
  ExpectServed("fetched", 14'010);
}

TEST_F(CachedContentTest, ListsTheUpstreamsTags) {
  upstreams_.AddTags({"1.0", "1.1", "2.0"});
  EXPECT_EQ(registry_.Call("GET", "/v2/docker.io/nginx/tags/list").body,
            R"({"name":"docker.io/library/nginx","tags":["1.0","1.1","2.0"]})");
  const RawResponse page = registry_.Call("GET", "/v2/docker.io/nginx/tags/list?n=1&last=1.0");
  EXPECT_EQ(page.body, R"({"name":"docker.io/library/nginx","tags":["1.1"]})");
  EXPECT_EQ(page.Field("link"), R"(</v2/docker.io/library/nginx/tags/list?n=1&last=1.1>; rel="next")");
}

TEST_F(CachedContentTest, ListsTheUpstreamsReferrers) {
  std::vector<Referrer> referrers;
  for (const char* text : {"a", "b", "c"}) {
    referrers.push_back({.digest = ComputeDigest(DigestAlgorithm::kSha256, text),
                         .media_type = "application/x",
                         .size_bytes = 1,
                         .artifact_type = text[0] == 'b' ? "type/b" : "type/other",
                         .annotations = {}});
  }
  upstreams_.AddReferrers(referrers);
  const std::string subject = ComputeDigest(DigestAlgorithm::kSha256, "image").ToString();
  const std::string target = absl::StrCat("/v2/docker.io/nginx/referrers/", subject);
  const std::string all = registry_.Call("GET", target).body;
  for (const Referrer& referrer : referrers) EXPECT_THAT(all, testing::HasSubstr(referrer.digest.ToString()));
  const RawResponse filtered = registry_.Call("GET", target + "?artifactType=type/b");
  EXPECT_EQ(filtered.Field("oci-filters-applied"), "artifactType");
  EXPECT_THAT(filtered.body, testing::HasSubstr(referrers[1].digest.ToString()));
  EXPECT_THAT(filtered.body, testing::Not(testing::HasSubstr(referrers[0].digest.ToString())));
  const RawResponse page = registry_.Call("GET", target + "?n=2");
  EXPECT_THAT(page.Field("link"), testing::HasSubstr(std::string(referrers[1].digest.hex())));
  const std::string rest =
      registry_.Call("GET", absl::StrCat(target, "?n=2&last=", referrers[1].digest.ToString())).body;
  EXPECT_THAT(rest, testing::HasSubstr(referrers[2].digest.ToString()));
  EXPECT_THAT(rest, testing::Not(testing::HasSubstr(referrers[1].digest.ToString())));
}

}  // namespace
}  // namespace entrepot::gateway::api
