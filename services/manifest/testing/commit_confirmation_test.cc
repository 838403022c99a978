// Commits ask the blob service for their object before they hold locks. These tests change the store in that moment.
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <utility>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/object_removals.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using Session = MemoryBlobStorage::Session;

// Does something after it has confirmed an object, before the caller learns it.
class ConfirmingStorage : public MemoryBlobStorage {
 public:
  using MemoryBlobStorage::MemoryBlobStorage;

  void AfterCheck(std::function<void()> step) { after_check_ = std::move(step); }
  int checks() const { return checks_; }

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override {
    const absl::Status status = MemoryBlobStorage::Check(key, size_bytes);
    ++checks_;
    // A copy, because the step may replace itself.
    if (const auto step = after_check_; step) step();
    return status;
  }

 private:
  std::function<void()> after_check_;
  int checks_ = 0;
};

class CommitConfirmationTest : public ::testing::Test {
 protected:
  CommitConfirmationTest() {
    RegistryCatalog::Options options;
    options.lease = absl::Hours(24);
    options.objects = &objects_;
    catalog_ = RegistryCatalog::Create(&kv_, &clock_, options).value();
    collector_ = Collector::Create(&kv_, &clock_, &objects_,
                                   {.grace = absl::ZeroDuration(),
                                    .lease = absl::Hours(24),
                                    .orphan_age = absl::Hours(24),
                                    .quarantine_percent_max = 100,
                                    .registry = std::make_shared<prometheus::Registry>()});
  }

  absl::StatusOr<bool> Commit(const Blob& blob) { return catalog_->blobs().Commit(kAnonymous, Repo("a"), blob); }

  // Gives up the upload, and deletes its object and then the intent.
  void Sweep(const Blob& upload) {
    objects_.SetSession(upload.storage_key, Session::kAbandoned);
    EXPECT_OK(collector_->Run([](uint64_t, uint64_t) { return true; }));
    EXPECT_EQ(objects_.Content(upload.storage_key), std::nullopt);
    EXPECT_THAT(kv_.Get(keys::DeleteIntent(upload.storage_key)), IsOkAndHolds(std::nullopt));
  }

  void ExpectInvariants() {
    InvariantOptions options;
    options.check_object = [this](const StorageKey& key, uint64_t size) { return objects_.Check(key, size); };
    EXPECT_THAT(CheckInvariants(kv_, options), IsOkAndHolds(testing::IsEmpty()));
  }

  FakeClock clock_{absl::Now()};
  kv::MemoryKvEngine engine_;
  kv::KvEngine& kv_ = engine_;
  ConfirmingStorage objects_{&clock_};
  std::unique_ptr<RegistryCatalog> catalog_;
  std::unique_ptr<Collector> collector_;
};

TEST_F(CommitConfirmationTest, AnObjectThatIsSweptAfterItWasConfirmedBecomesNoBlob) {
  const Blob upload = objects_.Upload("layer", Session::kSealed);
  objects_.AfterCheck([&] {
    objects_.AfterCheck(nullptr);
    Sweep(upload);
  });
  EXPECT_THAT(Commit(upload), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ExpectInvariants();
  // A new upload of the same bytes is a new object.
  EXPECT_THAT(Commit(objects_.Upload("layer", Session::kSealed)), IsOkAndHolds(false));
  ExpectInvariants();
}

TEST_F(CommitConfirmationTest, AnObjectThatBecomesDeletableAfterItWasConfirmedBecomesNoBlob) {
  const Blob upload = objects_.Upload("layer", Session::kSealed);
  objects_.SetFault([](absl::string_view operation, const std::string&) {
    return operation == "Delete" ? absl::UnavailableError("busy") : absl::OkStatus();
  });
  objects_.AfterCheck([&] {
    objects_.AfterCheck(nullptr);
    objects_.SetSession(upload.storage_key, Session::kAbandoned);
    EXPECT_OK(collector_->Run([](uint64_t, uint64_t) { return true; }));
  });
  EXPECT_THAT(Commit(upload), IsOciError(OciErrorCode::kBlobUploadUnknown));
  ExpectInvariants();
}

TEST_F(CommitConfirmationTest, OtherObjectsThatAreSweptMeanwhileDoNotMatter) {
  const Blob other = objects_.Upload("other", Session::kSealed);
  const Blob upload = objects_.Upload("layer", Session::kSealed);
  objects_.AfterCheck([&] {
    objects_.AfterCheck(nullptr);
    Sweep(other);
  });
  EXPECT_THAT(Commit(upload), IsOkAndHolds(false));
  EXPECT_EQ(objects_.checks(), 2);
  ExpectInvariants();
}

TEST_F(CommitConfirmationTest, HoldsNoLockWhileItAsksTheBlobService) {
  const Blob upload = objects_.Upload("layer", Session::kSealed);
  std::future<absl::Status> locked;
  objects_.AfterCheck([&] {
    locked = std::async(std::launch::async, [&] {
      return kv_.Transact({{keys::Blob(upload.digest), kv::LockMode::kExclusive},
                           {keys::DeleteIntent(upload.storage_key), kv::LockMode::kExclusive}},
                          [](kv::KvTransaction&) { return absl::OkStatus(); });
    });
    EXPECT_EQ(locked.wait_for(std::chrono::seconds(20)), std::future_status::ready);
  });
  EXPECT_THAT(Commit(upload), IsOkAndHolds(false));
  EXPECT_EQ(objects_.checks(), 1);
  EXPECT_OK(locked.get());
}

TEST_F(CommitConfirmationTest, EndsAlsoIfObjectsAreRemovedAllTheTime) {
  const Blob upload = objects_.Upload("layer", Session::kSealed);
  objects_.AfterCheck([&] { EXPECT_OK(kv_.Transact({ObjectRemovalsLock()}, &NoteObjectRemoval)); });
  EXPECT_THAT(Commit(upload), IsOkAndHolds(false));
  EXPECT_GT(objects_.checks(), 1);
  ExpectInvariants();
}

}  // namespace
}  // namespace entrepot::manifest
