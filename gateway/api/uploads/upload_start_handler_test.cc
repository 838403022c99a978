#include "gateway/api/uploads/upload_start_handler.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kUploads[] = "/v2/a/blobs/uploads/";

Digest Sha256(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

std::string BlobPath(const Digest& digest) { return absl::StrCat("/v2/a/blobs/", digest.ToString()); }

TEST(UploadStartHandlerTest, StartsASession) {
  TestRegistry registry;
  for (const char* query : {"", "?digest-algorithm=sha512", "?digest-algorithm=sha256", "?mount=", "?from=b"}) {
    const RawResponse response = registry.Call("POST", absl::StrCat(kUploads, query));
    EXPECT_EQ(response.status, 202) << query;
    EXPECT_EQ(response.body, "") << query;
    EXPECT_EQ(response.Field("range"), "0-0") << query;
    // An absolute path, with the session and without a query.
    const std::string location = response.Field("location");
    EXPECT_TRUE(absl::StartsWith(location, kUploads)) << location;
    EXPECT_FALSE(absl::StrContains(location, '?')) << location;
    EXPECT_EQ(location, kUploads + response.Field("docker-upload-uuid"));
    EXPECT_EQ(registry.Call("GET", location).status, 204) << query;
  }
}

TEST(UploadStartHandlerTest, EverySessionHasItsOwnLocation) {
  TestRegistry registry;
  EXPECT_NE(registry.StartUpload("a"), registry.StartUpload("a"));
}

TEST(UploadStartHandlerTest, AcceptsAWholeBlob) {
  TestRegistry registry;
  for (const DigestAlgorithm algorithm : {DigestAlgorithm::kSha256, DigestAlgorithm::kSha512}) {
    for (const std::string& bytes : {std::string(), std::string("{}"), std::string(700'000, 'x')}) {
      const Digest digest = ComputeDigest(algorithm, bytes);
      const std::string target = absl::StrCat(kUploads, "?digest=", digest.ToString());
      for (const bool chunked : {false, true}) {
        const RawResponse response =
            chunked ? registry.CallChunked("POST", target, bytes) : registry.Call("POST", target, bytes);
        EXPECT_EQ(response.status, 201) << response.body;
        EXPECT_EQ(response.Field("location"), BlobPath(digest));
        EXPECT_EQ(response.Field("docker-content-digest"), digest.ToString());
        EXPECT_EQ(registry.Call("GET", BlobPath(digest)).body == bytes, true);
      }
    }
  }
}

TEST(UploadStartHandlerTest, RepeatedRequestsGiveTheSameAnswer) {
  TestRegistry registry;
  const Digest digest = registry.PushBlob("b", "shared");
  for (const std::string& query :
       {absl::StrCat("?mount=", digest.ToString(), "&from=b"), absl::StrCat("?digest=", digest.ToString())}) {
    for (int i = 0; i < 2; ++i) {
      const RawResponse response = registry.Call("POST", kUploads + query, "shared");
      EXPECT_EQ(response.status, 201) << query;
      EXPECT_EQ(response.Field("location"), BlobPath(digest)) << query;
    }
  }
}

TEST(UploadStartHandlerTest, RefusesAWholeBlobWithAWrongDigest) {
  TestRegistry registry;
  const RawResponse response =
      registry.Call("POST", absl::StrCat(kUploads, "?digest=", Sha256("other").ToString()), "bytes");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ErrorCode(response), "DIGEST_INVALID");
  EXPECT_EQ(registry.Call("HEAD", BlobPath(Sha256("bytes"))).status, 404);
  EXPECT_EQ(registry.Call("HEAD", BlobPath(Sha256("other"))).status, 404);
}

TEST(UploadStartHandlerTest, RefusesInvalidParameters) {
  TestRegistry registry;
  const std::string digest = Sha256("x").ToString();
  for (const std::string& query :
       {std::string("?digest="), std::string("?digest=sha256:short"), std::string("?digest=md5:00"),
        "?digest=" + digest + "&digest=" + digest, std::string("?digest-algorithm=md5"),
        std::string("?digest-algorithm="), std::string("?mount=bad"), "?mount=" + digest + "&mount=" + digest}) {
    const RawResponse response = registry.Call("POST", kUploads + query, "x");
    EXPECT_EQ(response.status, 400) << query;
    EXPECT_EQ(ErrorCode(response), "DIGEST_INVALID") << query;
  }
  const RawResponse repeated = registry.Call("POST", absl::StrCat(kUploads, "?mount=", digest, "&from=b&from=c"));
  EXPECT_EQ(repeated.status, 400);
  EXPECT_EQ(ErrorCode(repeated), "NAME_INVALID");
  EXPECT_EQ(registry.Call("POST", absl::StrCat(kUploads, "?digest=%")).status, 400);
}

TEST(UploadStartHandlerTest, MountsABlobFromAnotherRepository) {
  TestRegistry registry;
  const Digest digest = registry.PushBlob("b", "shared");
  for (const char* from : {"&from=b", ""}) {
    const RawResponse response = registry.Call("POST", absl::StrCat(kUploads, "?mount=", digest.ToString(), from));
    EXPECT_EQ(response.status, 201) << from;
    EXPECT_EQ(response.Field("location"), BlobPath(digest)) << from;
    EXPECT_EQ(response.Field("docker-content-digest"), digest.ToString()) << from;
    EXPECT_EQ(registry.Call("GET", BlobPath(digest)).body, "shared") << from;
    EXPECT_EQ(registry.Call("DELETE", BlobPath(digest)).status, 202) << from;
  }
}

TEST(UploadStartHandlerTest, StartsASessionIfItCannotMount) {
  TestRegistry registry;
  const Digest digest = registry.PushBlob("b", "shared");
  for (const std::string& query : {absl::StrCat("?mount=", digest.ToString(), "&from=c"),
                                   absl::StrCat("?mount=", Sha256("nowhere").ToString(), "&from=b"),
                                   absl::StrCat("?mount=", Sha256("nowhere").ToString()),
                                   absl::StrCat("?mount=", digest.ToString(), "&from=NOT-A-NAME")}) {
    const RawResponse response = registry.Call("POST", kUploads + query);
    EXPECT_EQ(response.status, 202) << query;
    EXPECT_EQ(registry.Call("DELETE", response.Field("location")).status, 204) << query;
  }
  EXPECT_EQ(registry.Call("HEAD", BlobPath(digest)).status, 404);
}

class MountWithAccountsTest : public testing::Test {
 protected:
  MountWithAccountsTest() {
    registry_.AddToRequests(Bearer(auth_.Token("root", "repository:a:* repository:b:* repository:c:*")));
    digest_ = registry_.PushBlob("b", "shared").ToString();
    registry_.PushBlob("c", "other");
    registry_.AddToRequests("");
  }

  RawResponse Mount(absl::string_view scopes, absl::string_view parameters) {
    return registry_.Call("POST", absl::StrCat(kUploads, "?mount=", parameters), "",
                          Bearer(auth_.Token("ann", scopes)));
  }
  bool IsInTarget() {
    return registry_.Call("HEAD", "/v2/a/blobs/" + digest_, "", Bearer(auth_.Token("ann", "repository:a:pull")))
               .status == 200;
  }

  std::string digest_;
  TestAuth auth_;
  TestRegistry registry_{{}, auth_.accounts()};
};

TEST_F(MountWithAccountsTest, MountsFromARepositoryThatTheTokenMayPull) {
  EXPECT_EQ(Mount("repository:a:push repository:b:pull", digest_ + "&from=b").status, 201);
  EXPECT_TRUE(IsInTarget());
}

TEST_F(MountWithAccountsTest, FindsTheBlobInTheRepositoriesOfTheToken) {
  EXPECT_EQ(Mount("repository:a:push repository:b:pull repository:c:pull repository:d:pull", digest_).status, 201);
  EXPECT_TRUE(IsInTarget());
}

TEST_F(MountWithAccountsTest, DoesNotRevealBlobsThatTheTokenMayNotPull) {
  const std::string missing = Sha256("nowhere").ToString();
  struct Case {
    std::string scopes, parameters;
  };
  const std::vector<Case> cases = {
      // The scope was requested and denied.
      {"repository:a:push,pull repository:b:", digest_ + "&from=b"},
      {"repository:a:push,pull repository:b:push,delete", digest_ + "&from=b"},
      {"repository:a:push,pull", digest_},
      {"repository:a:push,pull repository:c:pull repository:b:push", digest_},
      // The same response as for a missing blob.
      {"repository:a:push,pull repository:b:pull", missing + "&from=b"},
      {"repository:a:push,pull repository:b:pull", missing},
      {"repository:a:push,pull repository:d:pull", digest_ + "&from=d"},
  };
  for (const Case& c : cases) {
    const RawResponse response = Mount(c.scopes, c.parameters);
    EXPECT_EQ(response.status, 202) << c.scopes << " " << c.parameters;
    EXPECT_EQ(response.body, "") << c.scopes << " " << c.parameters;
    EXPECT_EQ(response.Field("range"), "0-0") << c.scopes << " " << c.parameters;
  }
  EXPECT_FALSE(IsInTarget());
}

TEST_F(MountWithAccountsTest, ChallengesForTheSourceIfItWasNotRequested) {
  const std::string missing = Sha256("nowhere").ToString();
  for (const std::string scopes : {"repository:a:push,pull", "repository:a:push,pull repository:b/c:pull",
                                   "repository:a:push,pull repository:c:pull"}) {
    // The same response as for a missing blob.
    for (const std::string& blob : {digest_, missing}) {
      const RawResponse response = Mount(scopes, blob + "&from=b");
      EXPECT_EQ(response.status, 401) << scopes;
      EXPECT_THAT(
          response.Field("www-authenticate"),
          testing::HasSubstr("scope=\"repository:a:pull,push repository:b:pull\",error=\"insufficient_scope\""));
    }
  }
  EXPECT_FALSE(IsInTarget());
}

TEST_F(MountWithAccountsTest, NeedsPushOnTheTargetAndOneSource) {
  EXPECT_EQ(Mount("repository:a:pull repository:b:*", digest_ + "&from=b").status, 401);
  EXPECT_EQ(Mount("repository:a:push repository:b:pull", digest_ + "&from=b&from=c").status, 400);
  EXPECT_EQ(Mount("repository:a:push repository:b:pull", digest_ + "&from=c&from=b").status, 400);
  EXPECT_FALSE(IsInTarget());
}

TEST(UploadStartHandlerTest, LimitsTheSizeOfABlob) {
  config::v1::Limits limits;
  limits.set_blob_bytes_max(1000);
  TestRegistry registry(limits);
  for (const size_t size : {1000, 1001, 2'000'000}) {
    const std::string bytes(size, 'x');
    const std::string target = absl::StrCat(kUploads, "?digest=", Sha256(bytes).ToString());
    for (const bool chunked : {false, true}) {
      const RawResponse response =
          chunked ? registry.CallChunked("POST", target, bytes) : registry.Call("POST", target, bytes);
      EXPECT_EQ(response.status, size == 1000 ? 201 : 413) << size << chunked;
      if (size > 1000) {
        EXPECT_EQ(ErrorCode(response), "SIZE_INVALID");
      }
    }
  }
}

TEST(MountSourceTest, ReturnsTheRepositoryToMountFrom) {
  EXPECT_EQ(MountSource("mount=sha256:abc&from=driftwood/web"), "driftwood/web");
  EXPECT_EQ(MountSource("from=driftwood%2Fweb&mount=sha256:abc"), "driftwood/web");
}

TEST(MountSourceTest, IsEmptyWithoutAValidRepository) {
  EXPECT_EQ(MountSource(""), "");
  EXPECT_EQ(MountSource("mount=sha256:abc"), "");
  EXPECT_EQ(MountSource("from=driftwood/web"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from="), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=Not/A/Name"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=a&from=b"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=a%"), "");
  EXPECT_EQ(MountSource("mount=sha256:abc&from=a\" x"), "");
}

}  // namespace
}  // namespace entrepot::gateway::api
