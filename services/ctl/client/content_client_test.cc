#include "services/ctl/client/content_client.h"

#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/testing/content_registry.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::HasSubstr;

Digest DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content); }

class ContentClientTest : public testing::Test {
 protected:
  ContentClient Client() {
    ContentClient::Options options;
    options.pause_first = options.pause_max = absl::ZeroDuration();
    options.attempts_max = 3;
    options.piece_bytes = 4;
    return ContentClient(&client_, *RepositoryName::Parse("team/app"), ContentClient::Access::kPush, options);
  }
  // Answers the next `count` requests of a method with `answer`.
  void Fail(const std::string& method, int count, absl::StatusOr<HttpAnswer> answer) {
    http_.intercept = [=](const HttpRequest& request) mutable -> std::optional<absl::StatusOr<HttpAnswer>> {
      if (request.method != method || count-- <= 0) return std::nullopt;
      return answer;
    };
  }
  std::string GetBlob(const Digest& digest, uint64_t size_bytes, uint64_t offset, absl::Status* status) {
    std::string got;
    *status = Client().GetBlob(digest, size_bytes, offset, [&](absl::string_view bytes) {
      got.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    });
    return got;
  }
  absl::Status PutBlob(const Digest& digest, const std::string& content) {
    return Client().PutBlob(
        digest, content.size(), [&](uint64_t offset, size_t length) { return content.substr(offset, length); },
        [&](uint64_t bytes) { sent_ = bytes; });
  }

  ContentRegistry http_;
  RegistryClient client_{ContentRegistryOptions(), http_};
  uint64_t sent_ = 0;
};

TEST_F(ContentClientTest, GetsAManifestOfAnyType) {
  const Digest digest = http_.AddImage("team/app", {"layer"}, "v1");
  ASSERT_OK_AND_ASSIGN(const ContentManifest manifest, Client().GetManifest("v1"));
  EXPECT_EQ(manifest.digest, digest);
  EXPECT_EQ(manifest.content, http_.Content("team/app", digest));
  EXPECT_EQ(manifest.media_type, "application/vnd.oci.image.manifest.v1+json");
  EXPECT_THAT(http_.requests.at(0).headers.at(0).second, HasSubstr("manifest.list.v2+json"));
  EXPECT_THAT(Client().GetManifest("v2").status(), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ContentClientTest, RefusesAManifestOfAnotherDigest) {
  Fail("GET", 1, HttpAnswer{200, "{}"});
  EXPECT_THAT(Client().GetManifest(DigestOf("other").ToString()).status(), StatusIs(absl::StatusCode::kDataLoss));
  Fail("GET", 1, HttpAnswer{200, "{}", {{"docker-content-digest", DigestOf("other").ToString()}}});
  EXPECT_THAT(Client().GetManifest("v1").status(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(ContentClientTest, SendsAgainAfterFailuresOfTheMoment) {
  http_.AddImage("team/app", {}, "v1");
  for (const int status : {429, 500, 502, 503, 504}) {
    Fail("GET", 2, HttpAnswer{status});
    EXPECT_OK(Client().GetManifest("v1").status()) << status;
  }
  Fail("GET", 2, absl::UnavailableError("no answer"));
  EXPECT_OK(Client().GetManifest("v1").status());
  Fail("GET", 3, HttpAnswer{503});
  EXPECT_THAT(Client().GetManifest("v1").status(), StatusIs(absl::StatusCode::kUnavailable));
  http_.requests.clear();
  Fail("GET", 3, HttpAnswer{403});
  EXPECT_THAT(Client().GetManifest("v1").status(), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(http_.requests.size(), 1u);
}

TEST_F(ContentClientTest, ContinuesABlobWhereItBrokeOff) {
  const Digest digest = http_.AddBlob("team/app", "0123456789");
  http_.intercept = [n = 0](const HttpRequest& request) mutable -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (++n == 1) {
      EXPECT_OK(request.on_bytes("01234"));
      return absl::UnavailableError("the response broke off");
    }
    // It may also end too early without an error.
    if (n == 2 && request.on_bytes_status == 206) {
      EXPECT_OK(request.on_bytes("56"));
      return HttpAnswer{206};
    }
    return std::nullopt;
  };
  absl::Status status;
  EXPECT_EQ(GetBlob(digest, 10, 0, &status), "0123456789");
  EXPECT_OK(status);
  EXPECT_EQ(http_.requests.at(1).headers.at(0).second, "bytes=5-");
  EXPECT_EQ(http_.requests.at(2).headers.at(0).second, "bytes=7-");
}

TEST_F(ContentClientTest, TakesNoMoreThanTheBlob) {
  const Digest digest = http_.AddBlob("team/app", "0123456789");
  absl::Status status;
  GetBlob(digest, 9, 0, &status);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(GetBlob(digest, 10, 8, &status), "89");
  EXPECT_OK(status);
  http_.requests.clear();
  EXPECT_EQ(GetBlob(digest, 10, 10, &status), "");
  EXPECT_OK(status);
  EXPECT_EQ(http_.requests.size(), 0u);
}

TEST_F(ContentClientTest, FollowsARedirectOfABlobWithoutCredentials) {
  RegistryClient account({.registry = "http://localhost:5000", .username = "ci", .password = "p"}, http_);
  ContentClient content(&account, *RepositoryName::Parse("team/app"), ContentClient::Access::kPull);
  http_.intercept = [](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (absl::StrContains(request.url, "/token?")) return HttpAnswer{200, R"({"token": "t"})"};
    if (absl::StartsWith(request.url, "http://localhost:5000/")) {
      EXPECT_EQ(request.token, "t");
      return HttpAnswer{307, "", {{"location", "https://s3.example/key?signature=x"}}};
    }
    EXPECT_EQ(request.url, "https://s3.example/key?signature=x");
    EXPECT_EQ(request.token, "");
    EXPECT_EQ(request.username, "");
    EXPECT_OK(request.on_bytes("blob"));
    return HttpAnswer{200};
  };
  std::string got;
  EXPECT_OK(content.GetBlob(DigestOf("blob"), 4, 0, [&](absl::string_view bytes) {
    got.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }));
  EXPECT_EQ(got, "blob");
}

TEST_F(ContentClientTest, SendsASmallBlobWithOneRequest) {
  EXPECT_OK(PutBlob(DigestOf("abcd"), "abcd"));
  EXPECT_EQ(http_.Content("team/app", DigestOf("abcd")), "abcd");
  EXPECT_EQ(http_.requests.size(), 1u);
  EXPECT_EQ(http_.requests.at(0).content_type, "application/octet-stream");
  EXPECT_EQ(sent_, 4u);
  EXPECT_OK(PutBlob(DigestOf(""), ""));
  EXPECT_TRUE(http_.Has("team/app", DigestOf("")));
}

TEST_F(ContentClientTest, SendsALargeBlobInPieces) {
  EXPECT_OK(PutBlob(DigestOf("0123456789"), "0123456789"));
  EXPECT_EQ(http_.Content("team/app", DigestOf("0123456789")), "0123456789");
  EXPECT_EQ(http_.Count("PATCH", "/uploads/1"), 3);
  EXPECT_EQ(sent_, 10u);
}

TEST_F(ContentClientTest, ContinuesAnUploadAfterALostAnswer) {
  // The registry has taken the second piece, but the client does not learn of it.
  http_.intercept = [this, n = 0](const HttpRequest& request) mutable -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (request.method != "PATCH" || ++n != 2) return std::nullopt;
    const auto intercept = std::exchange(http_.intercept, nullptr);
    EXPECT_OK(http_.Send(request).status());
    return absl::UnavailableError("no answer");
  };
  EXPECT_OK(PutBlob(DigestOf("0123456789"), "0123456789"));
  EXPECT_EQ(http_.Content("team/app", DigestOf("0123456789")), "0123456789");
}

TEST_F(ContentClientTest, BeginsAgainIfTheUploadSessionIsLost) {
  http_.intercept = [n = 0](const HttpRequest& request) mutable -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (!absl::EndsWith(request.url, "/uploads/1") || ++n == 1) return std::nullopt;
    return HttpAnswer{404};
  };
  EXPECT_OK(PutBlob(DigestOf("0123456789"), "0123456789"));
  EXPECT_EQ(http_.Content("team/app", DigestOf("0123456789")), "0123456789");
  EXPECT_EQ(http_.Count("PATCH", "/uploads/2"), 3);
}

TEST_F(ContentClientTest, ABlobOfAnotherDigestIsNotStored) {
  EXPECT_THAT(PutBlob(DigestOf("0123456789"), "0123456780"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(PutBlob(DigestOf("abc"), "abd"), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(http_.Has("team/app", DigestOf("0123456780")));
  EXPECT_EQ(http_.Count("DELETE", "/uploads/1"), 1);
}

TEST_F(ContentClientTest, ListsReferrersOfAllPages) {
  http_.intercept = [](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    const std::string list =
        absl::StrCat(R"({"manifests": [{"digest": ")", DigestOf(request.url).ToString(), R"("}]})");
    if (absl::StrContains(request.url, "last=")) return HttpAnswer{200, list};
    return HttpAnswer{200, list, {{"link", R"(</v2/team/app/referrers/x?last=1>; rel="next")"}}};
  };
  ASSERT_OK_AND_ASSIGN(const auto referrers, Client().ListReferrers(DigestOf("x")));
  EXPECT_EQ(referrers.size(), 2u);
}

TEST_F(ContentClientTest, AnImportIntoACacheIsAnAdministrators) {
  http_.intercept = [](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (absl::StrContains(request.url, "/token?")) {
      EXPECT_THAT(request.url, HasSubstr("&scope=registry%3Aadministration%3A%2A"));
      return HttpAnswer{200, R"({"token": "t"})"};
    }
    EXPECT_EQ(request.headers.back().first, "Entrepot-Import");
    return HttpAnswer{200, "{}"};
  };
  RegistryClient account({.registry = "http://localhost:5000", .username = "admin", .password = "p"}, http_);
  ContentClient content(&account, *RepositoryName::Parse("docker.io/a"), ContentClient::Access::kImport);
  EXPECT_OK(content.GetManifest("v1").status());
  EXPECT_EQ(http_.requests.size(), 2u);
}

TEST_F(ContentClientTest, AnAnonymousCallerGetsATokenIfTheRegistryWantsOne) {
  http_.intercept = [](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (absl::StrContains(request.url, "/token?")) {
      EXPECT_THAT(request.url, HasSubstr("scope=repository%3Ateam%2Fapp%3Apull%2Cpush"));
      EXPECT_EQ(request.username, "");
      return HttpAnswer{200, R"({"token": "anonymous"})"};
    }
    return HttpAnswer{request.token == "anonymous" ? 200 : 401, "{}"};
  };
  EXPECT_OK(Client().GetManifest("v1").status());
  http_.intercept = [](const HttpRequest&) { return HttpAnswer{401, "{}"}; };
  const absl::Status status = Client().GetManifest("v1").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnauthenticated));
}

}  // namespace
}  // namespace entrepot::ctl
