#include "services/blob/object_read_reactor.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/synchronization/notification.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "services/blob/reactor_test_server.h"
#include "services/core/time/eventually.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

class ObjectReadReactorTest : public testing::Test {
 protected:
  absl::StatusOr<std::string> Read(const std::string& key, uint64_t offset_bytes, uint64_t length_bytes) {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::ReadObjectResponse>> stream =
        server_.stub().ReadObject(&context, Request(key, offset_bytes, length_bytes));
    std::string bytes;
    v1::ReadObjectResponse response;
    while (stream->Read(&response)) {
      EXPECT_LE(response.data().size(), ObjectReadReactor::kMessageBytes);
      bytes += response.data();
    }
    if (absl::Status status = FromGrpcStatus(stream->Finish()); !status.ok()) return status;
    return bytes;
  }

  static v1::ReadObjectRequest Request(const std::string& key, uint64_t offset_bytes, uint64_t length_bytes) {
    v1::ReadObjectRequest request;
    request.set_storage_key(key);
    request.set_offset_bytes(offset_bytes);
    request.set_length_bytes(length_bytes);
    return request;
  }

  // How many files have been opened so far.
  uint64_t Opened() {
    uint64_t count = 0;
    for (const prometheus::MetricFamily& family : server_.registry().Collect()) {
      if (family.name != "entrepot_blob_store_operation_duration_seconds") continue;
      for (const prometheus::ClientMetric& metric : family.metric) {
        std::map<std::string, std::string> labels;
        for (const auto& label : metric.label) labels[label.name] = label.value;
        if (labels["op"] == "open" && labels["backend"] == "filesystem") count += metric.histogram.sample_count;
      }
    }
    return count;
  }

  ReactorTestServer server_;
};

TEST_F(ObjectReadReactorTest, StreamsObjectsOfBothTiers) {
  for (size_t size : {0UL, 1UL, 5'000UL, 65'536UL, 65'537UL, 262'144UL, 262'145UL, 3'000'000UL}) {
    const std::string bytes = CountingText(size);
    const StorageKey key = server_.Store(bytes);
    EXPECT_EQ(key.tier(), size <= 65'536 ? StorageTier::kKv : StorageTier::kFile);
    absl::StatusOr<std::string> read = Read(key.ToString(), 0, size);
    ASSERT_OK(read);
    EXPECT_TRUE(*read == bytes) << size;
  }
}

TEST_F(ObjectReadReactorTest, DescribesAFileToACallerThatSharesIt) {
  const std::string bytes = CountingText(1'000'000);
  v1::ReadObjectRequest request = Request(server_.Store(bytes).ToString(), 10, 100);
  request.set_files_shared(true);
  grpc::ClientContext context;
  const auto stream = server_.stub().ReadObject(&context, request);
  v1::ReadObjectResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.data(), "");
  EXPECT_EQ(response.file().path().substr(0, 8), "objects/");
  EXPECT_EQ(response.file().size_bytes(), bytes.size());
  EXPECT_NE(response.file().inode(), 0u);
  EXPECT_NE(response.file().modified_nanoseconds(), 0);
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_OK(FromGrpcStatus(stream->Finish()));
}

TEST_F(ObjectReadReactorTest, DescribesNoFileThatMustBeVerifiedOrIsInTheKv) {
  for (const size_t size : {5'000UL, 1'000'000UL}) {
    const std::string bytes = CountingText(size);
    v1::ReadObjectRequest request = Request(server_.Store(bytes).ToString(), 0, size);
    request.set_digest(ComputeDigest(DigestAlgorithm::kSha256, bytes).ToString());
    request.set_files_shared(true);
    // Starts without recorded results.
    server_.Restart();
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    const auto stream = server_.stub().ReadObject(&context, request);
    std::string read;
    v1::ReadObjectResponse response;
    while (stream->Read(&response)) {
      EXPECT_FALSE(response.has_file());
      read += response.data();
    }
    EXPECT_OK(FromGrpcStatus(stream->Finish()));
    EXPECT_TRUE(read == bytes);
  }
}

TEST_F(ObjectReadReactorTest, WithholdsTheEndOfACorruptObject) {
  for (size_t size : {5'000UL, 1'000'000UL}) {
    const std::string bytes = CountingText(size);
    v1::ReadObjectRequest request = Request(server_.Store(bytes).ToString(), 0, size);
    // Starts without recorded results.
    server_.Restart();
    for (const std::string& of : {bytes + "x", bytes}) {
      request.set_digest(ComputeDigest(DigestAlgorithm::kSha256, of).ToString());
      grpc::ClientContext context;
      context.set_wait_for_ready(true);
      const auto stream = server_.stub().ReadObject(&context, request);
      std::string read;
      v1::ReadObjectResponse response;
      while (stream->Read(&response)) read += response.data();
      const absl::Status status = FromGrpcStatus(stream->Finish());
      if (of == bytes) {
        EXPECT_OK(status);
        EXPECT_TRUE(read == bytes);
      } else {
        EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
        EXPECT_LT(read.size(), size);
        EXPECT_TRUE(bytes.compare(0, read.size(), read) == 0);
      }
    }
  }
}

TEST_F(ObjectReadReactorTest, WhatIsHashedKeepsNoThreadFromOtherReads) {
  const std::string bytes = CountingText(1'000'000);
  v1::ReadObjectRequest request = Request(server_.Store(bytes).ToString(), 0, bytes.size());
  server_.Restart();
  // Shared, because the thread may still be in its wait when the test ends.
  const auto released = std::make_shared<absl::Notification>();
  server_.long_calls().Post([released] { released->WaitForNotification(); });
  EXPECT_THAT(Read(request.storage_key(), 0, bytes.size()), IsOkAndHolds(bytes)) << "without a digest it is not hashed";
  request.set_digest(ComputeDigest(DigestAlgorithm::kSha256, bytes).ToString());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  const auto stream = server_.stub().ReadObject(&context, request);
  v1::ReadObjectResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << "it waits for its own threads";
  released->Notify();
}

TEST_F(ObjectReadReactorTest, LargeObjectsKeepNoThreadFromSmallOnes) {
  const std::string small = CountingText(5'000);
  const std::string large = CountingText(300'000);
  const std::string small_key = server_.Store(small).ToString();
  const std::string large_key = server_.Store(large).ToString();
  const auto released = std::make_shared<absl::Notification>();
  server_.large_objects().Post([released] { released->WaitForNotification(); });
  EXPECT_THAT(Read(small_key, 0, small.size()), IsOkAndHolds(small));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(200));
  const auto stream = server_.stub().ReadObject(&context, Request(large_key, 0, large.size()));
  v1::ReadObjectResponse response;
  EXPECT_FALSE(stream->Read(&response));
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED) << "it waits for its own threads";
  released->Notify();
  EXPECT_THAT(Read(large_key, 0, large.size()), IsOkAndHolds(large));
}

TEST_F(ObjectReadReactorTest, OpensNoObjectsForClientsThatHaveLeft) {
  constexpr size_t kReads = 20;
  const std::string bytes = CountingText(300'000);
  const std::string key = server_.Store(bytes).ToString();
  const auto released = std::make_shared<absl::Notification>();
  server_.large_objects().Post([released] { released->WaitForNotification(); });
  ASSERT_TRUE(Eventually([&] { return server_.large_objects().threads_busy() == 1; }));
  const uint64_t opened_before = Opened();
  for (size_t i = 1; i <= kReads; ++i) {
    grpc::ClientContext context;
    const auto stream = server_.stub().ReadObject(&context, Request(key, 0, bytes.size()));
    ASSERT_TRUE(Eventually([&] { return server_.large_objects().queue_depth() == i; }));
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // It is behind the cancellations on the same connection, and needs other threads.
  grpc::ClientContext context;
  v1::ListAbandonedUploadsResponse none;
  EXPECT_OK(FromGrpcStatus(server_.stub().ListAbandonedUploads(&context, v1::ListAbandonedUploadsRequest(), &none)));
  released->Notify();
  EXPECT_THAT(Read(key, 0, bytes.size()), IsOkAndHolds(bytes)) << "it waits behind them";
  // gRPC may report the last cancellations late.
  EXPECT_LT(Opened() - opened_before, kReads / 2);
}

TEST_F(ObjectReadReactorTest, ChecksARestTogetherWithTheSkippedBytes) {
  const std::string bytes = CountingText(1'000'000);
  v1::ReadObjectRequest request = Request(server_.Store(bytes).ToString(), 600'000, 400'000);
  request.set_digest(ComputeDigest(DigestAlgorithm::kSha256, bytes).ToString());
  server_.Restart();
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  const auto stream = server_.stub().ReadObject(&context, request);
  std::string read;
  v1::ReadObjectResponse response;
  while (stream->Read(&response)) read += response.data();
  EXPECT_OK(FromGrpcStatus(stream->Finish()));
  EXPECT_TRUE(read == bytes.substr(600'000));
}

TEST_F(ObjectReadReactorTest, StreamsRanges) {
  for (size_t size : {5'000UL, 1'000'000UL}) {
    const std::string bytes = CountingText(size);
    const std::string key = server_.Store(bytes).ToString();
    EXPECT_THAT(Read(key, 1'000, 3'000), IsOkAndHolds(bytes.substr(1'000, 3'000)));
    EXPECT_THAT(Read(key, size - 1, 1), IsOkAndHolds(bytes.substr(size - 1)));
    EXPECT_THAT(Read(key, size, 0), IsOkAndHolds(""));
  }
}

TEST_F(ObjectReadReactorTest, SendsMessagesAsSmallAsRequested) {
  for (const size_t size : {60'000UL, 300'000UL}) {
    const std::string bytes = CountingText(size);
    v1::ReadObjectRequest request = Request(server_.Store(bytes).ToString(), 0, size);
    request.set_message_bytes_max(10'000);
    grpc::ClientContext context;
    const auto stream = server_.stub().ReadObject(&context, request);
    std::string read;
    v1::ReadObjectResponse response;
    while (stream->Read(&response)) {
      EXPECT_LE(response.data().size(), 10'000u);
      read += response.data();
    }
    EXPECT_OK(FromGrpcStatus(stream->Finish()));
    EXPECT_TRUE(read == bytes);
  }
}

TEST_F(ObjectReadReactorTest, AnObjectThatIsTooShortIsDataLoss) {
  for (size_t size : {5'000UL, 1'000'000UL}) {
    const std::string key = server_.Store(CountingText(size)).ToString();
    EXPECT_THAT(Read(key, 0, size + 1), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Read(key, size + 1, 0), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(Read(key, 2, ~uint64_t{0}), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_F(ObjectReadReactorTest, AnUnknownObjectIsNotFound) {
  EXPECT_THAT(Read(StorageKey::Random(StorageTier::kFile).ToString(), 0, 1), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(Read(StorageKey::Random(StorageTier::kKv).ToString(), 0, 0), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(ObjectReadReactorTest, RefusesAnInvalidKey) {
  EXPECT_THAT(Read("../../etc/passwd", 0, 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(ObjectReadReactorTest, EndsWhenTheClientLeaves) {
  constexpr size_t kSize = 20 << 20;
  const std::string key = server_.Store(CountingText(kSize)).ToString();
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    std::unique_ptr<grpc::ClientReader<v1::ReadObjectResponse>> stream =
        server_.stub().ReadObject(&context, Request(key, 0, kSize));
    v1::ReadObjectResponse response;
    ASSERT_TRUE(stream->Read(&response));
    context.TryCancel();
    EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  // The server stops only if no call is left, which the end of this test checks.
}

}  // namespace
}  // namespace entrepot::blob
