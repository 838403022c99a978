#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/api/registry_api.h"
#include "gateway/api/testing/test_auth.h"
#include "gateway/api/testing/test_registry.h"
#include "gateway/api/testing/test_upstreams.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/status/oci_error.h"

// Which requests are answered by a cached repository, and who may make them.
namespace entrepot::gateway::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kFile[] = "upstreams: [{name: docker.io}, {name: quay.io}]";
constexpr char kWithDefault[] = "{default_upstream: docker.io, upstreams: [{name: docker.io}, {name: quay.io}]}";
const std::string kNginx = "docker.io/library/nginx";

class PullThroughTest : public testing::Test {
 protected:
  explicit PullThroughTest(const char* file = kFile, const RegistryAccounts& accounts = {})
      : upstreams_(file), registry_({}, accounts, {}, upstreams_.upstreams()) {
    upstreams_.StoreIn(&registry_.services());
    upstreams_.AddManifest(kNginx, "latest", "one");
  }

  int Status(absl::string_view method, absl::string_view target, absl::string_view fields = "") {
    return registry_.Call(method, target, "", fields).status;
  }

  TestUpstreams upstreams_;
  TestRegistry registry_;
};

TEST_F(PullThroughTest, EveryWayToAskIsForTheSameRepository) {
  for (const char* target :
       {"/v2/docker.io/nginx/manifests/latest", "/v2/docker.io/library/nginx/manifests/latest",
        "/v2/library/nginx/manifests/latest?ns=docker.io", "/v2/docker.io/library/nginx/manifests/latest?ns=docker.io",
        "/v2/library/nginx/manifests/latest?ns=registry-1.docker.io"}) {
    EXPECT_EQ(registry_.Call("GET", target).body, TestUpstreams::Manifest("one")) << target;
    EXPECT_THAT(upstreams_.TakeCalls(), ElementsAre("ResolveManifest docker.io/library/nginx latest")) << target;
  }
  EXPECT_EQ(registry_.Call("GET", "/v2/_catalog").body, R"({"repositories":["docker.io/library/nginx"]})");
}

TEST_F(PullThroughTest, AnUnknownUpstreamIsRefusedAtOnce) {
  const RawResponse response = registry_.Call("GET", "/v2/library/nginx/manifests/latest?ns=gcr.io");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(ErrorCode(response), "NAME_UNKNOWN");
  EXPECT_EQ(Status("GET", "/v2/library/nginx/tags/list?ns=gcr.io"), 404);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
}

TEST_F(PullThroughTest, HostedRepositoriesAreUntouched) {
  registry_.PushImage("team/app", "v1");
  EXPECT_EQ(Status("GET", "/v2/team/app/manifests/v1"), 200);
  EXPECT_EQ(Status("GET", "/v2/team/app/manifests/v1?ns=localhost"), 200);
  EXPECT_EQ(Status("GET", "/v2/team/app/manifests/v2"), 404);
  EXPECT_EQ(Status("GET", "/v2/library/nginx/manifests/latest"), 404);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
}

TEST_F(PullThroughTest, NothingCanBePushedToACache) {
  const std::string digest = "sha256:" + std::string(64, '0');
  struct Case {
    std::string method;
    std::string path;
    std::string allow;
  };
  for (const Case& c : std::vector<Case>{{"PUT", "manifests/latest", "GET, HEAD, DELETE"},
                                         {"POST", "blobs/uploads/", ""},
                                         {"GET", "blobs/uploads/00000000000000000000000000000000", ""},
                                         {"PATCH", "blobs/uploads/00000000000000000000000000000000", ""},
                                         {"PUT", "blobs/uploads/00000000000000000000000000000000", ""}}) {
    for (const std::string prefix : {"/v2/docker.io/nginx/", "/v2/library/nginx/"}) {
      const std::string ns = prefix == "/v2/library/nginx/" ? "?ns=docker.io" : "";
      const RawResponse response = registry_.Call(c.method, absl::StrCat(prefix, c.path, ns));
      EXPECT_EQ(response.status, 405) << c.method << " " << c.path;
      EXPECT_EQ(ErrorCode(response), "UNSUPPORTED");
      EXPECT_THAT(response.body, HasSubstr("docker.io/library/nginx is a cache"));
      EXPECT_EQ(response.Field("allow"), c.allow);
    }
  }
  EXPECT_EQ(Status("PATCH", absl::StrCat("/v2/docker.io/nginx/blobs/", digest)), 405);
}

TEST_F(PullThroughTest, AnImportWritesToACacheWithoutTheUpstream) {
  const char import[] = "Entrepot-Import: true\r\n";
  const std::string digest = ComputeDigest(DigestAlgorithm::kSha256, "layer").ToString();
  const std::string uploads = "/v2/docker.io/nginx/blobs/uploads/";
  const std::string blob = absl::StrCat("/v2/docker.io/nginx/blobs/", digest);
  EXPECT_EQ(registry_.Call("HEAD", blob, "", import).status, 404);
  EXPECT_EQ(registry_.Call("POST", absl::StrCat(uploads, "?digest=", digest), "layer", import).status, 201);
  EXPECT_EQ(registry_.Call("GET", blob, "", import).body, "layer");
  const RawResponse started = registry_.Call("POST", uploads, "", import);
  EXPECT_EQ(started.status, 202);
  EXPECT_EQ(registry_.Call("PATCH", started.Field("location"), "more", import).status, 202);
  EXPECT_EQ(registry_.Call("DELETE", started.Field("location"), "", import).status, 204);
  const std::string manifest = TestUpstreams::Manifest("imported");
  EXPECT_EQ(registry_
                .Call("PUT", "/v2/docker.io/nginx/manifests/imported", manifest,
                      absl::StrCat(import, "Content-Type: application/vnd.oci.image.index.v1+json\r\n"))
                .status,
            201);
  EXPECT_EQ(registry_.Call("GET", "/v2/docker.io/nginx/manifests/imported", "", import).body, manifest);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
  // A repository that an import has made is a cache.
  EXPECT_EQ(registry_
                .Call("PUT", "/v2/quay.io/a/b/manifests/v1", manifest,
                      absl::StrCat(import, "Content-Type: application/vnd.oci.image.index.v1+json\r\n"))
                .status,
            201);
  EXPECT_EQ(Status("PUT", "/v2/quay.io/a/b/manifests/v2"), 405);
}

TEST_F(PullThroughTest, AnImportMountsNothing) {
  const std::string import = "Entrepot-Import: true\r\n";
  const std::string mount = absl::StrCat("?mount=", registry_.PushBlob("hosted", "layer").ToString());
  for (const std::string from : {"", "&from=hosted"}) {
    const RawResponse response =
        registry_.Call("POST", absl::StrCat("/v2/docker.io/nginx/blobs/uploads/", mount, from), "", import);
    EXPECT_EQ(response.status, 202) << from;
    EXPECT_EQ(registry_.Call("DELETE", response.Field("location"), "", import).status, 204) << from;
  }
  // The repository was not made a hosted one.
  EXPECT_EQ(registry_
                .Call("PUT", "/v2/docker.io/nginx/manifests/imported", TestUpstreams::Manifest("imported"),
                      absl::StrCat(import, "Content-Type: application/vnd.oci.image.index.v1+json\r\n"))
                .status,
            201);
}

TEST_F(PullThroughTest, CachedContentCanBeDeleted) {
  ASSERT_EQ(Status("GET", "/v2/docker.io/nginx/manifests/latest"), 200);
  EXPECT_EQ(Status("DELETE", "/v2/docker.io/nginx/manifests/latest"), 202);
  EXPECT_EQ(Status("DELETE", "/v2/docker.io/nginx/manifests/latest"), 404);
}

class DefaultUpstreamTest : public PullThroughTest {
 protected:
  DefaultUpstreamTest() : PullThroughTest(kWithDefault) {}
};

TEST_F(DefaultUpstreamTest, AnswersForRepositoriesThatAreNotHere) {
  EXPECT_EQ(Status("HEAD", "/v2/library/nginx/manifests/latest"), 200);
  EXPECT_EQ(registry_.Call("GET", "/v2/library/nginx/manifests/latest").body, TestUpstreams::Manifest("one"));
  const Digest blob = upstreams_.AddBlob("layer");
  EXPECT_EQ(registry_.Call("GET", absl::StrCat("/v2/library/nginx/blobs/", blob.ToString())).body, "layer");
  EXPECT_EQ(Status("GET", "/v2/library/nginx/manifests/absent"), 404);
  EXPECT_EQ(Status("GET", "/v2/library/nginx/tags/list"), 404);
}

TEST_F(DefaultUpstreamTest, IsNotAskedForRepositoriesThatAreHereNorByPushes) {
  registry_.PushImage("team/app", "v1");
  EXPECT_EQ(Status("GET", "/v2/team/app/manifests/v2"), 404);
  // A push to a new repository looks for its blobs.
  const Digest blob = upstreams_.AddBlob("layer");
  EXPECT_EQ(Status("HEAD", absl::StrCat("/v2/team/new/blobs/", blob.ToString())), 404);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
}

TEST_F(DefaultUpstreamTest, AFailureOfItIsNoFailureOfTheRegistry) {
  upstreams_.FailWith(OciError(OciErrorCode::kUnavailable, "docker.io: time-out", "docker.io: time-out"));
  const RawResponse response = registry_.Call("GET", "/v2/team/new/manifests/v1");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(ErrorCode(response), "MANIFEST_UNKNOWN");
}

class PullThroughAccountsTest : public testing::Test {
 protected:
  PullThroughAccountsTest() {
    upstreams_.StoreIn(&registry_.services());
    upstreams_.AddManifest(kNginx, "latest", "one");
  }

  RawResponse Get(absl::string_view target, absl::string_view scopes) {
    return registry_.Call("GET", target, "", scopes.empty() ? "" : Bearer(auth_.Token("ann", scopes)));
  }

  TestAuth auth_;
  TestUpstreams upstreams_{kWithDefault};
  TestRegistry registry_{{}, auth_.accounts(), {}, upstreams_.upstreams()};
};

TEST_F(PullThroughAccountsTest, AccessIsDecidedOnTheNameOfTheCachedRepository) {
  for (const char* target :
       {"/v2/docker.io/nginx/manifests/latest", "/v2/library/nginx/manifests/latest?ns=docker.io"}) {
    EXPECT_EQ(Get(target, "repository:docker.io/library/nginx:pull").status, 200) << target;
    EXPECT_EQ(Get(target, "repository:library/nginx:pull repository:docker.io/nginx:pull").status, 401) << target;
    const RawResponse challenge = Get(target, "");
    EXPECT_EQ(challenge.status, 401) << target;
    EXPECT_THAT(challenge.Field("www-authenticate"), HasSubstr("scope=\"repository:docker.io/library/nginx:pull\""));
  }
}

TEST_F(PullThroughAccountsTest, OnlyAnAdministratorImportsIntoACache) {
  const std::string target = absl::StrCat("/v2/docker.io/nginx/blobs/uploads/?digest=",
                                          ComputeDigest(DigestAlgorithm::kSha256, "layer").ToString());
  const auto import = [&](absl::string_view scopes) {
    return registry_
        .Call("POST", target, "layer", absl::StrCat("Entrepot-Import: true\r\n", Bearer(auth_.Token("ann", scopes))))
        .status;
  };
  EXPECT_EQ(import("repository:docker.io/library/nginx:pull,push,delete"), 401);
  EXPECT_EQ(registry_.Call("POST", target, "layer", "Entrepot-Import: true\r\n").status, 401);
  EXPECT_EQ(import("registry:administration:*"), 201);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
}

TEST_F(PullThroughAccountsTest, TheDefaultUpstreamNeedsAccessToItsRepository) {
  const char* const target = "/v2/library/nginx/manifests/latest";
  EXPECT_EQ(Get(target, "").status, 401);
  EXPECT_EQ(Get(target, "repository:library/nginx:pull").status, 404);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
  EXPECT_EQ(Get(target, "repository:docker.io/library/nginx:pull").status, 200);
  EXPECT_EQ(Get(target, "repository:library/nginx:pull repository:docker.io/library/nginx:pull").status, 200);
}

TEST_F(PullThroughAccountsTest, AHostedRepositoryIsNotReplacedByTheDefaultUpstreams) {
  registry_.AddToRequests(Bearer(auth_.Token("ann", "repository:library/nginx:pull,push")));
  registry_.PushImage("library/nginx", "hosted");
  registry_.AddToRequests("");
  // Whoever may not read it gets no other content in its place.
  EXPECT_EQ(Get("/v2/library/nginx/manifests/latest", "repository:docker.io/library/nginx:pull").status, 401);
  EXPECT_THAT(upstreams_.TakeCalls(), IsEmpty());
}

TEST_F(PullThroughAccountsTest, ARefusalOfTheUpstreamIsNoDenialOfTheCaller) {
  upstreams_.FailWith(OciError(OciErrorCode::kDenied, "docker.io refuses it"));
  const RawResponse response = Get("/v2/docker.io/nginx/manifests/latest", "repository:docker.io/library/nginx:pull");
  EXPECT_EQ(response.status, 403);
  EXPECT_THAT(response.body, HasSubstr("docker.io refuses it"));
}

TEST_F(PullThroughAccountsTest, ATokenForANameIsForTheRepositoryThatItMeansToo) {
  const auto scopes = [&](const std::string& scope) {
    EXPECT_EQ(
        registry_.Call("GET", absl::StrCat("/token?service=test-service&scope=", scope), "", Basic("ann", "secret"))
            .status,
        200);
    const auto request = auth_.last_token_request();
    return std::vector<std::string>(request.scopes().begin(), request.scopes().end());
  };
  EXPECT_THAT(scopes("repository:library/nginx:pull"),
              ElementsAre("repository:library/nginx:pull", "repository:docker.io/library/nginx:pull"));
  EXPECT_THAT(scopes("repository:docker.io/nginx:pull,push"),
              ElementsAre("repository:docker.io/nginx:pull,push", "repository:docker.io/library/nginx:pull"));
  EXPECT_THAT(scopes("repository:quay.io/a/b:pull"), ElementsAre("repository:quay.io/a/b:pull"));
  EXPECT_THAT(scopes("repository:team/app:push"), ElementsAre("repository:team/app:push"));
}

}  // namespace
}  // namespace entrepot::gateway::api
