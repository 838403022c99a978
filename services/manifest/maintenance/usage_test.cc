#include "services/manifest/maintenance/usage.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/proto_time.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

class UsageTest : public CatalogTest {
 protected:
  v1::Usage Measured() {
    return MeasureUsage(*engine_->get(), [](uint64_t, uint64_t) { return true; }).value();
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, UsageTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(UsageTest, EmptyRegistryUsesNothing) {
  const v1::Usage usage = Measured();
  EXPECT_EQ(usage.repository_count(), 0u);
  EXPECT_EQ(usage.repositories_size(), 0);
  EXPECT_EQ(usage.stored_bytes() + usage.linked_bytes() + usage.unlinked_bytes() + usage.blobs(), 0u);
}

TEST_P(UsageTest, SeparatesSharedAndOwnBytes) {
  const Blob shared = Pushed(a_, "ten bytes.");
  ASSERT_OK(catalog_->blobs().Mount(kAnonymous, b_, shared.digest, a_));
  const Blob own = Pushed(b_, "seven b");
  const std::string image = ImageJson(shared, {});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", image)));
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v2", image)));
  const std::string other = ImageJson(shared, {own});
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, b_, PutByDigest(other)));
  const Blob garbage = Pushed(a_, "gone");
  ASSERT_OK(catalog_->blobs().Unlink(kAnonymous, a_, garbage.digest));

  const v1::Usage usage = Measured();
  ASSERT_EQ(usage.repositories_size(), 2);
  EXPECT_EQ(usage.repository_count(), 2u);
  const v1::Usage::Repository& b = usage.repositories(0);
  EXPECT_EQ(b.name(), "b");
  EXPECT_EQ(b.blobs(), 2u);
  EXPECT_EQ(b.bytes(), 17 + other.size());
  EXPECT_EQ(b.own_bytes(), 7 + other.size());
  EXPECT_EQ(b.manifests(), 1u);
  EXPECT_EQ(b.tags(), 0u);
  const v1::Usage::Repository& a = usage.repositories(1);
  EXPECT_EQ(a.name(), "a");
  EXPECT_EQ(a.blobs(), 1u);
  EXPECT_EQ(a.bytes(), 10 + image.size());
  EXPECT_EQ(a.own_bytes(), image.size());
  EXPECT_EQ(a.manifests(), 1u);
  EXPECT_EQ(a.tags(), 2u);
  EXPECT_EQ(usage.blobs(), 3u);
  EXPECT_EQ(usage.stored_bytes(), 10 + 7 + 4 + image.size() + other.size());
  EXPECT_EQ(usage.linked_bytes(), 2 * 10 + 7 + image.size() + other.size());
  EXPECT_EQ(usage.unlinked_bytes(), 4u);
}

TEST_P(UsageTest, ShowsWhichRepositoriesAreCaches) {
  Pushed(a_, "pushed");
  ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo("up/image"), Upload("fetched blob"), "up"));
  const v1::Usage usage = Measured();
  ASSERT_EQ(usage.repositories_size(), 2);
  EXPECT_EQ(usage.repositories(0).cache_of(), "up");
  EXPECT_FALSE(usage.repositories(0).has_last_used_at());
  EXPECT_EQ(usage.repositories(1).cache_of(), "");
}

TEST_P(UsageTest, ShowsWhenACacheWasUsedLast) {
  for (const char* const tag : {"v1", "v2"}) {
    clock_.Advance(absl::Hours(1));
    ManifestPut put = PutByTag(tag, ImageJson(Pushed(a_, tag), {}));
    put.cache_of = "up";
    ASSERT_OK(catalog_->manifests().Put(kAnonymous, Repo("up/image"), put));
  }
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, a_, PutByTag("v1", ImageJson(Pushed(a_, "x"), {}))));
  const v1::Usage usage = Measured();
  ASSERT_EQ(usage.repositories_size(), 2);
  for (const v1::Usage::Repository& repository : usage.repositories()) {
    if (repository.cache_of().empty()) {
      EXPECT_FALSE(repository.has_last_used_at());
    } else {
      EXPECT_EQ(FromTimestamp(repository.last_used_at()), clock_.Now());
    }
  }
}

TEST_P(UsageTest, ListsTheLargestThousandAndCountsAll) {
  for (int i = 0; i < 1005; ++i) {
    ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo(absl::StrCat("r", i)), Upload(std::string(i + 1, 'x'))));
  }
  const v1::Usage usage = Measured();
  EXPECT_EQ(usage.repository_count(), 1005u);
  ASSERT_EQ(usage.repositories_size(), 1000);
  EXPECT_EQ(usage.repositories(0).name(), "r1004");
  EXPECT_EQ(usage.repositories(0).bytes(), 1005u);
  EXPECT_EQ(usage.repositories(999).name(), "r5");
  EXPECT_EQ(usage.linked_bytes(), 1005u * 1006 / 2);
}

TEST_P(UsageTest, StopsWhenThePaceStopsIt) {
  for (int i = 0; i < 200; ++i) Pushed(a_, absl::StrCat(i));
  int steps = 0;
  EXPECT_THAT(MeasureUsage(*engine_->get(), [&](uint64_t, uint64_t) { return ++steps < 3; }).status(),
              StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(steps, 3);
}

}  // namespace
}  // namespace entrepot::manifest
