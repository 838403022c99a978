#include "services/blob/blob_service.h"

#include <string>

#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "services/blob/reactor_test_server.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/status/grpc_status.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

class BlobServiceTest : public testing::Test {
 protected:
  template <typename Request, typename Response>
  using Method = grpc::Status (v1::BlobService::Stub::*)(grpc::ClientContext*, const Request&, Response*);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request) {
    grpc::ClientContext context;
    Response response;
    grpc::Status status = (server_.stub().*method)(&context, request, &response);
    if (!status.ok()) return FromGrpcStatus(status);
    return response;
  }

  template <typename Request>
  static Request About(const std::string& upload_id, const std::string& repository = "team/app") {
    Request request;
    request.set_repository(repository);
    request.set_upload_id(upload_id);
    return request;
  }

  absl::StatusOr<v1::Upload> Start(v1::DigestAlgorithm algorithm = v1::DIGEST_ALGORITHM_UNSPECIFIED) {
    v1::StartUploadRequest request;
    request.set_repository("team/app");
    request.set_algorithm(algorithm);
    return Call(&v1::BlobService::Stub::StartUpload, request);
  }

  absl::StatusOr<v1::Upload> Get(const std::string& id, const std::string& repository = "team/app") {
    return Call(&v1::BlobService::Stub::GetUpload, About<v1::GetUploadRequest>(id, repository));
  }

  absl::StatusOr<types::v1::Blob> Seal(const std::string& id, const std::string& digest) {
    auto request = About<v1::SealUploadRequest>(id);
    request.set_digest(digest);
    return Call(&v1::BlobService::Stub::SealUpload, request);
  }

  const std::string empty_digest_ = ComputeDigest(DigestAlgorithm::kSha256, "").ToString();
  ReactorTestServer server_;
};

TEST_F(BlobServiceTest, AnUploadFromStartToForget) {
  ASSERT_OK_AND_ASSIGN(const v1::Upload upload, Start());
  EXPECT_EQ(upload.offset_bytes(), 0);
  ASSERT_OK_AND_ASSIGN(const v1::Upload same, Get(upload.upload_id()));
  EXPECT_EQ(same.upload_id(), upload.upload_id());

  ASSERT_OK_AND_ASSIGN(const types::v1::Blob sealed, Seal(upload.upload_id(), empty_digest_));
  EXPECT_EQ(sealed.digest(), empty_digest_);
  EXPECT_EQ(sealed.size_bytes(), 0);
  EXPECT_OK(Seal(upload.upload_id(), empty_digest_));
  EXPECT_OK(Call(&v1::BlobService::Stub::ForgetUpload, About<v1::ForgetUploadRequest>(upload.upload_id())));
  EXPECT_THAT(Seal(upload.upload_id(), empty_digest_), StatusIs(absl::StatusCode::kAlreadyExists));

  v1::DeleteObjectsRequest request;
  request.add_storage_keys(sealed.storage_key());
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(const v1::DeleteObjectsResponse deleted, Call(&v1::BlobService::Stub::DeleteObjects, request));
    EXPECT_EQ(deleted.failures_size(), 0);
  }
  EXPECT_THAT(server_.reader().Open(*StorageKey::Parse(sealed.storage_key())), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(BlobServiceTest, Cancels) {
  ASSERT_OK_AND_ASSIGN(const v1::Upload upload, Start());
  EXPECT_OK(Call(&v1::BlobService::Stub::CancelUpload, About<v1::CancelUploadRequest>(upload.upload_id())));
  EXPECT_THAT(Get(upload.upload_id()), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(BlobServiceTest, ASessionOfAnotherRepositoryIsUnknown) {
  ASSERT_OK_AND_ASSIGN(const v1::Upload upload, Start());
  EXPECT_THAT(Get(upload.upload_id(), "team/other"), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(BlobServiceTest, ASessionOfAnotherAccountIsUnknown) {
  v1::StartUploadRequest start;
  start.set_repository("team/app");
  start.set_account("ada");
  ASSERT_OK_AND_ASSIGN(const v1::Upload upload, Call(&v1::BlobService::Stub::StartUpload, start));
  auto request = About<v1::GetUploadRequest>(upload.upload_id());
  EXPECT_THAT(Call(&v1::BlobService::Stub::GetUpload, request), IsOciError(OciErrorCode::kBlobUploadUnknown));
  request.set_account("grace");
  EXPECT_THAT(Call(&v1::BlobService::Stub::GetUpload, request), IsOciError(OciErrorCode::kBlobUploadUnknown));
  request.set_account("ada");
  EXPECT_OK(Call(&v1::BlobService::Stub::GetUpload, request));
}

TEST_F(BlobServiceTest, RefusesMalformedRequests) {
  ASSERT_OK_AND_ASSIGN(const v1::Upload upload, Start(v1::DIGEST_ALGORITHM_SHA512));
  EXPECT_THAT(Seal(upload.upload_id(), "md5:00"), IsOciError(OciErrorCode::kDigestInvalid));
  EXPECT_THAT(Get(upload.upload_id(), "Team/App"), IsOciError(OciErrorCode::kNameInvalid));
  EXPECT_THAT(Get("../x"), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(Start(static_cast<v1::DigestAlgorithm>(9)), StatusIs(absl::StatusCode::kInvalidArgument));
  v1::DeleteObjectsRequest request;
  request.add_storage_keys("f00");
  EXPECT_THAT(Call(&v1::BlobService::Stub::DeleteObjects, request), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_OK(Get(upload.upload_id()));
}

}  // namespace
}  // namespace entrepot::blob
