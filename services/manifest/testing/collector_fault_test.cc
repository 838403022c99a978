#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using kv::Fault;
using testing::IsEmpty;
using Session = MemoryBlobStorage::Session;

const Pace kUnpaced = [](uint64_t, uint64_t) { return true; };

// A registry that dies at one of its transactions. Objects that it has deleted remain deleted, even if a power cut
// undoes commits of records.
class DyingRegistry {
 public:
  explicit DyingRegistry(bool loses_power) : loses_power_(loses_power) { Start(); }

  void InjectAt(int64_t n, Fault fault) { kv_.InjectAt(n, fault); }
  int64_t transactions() const { return kv_.transactions(); }

  // Fills the registry before the fault.
  void Fill() {
    PushImage("kept");
    PushImage("deleted");
    Push("kept");
    objects_.Upload("abandoned", Session::kAbandoned);
    orphan_ = objects_.Upload("orphan").storage_key;
    clock_.Advance(kLease);
  }

  // Takes the garbage through its life cycle, in one process after another.
  void Live() {
    const std::vector<std::function<void()>> steps = {
        [&] { (void)catalog_->manifests().Delete(kAnonymous, Repo("a"), DigestOf(Image("deleted"))); },
        [&] { (void)collector_->Run(kUnpaced); },
        [&] { (void)collector_->QuarantineOrphans(kUnpaced); },
        [&] { clock_.Advance(kGrace); },
        // Revives the blobs.
        [&] { Push("deleted"); },
        [&] { (void)collector_->Run(kUnpaced); },
        [&] { (void)collector_->QuarantineOrphans(kUnpaced); },
        [&] { clock_.Advance(kLease); },
        [&] { (void)collector_->Run(kUnpaced); },
        [&] { clock_.Advance(kGrace); },
        [&] { (void)collector_->Run(kUnpaced); },
    };
    for (const auto& step : steps) {
      step();
      if (kv_.crashed()) Restart();
      Check();
    }
  }

  // Checks what is left after a time without faults.
  void ExpectRest() {
    Restart();
    (void)catalog_->manifests().Delete(kAnonymous, Repo("a"), DigestOf(Image("deleted")));
    for (int i = 0; i < 3; ++i) {
      clock_.Advance(kLease);
      EXPECT_EQ(collector_->Run(kUnpaced)->error(), "");
      EXPECT_EQ(collector_->QuarantineOrphans(kUnpaced)->error(), "");
    }
    Check();
    EXPECT_EQ(objects_.size(), 2u);
    EXPECT_EQ(objects_.quarantined(), 1u);
    EXPECT_TRUE(objects_.IsQuarantined(*orphan_));
    for (const std::string& prefix : {keys::Reviews(), keys::DeleteIntents()}) {
      EXPECT_THAT(kv_.Scan({.prefix = prefix, .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty()));
    }
  }

 private:
  static constexpr absl::Duration kLease = absl::Hours(24);
  static constexpr absl::Duration kGrace = absl::Hours(1);

  void Start() {
    RegistryCatalog::Options options;
    options.lease = kLease;
    options.objects = &objects_;
    catalog_ = RegistryCatalog::Create(&kv_, &clock_, options).value();
    collector_ =
        Collector::Create(&kv_, &clock_, &objects_, {.grace = kGrace, .orphan_age = kLease, .registry = nullptr});
  }
  void Restart() {
    if (loses_power_) {
      kv_.LosePower();
    } else {
      kv_.Restart();
    }
    Start();
  }

  void Check() {
    InvariantOptions options;
    options.check_object = [this](const StorageKey& key, uint64_t size) { return objects_.Check(key, size); };
    options.list_objects = [this](const std::string& start_after, size_t limit) {
      return objects_.ListUnclaimed(2 * kLease, start_after, limit);
    };
    EXPECT_THAT(CheckInvariants(kv_, options), IsOkAndHolds(IsEmpty()));
    for (const Blob& blob : BlobsOf("kept")) {
      const absl::StatusOr<BlobLookup> found = catalog_->blobs().LookUp(kAnonymous, Repo("a"), blob.digest);
      ASSERT_OK(found);
      EXPECT_OK(objects_.Verify(found->blob, 0));
    }
  }

  static std::vector<Blob> BlobsOf(absl::string_view name) {
    return {Upload(absl::StrCat("config of ", name)), Upload(absl::StrCat("layer of ", name))};
  }
  static std::string Image(absl::string_view name) {
    const std::vector<Blob> blobs = BlobsOf(name);
    return ImageJson(blobs[0], {blobs[1]});
  }
  void Push(absl::string_view name) {
    for (const char* const part : {"config of ", "layer of "}) {
      const Blob blob = objects_.Upload(absl::StrCat(part, name), Session::kSealed);
      const bool committed = catalog_->blobs().Commit(kAnonymous, Repo("a"), blob).ok();
      objects_.SetSession(blob.storage_key, committed ? Session::kNone : Session::kAbandoned);
    }
  }
  void PushImage(absl::string_view name) {
    Push(name);
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, Repo("a"), PutByTag(name, Image(name))));
  }

  const bool loses_power_;
  FakeClock clock_;
  kv::MemoryKvEngine engine_;
  kv::FaultInjectingKvEngine kv_{&engine_};
  MemoryBlobStorage objects_{&clock_};
  std::optional<StorageKey> orphan_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<Collector> collector_;
};

struct FaultCase {
  std::string name;
  Fault fault;
  bool loses_power;
};

class CollectorFaultTest : public testing::TestWithParam<FaultCase> {};

INSTANTIATE_TEST_SUITE_P(Faults, CollectorFaultTest,
                         testing::Values(FaultCase{"FailBefore", Fault::kFailBefore, false},
                                         FaultCase{"FailCommit", Fault::kFailCommit, false},
                                         FaultCase{"LoseReply", Fault::kLoseReply, false},
                                         FaultCase{"Abort", Fault::kAbort, false},
                                         FaultCase{"CrashBefore", Fault::kCrashBeforeCommit, false},
                                         FaultCase{"CrashAfter", Fault::kCrashAfterCommit, false},
                                         FaultCase{"PowerCutBefore", Fault::kCrashBeforeCommit, true},
                                         FaultCase{"PowerCutAfter", Fault::kCrashAfterCommit, true}),
                         [](const testing::TestParamInfo<FaultCase>& info) { return info.param.name; });

TEST_P(CollectorFaultTest, RecoversFromFaultAtEachTransaction) {
  int64_t transactions = 0;
  {
    DyingRegistry registry(false);
    registry.Fill();
    const int64_t before = registry.transactions();
    registry.Live();
    transactions = registry.transactions() - before;
    registry.ExpectRest();
  }
  EXPECT_GT(transactions, 20);
  for (int64_t n = 1; n <= transactions; ++n) {
    SCOPED_TRACE(absl::StrCat("at transaction ", n));
    DyingRegistry registry(GetParam().loses_power);
    registry.Fill();
    registry.InjectAt(n, GetParam().fault);
    registry.Live();
    registry.ExpectRest();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace entrepot::manifest
