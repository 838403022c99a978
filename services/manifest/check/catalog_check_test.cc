#include "services/manifest/check/catalog_check.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

class CatalogCheckTest : public testing::Test {
 protected:
  CatalogCheckTest() {
    RegistryCatalog::Options options;
    options.objects = &objects_;
    catalog_ = RegistryCatalog::Create(&kv_, &clock_, options).value();
  }

  Blob Pushed(absl::string_view content) {
    const Blob blob = objects_.Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository_, blob));
    return blob;
  }
  void Put(const std::string& content, absl::string_view type) {
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository_, PutByDigest(content, type)));
  }
  v1::InvariantReport Check() {
    const auto report =
        CheckCatalog(kv_, objects_, {.rehash = true, .online = true}, [](uint64_t, uint64_t) { return true; });
    EXPECT_OK(report);
    EXPECT_THAT(report->violations(), testing::IsEmpty());
    return *report;
  }

  const RepositoryName repository_ = Repo("a");
  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  MemoryBlobStorage objects_{&clock_};
  std::unique_ptr<RegistryCatalog> catalog_;
};

TEST_F(CatalogCheckTest, CountsAbsentContentUntilItArrives) {
  const std::string whole = ImageJson(Pushed("config"), {Pushed("layer")});
  Put(whole, kImageType);
  Put(IndexJson({whole}), kIndexType);
  EXPECT_EQ(Check().absent(), 0u);
  ASSERT_OK(catalog_->manifests().Delete(kAnonymous, repository_, DigestOf(whole)));
  EXPECT_EQ(Check().absent(), 1u);
  Put(whole, kImageType);
  EXPECT_EQ(Check().absent(), 0u);

  const std::string foreign = "application/vnd.oci.image.layer.nondistributable.v1.tar";
  Put(absl::StrCat(R"({"schemaVersion":2,"config":)", DescriptorOf(Pushed("config"), kConfigType), R"(,"layers":[)",
                   DescriptorOf(Upload("absent layer"), foreign), "]}"),
      kImageType);
  EXPECT_EQ(Check().absent(), 1u);
  Pushed("absent layer");
  EXPECT_EQ(Check().absent(), 0u);
  EXPECT_EQ(Check().manifests(), 3u);
}

}  // namespace
}  // namespace entrepot::manifest
