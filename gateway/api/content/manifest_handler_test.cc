#include "gateway/api/content/manifest_handler.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kManifests[] = "/v2/a/manifests/";

Digest Sha256(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

TEST(ManifestHandlerTest, ReturnsTheManifestAsPushed) {
  TestRegistry registry;
  const Digest digest = registry.PushImage("a", "latest", " \n");
  for (const std::string& reference : {std::string("latest"), digest.ToString()}) {
    const RawResponse get = registry.Call("GET", kManifests + reference, "", "Accept: text/nothing\r\nAccept: a/b\r\n");
    const RawResponse head = registry.Call("HEAD", kManifests + reference);
    EXPECT_EQ(get.status, 200);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(get.body, TestRegistry::Image(" \n"));
    EXPECT_EQ(head.body, "");
    for (const RawResponse& response : {get, head}) {
      EXPECT_EQ(response.Field("content-type"), kImageMediaType);
      EXPECT_EQ(response.Field("content-length"), absl::StrCat(TestRegistry::Image(" \n").size()));
      EXPECT_EQ(response.Field("docker-content-digest"), digest.ToString());
      EXPECT_EQ(response.Field("etag"), absl::StrCat("\"", digest.ToString(), "\""));
    }
  }
}

TEST(ManifestHandlerTest, RespondsNotModifiedToAMatchingEntityTag) {
  TestRegistry registry;
  const Digest digest = registry.PushImage("a", "latest");
  for (const char* method : {"GET", "HEAD"}) {
    const RawResponse response = registry.Call(method, absl::StrCat(kManifests, "latest"), "",
                                               absl::StrCat("If-None-Match: \"", digest.ToString(), "\"\r\n"));
    EXPECT_EQ(response.status, 304) << method;
    EXPECT_EQ(response.body, "") << method;
  }
  EXPECT_EQ(registry.Call("GET", absl::StrCat(kManifests, "latest"), "", "If-None-Match: \"x\"\r\n").status, 200);
}

TEST(ManifestHandlerTest, ChecksPreconditions) {
  TestRegistry registry;
  registry.PushBlob("a", "{}");
  const std::string path = absl::StrCat(kManifests, "latest");
  const std::string first = absl::StrCat("If-Match: \"", Sha256(TestRegistry::Image()).ToString(), "\"\r\n");
  const auto put = [&](const std::string& extra, const std::string& fields) {
    return registry.Call("PUT", path, TestRegistry::Image(extra), kImageContentType + fields);
  };
  EXPECT_EQ(put("", "If-Match: *\r\n").status, 412);
  EXPECT_EQ(put("", "If-None-Match: *\r\n").status, 201);
  const RawResponse refused = put(" ", "If-None-Match: *\r\n");
  EXPECT_EQ(refused.status, 412);
  EXPECT_EQ(ErrorCode(refused), "PRECONDITION_FAILED");
  EXPECT_EQ(put(" ", first).status, 201);
  EXPECT_EQ(put(" ", first).status, 412);
  for (const char* method : {"GET", "HEAD", "DELETE"}) EXPECT_EQ(registry.Call(method, path, "", first).status, 412);
  EXPECT_EQ(registry.Call("GET", path, "", "If-Match: *\r\n").status, 200);
  EXPECT_EQ(registry.Call("DELETE", path, "", "If-Match: *\r\n").status, 202);
  EXPECT_EQ(registry.Call("DELETE", path, "", "If-Match: *\r\n").status, 404);
}

TEST(ManifestHandlerTest, RespondsToAPushWithTheLocation) {
  TestRegistry registry;
  registry.PushBlob("a", "{}");
  const std::string image = TestRegistry::Image();
  const std::string digest = Sha256(image).ToString();
  for (const std::string& reference : {std::string("latest"), digest}) {
    const RawResponse response =
        registry.Call("PUT", kManifests + reference, image,
                      "Content-Type: application/vnd.oci.image.manifest.v1+json; charset=utf-8\r\n");
    EXPECT_EQ(response.status, 201) << response.body;
    EXPECT_EQ(response.Field("location"), kManifests + digest);
    EXPECT_EQ(response.Field("docker-content-digest"), digest);
    EXPECT_EQ(response.Field("oci-subject"), "(none)");
    EXPECT_EQ(response.Field("oci-tag"), "(none)");
    EXPECT_EQ(registry.Call("GET", response.Field("location")).Field("content-type"), kImageMediaType);
  }
}

TEST(ManifestHandlerTest, ReturnsTheSubject) {
  TestRegistry registry;
  registry.PushBlob("a", "{}");
  const std::string subject = Sha256("not there").ToString();
  const std::string image = TestRegistry::Image(
      absl::StrCat(R"(,"subject":{"mediaType":")", kImageMediaType, R"(","digest":")", subject, R"(","size":1})"));
  const RawResponse response = registry.Call("PUT", absl::StrCat(kManifests, "x"), image, kImageContentType);
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(response.Field("oci-subject"), subject);
}

TEST(ManifestHandlerTest, SetsTagsWithAPushByDigest) {
  TestRegistry registry;
  registry.PushBlob("a", "{}");
  const std::string image = TestRegistry::Image();
  const std::string target = kManifests + Sha256(image).ToString();
  std::string query = "?tag=t0";
  for (int i = 1; i < 12; ++i) absl::StrAppend(&query, "&tag=t", i);
  const RawResponse response = registry.Call("PUT", target + query + "&tag=t3", image, kImageContentType);
  EXPECT_EQ(response.status, 201) << response.body;
  EXPECT_EQ(response.Field("oci-tag"), "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11");
  EXPECT_EQ(registry.Call("GET", absl::StrCat(kManifests, "t11")).body, image);

  EXPECT_EQ(ErrorCode(registry.Call("PUT", target + "?tag=.bad", image, kImageContentType)), "TAG_INVALID");
  EXPECT_EQ(ErrorCode(registry.Call("PUT", target + "?tag=", image, kImageContentType)), "TAG_INVALID");
  std::string many = "?tag=a";
  for (int i = 0; i < 100; ++i) absl::StrAppend(&many, "&tag=m", i);
  EXPECT_EQ(registry.Call("PUT", target + many, image, kImageContentType).status, 414);
  EXPECT_EQ(registry.Call("GET", absl::StrCat(kManifests, "m0")).status, 404);
}

TEST(ManifestHandlerTest, RefusesInvalidManifests) {
  struct Case {
    std::string reference;
    std::string body;
    std::string fields;
    int status;
    std::string code;
  };
  const std::string image = TestRegistry::Image();
  const std::vector<Case> cases = {
      {"x", "", kImageContentType, 400, "MANIFEST_INVALID"},
      {"x", "not json", kImageContentType, 400, "MANIFEST_INVALID"},
      {"x", image, "Content-Type: application/vnd.oci.image.index.v1+json\r\n", 400, "MANIFEST_INVALID"},
      {"x", image, "Content-Type: text\r\n", 400, "MANIFEST_INVALID"},
      {"x", image, std::string(kImageContentType) + "Content-Encoding: gzip\r\n", 415, "MANIFEST_INVALID"},
      {Sha256("other").ToString(), image, kImageContentType, 400, "DIGEST_INVALID"},
      {"sha256:baddigeststring", image, kImageContentType, 400, "DIGEST_INVALID"},
  };
  TestRegistry registry;
  registry.PushBlob("a", "{}");
  for (const Case& c : cases) {
    const RawResponse response = registry.Call("PUT", kManifests + c.reference, c.body, c.fields);
    EXPECT_EQ(response.status, c.status) << c.body << c.fields;
    EXPECT_EQ(ErrorCode(response), c.code) << c.body << c.fields;
  }
  const RawResponse missing = registry.Call("PUT", "/v2/empty/manifests/x", image, kImageContentType);
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(ErrorCode(missing), "MANIFEST_BLOB_UNKNOWN");
}

TEST(ManifestHandlerTest, LimitsTheSizeOfAManifest) {
  config::v1::Limits limits;
  limits.set_manifest_bytes_max(100'000);
  TestRegistry registry(limits);
  registry.PushBlob("a", "{}");
  const size_t least = TestRegistry::Image(R"(,"annotations":{"x":""})").size();
  for (const size_t size : {100'000, 100'001, 300'000}) {
    const std::string image =
        TestRegistry::Image(absl::StrCat(R"(,"annotations":{"x":")", std::string(size - least, 'x'), R"("})"));
    ASSERT_EQ(image.size(), size);
    for (const bool chunked : {false, true}) {
      const std::string target = absl::StrCat(kManifests, "x");
      const RawResponse response = chunked ? registry.CallChunked("PUT", target, image, kImageContentType)
                                           : registry.Call("PUT", target, image, kImageContentType);
      EXPECT_EQ(response.status, size == 100'000 ? 201 : 413) << size << chunked;
      if (size > 100'000) {
        EXPECT_EQ(ErrorCode(response), "MANIFEST_INVALID");
      }
    }
  }
}

TEST(ManifestHandlerTest, RefusesALongBodyWithoutReadingIt) {
  TestRegistry registry;
  http::testing::RawClient client(registry.port());
  client.Send("PUT /v2/a/manifests/x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5000000\r\n\r\n");
  const auto response = client.Receive();
  ASSERT_TRUE(response.has_value());
  EXPECT_EQ(response->status, 413);
}

TEST(ManifestHandlerTest, DeletesATagOrTheManifest) {
  TestRegistry registry;
  const Digest digest = registry.PushImage("a", "one");
  registry.PushImage("a", "two");
  EXPECT_EQ(registry.Call("DELETE", absl::StrCat(kManifests, "one")).status, 202);
  EXPECT_EQ(registry.Call("HEAD", absl::StrCat(kManifests, "one")).status, 404);
  EXPECT_EQ(registry.Call("HEAD", kManifests + digest.ToString()).status, 200);
  EXPECT_EQ(registry.Call("DELETE", kManifests + digest.ToString()).status, 202);
  EXPECT_EQ(registry.Call("HEAD", absl::StrCat(kManifests, "two")).status, 404);
  EXPECT_EQ(ErrorCode(registry.Call("DELETE", absl::StrCat(kManifests, "two"))), "MANIFEST_UNKNOWN");
}

}  // namespace
}  // namespace entrepot::gateway::api
