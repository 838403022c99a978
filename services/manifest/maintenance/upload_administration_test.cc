#include "services/manifest/maintenance/upload_administration.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/manifest/testing/memory_blob_storage.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

class UploadAdministrationTest : public testing::Test {
 protected:
  UploadAdministrationTest() {
    objects_.SetOpenUpload({.id = "7",
                            .repository = "team/app",
                            .account = "ada",
                            .received_bytes = 5,
                            .started_at = clock_.Now(),
                            .touched_at = clock_.Now(),
                            .expires_at = clock_.Now()});
  }

  FakeClock clock_;
  MemoryBlobStorage objects_{&clock_};
};

TEST_F(UploadAdministrationTest, ListsAndCounts) {
  v1::ListUploads command;
  ASSERT_OK_AND_ASSIGN(types::v1::UploadList list, ListUploads(command, objects_));
  ASSERT_EQ(list.uploads_size(), 1);
  EXPECT_EQ(list.uploads(0).id(), "7");
  EXPECT_EQ(list.uploads(0).account(), "ada");
  EXPECT_EQ(list.uploads(0).received_bytes(), 5u);
  EXPECT_EQ(list.uploads(0).started_at().seconds(), absl::ToUnixSeconds(clock_.Now()));
  command.mutable_filter()->set_account("grace");
  ASSERT_OK_AND_ASSIGN(list, ListUploads(command, objects_));
  EXPECT_EQ(list.uploads_size(), 0);
  v1::MaintenanceStatus status;
  AddUploadTotals(objects_, status);
  EXPECT_EQ(status.uploads().sessions(), 1u);
  EXPECT_EQ(status.uploads().bytes(), 5u);
}

TEST_F(UploadAdministrationTest, CancelsOnlyWhatAFilterSelects) {
  v1::CancelUploads command;
  EXPECT_THAT(CancelUploads(command, objects_), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(objects_.CountUploads()->sessions, 1u);
  command.mutable_filter()->set_account("ada");
  EXPECT_EQ(CancelUploads(command, objects_)->cancelled(), 1u);
  EXPECT_EQ(objects_.CountUploads()->sessions, 0u);
}

TEST_F(UploadAdministrationTest, AReportDoesWithoutTotalsThatAreNotKnown) {
  v1::MaintenanceStatus status;
  objects_.SetFault([](absl::string_view, const std::string&) { return absl::UnavailableError("no blob service"); });
  AddUploadTotals(objects_, status);
  EXPECT_FALSE(status.has_uploads());
  objects_.SetFault({});
  AddUploadTotals(objects_, status);
  EXPECT_EQ(status.uploads().sessions(), 1u);
}

TEST_F(UploadAdministrationTest, DescribesAFilter) {
  types::v1::UploadFilter filter;
  EXPECT_EQ(FilterText(filter), "");
  filter.set_account("ada");
  filter.set_repository("team/app");
  EXPECT_EQ(FilterText(filter), "repository=team/app account=ada");
}

}  // namespace
}  // namespace entrepot::manifest
