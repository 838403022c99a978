#include "services/manifest/catalog/registry_catalog.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RegistryCatalogTest : public CatalogTest {
 protected:
  std::optional<BlobRecord> Record(const Digest& digest) {
    return kv::ReadRecord<BlobRecord>(*engine_->get(), keys::Blob(digest)).value();
  }
  // Like the collector, after the last reference was removed.
  void Condemn(const Digest& digest) {
    BlobRecord record = Record(digest).value();
    record.set_state(BlobRecord::CONDEMNED);
    ASSERT_OK(engine_->get()->Transact({{keys::Blob(digest)}}, [&](kv::KvTransaction& transaction) {
      kv::WriteRecord(transaction, keys::Blob(digest), record);
      return absl::OkStatus();
    }));
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, RegistryCatalogTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(RegistryCatalogTest, ReopensItsOwnKv) {
  PushedImage(a_, "v1");
  Reopen();
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false));
}

TEST_P(RegistryCatalogTest, RefusesAnotherFormat) {
  ASSERT_OK(engine_->get()->Transact({{keys::Format()}}, [](kv::KvTransaction& transaction) {
    storage::v1::FormatRecord record;
    record.set_version(2);
    kv::WriteRecord(transaction, keys::Format(), record);
    return absl::OkStatus();
  }));
  const auto catalog = RegistryCatalog::Create(engine_->get(), &clock_, {});
  EXPECT_THAT(catalog, StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(RegistryCatalogTest, RefusesRecordsWithoutAFormat) {
  PushedImage(a_, "v1");
  ASSERT_OK(engine_->get()->Transact({{keys::Format()}}, [](kv::KvTransaction& transaction) {
    transaction.Delete(keys::Format());
    return absl::OkStatus();
  }));
  const auto catalog = RegistryCatalog::Create(engine_->get(), &clock_, {});
  EXPECT_THAT(catalog, StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(RegistryCatalogTest, FindsACommittedBlobInItsRepositoryOnly) {
  const Blob blob = Upload("bytes");
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, blob), IsOkAndHolds(false));
  ASSERT_OK_AND_ASSIGN(const Blob found, catalog_->blobs().Find(kAnonymous, a_, blob.digest));
  EXPECT_EQ(found.digest, blob.digest);
  EXPECT_EQ(found.size_bytes, 5u);
  EXPECT_EQ(found.storage_key, blob.storage_key);
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, b_, blob.digest), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, DigestOf("others")), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(RegistryCatalogTest, KeepsSha512BlobsApart) {
  const Blob blob = Upload("bytes", DigestAlgorithm::kSha512);
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, a_, blob));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, blob.digest));
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, DigestOf("bytes")), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(RegistryCatalogTest, CommitKeepsTheFirstBytes) {
  const Blob first = Pushed(a_, "bytes");
  const Blob second = Upload("bytes");
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, b_, second), IsOkAndHolds(true));
  EXPECT_EQ(catalog_->blobs().Find(kAnonymous, b_, first.digest)->storage_key, first.storage_key);
  EXPECT_TRUE(Exists(keys::DeleteIntent(second.storage_key)));
  EXPECT_FALSE(Exists(keys::DeleteIntent(first.storage_key)));
  EXPECT_EQ(Record(first.digest)->generation(), 1u);
}

TEST_P(RegistryCatalogTest, CommitIsIdempotent) {
  const Blob first = Upload("bytes");
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, first), IsOkAndHolds(false));
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, first), IsOkAndHolds(false));
  EXPECT_FALSE(Exists(keys::DeleteIntent(first.storage_key)));
  const Blob second = Upload("bytes");
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, second), IsOkAndHolds(true));
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, second), IsOkAndHolds(true));
  EXPECT_EQ(CountWithPrefix("x/"), 1u);
  EXPECT_EQ(CountWithPrefix("q/"), 1u);
}

TEST_P(RegistryCatalogTest, CommitRevivesACondemnedBlob) {
  const Blob old = Pushed(a_, "bytes");
  Condemn(old.digest);
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, old.digest), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, b_, old.digest, a_), IsOciError(OciErrorCode::kBlobUnknown));
  const Blob fresh = Upload("bytes");
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, b_, fresh), IsOkAndHolds(false));
  EXPECT_EQ(catalog_->blobs().Find(kAnonymous, b_, old.digest)->storage_key, fresh.storage_key);
  EXPECT_EQ(Record(old.digest)->generation(), 2u);
  EXPECT_TRUE(Exists(keys::DeleteIntent(old.storage_key)));
  EXPECT_EQ(CountWithPrefix("q/"), 1u);
}

TEST_P(RegistryCatalogTest, ALateRepetitionRevivesItsOwnBytes) {
  const Blob blob = Pushed(a_, "bytes");
  Condemn(blob.digest);
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, blob), IsOkAndHolds(false));
  EXPECT_FALSE(Exists(keys::DeleteIntent(blob.storage_key)));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, a_, blob.digest));
}

TEST_P(RegistryCatalogTest, RefusesCommitOfDeletableBytes) {
  const Blob first = Pushed(a_, "bytes");
  const Blob second = Upload("bytes");
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, a_, second));
  Condemn(first.digest);
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, second), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_P(RegistryCatalogTest, ReadsRenewTheLeaseOnlyWhenHalfIsGone) {
  const Blob blob = Pushed(a_, "bytes");
  const absl::Time start = clock_.Now();
  clock_.Advance(absl::Hours(11));
  ASSERT_OK_AND_ASSIGN(const BlobLookup early, catalog_->blobs().LookUp(kAnonymous, a_, blob.digest));
  EXPECT_FALSE(early.lease_due);
  ASSERT_OK(catalog_->blobs().Find(kAnonymous, a_, blob.digest));
  EXPECT_EQ(FromTimestamp(Record(blob.digest)->lease_until()), start + absl::Hours(24));
  clock_.Advance(absl::Hours(2));
  ASSERT_OK_AND_ASSIGN(const BlobLookup late, catalog_->blobs().LookUp(kAnonymous, a_, blob.digest));
  EXPECT_TRUE(late.lease_due);
  EXPECT_EQ(FromTimestamp(Record(blob.digest)->lease_until()), start + absl::Hours(24));
  ASSERT_OK(catalog_->blobs().Find(kAnonymous, a_, blob.digest));
  EXPECT_EQ(FromTimestamp(Record(blob.digest)->lease_until()), start + absl::Hours(37));
  EXPECT_EQ(CountWithPrefix("q/"), 1u);
}

TEST_P(RegistryCatalogTest, MountsFromTheSource) {
  const Blob blob = Pushed(a_, "bytes");
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, Repo("c")), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, b_, blob.digest), IsOciError(OciErrorCode::kBlobUnknown));
  ASSERT_OK_AND_ASSIGN(const Blob mounted, catalog_->blobs().Mount(kAnonymous, b_, blob.digest, a_));
  EXPECT_EQ(mounted.storage_key, blob.storage_key);
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, b_, blob.digest));
  // Mounting again succeeds.
  EXPECT_OK(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, a_));
}

TEST_P(RegistryCatalogTest, MountsFromAnyRepository) {
  const Blob blob = Pushed(a_, "bytes");
  EXPECT_OK(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, std::nullopt));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, b_, blob.digest));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, b_, DigestOf("others"), std::nullopt),
              IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(RegistryCatalogTest, MountRenewsALeaseThatIsDue) {
  const Blob blob = Pushed(a_, "bytes");
  clock_.Advance(absl::Hours(23));
  ASSERT_OK(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, a_));
  EXPECT_EQ(FromTimestamp(Record(blob.digest)->lease_until()), clock_.Now() + absl::Hours(24));
}

TEST_P(RegistryCatalogTest, AFailedMountMakesNoRepository) {
  ASSERT_THAT(catalog_->blobs().Mount(kAnonymous, b_, DigestOf("others"), a_), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, b_, 10, ""), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(RegistryCatalogTest, UnlinkRemovesTheBlobFromOneRepository) {
  const Blob blob = Pushed(a_, "bytes");
  ASSERT_OK(catalog_->blobs().Mount(kAnonymous, b_, blob.digest, a_));
  ASSERT_OK(catalog_->blobs().Unlink(kAnonymous, a_, blob.digest));
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, blob.digest), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, Repo("c"), blob.digest, a_), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, b_, blob.digest));
  EXPECT_THAT(catalog_->blobs().Unlink(kAnonymous, a_, blob.digest), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(RegistryCatalogTest, UnlinkedBlobIsKeptForItsManifests) {
  const std::string image = PushedImage(a_, "v1");
  const Digest layer = DigestOf("layer of v1");
  ASSERT_OK(catalog_->blobs().Unlink(kAnonymous, a_, layer));
  EXPECT_THAT(catalog_->blobs().Find(kAnonymous, a_, layer), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_EQ(Record(layer)->state(), BlobRecord::LIVE);
  EXPECT_TRUE(Exists(keys::Reference(layer, a_, DigestOf(image))));
  // The image can be pulled except for the layer, but cannot be pushed again until the layer exists again.
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false));
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2", image)),
              IsOciError(OciErrorCode::kManifestBlobUnknown));
  Pushed(a_, "layer of v1");
  EXPECT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2", image)));
}

TEST_P(RegistryCatalogTest, PutsAndGetsByTagAndDigest) {
  const std::string image = ImageIn(a_, "image");
  ASSERT_OK_AND_ASSIGN(const ManifestPutResult result,
                       catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", image)));
  EXPECT_EQ(result.digest, DigestOf(image));
  EXPECT_EQ(result.subject, std::nullopt);
  for (const Reference& reference : {Reference(TagNamed("v1")), Reference(DigestOf(image))}) {
    ASSERT_OK_AND_ASSIGN(const StoredManifest whole, catalog_->manifests().Get(kAnonymous, a_, reference, false));
    EXPECT_EQ(whole.content, image);
    EXPECT_EQ(whole.media_type, kImageType);
    EXPECT_EQ(whole.digest, DigestOf(image));
    EXPECT_EQ(whole.size_bytes, image.size());
    ASSERT_OK_AND_ASSIGN(const StoredManifest head, catalog_->manifests().Get(kAnonymous, a_, reference, true));
    EXPECT_EQ(head.content, "");
    EXPECT_EQ(head.size_bytes, image.size());
    EXPECT_EQ(head.digest, DigestOf(image));
  }
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, b_, TagNamed("v1"), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, b_, DigestOf(image), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v2"), false),
              IsOciError(OciErrorCode::kManifestUnknown));
}

TEST_P(RegistryCatalogTest, PutsByDigestWithTags) {
  const std::string image = ImageIn(a_, "image");
  ManifestPut put{.reference = DigestOf(image, DigestAlgorithm::kSha512),
                  .media_type = std::nullopt,
                  .content = image,
                  .tags = {TagNamed("b"), TagNamed("a"), TagNamed("b")}};
  ASSERT_OK_AND_ASSIGN(const ManifestPutResult result, catalog_->manifests().Put(kAnonymous, a_, put));
  EXPECT_EQ(result.digest, DigestOf(image, DigestAlgorithm::kSha512));
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, a_, TagNamed("a"), false)->digest, result.digest);
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, DigestOf(image), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, ElementsAre("a", "b"));
}

TEST_P(RegistryCatalogTest, RefusesAWrongDigest) {
  ManifestPut put = PutByDigest(ImageIn(a_, "image"));
  put.content += " ";
  const auto refused = catalog_->manifests().Put(kAnonymous, a_, put);
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kDigestInvalid));
  EXPECT_THAT(GetOciErrorDetail(refused.status()), HasSubstr(DigestOf(put.content).ToString()));
}

TEST_P(RegistryCatalogTest, RefusesAnInvalidManifest) {
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", "{}")),
              IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, ""), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(RegistryCatalogTest, ErrorDetailListsAllMissingContent) {
  const Blob elsewhere = Pushed(b_, "elsewhere");
  const std::string image = ImageJson(Pushed(a_, "config"), {elsewhere, Upload("nowhere")});
  const auto refused = catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", image));
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_THAT(GetOciErrorDetail(refused.status()),
              AllOf(HasSubstr(absl::StrCat("layers[0] ", elsewhere.digest.ToString())),
                    HasSubstr(absl::StrCat("layers[1] ", DigestOf("nowhere").ToString())), Not(HasSubstr("config"))));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false),
              IsOciError(OciErrorCode::kManifestUnknown));
}

TEST_P(RegistryCatalogTest, ListOfMissingContentFitsIntoATrailer) {
  std::vector<Blob> layers;
  for (int i = 0; i < 1000; ++i) layers.push_back(Upload(absl::StrCat("missing ", i)));
  const auto refused = catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", ImageJson(Upload("config"), layers)));
  const std::string detail = GetOciErrorDetail(refused.status());
  EXPECT_LT(detail.size(), 5000u);
  EXPECT_THAT(detail, HasSubstr(" more"));
}

TEST_P(RegistryCatalogTest, ACondemnedBlobIsMissing) {
  const std::string image = ImageIn(a_, "image");
  Condemn(DigestOf("layer of image"));
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", image)),
              IsOciError(OciErrorCode::kManifestBlobUnknown));
}

TEST_P(RegistryCatalogTest, RefusesAWrongBlobSize) {
  Blob layer = Pushed(a_, "layer");
  layer.size_bytes += 1;
  const auto refused =
      catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", ImageJson(Pushed(a_, "config"), {layer})));
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kSizeInvalid));
  EXPECT_EQ(GetOciErrorDetail(refused.status()), "layers[0].size");
}

TEST_P(RegistryCatalogTest, ForeignLayersMayBeMissingAndAreKeptIfPresent) {
  const std::string config = DescriptorOf(Pushed(a_, "config"), kConfigType);
  const std::string foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
  const Blob missing = Upload("missing");
  const Blob present = Pushed(a_, "present");
  const std::string image = absl::StrCat("{\"schemaVersion\":2,\"config\":", config, ",\"layers\":[",
                                         DescriptorOf(missing, foreign), ",", DescriptorOf(present, foreign), "]}");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", image)));
  // The missing one too is kept if it arrives.
  EXPECT_TRUE(Exists(keys::Reference(missing.digest, a_, DigestOf(image))));
  EXPECT_TRUE(Exists(keys::Reference(present.digest, a_, DigestOf(image))));
  EXPECT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(image)));
}

TEST_P(RegistryCatalogTest, AnIndexNeedsItsChildren) {
  const std::string child = ImageIn(a_, "child");
  const std::string index = IndexJson({child});
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, a_, PutByTag("i", index, kIndexType)),
              IsOciError(OciErrorCode::kManifestBlobUnknown));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(child)));
  EXPECT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("i", index, kIndexType)));
  EXPECT_TRUE(Exists(keys::Reference(DigestOf(child), a_, DigestOf(index))));
  // A child in another repository does not count.
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, b_, PutByTag("i", index, kIndexType)),
              IsOciError(OciErrorCode::kManifestBlobUnknown));
}

TEST_P(RegistryCatalogTest, ChecksTheSizeOfTheChildrenOfAnIndex) {
  const std::string child = ImageIn(a_, "child");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByDigest(child)));
  const std::string index = absl::StrCat("{\"schemaVersion\":2,\"manifests\":[",
                                         DescriptorJson(kImageType, DigestOf(child), child.size() + 1), "]}");
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, a_, PutByTag("i", index, kIndexType)),
              IsOciError(OciErrorCode::kSizeInvalid));
}

TEST_P(RegistryCatalogTest, AnIndexMayListBlobs) {
  const Blob layer = Pushed(a_, "layer");
  const std::string index = absl::StrCat("{\"schemaVersion\":2,\"manifests\":[", DescriptorOf(layer), "]}");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("cache", index, kIndexType)));
  EXPECT_TRUE(Exists(keys::Reference(layer.digest, a_, DigestOf(index))));
}

TEST_P(RegistryCatalogTest, AChildOfAnIndexCanBeDeleted) {
  const std::string child = PushedImage(a_, "child");
  const std::string index = IndexJson({child});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("i", index, kIndexType)));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(child)));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, DigestOf(child), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed("i"), false));
  EXPECT_THAT(catalog_->manifests().Put(kAnonymous, a_, PutByTag("j", index, kIndexType)),
              IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(index)));
}

TEST_P(RegistryCatalogTest, PutMovesATag) {
  const std::string first = PushedImage(a_, "v1");
  const std::string second = ImageIn(a_, "second");
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", second)));
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false)->content, second);
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, DigestOf(first), false));
  // Deleting the manifest that had the tag before does not delete the tag.
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(first)));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false));
}

TEST_P(RegistryCatalogTest, DeleteByTagKeepsTheManifest) {
  const std::string image = PushedImage(a_, "v1");
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, TagNamed("v1")));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, TagNamed("v1"), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, DigestOf(image), false));
  EXPECT_THAT(catalog_->manifests().Delete(kAnonymous, a_, TagNamed("v1")), IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, IsEmpty());
}

TEST_P(RegistryCatalogTest, DeleteByDigestRemovesTheTags) {
  const std::string image = PushedImage(a_, "v1");
  const std::string other = PushedImage(a_, "other");
  for (const char* const tag : {"v2", "v3"}) ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag(tag, image)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, b_, PutByTag("empty", IndexJson({}), kIndexType)));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(image)));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, ElementsAre("other"));
  EXPECT_THAT(catalog_->manifests().Get(kAnonymous, a_, DigestOf(image), false),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(image)),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, a_, DigestOf(other), false));
  EXPECT_OK(catalog_->manifests().Get(kAnonymous, b_, TagNamed("empty"), false));
}

TEST_P(RegistryCatalogTest, DeletingAManifestQueuesItsBlobs) {
  const std::string image = PushedImage(a_, "v1");
  const Digest layer = DigestOf("layer of v1");
  // As if a review had found the reference since.
  BlobRecord record = Record(layer).value();
  ASSERT_OK(engine_->get()->Transact({{keys::Blob(layer)}}, [&](kv::KvTransaction& transaction) {
    transaction.Delete(keys::Review(FromTimestamp(record.review_due()), layer));
    record.clear_review_due();
    kv::WriteRecord(transaction, keys::Blob(layer), record);
    return absl::OkStatus();
  }));
  clock_.Advance(absl::Hours(100));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(image)));
  EXPECT_FALSE(Exists(keys::Reference(layer, a_, DigestOf(image))));
  EXPECT_TRUE(Exists(keys::Review(clock_.Now(), layer)));
  EXPECT_EQ(Record(layer)->state(), BlobRecord::LIVE);
}

TEST_P(RegistryCatalogTest, DeletingAManifestKeepsReferencesOfOthers) {
  const Blob shared = Pushed(a_, "shared");
  const std::string first = ImageJson(shared, {shared});
  const std::string second = ImageJson(shared, {});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("first", first)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("second", second)));
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(first)));
  EXPECT_EQ(CountWithPrefix(keys::ReferencesTo(shared.digest)), 1u);
}

TEST_P(RegistryCatalogTest, ListsTagsByPages) {
  for (const char* const tag : {"v10", "v1", "V1", "v2", "_x", "v1.0", "v1-a"}) PushedImage(a_, tag);
  PushedImage(Repo("a/b"), "nested");
  PushedImage(Repo("a-b"), "dashed");
  const auto all = catalog_->lists().Tags(kAnonymous, a_, 100, "");
  EXPECT_THAT(all->tags, ElementsAre("V1", "_x", "v1", "v1-a", "v1.0", "v10", "v2"));
  EXPECT_FALSE(all->more);
  const auto page = catalog_->lists().Tags(kAnonymous, a_, 3, "");
  EXPECT_THAT(page->tags, ElementsAre("V1", "_x", "v1"));
  EXPECT_TRUE(page->more);
  const auto rest = catalog_->lists().Tags(kAnonymous, a_, 4, "v1");
  EXPECT_THAT(rest->tags, ElementsAre("v1-a", "v1.0", "v10", "v2"));
  EXPECT_FALSE(rest->more);
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 1, "v1a")->tags, ElementsAre("v2"));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "zzz")->tags, IsEmpty());
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "';DROP TABLE\r\n")->tags, testing::SizeIs(7));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, std::string("\0", 1))->tags, testing::SizeIs(7));
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "\xFF\xFF")->tags, IsEmpty());
  EXPECT_EQ(catalog_->lists().Tags(kAnonymous, a_, SIZE_MAX, "")->tags.size(), 7u);
}

TEST_P(RegistryCatalogTest, ListsRepositoriesWithAPush) {
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, ""), IsOciError(OciErrorCode::kNameUnknown));
  Pushed(a_, "bytes");
  EXPECT_THAT(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags, IsEmpty());
  PushedImage(Repo("b/c"), "v1");
  PushedImage(Repo("b-c"), "v1");
  const auto page = catalog_->lists().Repositories(2, "", {"**"});
  EXPECT_THAT(page->repositories, ElementsAre("a", "b-c"));
  EXPECT_TRUE(page->more);
  EXPECT_THAT(catalog_->lists().Repositories(2, "b-c", {"**"})->repositories, ElementsAre("b/c"));
  EXPECT_THAT(catalog_->lists().Repositories(2, "b/c", {"**"})->repositories, IsEmpty());
}

TEST_P(RegistryCatalogTest, ListsReferrers) {
  const std::string subject = ImageIn(a_, "subject");
  // The subject may come later, or never.
  const std::string plain = PushedImage(a_, "plain", SubjectMember(subject));
  const std::string typed =
      PushedImage(a_, "typed",
                  absl::StrCat(",\"artifactType\":\"application/vnd.x\",\"annotations\":{\"k\":\"v\",\"l\":\"\"}",
                               SubjectMember(subject)));
  const std::string index = IndexJson({}, SubjectMember(subject));
  ASSERT_OK_AND_ASSIGN(const ManifestPutResult put,
                       catalog_->manifests().Put(kAnonymous, a_, PutByTag("index", index, kIndexType)));
  EXPECT_EQ(put.subject, DigestOf(subject));

  ASSERT_OK_AND_ASSIGN(const ReferrerPage all,
                       catalog_->lists().Referrers(kAnonymous, a_, DigestOf(subject), "", 100, ""));
  ASSERT_EQ(all.referrers.size(), 3u);
  EXPECT_EQ(all.next, std::nullopt);
  for (const Referrer& referrer : all.referrers) {
    if (referrer.digest == DigestOf(plain)) {
      EXPECT_EQ(referrer.artifact_type, kConfigType);
      EXPECT_EQ(referrer.media_type, kImageType);
      EXPECT_EQ(referrer.size_bytes, plain.size());
    } else if (referrer.digest == DigestOf(typed)) {
      EXPECT_EQ(referrer.artifact_type, "application/vnd.x");
      EXPECT_THAT(referrer.annotations, ElementsAre(testing::Pair("k", "v"), testing::Pair("l", "")));
    } else {
      EXPECT_EQ(referrer.digest, DigestOf(index));
      EXPECT_EQ(referrer.artifact_type, "");
      EXPECT_EQ(referrer.media_type, kIndexType);
    }
  }
  ASSERT_OK_AND_ASSIGN(const ReferrerPage some,
                       catalog_->lists().Referrers(kAnonymous, a_, DigestOf(subject), "application/vnd.x", 100, ""));
  ASSERT_EQ(some.referrers.size(), 1u);
  EXPECT_EQ(some.referrers[0].digest, DigestOf(typed));

  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, a_, DigestOf(typed)));
  EXPECT_EQ(catalog_->lists().Referrers(kAnonymous, a_, DigestOf(subject), "", 100, "")->referrers.size(), 2u);
  EXPECT_THAT(catalog_->lists().Referrers(kAnonymous, b_, DigestOf(subject), "", 100, "")->referrers, IsEmpty());
  EXPECT_THAT(catalog_->lists().Referrers(kAnonymous, a_, DigestOf("other"), "", 100, "")->referrers, IsEmpty());
}

TEST_P(RegistryCatalogTest, LimitsReferrerPagesBySize) {
  const std::string subject = "subject";
  const std::string heavy = absl::StrCat(",\"annotations\":{\"a\":\"", std::string(700'000, 'A'), "\"}");
  for (int i = 0; i < 7; ++i) PushedImage(a_, absl::StrCat("v", i), heavy + SubjectMember(subject));
  size_t seen = 0;
  size_t pages = 0;
  std::string last;
  do {
    ASSERT_OK_AND_ASSIGN(const ReferrerPage page,
                         catalog_->lists().Referrers(kAnonymous, a_, DigestOf(subject), "", 100, last));
    EXPECT_LE(page.referrers.size(), 4u);
    seen += page.referrers.size();
    ++pages;
    last = page.next.has_value() ? page.next->ToString() : "";
  } while (!last.empty());
  EXPECT_EQ(seen, 7u);
  EXPECT_GE(pages, 2u);
}

TEST_P(RegistryCatalogTest, PagesAHundredThousandReferrers) {
  constexpr int kReferrers = 100'000;
  const Digest subject = DigestOf("subject");
  // Writes the records like PutManifest, but without the manifests, which do not matter here; they are removed below.
  ASSERT_OK(engine_->get()->Transact({}, [&](kv::KvTransaction& transaction) {
    for (int i = 0; i < kReferrers; ++i) {
      storage::v1::ReferrerRecord record;
      record.set_media_type(kImageType);
      record.set_artifact_type(i % 10'000 == 0 ? "application/rare" : "application/common");
      kv::WriteRecord(transaction, keys::Referrer(a_, subject, DigestOf(absl::StrCat(i))), record);
    }
    return absl::OkStatus();
  }));
  size_t seen = 0;
  std::string last;
  do {
    ASSERT_OK_AND_ASSIGN(const ReferrerPage page, catalog_->lists().Referrers(kAnonymous, a_, subject, "", 1000, last));
    seen += page.referrers.size();
    ASSERT_LT(last, page.referrers.back().digest.ToString());
    last = page.next.has_value() ? page.next->ToString() : "";
  } while (!last.empty());
  EXPECT_EQ(seen, static_cast<size_t>(kReferrers));

  // A filter that matches few referrers does not make a call read all of them.
  size_t rare = 0;
  size_t calls = 0;
  do {
    ASSERT_OK_AND_ASSIGN(const ReferrerPage page,
                         catalog_->lists().Referrers(kAnonymous, a_, subject, "application/rare", 1000, last));
    rare += page.referrers.size();
    ++calls;
    last = page.next.has_value() ? page.next->ToString() : "";
  } while (!last.empty());
  EXPECT_EQ(rare, 10u);
  EXPECT_EQ(calls, 20u);

  ASSERT_OK(engine_->get()->Transact({}, [&](kv::KvTransaction& transaction) {
    for (int i = 0; i < kReferrers; ++i) transaction.Delete(keys::Referrer(a_, subject, DigestOf(absl::StrCat(i))));
    return absl::OkStatus();
  }));
}

}  // namespace
}  // namespace entrepot::manifest
