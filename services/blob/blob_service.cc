#include "services/blob/blob_service.h"

#include <optional>
#include <utility>

#include "services/blob/blob_messages.h"
#include "services/blob/object_read_reactor.h"
#include "services/blob/upload_append_reactor.h"
#include "services/core/storage_key.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {

template <typename Call>
grpc::ServerUnaryReactor* BlobService::Run(grpc::CallbackServerContext* context, Call call) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  executor_.Post([reactor, call = std::move(call)] { reactor->Finish(ToGrpcStatus(call())); });
  return reactor;
}

grpc::ServerUnaryReactor* BlobService::StartUpload(grpc::CallbackServerContext* context,
                                                   const v1::StartUploadRequest* request, v1::Upload* response) {
  return Run(context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const std::optional<DigestAlgorithm> algorithm, FromMessage(request->algorithm()));
    ASSIGN_OR_RETURN(const Upload upload, sessions_.Start({.repository = repository, .account = request->account()},
                                                          algorithm.value_or(DigestAlgorithm::kSha256)));
    ToMessage(upload, response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::GetUpload(grpc::CallbackServerContext* context,
                                                 const v1::GetUploadRequest* request, v1::Upload* response) {
  return Run(context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
    ASSIGN_OR_RETURN(const Upload upload, sessions_.Get(name.owner, name.id));
    ToMessage(upload, response);
    return absl::OkStatus();
  });
}

grpc::ServerReadReactor<v1::AppendToUploadRequest>* BlobService::AppendToUpload(grpc::CallbackServerContext*,
                                                                                v1::Upload* response) {
  return new UploadAppendReactor(&sessions_, &executor_, response);
}

grpc::ServerUnaryReactor* BlobService::SealUpload(grpc::CallbackServerContext* context,
                                                  const v1::SealUploadRequest* request, v1::SealedUpload* response) {
  return Run(context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
    ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request->digest()));
    ASSIGN_OR_RETURN(const SealedUpload sealed, sessions_.Seal(name.owner, name.id, digest));
    ToMessage(sealed, response);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::CancelUpload(grpc::CallbackServerContext* context,
                                                    const v1::CancelUploadRequest* request, v1::CancelUploadResponse*) {
  return Run(context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
    return sessions_.Cancel(name.owner, name.id);
  });
}

grpc::ServerUnaryReactor* BlobService::ForgetUpload(grpc::CallbackServerContext* context,
                                                    const v1::ForgetUploadRequest* request, v1::ForgetUploadResponse*) {
  return Run(context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
    return sessions_.Forget(name.owner, name.id);
  });
}

grpc::ServerWriteReactor<v1::ReadObjectResponse>* BlobService::ReadObject(grpc::CallbackServerContext*,
                                                                          const v1::ReadObjectRequest* request) {
  return new ObjectReadReactor(&reader_, &executor_, request);
}

grpc::ServerUnaryReactor* BlobService::DeleteObject(grpc::CallbackServerContext* context,
                                                    const v1::DeleteObjectRequest* request, v1::DeleteObjectResponse*) {
  return Run(context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request->storage_key()));
    return reader_.Delete(key);
  });
}

}  // namespace entrepot::blob
