#include "services/manifest/catalog/catalog_metrics.h"

#include <memory>
#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

// The value of a counter; -1 if it does not exist. `label_value` is the value of its only label, if it has one.
double Value(prometheus::Registry& registry, const std::string& name, const std::string& label_value = "") {
  for (const prometheus::MetricFamily& family : registry.Collect()) {
    if (family.name != name) continue;
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (metric.label.empty() == label_value.empty() &&
          (label_value.empty() || metric.label[0].value == label_value)) {
        return metric.counter.value;
      }
    }
  }
  return -1;
}

TEST(CatalogMetricsTest, CountsChangesOfTheContent) {
  const auto registry = std::make_shared<prometheus::Registry>();
  kv::MemoryKvEngine kv;
  FakeClock clock;
  const auto catalog = RegistryCatalog::Create(&kv, &clock, {.registry = registry}).value();
  const RepositoryName a = Repo("a");
  const RepositoryName b = Repo("b");
  const Blob blob = Upload("bytes");

  ASSERT_OK(catalog->blobs().Commit(kAnonymous, a, blob));
  ASSERT_OK(catalog->blobs().Commit(kAnonymous, a, blob));
  ASSERT_OK(catalog->blobs().Commit(kAnonymous, b, Upload("bytes")));
  EXPECT_EQ(Value(*registry, "entrepot_blob_commits_total", "stored"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_blob_commits_total", "repeated"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_blob_commits_total", "deduplicated"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_blob_commits_total", "revived"), 0);
  EXPECT_EQ(Value(*registry, "entrepot_deduplicated_bytes_total"), 5);

  ASSERT_OK(catalog->blobs().Mount(kAnonymous, Repo("c"), blob.digest, a));
  ASSERT_FALSE(catalog->blobs().Mount(kAnonymous, Repo("c"), DigestOf("others"), std::nullopt).ok());
  EXPECT_EQ(Value(*registry, "entrepot_mounts_total", "mounted"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_mounts_total", "unknown"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_mounted_bytes_total"), 5);

  clock.Advance(absl::Hours(20));
  ASSERT_OK(catalog->blobs().Find(kAnonymous, a, blob.digest));
  ASSERT_OK(catalog->blobs().Find(kAnonymous, a, blob.digest));
  EXPECT_EQ(Value(*registry, "entrepot_blob_lease_renewals_total"), 1);

  const std::string image = ImageJson(blob, {});
  ASSERT_OK(catalog->manifests().Put(kAnonymous, a, PutByTag("v1", image)));
  ASSERT_OK(catalog->manifests().Put(kAnonymous, a, PutByTag("v2", IndexJson({image}), kIndexType)));
  ASSERT_FALSE(catalog->manifests().Put(kAnonymous, Repo("d"), PutByTag("v1", image)).ok());
  ASSERT_FALSE(catalog->manifests().Put(kAnonymous, a, PutByTag("v1", "{}")).ok());
  EXPECT_EQ(Value(*registry, "entrepot_manifests_pushed_total", "image"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_manifests_pushed_total", "index"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_manifests_rejected_total"), 2);

  ASSERT_OK(catalog->manifests().Delete(kAnonymous, a, TagNamed("v1")));
  ASSERT_OK(catalog->manifests().Delete(kAnonymous, a, DigestOf(image)));
  ASSERT_FALSE(catalog->manifests().Delete(kAnonymous, a, DigestOf(image)).ok());
  ASSERT_OK(catalog->blobs().Unlink(kAnonymous, a, blob.digest));
  EXPECT_EQ(Value(*registry, "entrepot_tags_deleted_total"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_manifests_deleted_total"), 1);
  EXPECT_EQ(Value(*registry, "entrepot_blobs_unlinked_total"), 1);
}

}  // namespace
}  // namespace entrepot::manifest
