#include "services/manifest/check/catalog_invariants.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/core/time/proto_time.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using storage::v1::BlobRecord;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

// A small registry without violations. The tests break its records.
class CatalogInvariantsTest : public testing::Test {
 protected:
  CatalogInvariantsTest() : catalog_(RegistryCatalog::Create(&kv_, &clock_, {}).value()) {
    for (const Blob& blob : {config_, layer_}) EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository_, blob));
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository_, PutByTag("v1", image_)));
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository_, PutByTag("i", index_, kIndexType)));
    EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
  }

  absl::StatusOr<std::vector<std::string>> Check() { return CheckInvariants(kv_, {}); }

  void Write(const std::string& key, const std::string& value) {
    ASSERT_OK(kv_.Transact({}, [&](kv::KvTransaction& transaction) {
      transaction.Put(key, value);
      return absl::OkStatus();
    }));
  }
  void Erase(const std::string& key) {
    ASSERT_TRUE(kv_.Get(key).value().has_value());
    ASSERT_OK(kv_.Transact({}, [&](kv::KvTransaction& transaction) {
      transaction.Delete(key);
      return absl::OkStatus();
    }));
  }
  BlobRecord LayerRecord() { return kv::ReadRecord<BlobRecord>(kv_, keys::Blob(layer_.digest)).value().value(); }

  const RepositoryName repository_ = Repo("a");
  const Blob config_ = Upload("config");
  const Blob layer_ = Upload("layer");
  const std::string image_ = ImageJson(config_, {layer_}, SubjectMember("subject"));
  const std::string index_ = IndexJson({image_});
  const Digest digest_ = DigestOf(image_);
  kv::MemoryKvEngine engine_;
  kv::KvEngine& kv_ = engine_;
  FakeClock clock_;
  std::unique_ptr<RegistryCatalog> catalog_;
};

TEST_F(CatalogInvariantsTest, ReportsReferenceToMissingBlob) {
  Erase(keys::Blob(layer_.digest));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(StartsWith("I1: "))));
}

TEST_F(CatalogInvariantsTest, ReportsReferencedCondemnedBlob) {
  BlobRecord record = LayerRecord();
  record.set_state(BlobRecord::CONDEMNED);
  Write(keys::Blob(layer_.digest), record.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("not LIVE"))));
}

// Earlier versions stored the artifact type without its parameters.
TEST_F(CatalogInvariantsTest, AcceptsArtifactTypeWithoutItsParameters) {
  const std::string referrer =
      ImageJson(config_, {layer_}, absl::StrCat(",\"artifactType\":\"a/b;c=d\"", SubjectMember("subject")));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository_, PutByDigest(referrer)));
  const auto store = [&](const std::string& type) {
    const std::string manifest = keys::Manifest(repository_, DigestOf(referrer));
    auto record = kv::ReadRecord<storage::v1::ManifestRecord>(kv_, manifest).value().value();
    record.set_artifact_type(type);
    Write(manifest, record.SerializeAsString());
    const std::string listed = keys::Referrer(repository_, DigestOf("subject"), DigestOf(referrer));
    auto entry = kv::ReadRecord<storage::v1::ReferrerRecord>(kv_, listed).value().value();
    entry.set_artifact_type(type);
    Write(listed, entry.SerializeAsString());
  };
  store("a/b");
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
  store("a/c");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("differs from its record"))));
}

TEST_F(CatalogInvariantsTest, ReportsMissingReference) {
  Erase(keys::Reference(layer_.digest, repository_, digest_));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("has no reference to it"))));
}

TEST_F(CatalogInvariantsTest, ReportsReferenceThatNoManifestHas) {
  Write(keys::Reference(config_.digest, repository_, DigestOf(index_)), "");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("does not refer to it"))));
  Write(keys::Reference(config_.digest, repository_, DigestOf("gone")), "");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("which does not exist"))));
}

TEST_F(CatalogInvariantsTest, ReportsMissingObject) {
  const InvariantOptions options{.check_object = [&](const StorageKey& key, uint64_t size_bytes) {
    return key == layer_.storage_key && size_bytes == 5 ? absl::NotFoundError("no file") : absl::OkStatus();
  }};
  EXPECT_THAT(CheckInvariants(kv_, options), IsOkAndHolds(testing::ElementsAre(HasSubstr("no file"))));
}

TEST_F(CatalogInvariantsTest, ReportsDeletableLiveBytes) {
  Write(keys::DeleteIntent(layer_.storage_key), "");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(StartsWith("I2: "))));
}

TEST_F(CatalogInvariantsTest, AllowsReferencedSuspectUntilItIsQuarantined) {
  storage::v1::DeleteIntentRecord mark;
  mark.set_suspect(true);
  Write(keys::DeleteIntent(layer_.storage_key), mark.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
  *mark.mutable_quarantined_at() = ToTimestamp(clock_.Now());
  Write(keys::DeleteIntent(layer_.storage_key), mark.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(ElementsAre(AllOf(StartsWith("I2: "), HasSubstr("quarantined")))));
}

TEST_F(CatalogInvariantsTest, ReportsReferencedCorruptBlob) {
  BlobRecord record = LayerRecord();
  record.set_state(BlobRecord::CORRUPT);
  *record.mutable_corrupt_since() = ToTimestamp(clock_.Now());
  Write(keys::Blob(layer_.digest), record.SerializeAsString());
  InvariantOptions options;
  // The object of the layer is quarantined.
  options.check_object = [&](const StorageKey& key, uint64_t) {
    return key == layer_.storage_key ? absl::NotFoundError("no file") : absl::OkStatus();
  };
  EXPECT_THAT(CheckInvariants(kv_, options),
              IsOkAndHolds(ElementsAre(AllOf(StartsWith("I1: "), HasSubstr("is CORRUPT")))));
  options.report_corrupt = false;
  EXPECT_THAT(CheckInvariants(kv_, options), IsOkAndHolds(IsEmpty()));
}

TEST_F(CatalogInvariantsTest, ReportsOrphan) {
  const Blob orphan = Upload("orphan");
  const std::vector<StoredObject> objects = {
      {config_.storage_key, 6}, {layer_.storage_key, 5}, {orphan.storage_key, 6}};
  InvariantOptions options;
  // One object per page.
  options.list_objects = [&](const std::string& start_after, size_t) -> absl::StatusOr<StoredObjectPage> {
    StoredObjectPage page;
    for (const StoredObject& object : objects) {
      if (object.storage_key.ToString() <= start_after) continue;
      page.objects.push_back(object);
      page.next = object.storage_key.ToString();
      break;
    }
    return page;
  };
  EXPECT_THAT(CheckInvariants(kv_, options),
              IsOkAndHolds(ElementsAre(AllOf(StartsWith("I4: "), HasSubstr(orphan.storage_key.ToString())))));
  Write(keys::DeleteIntent(orphan.storage_key), "");
  EXPECT_THAT(CheckInvariants(kv_, options), IsOkAndHolds(IsEmpty()));
}

TEST_F(CatalogInvariantsTest, ReportsPullOfMissingTag) {
  Write(keys::Pull(repository_, TagNamed("v1")), "");
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
  Write(keys::Pull(repository_, TagNamed("v2")), "");
  EXPECT_THAT(Check(), IsOkAndHolds(ElementsAre(HasSubstr("a:v2 has a pull record"))));
}

TEST_F(CatalogInvariantsTest, ReportsUseOfWhatIsNoManifestOfACache) {
  const RepositoryName cache = Repo("up/image");
  ManifestPut put = PutByTag("v1", ImageJson(Upload("config"), {}));
  put.cache_of = "up";
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, cache, put));
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
  Write(keys::ManifestUse(cache, DigestOf("absent")), "");
  EXPECT_THAT(Check(), IsOkAndHolds(ElementsAre(HasSubstr("has a record of its last use"))));
}

TEST_F(CatalogInvariantsTest, ReportsUnreadableMaintenanceRecords) {
  for (const std::string& key :
       {keys::Collection(clock_.Now()), keys::Scrub(), keys::DeleteIntent(Upload("garbage").storage_key)}) {
    Write(key, "\xff");
  }
  EXPECT_THAT(Check(), IsOkAndHolds(AllOf(SizeIs(3), testing::Each(HasSubstr("cannot be read")))));
}

TEST_F(CatalogInvariantsTest, ReportsBlobsThatShareAnObject) {
  BlobRecord record = LayerRecord();
  record.set_storage_key(config_.storage_key.ToString());
  Write(keys::Blob(layer_.digest), record.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("two blobs"))));
}

TEST_F(CatalogInvariantsTest, ReportsMissingReview) {
  Erase(keys::Review(FromTimestamp(LayerRecord().review_due()), layer_.digest));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(StartsWith("I5: "))));
}

TEST_F(CatalogInvariantsTest, ReportsUnreferencedBlobWithoutReview) {
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository_, digest_));
  BlobRecord record = LayerRecord();
  Erase(keys::Review(FromTimestamp(record.review_due()), layer_.digest));
  record.clear_review_due();
  Write(keys::Blob(layer_.digest), record.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("no entry in the review queue"))));
}

TEST_F(CatalogInvariantsTest, AllowsReviewThatTheRecordDoesNotName) {
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository_, digest_));
  BlobRecord record = LayerRecord();
  record.clear_review_due();
  Write(keys::Blob(layer_.digest), record.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
}

TEST_F(CatalogInvariantsTest, AllowsReviewOfDeletedBlob) {
  Write(keys::Review(clock_.Now(), DigestOf("nothing")), "");
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
}

TEST_F(CatalogInvariantsTest, ReportsChangedManifest) {
  storage::v1::ManifestRecord record =
      kv::ReadRecord<storage::v1::ManifestRecord>(kv_, keys::Manifest(repository_, digest_)).value().value();
  record.mutable_content()->push_back(' ');
  Write(keys::Manifest(repository_, digest_), record.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(StartsWith("I6: "))));
}

TEST_F(CatalogInvariantsTest, ReportsTagOfMissingManifest) {
  storage::v1::TagRecord record;
  record.set_digest(DigestOf("gone").ToString());
  Write(keys::Tag(repository_, TagNamed("v1")), record.SerializeAsString());
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(StartsWith("I6: "))));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("does not name it"))));
}

TEST_F(CatalogInvariantsTest, ReportsMissingTagOfManifest) {
  Erase(keys::TagOfManifest(repository_, digest_, TagNamed("v1")));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("is not among the tags"))));
}

TEST_F(CatalogInvariantsTest, ReportsMissingReferrer) {
  Erase(keys::Referrer(repository_, DigestOf("subject"), digest_));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("is not among the referrers"))));
}

TEST_F(CatalogInvariantsTest, ReportsReferrerThatDoesNotReferToItsSubject) {
  Write(keys::Referrer(repository_, DigestOf("other"), digest_), "");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("does not refer to it"))));
}

TEST_F(CatalogInvariantsTest, ReportsMissingRepository) {
  Erase(keys::Repository(repository_));
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("has content but no record"))));
}

TEST_F(CatalogInvariantsTest, ReportsLinkToMissingBlob) {
  Write(keys::Link(DigestOf("nothing"), repository_), "");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("is linked to"))));
}

TEST_F(CatalogInvariantsTest, ReportsUnreadableRecords) {
  Write(keys::Blob(layer_.digest), "\xFF\xFF\xFF");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("cannot be read"))));
  Write("m/unknown", "");
  EXPECT_THAT(Check(), IsOkAndHolds(Contains(HasSubstr("not a key"))));
}

TEST_F(CatalogInvariantsTest, AllowsIndexOfDeletedChild) {
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository_, digest_));
  EXPECT_THAT(Check(), IsOkAndHolds(IsEmpty()));
}

TEST_F(CatalogInvariantsTest, StopsAtTheLimit) {
  for (int i = 0; i < 20; ++i) Write(absl::StrCat("m/unknown", i), "");
  EXPECT_THAT(CheckInvariants(kv_, {.check_object = nullptr, .violations_max = 7}), IsOkAndHolds(SizeIs(7)));
}

}  // namespace
}  // namespace entrepot::manifest
