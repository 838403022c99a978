#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kChildren[] = "incomplete_manifests: [{repositories: [a], allow: [absent_children]}]";
constexpr char kLayers[] = "incomplete_manifests: [{repositories: [a], allow: [absent_layers]}]";
constexpr char kSizes[] = "incomplete_manifests: [{repositories: [a], allow: [wrong_child_sizes]}]";
constexpr char kAll[] =
    "incomplete_manifests: [{repositories: [a], allow: [absent_children, absent_layers, wrong_child_sizes]}]";

// Manifests whose blobs or children are absent: which repositories accept them, and what that means for what arrives
// later.
class IncompleteManifestsTest : public CatalogTest {
 protected:
  absl::Status Push(const RepositoryName& repository, const std::string& content, absl::string_view type) {
    return catalog_->manifests().Put(kAnonymous, repository, PutByDigest(content, type)).status();
  }
  absl::Status PushIndex(const RepositoryName& repository, const std::string& index) {
    return Push(repository, index, kIndexType);
  }
  // The index of an image that the repository has and of one that it has not.
  std::string IndexWithout(const std::string& absent) { return IndexJson({PushedImage(a_, "present"), absent}); }
  // An image whose layer the repository does not have.
  std::string ImageWithout(absl::string_view layer) { return ImageJson(Pushed(a_, "config"), {Upload(layer)}); }
  std::string ChildOfWrongSize() {
    const std::string child = PushedImage(a_, "present");
    return absl::StrReplaceAll(IndexJson({child}), {{absl::StrCat(":", child.size(), "}"), ":1}"}});
  }
  storage::v1::ReferenceRecord Reference(const Digest& to, const std::string& from) {
    return kv::ReadRecord<storage::v1::ReferenceRecord>(*engine_->get(), keys::Reference(to, a_, DigestOf(from)))
        .value()
        .value_or(storage::v1::ReferenceRecord());
  }

  const std::string absent_ = ImageJson(Upload("config of absent"), {Upload("layer of absent")});
};

INSTANTIATE_TEST_SUITE_P(Engines, IncompleteManifestsTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(IncompleteManifestsTest, AreRefusedWithoutARule) {
  const absl::Status index = PushIndex(a_, IndexWithout(absent_));
  EXPECT_THAT(index, IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_THAT(std::string(index.message()), HasSubstr("incomplete_manifests in the policy file"));
  const absl::Status image = Push(a_, ImageWithout("layer"), kImageType);
  EXPECT_THAT(image, IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_THAT(std::string(image.message()), Not(HasSubstr("incomplete_manifests")));
  EXPECT_THAT(PushIndex(a_, ChildOfWrongSize()), IsOciError(OciErrorCode::kSizeInvalid));
}

TEST_P(IncompleteManifestsTest, EachRuleAllowsItsKindInItsRepositories) {
  const std::string index = IndexWithout(absent_);
  const std::string image = ImageWithout("layer");
  const std::string sizes = ChildOfWrongSize();
  const struct {
    const char* policy;
    bool index;
    bool image;
    bool sizes;
  } rows[] = {
      {kChildren, true, false, false},
      {kLayers, false, true, false},
      {kSizes, false, false, true},
      {kAll, true, true, true},
  };
  for (const auto& row : rows) {
    UsePolicy(row.policy);
    EXPECT_EQ(PushIndex(a_, index).ok(), row.index) << row.policy;
    EXPECT_EQ(Push(a_, image, kImageType).ok(), row.image) << row.policy;
    EXPECT_EQ(PushIndex(a_, sizes).ok(), row.sizes) << row.policy;
    EXPECT_THAT(PushIndex(b_, IndexJson({absent_})), IsOciError(OciErrorCode::kManifestBlobUnknown));
  }
}

TEST_P(IncompleteManifestsTest, AConfigMustExistAndABlobMustHaveItsSize) {
  UsePolicy(kAll);
  EXPECT_THAT(Push(a_, ImageJson(Upload("no config"), {}), kImageType), IsOciError(OciErrorCode::kManifestBlobUnknown));
  // Also if the config is a layer, too.
  const Blob both = Upload("no config");
  EXPECT_THAT(Push(a_, ImageJson(both, {both}), kImageType), IsOciError(OciErrorCode::kManifestBlobUnknown));
  Blob layer = Pushed(a_, "layer");
  ++layer.size_bytes;
  EXPECT_THAT(Push(a_, ImageJson(Pushed(a_, "config"), {layer}), kImageType), IsOciError(OciErrorCode::kSizeInvalid));
  // Also if an index lists the blob.
  const std::string cache = Pushed(a_, "cache").digest.ToString();
  const std::string longer = "a longer cache";
  const std::string index = absl::StrReplaceAll(IndexJson({longer}), {{DigestOf(longer).ToString(), cache}});
  EXPECT_THAT(PushIndex(a_, index), IsOciError(OciErrorCode::kSizeInvalid));
}

TEST_P(IncompleteManifestsTest, AnIndexRefersToItsAbsentChild) {
  UsePolicy(kChildren);
  const std::string index = IndexWithout(absent_);
  ASSERT_OK(PushIndex(a_, index));
  EXPECT_TRUE(Reference(DigestOf(absent_), index).absent());
  EXPECT_TRUE(Reference(DigestOf(absent_), index).to_manifest());
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, a_, DigestOf(index), false)->content, index);
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, DigestOf(absent_), false),
              IsOciError(OciErrorCode::kManifestUnknown));

  // The child arrives, and goes again: an index does not prevent it.
  ASSERT_EQ(ImageIn(a_, "absent"), absent_);
  ASSERT_OK(Push(a_, absent_, kImageType));
  EXPECT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(absent_)));

  // The same index, pushed again, finds what has arrived.
  ASSERT_OK(Push(a_, absent_, kImageType));
  ASSERT_OK(PushIndex(a_, index));
  EXPECT_FALSE(Reference(DigestOf(absent_), index).absent());

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(index)));
  EXPECT_FALSE(Exists(keys::Reference(DigestOf(absent_), a_, DigestOf(index))));
}

TEST_P(IncompleteManifestsTest, AnIndexMayHaveOnlyAbsentChildren) {
  UsePolicy(kChildren);
  const std::string index = IndexJson({absent_});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("i", index, kIndexType)));
  EXPECT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(index)));
  EXPECT_EQ(CountWithPrefix(keys::References()), 0u);
}

TEST_P(IncompleteManifestsTest, StayAfterTheRuleIsGone) {
  UsePolicy(kAll);
  const std::string index = IndexWithout(absent_);
  const std::string image = ImageWithout("layer");
  ASSERT_OK(PushIndex(a_, index));
  ASSERT_OK(Push(a_, image, kImageType));
  UsePolicy("");
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, DigestOf(index), false));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, DigestOf(image), false));
  EXPECT_THAT(PushIndex(a_, index), IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_OK(catalog_->repositories().Delete(kAnonymous, a_));
  EXPECT_EQ(CountWithPrefix(keys::References()), 0u);
}

TEST_P(IncompleteManifestsTest, ABlobOfAnotherRepositoryIsAbsent) {
  UsePolicy(kLayers);
  const Blob layer = Pushed(b_, "layer");
  const std::string image = ImageWithout("layer");
  ASSERT_OK(Push(a_, image, kImageType));
  EXPECT_TRUE(Reference(layer.digest, image).absent());
  // The image does not make the blob readable.
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, layer.digest), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(catalog_->blobs().Unlink(kAnonymous, b_, layer.digest));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, a_, layer.digest, std::nullopt),
              IsOciError(OciErrorCode::kBlobUnknown));
}

}  // namespace
}  // namespace entrepot::manifest
