#include <array>
#include <atomic>
#include <barrier>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/bit_gen_ref.h"
#include "absl/random/random.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/failpoint/failpoint_control.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/postgres_test_engine.h"
#include "services/kv/testing/test_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/gc/collector.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using testing::IsEmpty;
using Session = MemoryBlobStorage::Session;

constexpr int kReplicas = 8;

// More with ENTREPOT_RACE_ROUNDS=10000.
int RoundsOf(const kv::TestEngineKind& kind) {
  const char* const text = std::getenv("ENTREPOT_RACE_ROUNDS");
  int rounds = 0;
  if (text != nullptr && absl::SimpleAtoi(text, &rounds)) return rounds;
  return kind.name == "Memory" ? 60 : 20;
}

// Makes the thread that calls Freeze() stand still at one failpoint, until another one calls Release().
class Freezer {
 public:
  // For ScopedFailpoints.
  absl::Status Reach(absl::string_view name) {
    if (!is_stale_ || name != where_) return absl::OkStatus();
    const absl::MutexLock lock(&mutex_);
    frozen_ = true;
    mutex_.Await(absl::Condition(&released_));
    return absl::OkStatus();
  }
  // The calling thread stands still when it reaches `where`, once.
  void FreezeAt(absl::string_view where) {
    where_ = std::string(where);
    is_stale_ = true;
  }
  // The calling thread does not stand still any more.
  void End() {
    is_stale_ = false;
    const absl::MutexLock lock(&mutex_);
    ended_ = true;
  }
  void AwaitFrozenOrEnded() {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](Freezer* self) ABSL_NO_THREAD_SAFETY_ANALYSIS { return self->frozen_ || self->ended_; }, this));
  }
  void Release() {
    const absl::MutexLock lock(&mutex_);
    released_ = true;
  }
  bool frozen() {
    const absl::MutexLock lock(&mutex_);
    return frozen_;
  }

 private:
  static thread_local bool is_stale_;
  static thread_local std::string where_;

  absl::Mutex mutex_;
  bool frozen_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool released_ ABSL_GUARDED_BY(mutex_) = false;
};

thread_local bool Freezer::is_stale_ = false;
thread_local std::string Freezer::where_;

// Replicas of the catalog with collectors, over one KV and one store of objects. In each round all do something with
// the same few blobs, tags and repositories at the same moment. A collector stands still between two of its steps
// during some rounds, and then goes on. After each round the invariants hold, and what was acknowledged can be pulled
// from another replica.
class ReplicaRaceTest : public testing::TestWithParam<kv::TestEngineKind> {
 protected:
  static constexpr absl::Duration kLease = absl::Seconds(10);
  static constexpr std::array<absl::string_view, 6> kSteps = {
      "manifest.collector.condemned",      "manifest.collector.deleted",        "manifest.collector.confirmed",
      "manifest.collector.object_deleted", "manifest.collector.suspect_marked", "manifest.collector.quarantined"};

  struct Replica {
    // Null if the engine cannot be opened twice.
    std::unique_ptr<kv::KvEngine> kv;
    std::unique_ptr<RegistryCatalog> catalog;
    std::unique_ptr<Collector> collector;
    std::mt19937_64 random;
    // The image that only this replica pushes and deletes, in its own repository.
    std::optional<std::string> image = std::nullopt;
  };

  ReplicaRaceTest() : engine_(GetParam().make()), kv_(*engine_->get()) {
    for (int i = 0; i < kReplicas; ++i) {
      RegistryCatalog::Options options;
      options.shared = true;
      options.lease = kLease;
      options.objects = &objects_;
      std::unique_ptr<kv::KvEngine> own = OpenAnother();
      kv::KvEngine& kv = own != nullptr ? *own : kv_;
      replicas_.push_back({.kv = std::move(own),
                           .catalog = RegistryCatalog::Create(&kv, &clock_, options).value(),
                           .collector = NewCollector(kv),
                           .random = std::mt19937_64(static_cast<uint64_t>(i))});
    }
  }

  std::unique_ptr<Collector> NewCollector(kv::KvEngine& kv) {
    return Collector::Create(&kv, &clock_, &objects_,
                             {.grace = absl::ZeroDuration(),
                              .lease = kLease,
                              .orphan_age = absl::ZeroDuration(),
                              .quarantine_percent_max = 100,
                              .registry = nullptr});
  }

  // An engine of the replica's own over the same records; null if there can be only one.
  std::unique_ptr<kv::KvEngine> OpenAnother() const {
    const auto* const postgres = dynamic_cast<const kv::PostgresTestEngine*>(engine_.get());
    if (postgres == nullptr) return nullptr;
    return postgres->OpenAnother();
  }

  // What a deletion, or a collection of content that is not kept, may answer.
  static bool IsOrdinary(const absl::Status& status) { return status.ok() || absl::IsNotFound(status); }
  static std::string AnyBlob(absl::BitGenRef random) { return absl::StrCat("blob ", absl::Uniform(random, 0, 6)); }
  const RepositoryName& AnyRepository(absl::BitGenRef random) const {
    return repositories_[absl::Uniform<size_t>(random, 0, repositories_.size())];
  }
  static RepositoryName OwnRepository(size_t replica) { return Repo(absl::StrCat("own/", replica)); }

  // Pushes like the gateway.
  absl::StatusOr<Blob> Push(RegistryCatalog& catalog, const RepositoryName& repository, const std::string& content) {
    Blob blob = objects_.Upload(content, Session::kSealed);
    RETURN_IF_ERROR(catalog.blobs().Commit(kAnonymous, repository, blob).status());
    objects_.SetSession(blob.storage_key, Session::kNone);
    return blob;
  }
  absl::StatusOr<std::string> PushImage(RegistryCatalog& catalog, const RepositoryName& repository,
                                        const std::string& tag, const std::string& config, const std::string& layer) {
    ASSIGN_OR_RETURN(const Blob config_blob, Push(catalog, repository, config));
    ASSIGN_OR_RETURN(const Blob layer_blob, Push(catalog, repository, layer));
    std::string image = ImageJson(config_blob, {layer_blob});
    RETURN_IF_ERROR(catalog.manifests().Put(kAnonymous, repository, PutByTag(tag, image)).status());
    return image;
  }

  // Something that may meet the same content as what the others do.
  void StepOnCommonContent(Replica& replica) {
    RegistryCatalog& catalog = *replica.catalog;
    std::mt19937_64& random = replica.random;
    const RepositoryName& repository = AnyRepository(random);
    const std::string tag = absl::StrCat("v", absl::Uniform(random, 0, 2));
    absl::Status status;
    switch (absl::Uniform(random, 0, 7)) {
      case 0:
      case 1:
        // Another replica may delete the repository meanwhile.
        status = PushImage(catalog, repository, tag, AnyBlob(random), AnyBlob(random)).status();
        break;
      case 2:
        status = catalog.blobs().Mount(kAnonymous, repository, DigestOf(AnyBlob(random)), std::nullopt).status();
        break;
      case 3:
        status = catalog.manifests().Delete(kAnonymous, repository, TagNamed(tag));
        break;
      case 4: {
        const auto found = catalog.manifests().Get(kAnonymous, repository, TagNamed(tag), true);
        status = found.ok() ? catalog.manifests().Delete(kAnonymous, repository, found->digest) : found.status();
        break;
      }
      case 5:
        status = catalog.blobs().Unlink(kAnonymous, repository, DigestOf(AnyBlob(random)));
        break;
      default:
        if (absl::Bernoulli(random, 0.3)) status = catalog.repositories().Delete(kAnonymous, repository).status();
        break;
    }
    EXPECT_TRUE(IsOrdinary(status)) << status;
  }

  // Pushes or deletes what nothing else deletes.
  void StepOnOwnContent(size_t index) {
    Replica& replica = replicas_[index];
    if (replica.image.has_value() && absl::Bernoulli(replica.random, 0.5)) {
      EXPECT_OK(replica.catalog->manifests().Delete(kAnonymous, OwnRepository(index), DigestOf(*replica.image)));
      replica.image.reset();
      return;
    }
    const absl::StatusOr<std::string> image =
        PushImage(*replica.catalog, OwnRepository(index), "own", AnyBlob(replica.random), AnyBlob(replica.random));
    EXPECT_OK(image);
    if (image.ok()) replica.image = *image;
  }

  // Leaves a blob that is due for review, and an orphan, so that the next collection takes every step.
  void LeaveGarbage() {
    EXPECT_OK(Push(*replicas_[0].catalog, Repo("garbage"), absl::StrCat("garbage ", ++garbage_)));
    objects_.Upload(absl::StrCat("orphan ", garbage_));
    clock_.Advance(kLease);
  }

  void Collect(Collector& collector) {
    const Pace unpaced = [](uint64_t, uint64_t) { return true; };
    const absl::StatusOr<v1::Collection> run = collector.Run(unpaced);
    EXPECT_OK(run);
    EXPECT_EQ(run->error(), "");
    const absl::StatusOr<v1::Collection> orphans = collector.QuarantineOrphans(unpaced);
    EXPECT_OK(orphans);
    EXPECT_EQ(orphans->error(), "");
  }

  // All replicas at the same moment.
  void RunRound() {
    std::barrier start(kReplicas);
    std::vector<std::thread> threads;
    for (size_t i = 0; i < replicas_.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        for (int step = 0; step < 3; ++step) {
          switch (absl::Uniform(replicas_[i].random, 0, 4)) {
            case 0:
              Collect(*replicas_[i].collector);
              break;
            case 1:
              StepOnOwnContent(i);
              break;
            default:
              StepOnCommonContent(replicas_[i]);
          }
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }

  // All replicas push the same image to the same repository by the same tag at the same moment. Returns the image.
  std::string PushTogether(const RepositoryName& repository) {
    std::barrier start(kReplicas);
    std::vector<std::thread> threads;
    std::array<absl::StatusOr<std::string>, kReplicas> images;
    for (size_t i = 0; i < replicas_.size(); ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        images[i] = PushImage(*replicas_[i].catalog, repository, "same", "blob 0", "blob 1");
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const absl::StatusOr<std::string>& image : images) EXPECT_OK(image);
    return images[0].value_or("");
  }

  void ExpectServed(RegistryCatalog& catalog, const RepositoryName& repository, const std::string& tag,
                    const std::string& image) {
    const auto found = catalog.manifests().Get(kAnonymous, repository, TagNamed(tag), false);
    ASSERT_OK(found);
    EXPECT_EQ(found->content, image);
    EXPECT_OK(catalog.manifests().Get(kAnonymous, repository, DigestOf(image), true));
    EXPECT_THAT(catalog.lists().Tags(kAnonymous, repository, 10, "")->tags, testing::Contains(tag));
    for (int i = 0; i < 6; ++i) {
      const Digest digest = DigestOf(absl::StrCat("blob ", i));
      if (image.find(digest.ToString()) == std::string::npos) continue;
      const absl::StatusOr<Blob> blob = catalog.blobs().Find(kAnonymous, repository, digest);
      ASSERT_OK(blob);
      EXPECT_OK(objects_.Verify(*blob, 0));
    }
  }

  // Each image that is kept, from the next replica.
  void ExpectAllServed() {
    for (size_t i = 0; i < replicas_.size(); ++i) {
      if (!replicas_[i].image.has_value()) continue;
      ExpectServed(*replicas_[(i + 1) % kReplicas].catalog, OwnRepository(i), "own", *replicas_[i].image);
    }
  }

  absl::StatusOr<std::vector<std::string>> Invariants() {
    InvariantOptions options;
    options.check_object = [this](const StorageKey& key, uint64_t size) { return objects_.Check(key, size); };
    options.list_objects = [this](const std::string& start_after, size_t limit) {
      return objects_.ListUnclaimed(absl::Hours(1), start_after, limit);
    };
    return CheckInvariants(kv_, options);
  }

  const std::vector<RepositoryName> repositories_ = {Repo("a"), Repo("b")};
  FakeClock clock_;
  MemoryBlobStorage objects_{&clock_};
  const std::unique_ptr<kv::TestEngine> engine_;
  kv::KvEngine& kv_;
  std::vector<Replica> replicas_;
  int garbage_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Engines, ReplicaRaceTest, kv::EachTestEngine(), kv::TestEngineName);
INSTANTIATE_TEST_SUITE_P(Shared, ReplicaRaceTest, testing::Values(kv::PostgresTestEngineKind()), kv::TestEngineName);

TEST_P(ReplicaRaceTest, KeepsTheInvariantsAndWhatWasAcknowledged) {
  std::mt19937_64 random(17);
  std::unique_ptr<Freezer> freezer;
  std::thread stale;
  // Where the failpoints are handed to: there is one handler at a time.
  absl::Mutex mutex;
  Freezer* current = nullptr;
  const ScopedFailpoints failpoints([&](absl::string_view name) {
    Freezer* freeze = nullptr;
    {
      const absl::MutexLock lock(&mutex);
      freeze = current;
    }
    return freeze == nullptr ? absl::OkStatus() : freeze->Reach(name);
  });
  const std::unique_ptr<kv::KvEngine> own_kv = OpenAnother();
  const std::unique_ptr<Collector> stale_collector = NewCollector(own_kv != nullptr ? *own_kv : kv_);
  int frozen = 0;
  int wakes_in = 0;
  const auto wake = [&] {
    freezer->Release();
    stale.join();
    const absl::MutexLock lock(&mutex);
    current = nullptr;
  };
  const int rounds = RoundsOf(GetParam());
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE(round);
    if (!stale.joinable()) {
      freezer = std::make_unique<Freezer>();
      {
        const absl::MutexLock lock(&mutex);
        current = freezer.get();
      }
      LeaveGarbage();
      const absl::string_view where = kSteps[absl::Uniform<size_t>(random, 0, kSteps.size())];
      stale = std::thread([this, where, freezer = freezer.get(), &stale_collector] {
        freezer->FreezeAt(where);
        Collect(*stale_collector);
        freezer->End();
      });
      freezer->AwaitFrozenOrEnded();
      if (freezer->frozen()) ++frozen;
      wakes_in = absl::Uniform(random, 1, 4);
    }
    RunRound();
    EXPECT_THAT(Invariants(), IsOkAndHolds(IsEmpty()));
    ExpectAllServed();
    if (--wakes_in == 0) wake();
    EXPECT_THAT(Invariants(), IsOkAndHolds(IsEmpty()));
    ExpectAllServed();
    if (round % 5 == 0) {
      const std::string image = PushTogether(Repo("same"));
      for (Replica& replica : replicas_) ExpectServed(*replica.catalog, Repo("same"), "same", image);
      EXPECT_OK(replicas_[0].catalog->manifests().Delete(kAnonymous, Repo("same"), DigestOf(image)));
    }
    clock_.Advance(absl::Seconds(absl::Uniform(random, 0, 8)));
  }
  if (stale.joinable()) wake();
  EXPECT_GT(frozen, rounds / 5);
}

}  // namespace
}  // namespace entrepot::manifest
