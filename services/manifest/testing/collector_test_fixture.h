#ifndef ENTREPOT_SERVICES_MANIFEST_TESTING_COLLECTOR_TEST_FIXTURE_H_
#define ENTREPOT_SERVICES_MANIFEST_TESTING_COLLECTOR_TEST_FIXTURE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/policy/policy.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {

// For tests: a catalog with its objects and a collector. The invariants are checked at the end.
class CollectorTest : public testing::Test {
 protected:
  static constexpr absl::Duration kLease = absl::Hours(24);
  static constexpr absl::Duration kGrace = absl::Hours(1);
  static constexpr absl::Duration kOrphanAge = absl::Hours(24);

  CollectorTest() : registry_(std::make_shared<prometheus::Registry>()) {
    RegistryCatalog::Options options;
    options.lease = kLease;
    options.objects = &objects_;
    options.policy = [this] { return policy_; };
    catalog_ = RegistryCatalog::Create(&kv_, &clock_, options).value();
    collector_ = NewCollector(kGrace);
  }
  void TearDown() override { EXPECT_THAT(Invariants(), IsOkAndHolds(testing::IsEmpty())); }

  std::unique_ptr<Collector> NewCollector(absl::Duration grace) {
    return Collector::Create(&kv_, &clock_, &objects_,
                             {.grace = grace,
                              .lease = kLease,
                              .orphan_age = kOrphanAge,
                              .quarantine_percent_max = quarantine_percent_max_,
                              .registry = registry_});
  }
  absl::StatusOr<std::vector<std::string>> Invariants() {
    InvariantOptions options;
    options.check_object = [this](const StorageKey& key, uint64_t size) { return objects_.Check(key, size); };
    options.list_objects = [this](const std::string& start_after, size_t limit) {
      return objects_.ListUnclaimed(kOrphanAge, start_after, limit);
    };
    return CheckInvariants(kv_, options);
  }

  static Pace Unpaced() {
    return [](uint64_t, uint64_t) { return true; };
  }
  // Runs the collector, which must not fail.
  v1::Collection Run(Collector* collector = nullptr) {
    const absl::StatusOr<v1::Collection> run = (collector != nullptr ? collector : collector_.get())->Run(Unpaced());
    EXPECT_OK(run);
    EXPECT_EQ(run->error(), "");
    return *run;
  }
  v1::Collection QuarantineOrphans() {
    const absl::StatusOr<v1::Collection> run = collector_->QuarantineOrphans(Unpaced());
    EXPECT_OK(run);
    EXPECT_EQ(run->error(), "");
    return *run;
  }

  // Commits a blob with its bytes.
  Blob Pushed(absl::string_view content, const RepositoryName& repository = Repo("a")) {
    const Blob blob = objects_.Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository, blob));
    return blob;
  }
  // Pushes an image of two blobs, and returns its digest.
  Digest PushedImage(absl::string_view tag, const RepositoryName& repository = Repo("a")) {
    const std::string image = ImageJson(Pushed(absl::StrCat("config of ", tag), repository),
                                        {Pushed(absl::StrCat("layer of ", tag), repository)});
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag(tag, image)));
    return DigestOf(image);
  }

  std::optional<storage::v1::BlobRecord> Record(const Digest& digest) {
    return kv::ReadRecord<storage::v1::BlobRecord>(kv_, keys::Blob(digest)).value();
  }
  std::optional<storage::v1::DeleteIntentRecord> Intent(const StorageKey& key) {
    return kv::ReadRecord<storage::v1::DeleteIntentRecord>(kv_, keys::DeleteIntent(key)).value();
  }
  size_t Count(const std::string& prefix) {
    return kv_.Scan({.prefix = prefix, .start_after = "", .limit = 1'000'000})->size();
  }
  void Write(const std::string& key, const google::protobuf::Message& record) {
    EXPECT_OK(kv_.Transact({}, [&](kv::KvTransaction& transaction) {
      transaction.Put(key, record.SerializeAsString());
      return absl::OkStatus();
    }));
  }
  // The value of a metric without labels, or the sum of those with that label value.
  double Metric(absl::string_view name, absl::string_view label_value = "") {
    double sum = 0;
    for (const prometheus::MetricFamily& family : registry_->Collect()) {
      if (family.name != name) continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        if (!label_value.empty() && metric.label.at(0).value != label_value) continue;
        sum += metric.counter.value + metric.gauge.value;
      }
    }
    return sum;
  }

  // Most tests have few objects.
  uint64_t quarantine_percent_max_ = 100;
  FakeClock clock_;
  kv::MemoryKvEngine engine_;
  kv::KvEngine& kv_ = engine_;
  MemoryBlobStorage objects_{&clock_};
  const std::shared_ptr<prometheus::Registry> registry_;
  // The policy in force; null if there is none.
  std::shared_ptr<const policy::Policy> policy_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<Collector> collector_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TESTING_COLLECTOR_TEST_FIXTURE_H_
