#include "services/blob/sessions/staging_area.h"

#include <memory>
#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/objects/memory_object_store.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::ElementsAre;

// Counts its syncs, which give `result`.
class CountingUpload : public StagedUpload {
 public:
  CountingUpload(int* syncs, absl::Status result) : syncs_(*syncs), result_(std::move(result)) {}
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

class StagingAreaTest : public testing::Test {
 protected:
  std::unique_ptr<StagedUpload> Make(absl::Status sync_result = absl::OkStatus()) {
    return std::make_unique<CountingUpload>(&syncs_, std::move(sync_result));
  }

  std::unique_ptr<StagedUpload> Open(SessionTable::Claim& claim) {
    storage::v1::UploadRecord record;
    absl::StatusOr<std::unique_ptr<StagedUpload>> staged = area_.Open(StagingArea::Accept::kStaged, claim, record);
    EXPECT_OK(staged);
    return staged.ok() ? *std::move(staged) : nullptr;
  }

  FakeClock clock_;
  kv::MemoryKvEngine kv_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  SessionTable table_{{.open_max = 10}, &clock_, &metrics_};
  SessionRecords records_{&kv_, &clock_, "run"};
  const UploadId first_ = UploadId::Random();
  const UploadId second_ = UploadId::Random();
  const UploadOwner owner_{.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  SessionTable::Claim first_claim_ = std::move(table_.Add(first_, owner_)->session);
  SessionTable::Claim second_claim_ = std::move(table_.Add(second_, owner_)->session);
  int syncs_ = 0;
  MemoryObjectStore store_;
  StagingArea area_{&store_, &records_, /*open_max=*/1};
};

TEST_F(StagingAreaTest, KeepsAnUploadOpenUntilItIsOpenedAgain) {
  std::unique_ptr<StagedUpload> upload = Make();
  StagedUpload* const address = upload.get();
  area_.Park(first_, std::move(upload));
  EXPECT_NE(Open(second_claim_).get(), address);
  const std::unique_ptr<StagedUpload> opened = Open(first_claim_);
  EXPECT_EQ(opened.get(), address);
  EXPECT_NE(Open(first_claim_).get(), address) << "it was handed out";
  EXPECT_EQ(syncs_, 0);
}

TEST_F(StagingAreaTest, SyncsTheOldestIfTooManyAreOpen) {
  std::unique_ptr<StagedUpload> upload = Make();
  StagedUpload* const address = upload.get();
  area_.Park(first_, Make());
  area_.Park(second_, std::move(upload));
  EXPECT_EQ(syncs_, 1);
  EXPECT_EQ(Open(second_claim_).get(), address);
}

TEST_F(StagingAreaTest, DiscardsAnUploadThatCannotBeSynced) {
  ASSERT_OK(store_.OpenStaged(first_, 0, ""));
  ASSERT_OK(store_.OpenStaged(second_, 0, ""));
  area_.Park(first_, Make(absl::UnavailableError("the disk is full")));
  area_.Park(second_, Make());
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(ElementsAre(second_)));
}

}  // namespace
}  // namespace entrepot::blob
