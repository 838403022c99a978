#include "services/manifest/check/catalog_check.h"

#include <memory>
#include <set>
#include <string>
#include <vector>

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

  absl::StatusOr<v1::InvariantReport> CheckAnyhow(const CatalogCheckOptions& options) {
    return CheckCatalog(kv_, objects_, options, [](uint64_t, uint64_t) { return true; });
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

TEST_F(CatalogCheckTest, ListsObjectsThatCannotBeOpenedAndGoesOn) {
  const Blob barred = Pushed("barred");
  const Blob lost = Pushed("lost");
  const Blob last = Pushed("last");
  objects_.Lose(lost.storage_key);
  objects_.Overwrite(last.storage_key, "lust");
  objects_.SetFault([&](absl::string_view, const std::string& key) {
    return key == barred.storage_key.ToString()
               ? absl::UnavailableError("opening an object: Too many levels of symbolic links")
               : absl::OkStatus();
  });
  for (const bool online : {false, true}) {
    for (const bool rehash : {false, true}) {
      ASSERT_OK_AND_ASSIGN(const v1::InvariantReport report, CheckAnyhow({.rehash = rehash, .online = online}));
      std::vector<testing::Matcher<std::string>> expected = {
          absl::StrCat("I1: ", barred.digest.ToString(), " at ", barred.storage_key.ToString(),
                       ": opening an object: Too many levels of symbolic links"),
          testing::StartsWith(absl::StrCat("I1: ", lost.digest.ToString()))};
      if (rehash) expected.push_back(testing::StartsWith(absl::StrCat("I1: ", last.digest.ToString())));
      EXPECT_THAT(report.violations(), testing::UnorderedElementsAreArray(expected));
      EXPECT_EQ(report.blobs(), 3u);
    }
  }
}

TEST_F(CatalogCheckTest, GoesOnIfObjectsCannotBeListed) {
  Pushed("layer");
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "ListUnclaimed" ? absl::UnavailableError("Permission denied") : absl::OkStatus();
  });
  ASSERT_OK_AND_ASSIGN(const v1::InvariantReport report, CheckAnyhow({.rehash = true, .online = true}));
  EXPECT_THAT(report.violations(), testing::ElementsAre("I4: not all objects could be listed: Permission denied"));
  EXPECT_EQ(report.blobs(), 1u);
  EXPECT_EQ(report.rehashed_bytes(), 5u);
}

TEST_F(CatalogCheckTest, DoesNotReportAFailureOfAMoment) {
  Pushed("layer");
  std::set<std::string> failed;
  objects_.SetFault([&](absl::string_view operation, const std::string&) {
    return operation != "ReadOwner" && failed.emplace(operation).second ? absl::UnavailableError("connection lost")
                                                                        : absl::OkStatus();
  });
  EXPECT_EQ(Check().rehashed_bytes(), 5u);
  EXPECT_THAT(failed, testing::IsSupersetOf({"Check", "Verify", "ListUnclaimed"}));
}

TEST_F(CatalogCheckTest, EndsIfTheBlobServiceFails) {
  Pushed("layer");
  for (const char* call : {"Check", "Verify", "ListUnclaimed"}) {
    objects_.SetFault([&](absl::string_view operation, const std::string&) {
      return operation == call || operation == "ReadOwner" ? absl::UnavailableError("no connection") : absl::OkStatus();
    });
    EXPECT_THAT(CheckAnyhow({.rehash = true, .online = true}), StatusIs(absl::StatusCode::kUnavailable)) << call;
    objects_.SetFault([&](absl::string_view operation, const std::string&) {
      return operation == call ? absl::CancelledError("the process is ending") : absl::OkStatus();
    });
    EXPECT_THAT(CheckAnyhow({.rehash = true, .online = true}), StatusIs(absl::StatusCode::kCancelled)) << call;
  }
}

}  // namespace
}  // namespace entrepot::manifest
