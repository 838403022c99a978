#include "services/manifest/caches/cache_content.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class CacheContentTest : public CatalogTest {
 protected:
  void Put(const RepositoryName& repository, ManifestPut put) {
    put.cache_of = "up";
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, repository, put));
  }
  CacheContent Read() {
    return ReadCacheContent(*engine_->get(), "up", [](uint64_t, uint64_t) { return true; }).value();
  }
  const CachedManifest& Find(const CacheContent& content, const std::string& manifest) {
    for (const CachedManifest& found : content.manifests) {
      if (found.digest == DigestOf(manifest)) return found;
    }
    ADD_FAILURE() << "no such manifest";
    return content.manifests.front();
  }

  const RepositoryName cache_ = Repo("up/image");
};

INSTANTIATE_TEST_SUITE_P(Engines, CacheContentTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(CacheContentTest, ReadsWhatManifestsNeedAndKeep) {
  const Blob layer = Upload("layer");
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, cache_, layer, "up"));
  const std::string image = ImageJson(Upload("config"), {layer});
  const std::string signature = ImageJson(Upload("config"), {}, SubjectMember(image));
  const std::string index = IndexJson({image, signature, "not here"});
  Put(cache_, PutByDigest(index, kIndexType));
  Put(cache_, PutByDigest(image));
  Put(cache_, PutByDigest(signature));
  // The same image in another cache is another manifest.
  Put(Repo("up/other"), PutByDigest(image));
  PushedImage(a_, "v1");

  const CacheContent content = Read();
  EXPECT_THAT(content.repositories, ElementsAre(cache_, Repo("up/other")));
  ASSERT_THAT(content.manifests, SizeIs(4));
  const auto position = [&](const CachedManifest& manifest) {
    return static_cast<uint32_t>(&manifest - content.manifests.data());
  };
  const CachedManifest& found = Find(content, image);
  EXPECT_EQ(found.size_bytes, image.size());
  EXPECT_EQ(found.used_at, clock_.Now());
  EXPECT_THAT(found.referrers, ElementsAre(position(Find(content, signature))));
  EXPECT_EQ(Find(content, signature).subject, position(found));
  EXPECT_THAT(found.blobs, SizeIs(2));
  EXPECT_THAT(Find(content, index).children,
              testing::UnorderedElementsAre(position(found), position(Find(content, signature))));
  EXPECT_THAT(content.manifests[3].referrers, IsEmpty());
  uint64_t bytes = 0;
  for (const CachedBlob& blob : content.blobs) {
    bytes += blob.size_bytes;
    EXPECT_FALSE(blob.needed_elsewhere);
    EXPECT_TRUE(blob.size_bytes == 0 || blob.references == 2);
  }
  EXPECT_EQ(bytes, layer.size_bytes);
}

TEST_P(CacheContentTest, WhatAnUnreadableManifestNeedsCountsAsNeededElsewhere) {
  const Blob layer = Upload("layer");
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, cache_, layer, "up"));
  const std::string image = ImageJson(Upload("config"), {layer});
  const std::string broken = ImageJson(Upload("other config"), {layer});
  Put(cache_, PutByDigest(image));
  Put(cache_, PutByDigest(broken));
  const std::string key = keys::Manifest(cache_, DigestOf(broken));
  const std::string before = engine_->get()->Get(key).value().value();
  const auto write = [&](const std::string& value) {
    ASSERT_OK(engine_->get()->Transact({{key}}, [&](kv::KvTransaction& transaction) {
      transaction.Put(key, value);
      return absl::OkStatus();
    }));
  };
  write("not a record");
  const CacheContent content = Read();
  EXPECT_THAT(content.manifests, SizeIs(1));
  for (const CachedBlob& blob : content.blobs) EXPECT_EQ(blob.needed_elsewhere, blob.size_bytes > 0);
  write(before);
}

TEST_P(CacheContentTest, StopsWhenItsPaceEnds) {
  for (int i = 0; i < 60; ++i) Put(cache_, PutByDigest(ImageJson(Upload(std::to_string(i)), {})));
  const absl::Status status =
      ReadCacheContent(*engine_->get(), "up", [](uint64_t, uint64_t) { return false; }).status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace entrepot::manifest
