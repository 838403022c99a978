#include "gateway/api/upstream/cached_repositories.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kFile[] = R"(
default_upstream: docker.io
upstreams:
- name: docker.io
- name: quay.io
  repositories: ["open/**"]
- name: internal
  url: https://registry.example:5000
  aliases: ["registry.example:5000"]
)";

class CachedRepositoriesTest : public testing::Test {
 protected:
  CachedRepositoriesTest() {
    listen_.set_external_url("https://Cache.example:8443/");
    listen_.add_names("mirror.example");
  }

  // The name of the cached repository; "" if the request is for a hosted one, otherwise the status's code.
  std::string Find(const std::string& path, const std::string& query = "") {
    const CachedRepositories repositories([this] { return upstreams_; }, listen_);
    http::Request request;
    request.query = query;
    request.SetHost("127.0.0.1:5000");
    const auto found = repositories.Find(request, RepositoryName::Parse(path).value());
    if (!found.ok()) return absl::StatusCodeToString(found.status().code());
    return found->has_value() ? (*found)->ToString() : "";
  }

  const std::shared_ptr<const upstream::UpstreamsSnapshot> upstreams_ =
      upstream::ParseUpstreams(kFile, "upstreams.yaml").value();
  config::v1::PublicEndpoint listen_;
};

TEST_F(CachedRepositoriesTest, AllWaysToAskNameTheSameRepository) {
  EXPECT_EQ(Find("docker.io/nginx"), "docker.io/library/nginx");
  EXPECT_EQ(Find("docker.io/library/nginx"), "docker.io/library/nginx");
  EXPECT_EQ(Find("library/nginx", "ns=docker.io"), "docker.io/library/nginx");
  EXPECT_EQ(Find("docker.io/library/nginx", "ns=docker.io"), "docker.io/library/nginx");
  EXPECT_EQ(Find("library/nginx", "x=y&ns=Docker.IO"), "docker.io/library/nginx");
  EXPECT_EQ(Find("a/b", "ns=registry.example%3A5000"), "internal/a/b");
  EXPECT_EQ(Find("a/b", "ns=registry.example:5000"), "internal/a/b");
}

TEST_F(CachedRepositoriesTest, OtherNamesAreHosted) {
  EXPECT_EQ(Find("library/nginx"), "");
  EXPECT_EQ(Find("team/app", "mount=x&from=answers"), "");
  EXPECT_EQ(Find("team/app", "ns="), "");
}

TEST_F(CachedRepositoriesTest, ItsOwnNameIsNoUpstream) {
  for (const char* ns : {"127.0.0.1:5000", "cache.example:8443", "CACHE.example", "mirror.example"}) {
    EXPECT_EQ(Find("team/app", absl::StrCat("ns=", ns)), "") << ns;
    EXPECT_EQ(Find("docker.io/nginx", absl::StrCat("ns=", ns)), "docker.io/library/nginx") << ns;
  }
}

TEST_F(CachedRepositoriesTest, RefusesUnknownUpstreamsAndRepositoriesThatAreNotAllowed) {
  EXPECT_EQ(Find("library/nginx", "ns=gcr.io"), "NOT_FOUND");
  EXPECT_EQ(Find("docker.io/library/nginx", "ns=gcr.io"), "NOT_FOUND");
  EXPECT_EQ(Find("quay.io/closed/x"), "NOT_FOUND");
  EXPECT_EQ(Find("closed/x", "ns=quay.io"), "NOT_FOUND");
  EXPECT_EQ(Find("quay.io/open/x"), "quay.io/open/x");
  EXPECT_EQ(Find("a", "ns=docker.io&ns=quay.io"), "INVALID_ARGUMENT");
  EXPECT_EQ(Find("a", "ns=%zz"), "INVALID_ARGUMENT");
}

TEST_F(CachedRepositoriesTest, FindsTheRepositoryOfTheDefaultUpstream) {
  const CachedRepositories repositories([this] { return upstreams_; }, listen_);
  EXPECT_EQ(repositories.OfDefault(RepositoryName::Parse("nginx").value()),
            RepositoryName::Parse("docker.io/library/nginx").value());
  EXPECT_EQ(repositories.OfDefault(RepositoryName::Parse("quay.io/closed/x").value()), std::nullopt);
  const auto without = upstream::ParseUpstreams("upstreams: [{name: docker.io}]", "upstreams.yaml").value();
  EXPECT_EQ(CachedRepositories([&] { return without; }, listen_).OfDefault(RepositoryName::Parse("nginx").value()),
            std::nullopt);
}

TEST_F(CachedRepositoriesTest, KnowsTheNamesThatATokenShouldCoverToo) {
  const CachedRepositories repositories([this] { return upstreams_; }, listen_);
  const auto also = [&](const char* path) { return repositories.AlsoMeant(RepositoryName::Parse(path).value()); };
  const RepositoryName nginx = RepositoryName::Parse("docker.io/library/nginx").value();
  EXPECT_THAT(also("docker.io/nginx"), testing::ElementsAre(nginx));
  EXPECT_THAT(also("docker.io/library/nginx"), testing::IsEmpty());
  EXPECT_THAT(also("library/nginx"), testing::ElementsAre(nginx));
  EXPECT_THAT(also("quay.io/open/x"), testing::IsEmpty());
}

}  // namespace
}  // namespace entrepot::gateway::api
