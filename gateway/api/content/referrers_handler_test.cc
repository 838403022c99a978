#include "gateway/api/content/referrers_handler.h"

#include <set>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boost/json/parse.hpp"
#include "gateway/api/testing/test_registry.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"

namespace entrepot::gateway::api {
namespace {

constexpr char kEmptyIndex[] =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";

class ReferrersHandlerTest : public testing::Test {
 protected:
  RawResponse List(const std::string& query = "") { return registry_.Call("GET", path_ + query); }
  // An artifact whose subject is subject_.
  Digest Push(const std::string& tag, const std::string& artifact_type, const std::string& note) {
    return registry_.PushImage("a", tag,
                               absl::StrCat(R"(,"artifactType":")", artifact_type, R"(","annotations":{"note":")", note,
                                            R"("},"subject":{"mediaType":")", kImageMediaType, R"(","digest":")",
                                            subject_.ToString(), R"(","size":9})"));
  }

  TestRegistry registry_;
  const Digest subject_ = ComputeDigest(DigestAlgorithm::kSha256, "subject");
  const std::string path_ = absl::StrCat("/v2/a/referrers/", subject_.ToString());
};

TEST_F(ReferrersHandlerTest, ReturnsAnEmptyIndexWithoutReferrers) {
  const std::string zero = absl::StrCat("/v2/never/pushed/referrers/sha256:", std::string(64, '0'));
  for (const std::string& path : {path_, zero}) {
    const RawResponse response = registry_.Call("GET", path);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Field("content-type"), "application/vnd.oci.image.index.v1+json");
    EXPECT_EQ(response.body, kEmptyIndex);
  }
}

TEST_F(ReferrersHandlerTest, DescribesEachReferrer) {
  const Digest digest = Push("x", "application/vnd.example.sbom+json", "it's \\\"quoted\\\"");
  const RawResponse response = List();
  const boost::json::value index = boost::json::parse(response.body);
  ASSERT_EQ(index.at("manifests").as_array().size(), 1u);
  const boost::json::value& descriptor = index.at("manifests").at(0);
  EXPECT_EQ(descriptor.at("mediaType").as_string(), kImageMediaType);
  EXPECT_EQ(descriptor.at("digest").as_string(), digest.ToString());
  EXPECT_EQ(descriptor.at("artifactType").as_string(), "application/vnd.example.sbom+json");
  EXPECT_EQ(descriptor.at("annotations").at("note").as_string(), "it's \"quoted\"");
  const RawResponse manifest = registry_.Call("HEAD", absl::StrCat("/v2/a/manifests/", digest.ToString()));
  EXPECT_EQ(absl::StrCat(descriptor.at("size").as_int64()), manifest.Field("content-length"));
  EXPECT_EQ(response.Field("oci-filters-applied"), "(none)");
}

TEST_F(ReferrersHandlerTest, FiltersByArtifactType) {
  const Digest digest = Push("x", "application/vnd.example.sbom+json", "1");
  Push("y", "application/vnd.example.signature", "2");
  for (const char* type : {"application%2Fvnd.example.sbom%2Bjson", "application/vnd.example.sbom+json"}) {
    const RawResponse response = List(absl::StrCat("?artifactType=", type));
    EXPECT_EQ(response.Field("oci-filters-applied"), "artifactType") << type;
    const boost::json::value index = boost::json::parse(response.body);
    ASSERT_EQ(index.at("manifests").as_array().size(), 1u) << type;
    EXPECT_EQ(index.at("manifests").at(0).at("digest").as_string(), digest.ToString()) << type;
  }
  EXPECT_EQ(List("?artifactType=no/such").body, kEmptyIndex);
  EXPECT_EQ(List("?artifactType=").Field("oci-filters-applied"), "(none)");
  EXPECT_EQ(List("?artifactType=a/b&artifactType=c/d").status, 400);
}

TEST_F(ReferrersHandlerTest, ListsAndFiltersByTheManifestsOwnValue) {
  const struct {
    const char* json;
    const char* value;
    const char* query;
  } rows[] = {
      {"sbom", "sbom", "sbom"},
      {"application/vnd.x+json;version=0.3", "application/vnd.x+json;version=0.3",
       "application/vnd.x+json;version=0.3"},
      {R"(a/b; c=\"d\\e\")", R"(a/b; c="d\e")", "a/b;%20c=%22d%5Ce%22"},
  };
  int pushed = 0;
  for (const auto& row : rows) {
    const Digest digest = Push(absl::StrCat("t", ++pushed), row.json, row.query);
    const RawResponse response = List(absl::StrCat("?artifactType=", row.query));
    EXPECT_EQ(response.Field("oci-filters-applied"), "artifactType") << row.value;
    const boost::json::value index = boost::json::parse(response.body);
    ASSERT_EQ(index.at("manifests").as_array().size(), 1u) << row.value;
    EXPECT_EQ(index.at("manifests").at(0).at("digest").as_string(), digest.ToString()) << row.value;
    EXPECT_EQ(index.at("manifests").at(0).at("artifactType").as_string(), row.value);
  }
  // A type with parameters is another type than the one without.
  EXPECT_EQ(List("?artifactType=application/vnd.x+json").body, kEmptyIndex);
}

TEST_F(ReferrersHandlerTest, ListsInPages) {
  std::set<std::string> pushed;
  for (int i = 0; i < 7; ++i) pushed.insert(Push(absl::StrCat("t", i), "a/b+c", absl::StrCat(i)).ToString());
  std::set<std::string> listed;
  std::string target = path_ + "?n=3&artifactType=a%2Fb%2Bc";
  int pages = 0;
  while (!target.empty() && pages < 5) {
    const RawResponse response = registry_.Call("GET", target);
    ASSERT_EQ(response.status, 200);
    const boost::json::value index = boost::json::parse(response.body);
    EXPECT_LE(index.at("manifests").as_array().size(), 3u);
    for (const auto& descriptor : index.at("manifests").as_array()) {
      EXPECT_TRUE(listed.insert(descriptor.at("digest").as_string().c_str()).second);
    }
    const std::string link = response.Field("link");
    target = absl::StartsWith(link, "<") ? link.substr(1, link.find('>') - 1) : "";
    ++pages;
  }
  EXPECT_EQ(listed, pushed);
  EXPECT_EQ(pages, 3);
}

TEST_F(ReferrersHandlerTest, RefusesAnInvalidDigest) {
  const RawResponse response = registry_.Call("GET", "/v2/a/referrers/sha256:12");
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(ErrorCode(response), "DIGEST_INVALID");
}

}  // namespace
}  // namespace entrepot::gateway::api
