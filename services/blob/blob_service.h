#ifndef ENTREPOT_SERVICES_BLOB_BLOB_SERVICE_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_SERVICE_H_

#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/blob/object_reader.h"
#include "services/blob/upload_sessions.h"
#include "services/runtime/executor.h"

namespace entrepot::blob {

// entrepot.blob.v1.BlobService over the service's own classes: parses, calls, answers. What blocks runs on the
// executor.
class BlobService : public v1::BlobService::CallbackService {
 public:
  // All outlive the server that this is registered with.
  BlobService(UploadSessions* sessions, ObjectReader* reader, runtime::Executor* executor)
      : sessions_(*sessions), reader_(*reader), executor_(*executor) {}

  grpc::ServerUnaryReactor* StartUpload(grpc::CallbackServerContext* context, const v1::StartUploadRequest* request,
                                        v1::Upload* response) override;
  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context, const v1::GetUploadRequest* request,
                                      v1::Upload* response) override;
  grpc::ServerReadReactor<v1::AppendToUploadRequest>* AppendToUpload(grpc::CallbackServerContext* context,
                                                                     v1::Upload* response) override;
  grpc::ServerUnaryReactor* SealUpload(grpc::CallbackServerContext* context, const v1::SealUploadRequest* request,
                                       v1::SealedUpload* response) override;
  grpc::ServerUnaryReactor* CancelUpload(grpc::CallbackServerContext* context, const v1::CancelUploadRequest* request,
                                         v1::CancelUploadResponse* response) override;
  grpc::ServerUnaryReactor* ForgetUpload(grpc::CallbackServerContext* context, const v1::ForgetUploadRequest* request,
                                         v1::ForgetUploadResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadObjectResponse>* ReadObject(grpc::CallbackServerContext* context,
                                                               const v1::ReadObjectRequest* request) override;
  grpc::ServerUnaryReactor* DeleteObject(grpc::CallbackServerContext* context, const v1::DeleteObjectRequest* request,
                                         v1::DeleteObjectResponse* response) override;

 private:
  // Finishes the call with what `call`, run on the executor, returns (absl::Status).
  template <typename Call>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, Call call);

  UploadSessions& sessions_;
  ObjectReader& reader_;
  runtime::Executor& executor_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_SERVICE_H_
