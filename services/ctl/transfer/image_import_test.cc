#include "services/ctl/transfer/image_import.h"

#include <unistd.h>

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/layout/layout_writer.h"
#include "services/ctl/testing/content_registry.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Digest DigestOf(absl::string_view content) { return ComputeDigest(DigestAlgorithm::kSha256, content); }

LayoutEntry Entry(absl::string_view content, const std::string& tag, const std::string& repository = "") {
  return {.media_type = "", .digest = DigestOf(content), .size_bytes = 1, .tag = tag, .repository = repository};
}

// What is imported where: "REPOSITORY:TAG" of each entry.
std::vector<std::string> Plan(const std::vector<LayoutEntry>& entries, const std::string& repository = "",
                              const std::string& tag = "") {
  const auto plan = PlanImport(entries, repository, tag);
  if (!plan.ok()) return {std::string(plan.status().message())};
  std::vector<std::string> texts;
  for (const RepositoryImport& part : *plan) {
    for (const auto& image : part.images) texts.push_back(absl::StrCat(part.repository, ":", image.tag));
  }
  return texts;
}

TEST(PlanImportTest, EntriesGoWhereTheyCameFrom) {
  EXPECT_THAT(Plan({Entry("a", "v1", "team/app"), Entry("b", "v2", "team/web"), Entry("c", "", "team/app")}),
              ElementsAre("team/app:v1", "team/app:", "team/web:v2"));
  EXPECT_THAT(Plan({Entry("a", "v1")}), ElementsAre(HasSubstr("does not name the repositories")));
  EXPECT_THAT(Plan({Entry("a", "v1", "../x")}), ElementsAre(HasSubstr("../x")));
}

TEST(PlanImportTest, ARepositoryAndATagMayBeGiven) {
  EXPECT_THAT(Plan({Entry("a", "v1", "x"), Entry("b", "v2", "y")}, "team/app"),
              ElementsAre("team/app:v1", "team/app:v2"));
  EXPECT_THAT(Plan({Entry("a", "v1"), Entry("b", "sha256-aa.sig"), Entry("c", "")}, "team/app", "new"),
              ElementsAre("team/app:new", "team/app:sha256-aa.sig", "team/app:"));
  EXPECT_THAT(Plan({Entry("a", "")}, "team/app", "new"), ElementsAre("team/app:new"));
  EXPECT_THAT(Plan({Entry("a", "v1"), Entry("b", "v2")}, "team/app", "new"), ElementsAre(HasSubstr("has 2 images")));
}

TEST(PlanImportTest, ATagMayStandInAWholeName) {
  EXPECT_THAT(Plan({Entry("a", "docker.io/library/nginx:1.27"), Entry("b", "no tag")}, "team/app"),
              ElementsAre("team/app:1.27", "team/app:"));
}

class ImageImportTest : public testing::Test {
 protected:
  ImageImportTest() { layout_ = *OpenDirectoryLayout(directory_.path()); }

  Digest Add(const std::string& content) {
    EXPECT_OK(WriteWholeBlob(layout_.get(), DigestOf(content), content));
    return DigestOf(content);
  }
  // A manifest of this layer.
  std::string ManifestOf(const std::string& layer) {
    return absl::StrCat(R"({"layers":[{"digest":")", DigestOf(layer).ToString(), R"(","size":)", layer.size(), "}]}");
  }
  std::string IndexOf(const std::vector<Digest>& children) {
    std::string list;
    for (const Digest& child : children) {
      absl::StrAppend(&list, list.empty() ? "" : ",", R"({"digest":")", child.ToString(), R"("})");
    }
    return absl::StrCat(R"({"manifests":[)", list, "]}");
  }
  absl::Status Import(const Digest& root, const std::string& tag) {
    transfer_ = {.image = "x"};
    RETURN_IF_ERROR(layout_->Finish({{.media_type = "", .digest = root, .size_bytes = 1, .tag = tag}}));
    ContentClient content(&client_, *RepositoryName::Parse("team/app"), ContentClient::Access::kPush);
    auto reader = OpenLayout(directory_.path());
    if (!reader.ok()) return reader.status();
    return ImportImage({(*reader)->entries().back(), tag}, reader->get(), &content, &transfer_, [] {});
  }

  kv::TemporaryDirectory directory_;
  std::unique_ptr<LayoutWriter> layout_;
  ContentRegistry http_;
  RegistryClient client_{ContentRegistryOptions(), http_};
  ImageTransfer transfer_;
};

TEST_F(ImageImportTest, SendsBlobsThenChildrenThenTheIndexAndItsTag) {
  Add("layer");
  const Digest child = Add(ManifestOf("layer"));
  const Digest index = Add(IndexOf({child}));
  EXPECT_OK(Import(index, "v1"));
  EXPECT_EQ(http_.TagOf("team/app", "v1"), index.ToString());
  EXPECT_TRUE(http_.Has("team/app", child));
  EXPECT_EQ(http_.Content("team/app", DigestOf("layer")), "layer");
  std::vector<std::string> puts;
  for (const HttpRequest& request : http_.requests) {
    if (request.method == "PUT")
      puts.push_back(absl::StrCat(request.url.substr(request.url.find("manifests/")), " ", request.content_type));
  }
  EXPECT_THAT(puts,
              ElementsAre(absl::StrCat("manifests/", child.ToString(), " application/vnd.oci.image.manifest.v1+json"),
                          "manifests/v1 application/vnd.oci.image.index.v1+json"));
  EXPECT_EQ(transfer_.manifests, 2u);
  EXPECT_EQ(transfer_.blobs_done, 1u);
  EXPECT_EQ(transfer_.bytes_done, 5u);
}

TEST_F(ImageImportTest, SendsNothingAgainButTheTag) {
  Add("layer");
  const Digest manifest = Add(ManifestOf("layer"));
  EXPECT_OK(Import(manifest, "v1"));
  http_.requests.clear();
  EXPECT_OK(Import(manifest, "v1"));
  EXPECT_EQ(http_.Count("POST", ""), 0);
  EXPECT_EQ(http_.Count("PUT", ""), 1);
  EXPECT_EQ(transfer_.blobs_there, 1u);
}

TEST_F(ImageImportTest, ABlobOfTheRepositoryNeedsNotBeInTheLayout) {
  const Digest manifest = Add(ManifestOf("layer"));
  const absl::Status status = Import(manifest, "v1");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("neither the layout nor the repository team/app has the blob"));
  EXPECT_EQ(http_.TagOf("team/app", "v1"), "");
  http_.AddBlob("team/app", "layer");
  EXPECT_OK(Import(manifest, "v1"));
}

TEST_F(ImageImportTest, TheRegistryDecidesOnAnIndexWithoutAllChildren) {
  Add("layer");
  const Digest child = Add(ManifestOf("layer"));
  const Digest index = Add(IndexOf({child, DigestOf("elsewhere")}));
  EXPECT_OK(Import(index, "v1"));
  EXPECT_THAT(transfer_.absent, ElementsAre(DigestOf("elsewhere").ToString()));
  http_.intercept = [&](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (request.method != "PUT" || request.body != IndexOf({child, DigestOf("elsewhere")})) return std::nullopt;
    return HttpAnswer{400, R"({"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"no child"}]})"};
  };
  const absl::Status status = Import(index, "v2");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(status.message()), HasSubstr("allow: [absent_children]"));
}

TEST_F(ImageImportTest, SendsNoDamagedBlob) {
  const std::string layer(9 << 20, 'x');
  Add(layer);
  const Digest manifest = Add(ManifestOf(layer));
  ASSERT_EQ(truncate(absl::StrCat(directory_.path(), "/", LayoutBlobPath(DigestOf(layer))).c_str(), 9'000'000), 0);
  const absl::Status status = Import(manifest, "v1");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(status.message()), HasSubstr("the layout is damaged"));
  EXPECT_EQ(http_.TagOf("team/app", "v1"), "");
}

TEST_F(ImageImportTest, IndexesWithinOneAnotherHaveABound) {
  Digest digest = Add("{}");
  for (int i = 0; i < 20; ++i) digest = Add(IndexOf({digest}));
  EXPECT_THAT(Import(digest, "v1"), StatusIs(absl::StatusCode::kFailedPrecondition));
}

}  // namespace
}  // namespace entrepot::ctl
