#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/fault_injecting_kv_engine.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using kv::Fault;
using testing::IsEmpty;

// A registry whose process may die at any transaction.
class CatalogFaultTest : public testing::Test {
 protected:
  struct Registry {
    kv::MemoryKvEngine memory;
    kv::FaultInjectingKvEngine kv{&memory};
    FakeClock clock;
    std::unique_ptr<RegistryCatalog> catalog;

    absl::Status Open() {
      absl::StatusOr<std::unique_ptr<RegistryCatalog>> opened = RegistryCatalog::Create(&kv, &clock, {});
      if (!opened.ok()) return opened.status();
      catalog = *std::move(opened);
      return absl::OkStatus();
    }
    std::vector<kv::KeyValue> Everything() {
      return memory.Scan({.prefix = "", .start_after = "", .limit = 1000}).value();
    }
  };
  using Step = std::function<absl::Status(Registry&)>;

  std::vector<Step> History() const {
    return {
        [](Registry& registry) { return registry.Open(); },
        [this](Registry& registry) { return registry.catalog->blobs().Commit(kAnonymous, a_, config_).status(); },
        [this](Registry& registry) { return registry.catalog->blobs().Commit(kAnonymous, a_, layer_).status(); },
        [this](Registry& registry) { return registry.catalog->blobs().Commit(kAnonymous, b_, copy_).status(); },
        [this](Registry& registry) {
          return registry.catalog->blobs().Mount(kAnonymous, b_, config_.digest, a_).status();
        },
        [this](Registry& registry) {
          return registry.catalog->manifests().Put(kAnonymous, a_, PutByTag("v1", image_)).status();
        },
        [this](Registry& registry) {
          return registry.catalog->manifests().Put(kAnonymous, b_, PutByTag("v1", image_)).status();
        },
        [this](Registry& registry) {
          return registry.catalog->manifests().Put(kAnonymous, a_, PutByTag("v1", index_, kIndexType)).status();
        },
        [this](Registry& registry) { return registry.catalog->blobs().Unlink(kAnonymous, a_, layer_.digest); },
        [this](Registry& registry) { return registry.catalog->manifests().Delete(kAnonymous, b_, TagNamed("v1")); },
        [this](Registry& registry) { return registry.catalog->manifests().Delete(kAnonymous, b_, DigestOf(image_)); },
        [this](Registry& registry) { return registry.catalog->repositories().Delete(kAnonymous, a_).status(); },
        [this](Registry& registry) { return registry.catalog->blobs().Commit(kAnonymous, a_, new_).status(); },
        [this](Registry& registry) { return registry.catalog->repositories().Delete(kAnonymous, b_).status(); },
    };
  }

  // Runs the history. Failed calls are retried, like clients do, in the next process.
  static void Run(const std::vector<Step>& history, Registry* registry) {
    for (const Step& step : history) {
      absl::Status status = step(*registry);
      if (absl::IsUnavailable(status)) {
        registry->kv.Restart();
        EXPECT_THAT(CheckInvariants(registry->memory, {}), IsOkAndHolds(IsEmpty()));
        if (registry->catalog != nullptr) {
          ASSERT_OK(registry->Open());
        }
        status = step(*registry);
        // A delete that succeeded, but whose answer was lost.
        if (absl::IsNotFound(status)) continue;
      }
      ASSERT_OK(status);
    }
  }

  const RepositoryName a_ = Repo("a");
  const RepositoryName b_ = Repo("b");
  const Blob config_ = Upload("config");
  const Blob layer_ = Upload("layer");
  const Blob copy_ = Upload("layer");
  const Blob new_ = Upload("new");
  const std::string image_ = ImageJson(config_, {layer_}, SubjectMember("subject"));
  const std::string index_ = IndexJson({image_});
};

TEST_F(CatalogFaultTest, ACrashAnywhereLeavesAllOrNothing) {
  const std::vector<Step> history = History();
  Registry undisturbed;
  Run(history, &undisturbed);
  const int64_t transactions = undisturbed.kv.transactions();
  ASSERT_GE(transactions, static_cast<int64_t>(history.size()));
  for (const Fault fault : {Fault::kFailBefore, Fault::kFailCommit, Fault::kLoseReply, Fault::kCrashBeforeCommit,
                            Fault::kCrashAfterCommit}) {
    for (int64_t n = 1; n <= transactions; ++n) {
      SCOPED_TRACE(testing::Message() << "fault " << static_cast<int>(fault) << " at transaction " << n);
      Registry registry;
      registry.kv.InjectAt(n, fault);
      Run(history, &registry);
      EXPECT_THAT(CheckInvariants(registry.memory, {}), IsOkAndHolds(IsEmpty()));
      EXPECT_EQ(registry.Everything(), undisturbed.Everything());
    }
  }
}

TEST_F(CatalogFaultTest, APushFinishesADeletionInterruptedAnywhere) {
  for (int64_t n = 1; n <= 6; ++n) {
    for (const Fault fault : {Fault::kFailCommit, Fault::kLoseReply, Fault::kCrashBeforeCommit}) {
      SCOPED_TRACE(testing::Message() << "fault " << static_cast<int>(fault) << " at transaction " << n);
      Registry registry;
      ASSERT_OK(registry.Open());
      for (const Blob& blob : {config_, layer_}) ASSERT_OK(registry.catalog->blobs().Commit(kAnonymous, a_, blob));
      ASSERT_OK(registry.catalog->manifests().Put(kAnonymous, a_, PutByTag("v1", image_)));
      registry.kv.InjectAt(n, fault);
      const absl::Status status = registry.catalog->repositories().Delete(kAnonymous, a_).status();
      registry.kv.Restart();
      ASSERT_OK(registry.Open());
      // Before the commit of its first transaction nothing has changed; afterwards the deletion is finished.
      const bool there = registry.catalog->manifests().Get(kAnonymous, a_, TagNamed("v1"), false).ok();
      EXPECT_EQ(there, n == 1 && fault != Fault::kLoseReply) << status;
      ASSERT_OK(registry.catalog->blobs().Commit(kAnonymous, a_, new_));
      EXPECT_EQ(registry.catalog->manifests().Get(kAnonymous, a_, TagNamed("v1"), false).ok(), there);
      EXPECT_EQ(registry.catalog->blobs().Find(kAnonymous, a_, layer_.digest).ok(), there);
      EXPECT_OK(registry.catalog->blobs().Find(kAnonymous, a_, new_.digest));
      EXPECT_THAT(CheckInvariants(registry.memory, {}), IsOkAndHolds(IsEmpty()));
    }
  }
}

TEST_F(CatalogFaultTest, ReferencedBlobsCanBePulledWhileWritesFail) {
  Registry registry;
  ASSERT_OK(registry.Open());
  const Blob unneeded = Upload("unneeded");
  for (const Blob& blob : {config_, layer_, unneeded})
    ASSERT_OK(registry.catalog->blobs().Commit(kAnonymous, a_, blob));
  ASSERT_OK(registry.catalog->manifests().Put(kAnonymous, a_, PutByTag("v1", image_)));
  registry.clock.Advance(absl::Hours(48));
  registry.kv.InjectAt(1, Fault::kFailBefore);
  EXPECT_OK(registry.catalog->blobs().Find(kAnonymous, a_, layer_.digest));
  registry.kv.InjectAt(1, Fault::kAbort);
  EXPECT_OK(registry.catalog->blobs().Find(kAnonymous, a_, layer_.digest));
  registry.kv.InjectAt(1, Fault::kFailBefore);
  EXPECT_THAT(registry.catalog->blobs().Find(kAnonymous, a_, unneeded.digest),
              StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_OK(registry.catalog->manifests().Get(kAnonymous, a_, TagNamed("v1"), false));
}

}  // namespace
}  // namespace entrepot::manifest
