#include "services/ctl/transfer/image_export.h"

#include <memory>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/ctl/layout/layout_reader.h"
#include "services/ctl/testing/content_registry.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

using ::testing::ElementsAre;

constexpr char kRepository[] = "team/app";
const upstream::Platform kAmd64{"linux", "amd64", ""};

class ImageExportTest : public testing::Test {
 protected:
  ImageExportTest() {
    amd64_ = http_.AddImage(kRepository, {"amd64", "shared"});
    arm64_ = http_.AddImage(kRepository, {"arm64", "shared"});
    const auto child = [](const Digest& digest, absl::string_view architecture) {
      return absl::StrCat(R"({"digest":")", digest.ToString(), R"(","platform":{"os":"linux","architecture":")",
                          architecture, R"("}})");
    };
    index_ = http_.AddManifest(kRepository,
                               absl::StrCat(R"({"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[)",
                                            child(*amd64_, "amd64"), ",", child(*arm64_, "arm64"), "]}"),
                               "v1");
  }

  absl::Status Export(const ImageToExport& image) {
    transfer_ = {.image = "x"};
    ContentClient::Options options;
    options.pause_first = options.pause_max = absl::ZeroDuration();
    options.attempts_max = 2;
    ContentClient content(&client_, *RepositoryName::Parse(kRepository), ContentClient::Access::kPull, options);
    auto layout = OpenDirectoryLayout(directory_.path());
    if (!layout.ok()) return layout.status();
    const auto entries = ExportImage(image, &content, layout->get(), &transfer_, [] {});
    return entries.ok() ? (*layout)->Finish(*entries) : entries.status();
  }
  bool LayoutHas(const Digest& digest) {
    const auto layout = OpenLayout(directory_.path());
    return layout.ok() && (*layout)->BlobSize(digest).ok();
  }

  kv::TemporaryDirectory directory_;
  ContentRegistry http_;
  RegistryClient client_{ContentRegistryOptions(), http_};
  ImageTransfer transfer_;
  std::optional<Digest> amd64_, arm64_, index_;
};

TEST_F(ImageExportTest, WritesAnIndexWithAllOfIt) {
  EXPECT_OK(Export({.reference = "v1"}));
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(directory_.path()));
  ASSERT_EQ(layout->entries().size(), 1u);
  EXPECT_EQ(layout->entries()[0].digest, *index_);
  EXPECT_EQ(layout->entries()[0].tag, "v1");
  EXPECT_EQ(layout->entries()[0].repository, kRepository);
  EXPECT_EQ(layout->entries()[0].media_type, "application/vnd.oci.image.index.v1+json");
  for (const Digest& digest : {*index_, *amd64_, *arm64_}) {
    ASSERT_OK_AND_ASSIGN(const std::string content, layout->ReadManifest(digest));
    EXPECT_EQ(content, http_.Content(kRepository, digest));
  }
  EXPECT_EQ(transfer_.manifests, 3u);
  EXPECT_EQ(transfer_.blobs, 4u);
  EXPECT_EQ(transfer_.blobs_done, 4u);
  EXPECT_EQ(transfer_.bytes, 18u);
  EXPECT_EQ(transfer_.bytes_done, 18u);
}

TEST_F(ImageExportTest, TakesOnlyTheWantedPlatforms) {
  EXPECT_OK(Export({.reference = "v1", .platforms = {kAmd64}}));
  EXPECT_TRUE(LayoutHas(*amd64_));
  EXPECT_FALSE(LayoutHas(*arm64_));
  EXPECT_EQ(transfer_.blobs, 3u);
  EXPECT_THAT(transfer_.absent, ElementsAre());
  EXPECT_THAT(Export({.reference = "v1", .platforms = {{"plan9", "mips", ""}}}), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(ImageExportTest, TakesReferrersAndCosignsTags) {
  const Digest sbom = http_.AddManifest(kRepository, R"({"artifactType":"example/sbom","layers":[]})");
  const Digest sbom_signature = http_.AddManifest(kRepository, R"({"artifactType":"example/signature"})");
  http_.referrers[absl::StrCat(kRepository, " ", amd64_->ToString())] = {sbom};
  http_.referrers[absl::StrCat(kRepository, " ", sbom.ToString())] = {sbom_signature};
  const std::string cosign_tag = absl::StrCat("sha256-", index_->hex(), ".sig");
  const Digest cosign = http_.AddImage(kRepository, {"cosign"}, cosign_tag);
  EXPECT_OK(Export({.reference = "v1"}));
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(directory_.path()));
  ASSERT_EQ(layout->entries().size(), 4u);
  EXPECT_EQ(layout->entries()[1].digest, cosign);
  EXPECT_EQ(layout->entries()[1].tag, cosign_tag);
  EXPECT_EQ(layout->entries()[2].digest, sbom);
  EXPECT_EQ(layout->entries()[2].artifact_type, "example/sbom");
  EXPECT_EQ(layout->entries()[3].digest, sbom_signature);
  EXPECT_TRUE(LayoutHas(ComputeDigest(DigestAlgorithm::kSha256, "cosign")));
}

TEST_F(ImageExportTest, LeavesReferrersOutIfAsked) {
  http_.AddImage(kRepository, {"cosign"}, absl::StrCat("sha256-", index_->hex(), ".sig"));
  EXPECT_OK(Export({.reference = "v1", .with_referrers = false}));
  ASSERT_OK_AND_ASSIGN(const auto layout, OpenLayout(directory_.path()));
  EXPECT_EQ(layout->entries().size(), 1u);
  EXPECT_EQ(http_.Count("GET", "/referrers/"), 0);
}

TEST_F(ImageExportTest, FetchesNothingAgain) {
  EXPECT_OK(Export({.reference = "v1"}));
  http_.requests.clear();
  EXPECT_OK(Export({.reference = "v1"}));
  EXPECT_EQ(http_.Count("GET", "/blobs/"), 0);
  EXPECT_EQ(transfer_.blobs_there, 4u);
  EXPECT_EQ(transfer_.bytes_done, transfer_.bytes);
}

TEST_F(ImageExportTest, CountsChildrenThatTheRepositoryDoesNotHave) {
  const Digest missing = ComputeDigest(DigestAlgorithm::kSha256, "missing");
  http_.AddManifest(kRepository, absl::StrCat(R"({"manifests":[{"digest":")", missing.ToString(), R"("}]})"), "sparse");
  EXPECT_OK(Export({.reference = "sparse"}));
  EXPECT_THAT(transfer_.absent, ElementsAre(missing.ToString()));
}

TEST_F(ImageExportTest, ABlobWithOtherBytesIsAnError) {
  http_.intercept = [](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (request.method != "GET" || !absl::StrContains(request.url, "/blobs/")) return std::nullopt;
    EXPECT_OK(request.on_bytes("XX"));
    return HttpAnswer{200};
  };
  http_.AddImage(kRepository, {}, "small");
  EXPECT_THAT(Export({.reference = "small"}), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(LayoutHas(ComputeDigest(DigestAlgorithm::kSha256, "{}")));
}

TEST_F(ImageExportTest, AnInterruptedExportIsContinued) {
  const std::string layer(1000, 'x');
  http_.AddImage(kRepository, {layer}, "large");
  http_.intercept = [&](const HttpRequest& request) -> std::optional<absl::StatusOr<HttpAnswer>> {
    if (request.on_bytes_status != 200 || !absl::StrContains(request.url, "/blobs/") || request.method != "GET" ||
        absl::StrContains(request.url, ComputeDigest(DigestAlgorithm::kSha256, "{}").hex())) {
      return std::nullopt;
    }
    EXPECT_OK(request.on_bytes(std::string(600, 'x')));
    http_.intercept = [](const HttpRequest&) { return absl::UnavailableError("the network is gone"); };
    return absl::UnavailableError("the response broke off");
  };
  EXPECT_THAT(Export({.reference = "large"}), StatusIs(absl::StatusCode::kUnavailable));
  http_.intercept = nullptr;
  http_.requests.clear();
  EXPECT_OK(Export({.reference = "large"}));
  bool continued = false;
  for (const HttpRequest& request : http_.requests) {
    for (const auto& [name, value] : request.headers) continued |= value == "bytes=600-";
  }
  EXPECT_TRUE(continued);
}

}  // namespace
}  // namespace entrepot::ctl
