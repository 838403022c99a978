#include "services/manifest/grpc_object_access.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/blob/reactor_test_server.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {
namespace {

using blob::ReactorTestServer;
using testing::IsEmpty;
using testing::SizeIs;

constexpr absl::Duration kDeadline = absl::Seconds(10);

// Against the real blob service, in this process, through a socket.
class GrpcObjectAccessTest : public testing::Test {
 protected:
  Blob Store(absl::string_view bytes) {
    return {ComputeDigest(DigestAlgorithm::kSha256, bytes), bytes.size(), server_.Store(bytes)};
  }

  ReactorTestServer server_;
  std::unique_ptr<ObjectAccess> access_ = MakeGrpcObjectAccess(server_.channel(), kDeadline);
};

TEST_F(GrpcObjectAccessTest, ChecksAndVerifies) {
  for (size_t size : {1'000, 1'000'000}) {
    Blob blob = Store(blob::CountingText(size));
    EXPECT_OK(access_->Check(blob.storage_key, size));
    EXPECT_THAT(access_->Check(blob.storage_key, size + 1), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_OK(access_->Verify(blob, 0));
    EXPECT_OK(access_->Verify(blob, 1 << 30));
    blob.digest = ComputeDigest(DigestAlgorithm::kSha256, "something else");
    EXPECT_THAT(access_->Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss));
    blob.storage_key = StorageKey::Random(blob.storage_key.tier());
    EXPECT_THAT(access_->Check(blob.storage_key, size), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(access_->Verify(blob, 0), StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_F(GrpcObjectAccessTest, StopsVerifying) {
  const Blob blob = Store(blob::CountingText(1'000'000));
  // It would take three seconds; whichever of the two comes first.
  std::thread verifying([&] { EXPECT_THAT(access_->Verify(blob, 300'000), StatusIs(absl::StatusCode::kCancelled)); });
  access_->StopVerifying();
  verifying.join();
  EXPECT_THAT(access_->Verify(blob, 0), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_OK(access_->Check(blob.storage_key, blob.size_bytes));
}

TEST_F(GrpcObjectAccessTest, StopsVerifyingThatIsUnderWay) {
  const Blob blob = Store(blob::CountingText(1'000'000));
  std::thread verifying([&] { EXPECT_THAT(access_->Verify(blob, 300'000), StatusIs(absl::StatusCode::kCancelled)); });
  // The call has begun by then; were it later, the case above is tested again.
  absl::SleepFor(absl::Milliseconds(300));
  access_->StopVerifying();
  verifying.join();
}

TEST_F(GrpcObjectAccessTest, WaitsForAServiceThatRestarts) {
  const Blob blob = Store("goods");
  server_.Stop();
  std::thread checking([&] { EXPECT_OK(access_->Check(blob.storage_key, blob.size_bytes)); });
  server_.StartAgain();
  checking.join();
}

TEST_F(GrpcObjectAccessTest, QuarantinesAndDeletes) {
  const Blob kept = Store(blob::CountingText(1'000'000));
  const Blob gone = Store(blob::CountingText(1'000));
  EXPECT_OK(access_->Quarantine(kept.storage_key));
  EXPECT_OK(access_->Delete(gone.storage_key));
  EXPECT_OK(access_->Quarantine(kept.storage_key));
  EXPECT_OK(access_->Delete(gone.storage_key));
  EXPECT_THAT(server_.reader().Open(kept.storage_key), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(server_.reader().Open(gone.storage_key), StatusIs(absl::StatusCode::kNotFound));
}

TEST_F(GrpcObjectAccessTest, ListsWhatIsAbandonedAndThenUnclaimed) {
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

TEST_F(GrpcObjectAccessTest, ANameThatIsNoneIsRefusedThere) {
  EXPECT_THAT(access_->Snapshot("../elsewhere"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(GrpcObjectAccessTest, AServiceThatIsNotThereIsUnavailableWithinTheDeadline) {
  config::v1::Service service;
  service.set_target("127.0.0.1:1");
  const std::unique_ptr<ObjectAccess> access = MakeGrpcObjectAccess(
      runtime::MakeChannel(service, std::make_shared<prometheus::Registry>()), absl::Milliseconds(500));
  EXPECT_THAT(access->Check(StorageKey::Random(StorageTier::kFile), 1), IsOciError(OciErrorCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::manifest
