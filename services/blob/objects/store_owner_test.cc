#include "services/blob/objects/store_owner.h"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>

#include "gtest/gtest.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using Call = FaultySystemCalls::Call;

class StoreOwnerTest : public testing::Test {
 protected:
  kv::TemporaryDirectory temporary_;
  FaultySystemCalls calls_;
  const std::unique_ptr<BlobDirectory> directory_ = BlobDirectory::Open(temporary_.path(), calls_).value();
  const StoreOwner first_{.catalog_id = "0123456789abcdef", .generation = 1};
  const StoreOwner second_{.catalog_id = "0123456789abcdef", .generation = 2};
};

TEST_F(StoreOwnerTest, ReadsWhatWasWritten) {
  EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(StoreOwner()));
  EXPECT_OK(WriteStoreOwner(first_, *directory_, calls_));
  EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(first_));
  EXPECT_OK(WriteStoreOwner(second_, *directory_, calls_));
  EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(second_));
}

TEST_F(StoreOwnerTest, AFailedWriteKeepsTheOldOwner) {
  ASSERT_OK(WriteStoreOwner(first_, *directory_, calls_));
  for (const Call call : {Call::kOpen, Call::kWrite, Call::kSync, Call::kReplace}) {
    calls_.Fail(call, ENOSPC);
    EXPECT_THAT(WriteStoreOwner(second_, *directory_, calls_), StatusIs(absl::StatusCode::kUnavailable));
    calls_.Heal();
    EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(first_));
  }
}

TEST_F(StoreOwnerTest, TheGenerationOfACatalogDoesNotFall) {
  ASSERT_OK(WriteStoreOwner(second_, *directory_, calls_));
  EXPECT_OK(WriteStoreOwner(first_, *directory_, calls_));
  EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(second_));
  const StoreOwner other{.catalog_id = "another", .generation = 1};
  EXPECT_OK(WriteStoreOwner(other, *directory_, calls_));
  EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(other));
}

TEST_F(StoreOwnerTest, ADamagedFileIsNotAnAbsentOne) {
  for (const char* const text : {"", "0123", "0123 \n", "0123 x\n", " 1\n", "0123 12"}) {
    std::ofstream(temporary_.path() + "/" + kStoreOwnerFile) << text;
    EXPECT_THAT(ReadStoreOwner(*directory_, calls_), StatusIs(absl::StatusCode::kDataLoss)) << text;
    EXPECT_OK(WriteStoreOwner(first_, *directory_, calls_));
    EXPECT_THAT(ReadStoreOwner(*directory_, calls_), IsOkAndHolds(first_));
  }
}

}  // namespace
}  // namespace entrepot::blob
