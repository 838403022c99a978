#include "services/manifest/catalog/deletion_queue.h"

#include <memory>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/manifest/testing/catalog_test_fixture.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

class DeletionQueueTest : public CatalogTest {
 protected:
  // A deletion of the repository that the end of the process interrupts.
  void Interrupt(const RepositoryName& repository) {
    ASSERT_OK(engine_->get()->Transact({{keys::Repository(repository)}}, [&](kv::KvTransaction& transaction) {
      auto record = kv::ReadRecord<storage::v1::RepositoryRecord>(transaction, keys::Repository(repository));
      (*record)->set_deleted(true);
      (*record)->set_emptying(true);
      *(*record)->mutable_deleted_at() = ToTimestamp(clock_.Now());
      kv::WriteRecord(transaction, keys::Repository(repository), **record);
      return absl::OkStatus();
    }));
  }

  // The catalog of a process, whose pushes leave interrupted deletions to the queue.
  void OpenWithQueue() {
    catalog_.reset();
    queue_ = MakeDeletionQueue(/*jobs_max=*/4, nullptr);
    RegistryCatalog::Options options;
    options.finish_deletion =
        FinishOn(queue_.get(), [this]() -> RepositoryRemover& { return catalog_->repositories(); });
    catalog_ = RegistryCatalog::Create(engine_->get(), &clock_, options).value();
  }

  void TearDown() override {
    queue_.reset();
    CatalogTest::TearDown();
  }

  std::unique_ptr<runtime::BoundedExecutor> queue_;
};

INSTANTIATE_TEST_SUITE_P(Engines, DeletionQueueTest, kv::EachTestEngine(), kv::TestEngineName);

TEST_P(DeletionQueueTest, APushDoesNotWaitForAnInterruptedDeletion) {
  PushedImage(a_, "v1");
  Interrupt(a_);
  OpenWithQueue();
  // The queue's thread is busy with something that takes long.
  absl::Notification leave;
  queue_->threads().Post([&] { EXPECT_TRUE(leave.WaitForNotificationWithTimeout(absl::Seconds(30))); });
  EXPECT_THAT(catalog_->blobs().Commit(kAnonymous, a_, Upload("new")), IsOciError(OciErrorCode::kUnavailable));
  leave.Notify();
  EXPECT_TRUE(Eventually([&] { return catalog_->blobs().Commit(kAnonymous, a_, Upload("new")).ok(); }));
  EXPECT_TRUE(catalog_->lists().Tags(kAnonymous, a_, 10, "")->tags.empty());
}

TEST_P(DeletionQueueTest, AStoppedDeletionIsFinishedWhenItIsRepeated) {
  PushedImage(a_, "v1");
  Interrupt(a_);
  OpenWithQueue();
  catalog_->repositories().Stop();
  EXPECT_THAT(catalog_->repositories().Delete(kAnonymous, a_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(catalog_->repositories().FinishInterrupted(a_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(CountWithPrefix(keys::TagsOf(a_)), 1u);
  OpenWithQueue();
  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion deletion, catalog_->repositories().Delete(kAnonymous, a_));
  EXPECT_EQ(deletion.tags, 1u);
  EXPECT_EQ(deletion.manifests, 1u);
}

}  // namespace
}  // namespace entrepot::manifest
