#include <atomic>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/random/bit_gen_ref.h"
#include "absl/random/random.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/postgres_test_engine.h"
#include "services/kv/testing/test_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::IsEmpty;
using Session = MemoryBlobStorage::Session;

// Pushes, mounts and deletes race with collectors, with a short lease and without a grace.
class CollectorRaceTest : public testing::TestWithParam<kv::TestEngineKind> {
 protected:
  static constexpr absl::Duration kLease = absl::Seconds(10);
  static constexpr int kPushers = 4;
  static constexpr int kSteps = 250;
  static constexpr int kCollectors = 3;

  CollectorRaceTest() : engine_(GetParam().make()), kv_(*engine_->get()) {
    RegistryCatalog::Options options;
    options.lease = kLease;
    options.objects = &objects_;
    catalog_ = RegistryCatalog::Create(&kv_, &clock_, options).value();
    for (int i = 0; i < kCollectors; ++i) {
      collectors_.push_back(
          Collector::Create(&kv_, &clock_, &objects_,
                            {.grace = absl::ZeroDuration(), .orphan_age = absl::ZeroDuration(), .registry = nullptr}));
    }
  }

  static Pace UntilDone(const std::atomic<bool>* done) {
    return [done](uint64_t, uint64_t) { return !done->load(); };
  }
  static bool IsOrdinary(const absl::Status& status) { return status.ok() || absl::IsNotFound(status); }

  std::string AnyBlob(absl::BitGenRef random) const { return absl::StrCat("blob ", absl::Uniform(random, 0, 6)); }
  const RepositoryName& AnyRepository(absl::BitGenRef random) const {
    return repositories_[absl::Uniform<size_t>(random, 0, repositories_.size())];
  }

  // Pushes like the gateway; sometimes so late that the upload is abandoned.
  absl::StatusOr<Blob> Push(const RepositoryName& repository, const std::string& content, absl::BitGenRef random) {
    const bool late = absl::Bernoulli(random, 0.1);
    Blob blob = objects_.Upload(content, late ? Session::kAbandoned : Session::kSealed);
    if (absl::Bernoulli(random, 0.1)) {
      objects_.SetSession(blob.storage_key, Session::kAbandoned);
      return absl::NotFoundError("the client went away");
    }
    if (late) std::this_thread::yield();
    RETURN_IF_ERROR(catalog_->blobs().Commit(kAnonymous, repository, blob).status());
    objects_.SetSession(blob.storage_key, Session::kNone);
    return blob;
  }

  absl::Status PushImage(absl::BitGenRef random) {
    const RepositoryName& repository = AnyRepository(random);
    const absl::Time begun = clock_.Now();
    ASSIGN_OR_RETURN(const Blob config, Push(repository, AnyBlob(random), random));
    ASSIGN_OR_RETURN(const Blob layer, Push(repository, AnyBlob(random), random));
    const std::string image = ImageJson(config, {layer});
    const std::string tag = absl::StrCat("v", absl::Uniform(random, 0, 3));
    const absl::Status put = catalog_->manifests().Put(kAnonymous, repository, PutByTag(tag, image)).status();
    // I3: at least half of the lease is left. This test does not unlink blobs.
    if (clock_.Now() - begun < kLease / 2) {
      EXPECT_OK(put);
    }
    return put;
  }

  absl::Status Step(absl::BitGenRef random) {
    const RepositoryName& repository = AnyRepository(random);
    switch (absl::Uniform(random, 0, 8)) {
      case 0:
      case 1:
      case 2:
        return PushImage(random);
      case 3:
        return catalog_->blobs()
            .Mount(kAnonymous, repository, DigestOf(AnyBlob(random)), AnyRepository(random))
            .status();
      case 4:
        return catalog_->blobs().Find(kAnonymous, repository, DigestOf(AnyBlob(random))).status();
      case 5:
        return catalog_->manifests().Delete(kAnonymous, repository,
                                            TagNamed(absl::StrCat("v", absl::Uniform(random, 0, 3))));
      case 6:
        return DeleteAnyManifest(repository, random);
      default:
        clock_.Advance(absl::Seconds(absl::Uniform(random, 0, 4)));
        return absl::OkStatus();
    }
  }

  absl::Status DeleteAnyManifest(const RepositoryName& repository, absl::BitGenRef random) {
    const auto config = objects_.Upload(AnyBlob(random), Session::kAbandoned);
    const auto layer = objects_.Upload(AnyBlob(random), Session::kAbandoned);
    return catalog_->manifests().Delete(kAnonymous, repository, DigestOf(ImageJson(config, {layer})));
  }

  void DeleteAll() {
    for (const RepositoryName& repository : repositories_) {
      EXPECT_TRUE(IsOrdinary(catalog_->repositories().Delete(kAnonymous, repository).status()));
    }
  }

  absl::StatusOr<std::vector<std::string>> Invariants() {
    InvariantOptions options;
    options.check_object = [this](const StorageKey& key, uint64_t size) { return objects_.Check(key, size); };
    options.list_objects = [this](const std::string& start_after, size_t limit) {
      return objects_.ListUnclaimed(absl::ZeroDuration(), start_after, limit);
    };
    return CheckInvariants(kv_, options);
  }

  const std::vector<RepositoryName> repositories_ = {Repo("a"), Repo("b")};
  FakeClock clock_;
  MemoryBlobStorage objects_{&clock_};
  const std::unique_ptr<kv::TestEngine> engine_;
  kv::KvEngine& kv_;
  std::unique_ptr<RegistryCatalog> catalog_;
  std::vector<std::unique_ptr<Collector>> collectors_;
};

INSTANTIATE_TEST_SUITE_P(Engines, CollectorRaceTest, kv::EachTestEngine(), kv::TestEngineName);
INSTANTIATE_TEST_SUITE_P(Postgres, CollectorRaceTest, testing::Values(kv::PostgresTestEngineKind()),
                         kv::TestEngineName);

TEST_P(CollectorRaceTest, KeepsReferencedBlobsAndFinallyCollectsAll) {
  // This image exists during the whole test.
  std::mt19937_64 random;
  const std::string kept = ImageJson(objects_.Upload("blob 0"), {objects_.Upload("blob 1")});
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo("kept"), objects_.Upload(absl::StrCat("blob ", i))));
  }
  ASSERT_OK(catalog_->manifests().Put(kAnonymous, Repo("kept"), PutByTag("v1", kept)));

  std::atomic<bool> done{false};
  std::atomic<int> come_through{0};
  std::vector<std::thread> pushers;
  for (int i = 0; i < kPushers; ++i) {
    pushers.emplace_back([&, i] {
      std::mt19937_64 random(static_cast<uint64_t>(i));
      for (int step = 0; step < kSteps; ++step) {
        const absl::Status status = Step(random);
        EXPECT_TRUE(IsOrdinary(status)) << status;
        if (status.ok()) ++come_through;
      }
    });
  }
  std::vector<std::thread> background;
  for (const auto& collector : collectors_) {
    background.emplace_back([&] {
      while (!done) {
        const absl::StatusOr<v1::Collection> run = collector->Run(UntilDone(&done));
        ASSERT_OK(run);
        EXPECT_TRUE(run->error().empty() || done) << run->error();
      }
    });
  }
  for (int i = 0; i < 2; ++i) {
    background.emplace_back([&, i] {
      while (!done) {
        const absl::StatusOr<v1::Collection> run = collectors_[i]->QuarantineOrphans(UntilDone(&done));
        ASSERT_OK(run);
        EXPECT_TRUE(run->error().empty() || done) << run->error();
        std::this_thread::yield();
      }
    });
  }
  background.emplace_back([&] {
    while (!done) {
      for (int i = 0; i < 2; ++i) {
        const std::string content = absl::StrCat("blob ", i);
        const absl::StatusOr<Blob> blob = catalog_->blobs().Find(kAnonymous, Repo("kept"), DigestOf(content));
        ASSERT_OK(blob);
        ASSERT_OK(objects_.Verify(*blob, 0));
      }
    }
  });
  for (std::thread& thread : pushers) thread.join();
  done = true;
  for (std::thread& thread : background) thread.join();
  EXPECT_GT(come_through, kPushers * kSteps / 4);
  EXPECT_THAT(Invariants(), IsOkAndHolds(IsEmpty()));

  DeleteAll();
  ASSERT_OK(catalog_->repositories().Delete(kAnonymous, Repo("kept")));
  for (int i = 0; i < 2; ++i) {
    clock_.Advance(kLease);
    const Pace unpaced = [](uint64_t, uint64_t) { return true; };
    EXPECT_EQ(collectors_[0]->Run(unpaced)->error(), "");
    EXPECT_EQ(collectors_[0]->QuarantineOrphans(unpaced)->error(), "");
  }
  EXPECT_EQ(objects_.size(), 0u);
  for (const std::string& prefix : {keys::Blobs(), keys::Links(), keys::Reviews(), keys::DeleteIntents()}) {
    EXPECT_THAT(kv_.Scan({.prefix = prefix, .start_after = "", .limit = 10}), IsOkAndHolds(IsEmpty())) << prefix;
  }
  EXPECT_THAT(Invariants(), IsOkAndHolds(IsEmpty()));
}

TEST_P(CollectorRaceTest, ConcurrentCollectorsDoEachStepOnce) {
  constexpr int kBlobs = 2000;
  for (int i = 0; i < kBlobs; ++i) {
    ASSERT_OK(catalog_->blobs().Commit(kAnonymous, Repo("a"), objects_.Upload(absl::StrCat("blob ", i))));
  }
  clock_.Advance(kLease);
  std::atomic<uint64_t> condemned{0};
  std::atomic<uint64_t> deleted{0};
  std::atomic<uint64_t> swept{0};
  std::vector<std::thread> threads;
  for (const auto& collector : collectors_) {
    threads.emplace_back([&] {
      const absl::StatusOr<v1::Collection> run = collector->Run([](uint64_t, uint64_t) { return true; });
      ASSERT_OK(run);
      EXPECT_EQ(run->error(), "");
      condemned += run->condemned();
      deleted += run->deleted();
      swept += run->swept();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(condemned, static_cast<uint64_t>(kBlobs));
  EXPECT_EQ(deleted, static_cast<uint64_t>(kBlobs));
  EXPECT_EQ(swept, static_cast<uint64_t>(kBlobs));
  EXPECT_EQ(objects_.size(), 0u);
}

}  // namespace
}  // namespace entrepot::manifest
