#include "services/blob/sessions/staged_object_pool.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/blob/objects/memory_object_store.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::ElementsAre;

// Tells whether it was synced, and fails at it where it should.
class SyncedObject : public StagedObject {
 public:
  SyncedObject(int* syncs, absl::Status result) : syncs_(*syncs), result_(std::move(result)) {}
  uint64_t size_bytes() const override { return 0; }
  absl::Status Append(absl::string_view) override { return absl::OkStatus(); }
  absl::Status Truncate(uint64_t) override { return absl::OkStatus(); }
  absl::Status Sync() override {
    ++syncs_;
    return result_;
  }
  absl::Status Read(const std::function<void(absl::string_view)>&) override { return absl::OkStatus(); }

 private:
  int& syncs_;
  const absl::Status result_;
};

class StagedObjectPoolTest : public testing::Test {
 protected:
  std::unique_ptr<StagedObject> Make(absl::Status sync_result = absl::OkStatus()) {
    return std::make_unique<SyncedObject>(&syncs_, std::move(sync_result));
  }

  const UploadId first_ = UploadId::Random();
  const UploadId second_ = UploadId::Random();
  int syncs_ = 0;
  MemoryObjectStore store_;
  StagedObjectPool pool_{1, &store_};
};

TEST_F(StagedObjectPoolTest, GivesBackWhatWasParked) {
  std::unique_ptr<StagedObject> object = Make();
  StagedObject* const address = object.get();
  pool_.Park(first_, std::move(object));
  EXPECT_EQ(pool_.Take(second_), nullptr);
  EXPECT_EQ(pool_.Take(first_).get(), address);
  EXPECT_EQ(pool_.Take(first_), nullptr);
  EXPECT_EQ(syncs_, 0);
}

TEST_F(StagedObjectPoolTest, SyncsTheOldestWhenThereIsNoRoom) {
  pool_.Park(first_, Make());
  pool_.Park(second_, Make());
  EXPECT_EQ(syncs_, 1);
  EXPECT_EQ(pool_.Take(first_), nullptr);
  EXPECT_NE(pool_.Take(second_), nullptr);
}

TEST_F(StagedObjectPoolTest, WhatCannotBeSyncedIsNotFoundAgain) {
  ASSERT_OK(store_.OpenStaged(first_, 0));
  ASSERT_OK(store_.OpenStaged(second_, 0));
  pool_.Park(first_, Make(absl::UnavailableError("the disk is full")));
  pool_.Park(second_, Make());
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(ElementsAre(second_)));
}

}  // namespace
}  // namespace entrepot::blob
