#include "services/manifest/records/object_removals.h"

#include <cstdint>
#include <set>

#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

TEST(ObjectRemovalsTest, EachHasAnotherVersion) {
  kv::MemoryKvEngine engine;
  kv::KvEngine& kv = engine;
  EXPECT_THAT(ReadObjectRemovals(kv), IsOkAndHolds(0u));
  std::set<uint64_t> versions = {0};
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(kv.Transact({ObjectRemovalsLock()}, &NoteObjectRemoval));
    ASSERT_OK_AND_ASSIGN(const uint64_t version, ReadObjectRemovals(kv));
    EXPECT_TRUE(versions.insert(version).second);
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
