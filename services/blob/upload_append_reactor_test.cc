#include "services/blob/upload_append_reactor.h"

#include <memory>
#include <optional>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "services/blob/reactor_test_server.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

class UploadAppendReactorTest : public testing::Test {
 protected:
  // A call that is sent message by message.
  struct Stream {
    explicit Stream(v1::BlobService::Stub& stub) : writer(stub.AppendToUpload(&context, &response)) {}

    bool WriteHeader(const UploadId& id, std::optional<uint64_t> offset_bytes = std::nullopt) {
      v1::AppendToUploadRequest request;
      request.mutable_header()->set_repository(ReactorTestServer::owner().repository.ToString());
      request.mutable_header()->set_account(ReactorTestServer::owner().account);
      request.mutable_header()->set_upload_id(id.ToString());
      if (offset_bytes.has_value()) request.mutable_header()->set_offset_bytes(*offset_bytes);
      return writer->Write(request);
    }
    bool WriteData(const std::string& bytes) {
      v1::AppendToUploadRequest request;
      request.set_data(bytes);
      return writer->Write(request);
    }
    bool WriteSeal(const Digest& digest) {
      v1::AppendToUploadRequest request;
      request.mutable_seal()->set_digest(digest.ToString());
      return writer->Write(request);
    }
    absl::Status Finish() {
      writer->WritesDone();
      return FromGrpcStatus(writer->Finish());
    }

    grpc::ClientContext context;
    v1::Upload response;
    std::unique_ptr<grpc::ClientWriter<v1::AppendToUploadRequest>> writer;
  };

  UploadId Start() { return server_.sessions().Start(ReactorTestServer::owner(), DigestAlgorithm::kSha256)->id; }
  absl::StatusOr<Upload> Get(const UploadId& id) { return server_.sessions().Get(ReactorTestServer::owner(), id); }

  // The server ends a broken call once gRPC reports it.
  void WaitUntilFree(const UploadId& id) {
    ASSERT_TRUE(Eventually([&] { return server_.sessions().Append(ReactorTestServer::owner(), id, {}).ok(); }));
  }

  ReactorTestServer server_;
};

TEST_F(UploadAppendReactorTest, AppendsMessageByMessage) {
  const UploadId id = Start();
  const std::string bytes = CountingText(5 << 20);
  Stream stream(server_.stub());
  ASSERT_TRUE(stream.WriteHeader(id, 0));
  for (size_t i = 0; i < bytes.size(); i += 1 << 20) ASSERT_TRUE(stream.WriteData(bytes.substr(i, 1 << 20)));
  ASSERT_OK(stream.Finish());
  EXPECT_EQ(stream.response.upload_id(), id.ToString());
  EXPECT_EQ(stream.response.offset_bytes(), bytes.size());
  EXPECT_OK(server_.sessions().Seal(ReactorTestServer::owner(), id, ComputeDigest(DigestAlgorithm::kSha256, bytes)));
}

TEST_F(UploadAppendReactorTest, SealsAfterTheLastMessage) {
  for (const size_t size : {0UL, 1'000UL, 1'000'000UL}) {
    const UploadId id = Start();
    const std::string bytes = CountingText(size);
    const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, bytes);
    Stream stream(server_.stub());
    ASSERT_TRUE(stream.WriteHeader(id));
    ASSERT_TRUE(stream.WriteData(bytes));
    ASSERT_TRUE(stream.WriteSeal(digest));
    ASSERT_OK(stream.Finish());
    EXPECT_EQ(stream.response.blob().digest(), digest.ToString());
    EXPECT_EQ(stream.response.blob().size_bytes(), size);
    const absl::StatusOr<Blob> sealed = server_.sessions().Seal(ReactorTestServer::owner(), id, digest);
    ASSERT_OK(sealed);
    EXPECT_EQ(sealed->storage_key.ToString(), stream.response.blob().storage_key());
  }
}

TEST_F(UploadAppendReactorTest, SealsNothingIfTheStreamBreaksBefore) {
  const UploadId id = Start();
  Stream stream(server_.stub());
  ASSERT_TRUE(stream.WriteHeader(id));
  ASSERT_TRUE(stream.WriteData("abc"));
  ASSERT_OK(stream.Finish());
  EXPECT_FALSE(stream.response.has_blob());
  EXPECT_EQ(Get(id)->offset_bytes, 3u);
}

TEST_F(UploadAppendReactorTest, RefusesAWrongSeal) {
  {
    Stream stream(server_.stub());
    ASSERT_TRUE(stream.WriteHeader(Start()));
    ASSERT_TRUE(stream.WriteSeal(ComputeDigest(DigestAlgorithm::kSha256, "other")));
    EXPECT_THAT(stream.Finish(), IsOciError(OciErrorCode::kDigestInvalid));
  }
  {
    Stream stream(server_.stub());
    stream.WriteSeal(ComputeDigest(DigestAlgorithm::kSha256, ""));
    EXPECT_THAT(stream.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  {
    Stream stream(server_.stub());
    ASSERT_TRUE(stream.WriteHeader(Start()));
    stream.WriteSeal(ComputeDigest(DigestAlgorithm::kSha256, ""));
    stream.WriteData("more");
    EXPECT_THAT(stream.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(UploadAppendReactorTest, SendsMetadataOnceTheSessionAcceptsBytes) {
  const UploadId id = Start();
  Stream stream(server_.stub());
  ASSERT_TRUE(stream.WriteHeader(id));
  stream.writer->WaitForInitialMetadata();
  EXPECT_FALSE(server_.sessions().Append(ReactorTestServer::owner(), id, {}).ok());
  ASSERT_OK(stream.Finish());
  EXPECT_OK(server_.sessions().Append(ReactorTestServer::owner(), id, {}));
}

TEST_F(UploadAppendReactorTest, KeepsBytesThatArrivedBeforeACancellation) {
  const UploadId id = Start();
  Stream stream(server_.stub());
  ASSERT_TRUE(stream.WriteHeader(id));
  stream.writer->WaitForInitialMetadata();
  stream.context.TryCancel();
  EXPECT_THAT(FromGrpcStatus(stream.writer->Finish()), StatusIs(absl::StatusCode::kUnavailable));
  WaitUntilFree(id);
  EXPECT_OK(Get(id));
}

TEST_F(UploadAppendReactorTest, ABrokenStreamKeepsItsBytesUnsealed) {
  const UploadId id = Start();
  const std::string bytes = CountingText(3 << 20);
  {
    Stream stream(server_.stub());
    ASSERT_TRUE(stream.WriteHeader(id));
    ASSERT_TRUE(stream.WriteData(bytes));
    // The first bytes are stored before more are read: once this message is taken they are stored.
    ASSERT_TRUE(stream.WriteData(bytes));
    ASSERT_TRUE(stream.WriteData(bytes));
    stream.context.TryCancel();
    stream.writer->Finish();
  }
  WaitUntilFree(id);
  ASSERT_OK_AND_ASSIGN(const Upload upload, Get(id));
  EXPECT_GE(upload.offset_bytes, bytes.size());
  EXPECT_EQ(upload.offset_bytes % bytes.size(), 0);

  Stream rest(server_.stub());
  ASSERT_TRUE(rest.WriteHeader(id, upload.offset_bytes));
  ASSERT_TRUE(rest.WriteData("end"));
  ASSERT_OK(rest.Finish());
  std::string expected;
  for (uint64_t i = 0; i < upload.offset_bytes / bytes.size(); ++i) expected += bytes;
  expected += "end";
  EXPECT_OK(server_.sessions().Seal(ReactorTestServer::owner(), id, ComputeDigest(DigestAlgorithm::kSha256, expected)));
}

TEST_F(UploadAppendReactorTest, RefusesAWrongOffsetBeforeAnyByte) {
  const UploadId id = Start();
  Stream stream(server_.stub());
  stream.WriteHeader(id, 7);
  EXPECT_THAT(stream.Finish(), IsOciError(OciErrorCode::kRangeInvalid));
}

TEST_F(UploadAppendReactorTest, ASecondAppendIsRefused) {
  const UploadId id = Start();
  Stream first(server_.stub());
  ASSERT_TRUE(first.WriteHeader(id));
  first.writer->WaitForInitialMetadata();
  Stream second(server_.stub());
  second.WriteHeader(id);
  EXPECT_THAT(second.Finish(), IsOciError(OciErrorCode::kRangeInvalid));
  EXPECT_OK(first.Finish());
}

TEST_F(UploadAppendReactorTest, AnUnknownSessionIsRefused) {
  Stream stream(server_.stub());
  stream.WriteHeader(UploadId::Random());
  EXPECT_THAT(stream.Finish(), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(UploadAppendReactorTest, MessagesOutOfOrderAreRefused) {
  {
    Stream stream(server_.stub());
    EXPECT_THAT(stream.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  {
    Stream stream(server_.stub());
    stream.WriteData("goods");
    EXPECT_THAT(stream.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  {
    Stream stream(server_.stub());
    stream.writer->Write(v1::AppendToUploadRequest());
    EXPECT_THAT(stream.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  const UploadId id = Start();
  Stream stream(server_.stub());
  stream.WriteHeader(id);
  stream.WriteHeader(id);
  EXPECT_THAT(stream.Finish(), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace entrepot::blob
