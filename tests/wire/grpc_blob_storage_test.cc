#include "services/manifest/grpc_blob_storage.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "gateway/backends/testing/grpc_loopback.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/blob/reactor_test_server.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/storage_key.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using blob::ReactorTestServer;
using testing::Each;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kDeadline = absl::Seconds(10);

// Against the real blob service, in this process, through a socket.
class GrpcBlobStorageTest : public testing::Test {
 protected:
  Blob Store(absl::string_view bytes) {
    return {ComputeDigest(DigestAlgorithm::kSha256, bytes), bytes.size(), server_.Store(bytes)};
  }

  ReactorTestServer server_;
  std::unique_ptr<BlobStorage> access_ = MakeGrpcBlobStorage(server_.replicas(), kDeadline);
};

TEST_F(GrpcBlobStorageTest, ChecksAndVerifies) {
  for (size_t size : {1'000, 1'000'000}) {
    Blob blob = Store(blob::CountingText(size));
    EXPECT_OK(access_->Check(blob.storage_key, size));
    EXPECT_THAT(access_->Check(blob.storage_key, size + 1), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_OK(access_->Verify(blob, 0));
    EXPECT_OK(access_->Verify(blob, 1 << 30));
    blob.digest = ComputeDigest(DigestAlgorithm::kSha256, "other bytes");
    EXPECT_THAT(access_->Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss));
    blob.storage_key = StorageKey::Random(blob.storage_key.tier());
    EXPECT_THAT(access_->Check(blob.storage_key, size), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(access_->Verify(blob, 0), StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_F(GrpcBlobStorageTest, StopsVerifying) {
  const Blob blob = Store(blob::CountingText(1'000'000));
  // The verification would take three seconds. It may begin before or after StopVerifying().
  std::thread verifying([&] { EXPECT_THAT(access_->Verify(blob, 300'000), StatusIs(absl::StatusCode::kCancelled)); });
  access_->StopVerifying();
  verifying.join();
  EXPECT_THAT(access_->Verify(blob, 0), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_OK(access_->Check(blob.storage_key, blob.size_bytes));
}

// A blob service whose verification of an object ends only when the caller cancels it.
class EndlessVerification : public blob::v1::BlobService::CallbackService {
 public:
  grpc::ServerUnaryReactor* VerifyObject(grpc::CallbackServerContext*, const blob::v1::VerifyObjectRequest*,
                                         blob::v1::VerifyObjectResponse*) override {
    begun.Notify();
    return new FinishOnCancel;
  }

  absl::Notification begun;

 private:
  class FinishOnCancel : public grpc::ServerUnaryReactor {
   public:
    void OnCancel() override { Finish(grpc::Status::CANCELLED); }
    void OnDone() override { delete this; }
  };
};

TEST(GrpcBlobStorageStopTest, CancelsVerificationUnderWay) {
  EndlessVerification service;
  gateway::GrpcLoopback loopback(&service);
  const std::unique_ptr<BlobStorage> access = MakeGrpcBlobStorage(loopback.Connect(), kDeadline);
  const Blob blob{ComputeDigest(DigestAlgorithm::kSha256, "x"), 1, StorageKey::Random(StorageTier::kFile)};
  std::thread verifying([&] { EXPECT_THAT(access->Verify(blob, 0), StatusIs(absl::StatusCode::kCancelled)); });
  EXPECT_TRUE(service.begun.WaitForNotificationWithTimeout(kDeadline));
  access->StopVerifying();
  verifying.join();
}

TEST_F(GrpcBlobStorageTest, WaitsForRestartingService) {
  const Blob blob = Store("goods");
  server_.Stop();
  std::thread checking([&] { EXPECT_OK(access_->Check(blob.storage_key, blob.size_bytes)); });
  server_.StartAgain();
  checking.join();
}

TEST_F(GrpcBlobStorageTest, QuarantinesAndDeletes) {
  const Blob kept = Store(blob::CountingText(1'000'000));
  const Blob gone = Store(blob::CountingText(1'000));
  EXPECT_OK(access_->Quarantine(kept.storage_key));
  EXPECT_OK(access_->Delete(gone.storage_key));
  EXPECT_OK(access_->Quarantine(kept.storage_key));
  EXPECT_OK(access_->Delete(gone.storage_key));
  EXPECT_THAT(server_.reader().Open(kept.storage_key), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(server_.reader().Open(gone.storage_key), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(GrpcBlobStorageTest, CountsWhatWaits) {
  ASSERT_OK_AND_ASSIGN(UploadTotals uploads, access_->CountUploads());
  EXPECT_EQ(uploads.sealed.count, 0u);
  EXPECT_EQ(uploads.sealed.first_at, std::nullopt);
  const Blob blob = Store(blob::CountingText(1'000'000));
  ASSERT_OK_AND_ASSIGN(uploads, access_->CountUploads());
  EXPECT_EQ(uploads.sealed.count, 1u);
  EXPECT_EQ(uploads.sealed.bytes, 1'000'000u);
  // Messages have whole microseconds.
  EXPECT_EQ(uploads.sealed.last_at, absl::Floor(server_.clock().Now() - absl::UnixEpoch(), absl::Microseconds(1)) +
                                        absl::UnixEpoch() + absl::Hours(24));
  EXPECT_EQ(access_->CountQuarantined(10)->count, 0u);
  ASSERT_OK(access_->Quarantine(blob.storage_key));
  ASSERT_OK_AND_ASSIGN(const Waiting quarantined, access_->CountQuarantined(10));
  EXPECT_EQ(quarantined.count, 1u);
  EXPECT_EQ(quarantined.bytes, 1'000'000u);
  EXPECT_TRUE(quarantined.first_at.has_value());
}

TEST_F(GrpcBlobStorageTest, DeletesManyObjectsInOneCall) {
  std::vector<StorageKey> keys;
  for (size_t size : {1'000, 1'000'000, 2'000}) keys.push_back(Store(blob::CountingText(size)).storage_key);
  for (const absl::Status& status : access_->DeleteAll(keys)) EXPECT_OK(status);
  for (const StorageKey& key : keys) {
    EXPECT_THAT(server_.reader().Open(key), StatusIs(absl::StatusCode::kNotFound));
  }
  server_.Stop();
  EXPECT_THAT(access_->DeleteAll(keys), Each(StatusIs(absl::StatusCode::kUnavailable)));
}

TEST_F(GrpcBlobStorageTest, KeepsTheOwner) {
  EXPECT_THAT(access_->HasObjects(), IsOkAndHolds(false));
  EXPECT_THAT(access_->ReadOwner(), IsOkAndHolds(StoreOwner()));
  const StoreOwner owner{.catalog_id = "0123", .generation = 7};
  EXPECT_OK(access_->WriteOwner(owner));
  server_.Restart();
  EXPECT_THAT(access_->ReadOwner(), IsOkAndHolds(owner));
  Store("goods");
  EXPECT_THAT(access_->HasObjects(), IsOkAndHolds(true));
}

TEST_F(GrpcBlobStorageTest, ListsAbandonedUploadsAndUnclaimedObjects) {
  const Blob blob = Store("goods");
  EXPECT_THAT(access_->ListAbandoned(10), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(access_->ForgetAbandoned(blob.storage_key), StatusIs(absl::StatusCode::kFailedPrecondition));

  server_.clock().Advance(absl::Hours(25));
  server_.Restart();
  ASSERT_OK_AND_ASSIGN(const std::vector<Blob> abandoned, access_->ListAbandoned(10));
  ASSERT_THAT(abandoned, SizeIs(1));
  EXPECT_EQ(abandoned[0].digest, blob.digest);
  EXPECT_EQ(abandoned[0].size_bytes, blob.size_bytes);
  EXPECT_EQ(abandoned[0].storage_key, blob.storage_key);
  EXPECT_OK(access_->ForgetAbandoned(blob.storage_key));
  EXPECT_THAT(access_->ListAbandoned(10), IsOkAndHolds(IsEmpty()));

  std::string start_after;
  std::vector<StoredObject> unclaimed;
  do {
    ASSERT_OK_AND_ASSIGN(StoredObjectPage page, access_->ListUnclaimed(absl::Hours(1), start_after, 1));
    for (StoredObject& object : page.objects) unclaimed.push_back(std::move(object));
    start_after = page.next;
  } while (!start_after.empty());
  ASSERT_THAT(unclaimed, SizeIs(1));
  EXPECT_EQ(unclaimed[0].storage_key, blob.storage_key);
  EXPECT_EQ(unclaimed[0].size_bytes, blob.size_bytes);
}

TEST_F(GrpcBlobStorageTest, RefusesInvalidBackupName) {
  EXPECT_THAT(access_->Snapshot("../elsewhere"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(GrpcBlobStorageTest, ReportsUnreachableServiceWithinTheDeadline) {
  config::v1::Service service;
  service.set_target("127.0.0.1:1");
  const std::unique_ptr<BlobStorage> access = MakeGrpcBlobStorage(
      runtime::ServiceReplicas::Connect(service, std::make_shared<prometheus::Registry>()), absl::Milliseconds(500));
  EXPECT_THAT(access->Check(StorageKey::Random(StorageTier::kFile), 1), IsOciError(OciErrorCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::manifest
