#include "services/manifest/records/object_removals.h"

#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

TEST(ObjectRemovalsTest, Counts) {
  kv::MemoryKvEngine engine;
  kv::KvEngine& kv = engine;
  EXPECT_THAT(ReadObjectRemovals(kv), IsOkAndHolds(0u));
  for (uint64_t count = 1; count <= 2; ++count) {
    ASSERT_OK(kv.Transact({ObjectRemovalsLock()}, &CountObjectRemoval));
    EXPECT_THAT(ReadObjectRemovals(kv), IsOkAndHolds(count));
  }
}

TEST(ObjectRemovalsTest, ARecordThatCannotBeReadIsAnError) {
  kv::MemoryKvEngine engine;
  kv::KvEngine& kv = engine;
  ASSERT_OK(kv.Transact({ObjectRemovalsLock()}, [](kv::KvTransaction& transaction) {
    transaction.Put(keys::ObjectRemovals(), "\xff");
    return absl::OkStatus();
  }));
  EXPECT_THAT(ReadObjectRemovals(kv), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entrepot::manifest
