#include <optional>
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

// Repositories that cache an upstream: what they accept, what they refuse, and which blobs they get from one another.
class CachedRepositoriesTest : public CatalogTest {
 protected:
  static ManifestPut Cached(ManifestPut put, const std::string& upstream = "up") {
    put.cache_of = upstream;
    return put;
  }
  absl::Status Put(const RepositoryName& repository, ManifestPut put) {
    return catalog_->manifests().Put(kAnonymous, repository, put).status();
  }
  absl::Status PutCached(const RepositoryName& repository, const std::string& content,
                         absl::string_view type = kImageType) {
    return Put(repository, Cached(PutByDigest(content, type)));
  }
  Blob Fetched(const RepositoryName& repository, absl::string_view content, absl::string_view upstream = "up") {
    const Blob blob = Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository, blob, upstream));
    return blob;
  }
  absl::Status FindOrLink(const RepositoryName& repository, absl::string_view content) {
    return catalog_->blobs().FindOrLinkNeeded(kAnonymous, repository, DigestOf(content)).status();
  }
  storage::v1::RepositoryRecord Record(const RepositoryName& repository) {
    return kv::ReadRecord<storage::v1::RepositoryRecord>(*engine_->get(), keys::Repository(repository))
        .value()
        .value_or(storage::v1::RepositoryRecord());
  }
  storage::v1::ReferenceRecord Reference(absl::string_view to, const RepositoryName& repository,
                                         const std::string& from) {
    const std::string key = keys::Reference(DigestOf(to), repository, DigestOf(from));
    return kv::ReadRecord<storage::v1::ReferenceRecord>(*engine_->get(), key).value().value();
  }

  const RepositoryName cache_ = Repo("up/image");
  const RepositoryName other_ = Repo("up/other");
  const std::string image_ = ImageJson(Upload("config"), {Upload("layer"), Upload("layer 2")});
};

INSTANTIATE_TEST_SUITE_P(Engines, CachedRepositoriesTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(CachedRepositoriesTest, AManifestNeedsNoneOfItsBlobs) {
  ASSERT_OK(Put(cache_, Cached(PutByTag("v1", image_))));
  EXPECT_EQ(Record(cache_).cache_of(), "up");
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, cache_, TagNamed("v1"), false)->content, image_);
  for (const char* const blob : {"config", "layer", "layer 2"}) {
    EXPECT_TRUE(Reference(blob, cache_, image_).absent()) << blob;
    EXPECT_THAT(FindOrLink(cache_, blob), IsOciError(OciErrorCode::kBlobUnknown)) << blob;
  }
  // What arrives later is found, and the same manifest, stored again, refers to it as present.
  Fetched(cache_, "layer");
  EXPECT_OK(FindOrLink(cache_, "layer"));
  ASSERT_OK(Put(cache_, Cached(PutByTag("v2", image_))));
  EXPECT_FALSE(Reference("layer", cache_, image_).absent());
  EXPECT_TRUE(Reference("config", cache_, image_).absent());
}

TEST_P(CachedRepositoriesTest, AnIndexNeedsNoneOfItsChildren) {
  const std::string index = IndexJson({image_, ImageJson(Upload("other config"), {})});
  ASSERT_OK(PutCached(cache_, index, kIndexType));
  EXPECT_TRUE(Reference(image_, cache_, index).to_manifest());
  ASSERT_OK(PutCached(cache_, image_));
  EXPECT_OK(catalog_->manifests().Delete(kAnonymous, cache_, DigestOf(index)));
}

TEST_P(CachedRepositoriesTest, ABlobMayComeWithoutAManifest) {
  Fetched(cache_, "layer");
  EXPECT_EQ(Record(cache_).cache_of(), "up");
  EXPECT_OK(FindOrLink(cache_, "layer"));
}

TEST_P(CachedRepositoriesTest, ManifestsAreKeptAsTheUpstreamHasThem) {
  // Another size than that of the blob, or of the child.
  Fetched(cache_, "layer");
  Blob layer = Upload("layer");
  ++layer.size_bytes;
  const std::string wrong_size = ImageJson(Upload("config"), {layer});
  EXPECT_OK(PutCached(cache_, wrong_size));
  ASSERT_OK(PutCached(cache_, image_));
  const std::string index = IndexJson({image_});
  const std::string size = absl::StrCat(":", image_.size(), "}");
  EXPECT_OK(PutCached(cache_, absl::StrReplaceAll(index, {{size, ":1}"}}), kIndexType));
  // One digest with two sizes.
  EXPECT_OK(PutCached(cache_, ImageJson(Upload("config"), {layer, Upload("layer")})));
  // An artifact type that is not a media type.
  EXPECT_OK(PutCached(cache_, ImageJson(Upload("config"), {}, R"(,"artifactType":"no media type")")));
  EXPECT_THAT(PutCached(cache_, R"({"schemaVersion":1})"), IsOciError(OciErrorCode::kManifestInvalid));
}

TEST_P(CachedRepositoriesTest, RefusesWhatClientsPush) {
  ASSERT_OK(PutCached(cache_, image_));
  const Blob pushed = Pushed(a_, "layer");
  const absl::Status put = Put(cache_, PutByTag("v1", image_));
  EXPECT_THAT(put, IsOciError(OciErrorCode::kUnsupported));
  EXPECT_THAT(std::string(put.message()), HasSubstr("up/image is a cache of up: nothing can be pushed to it"));
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, cache_, Upload("config")), IsOciError(OciErrorCode::kUnsupported));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, cache_, pushed.digest, a_), IsOciError(OciErrorCode::kUnsupported));
  EXPECT_THAT(catalog_->blobs().Mount(kAnonymous, cache_, pushed.digest, std::nullopt),
              IsOciError(OciErrorCode::kUnsupported));
  EXPECT_EQ(CountWithPrefix(keys::TagsOf(cache_)), 0u);
  // What a cache has may be mounted elsewhere.
  Fetched(cache_, "config");
  EXPECT_OK(catalog_->blobs().Mount(kAnonymous, a_, DigestOf("config"), cache_));
}

TEST_P(CachedRepositoriesTest, DoesNotTakeOverAHostedRepository) {
  const std::string pushed = PushedImage(cache_, "v1");
  const absl::Status put = Put(cache_, Cached(PutByTag("v1", image_)));
  EXPECT_THAT(put, IsOciError(OciErrorCode::kPreconditionFailed));
  EXPECT_THAT(std::string(put.message()), HasSubstr("up/image was pushed to this registry"));
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, cache_, Upload("layer"), "up"),
              IsOciError(OciErrorCode::kPreconditionFailed));
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, cache_, TagNamed("v1"), false)->content, pushed);
  EXPECT_EQ(Record(cache_).cache_of(), "");
}

TEST_P(CachedRepositoriesTest, IsNamedAfterItsUpstream) {
  for (const char* const name : {"a", "up", "upper/image", "a/up/image"}) {
    const RepositoryName repository = Repo(name);
    const absl::Status put = Put(repository, Cached(PutByTag("v1", image_)));
    EXPECT_THAT(put, StatusIs(absl::StatusCode::kInvalidArgument)) << name;
    EXPECT_THAT(std::string(put.message()), HasSubstr(absl::StrCat(name, " is not the name of a cache of up"))) << name;
    EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, repository, Upload("layer"), "up"),
                StatusIs(absl::StatusCode::kInvalidArgument))
        << name;
    EXPECT_FALSE(Record(repository).has_created_at()) << name;
  }
}

TEST_P(CachedRepositoriesTest, StaysTheCacheOfItsUpstream) {
  const RepositoryName repository = Repo("up/a/image");
  ASSERT_OK(PutCached(repository, image_));
  EXPECT_THAT(Put(repository, Cached(PutByDigest(image_), "up/a")), IsOciError(OciErrorCode::kPreconditionFailed));
}

TEST_P(CachedRepositoriesTest, MayBecomeHostedAfterItsDeletion) {
  ASSERT_OK(Put(cache_, Cached(PutByTag("v1", image_))));
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, cache_));
  PushedImage(cache_, "v1");
  EXPECT_EQ(Record(cache_).cache_of(), "");
  EXPECT_THAT(PutCached(cache_, image_), IsOciError(OciErrorCode::kPreconditionFailed));
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, cache_));
  ASSERT_OK(PutCached(cache_, image_));
  EXPECT_EQ(Record(cache_).cache_of(), "up");
}

TEST_P(CachedRepositoriesTest, TagsFollowTheUpstreamWhateverTheTagRules) {
  UsePolicy("immutable_tags: [{repositories: ['**'], tags: ['*']}]");
  ASSERT_OK(Put(cache_, Cached(PutByTag("v1", image_))));
  const std::string moved = ImageJson(Upload("moved"), {});
  ASSERT_OK(Put(cache_, Cached(PutByTag("v1", moved))));
  EXPECT_EQ(catalog_->manifests().Get(kAnonymous, cache_, TagNamed("v1"), false)->content, moved);
}

TEST_P(CachedRepositoriesTest, ABlobOfAnotherCacheOfTheUpstreamIsLinkedIfAManifestNeedsIt) {
  Fetched(other_, "layer");
  Fetched(other_, "unneeded");
  EXPECT_THAT(FindOrLink(cache_, "layer"), IsOciError(OciErrorCode::kBlobUnknown));
  ASSERT_OK(PutCached(cache_, image_));
  EXPECT_OK(FindOrLink(cache_, "layer"));
  EXPECT_TRUE(Exists(keys::Link(DigestOf("layer"), cache_)));
  EXPECT_OK(catalog_->blobs().Find(kAnonymous, cache_, DigestOf("layer")));
  EXPECT_THAT(FindOrLink(cache_, "unneeded"), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(FindOrLink(cache_, "layer 2"), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(CachedRepositoriesTest, NothingElseIsLinked) {
  Pushed(a_, "layer");
  Fetched(Repo("down/image"), "layer 2", "down");
  ASSERT_OK(PutCached(cache_, image_));
  // Of a hosted repository, and of another upstream's cache.
  EXPECT_THAT(FindOrLink(cache_, "layer"), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(FindOrLink(cache_, "layer 2"), IsOciError(OciErrorCode::kBlobUnknown));
  // Of a hosted repository whose name begins like those of the caches.
  Pushed(Repo("up/hosted"), "config");
  EXPECT_THAT(FindOrLink(cache_, "config"), IsOciError(OciErrorCode::kBlobUnknown));
  // Into a hosted repository, though a manifest there needs it.
  UsePolicy("incomplete_manifests: [{repositories: [b], allow: [absent_layers]}]");
  Fetched(other_, "cached");
  ASSERT_OK(Put(b_, PutByDigest(ImageJson(Pushed(b_, "config of b"), {Upload("cached")}))));
  EXPECT_THAT(FindOrLink(b_, "cached"), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(FindOrLink(b_, "config of b"));
  EXPECT_THAT(FindOrLink(Repo("up/never"), "layer"), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(CachedRepositoriesTest, ALinkRenewsTheLease) {
  Fetched(other_, "layer");
  ASSERT_OK(PutCached(cache_, image_));
  clock_.Advance(absl::Hours(20));
  const auto lease = [&] {
    return kv::ReadRecord<storage::v1::BlobRecord>(*engine_->get(), keys::Blob(DigestOf("layer")))
        .value()
        ->lease_until()
        .seconds();
  };
  const auto before = lease();
  ASSERT_OK(FindOrLink(cache_, "layer"));
  EXPECT_EQ(lease() - before, 20 * 3600);
}

}  // namespace
}  // namespace entrepot::manifest
