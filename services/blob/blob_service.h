#ifndef ENTREPOT_SERVICES_BLOB_BLOB_SERVICE_H_
#define ENTREPOT_SERVICES_BLOB_BLOB_SERVICE_H_

#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/blob/blob_stack.h"
#include "services/blob/blob_threads.h"
#include "services/blob/objects/verified_reader.h"
#include "services/blob/sessions/upload_sessions.h"
#include "services/core/blob_storage.h"
#include "services/core/content.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob {

// Serves entrepot.blob.v1.BlobService with the service's own classes: parses requests, calls the class, converts the
// result. Blocking work runs on the threads for it (blob_threads.h). Calls that read whole objects or list many are
// those of the manifest service, which makes one at a time for each kind of its own work, and the first call with an
// upload that was staged before a restart.
class BlobService : public v1::BlobService::CallbackService {
 public:
  // All must outlive the server that this is registered with.
  BlobService(BlobStack* stack, const BlobThreads& threads)
      : sessions_(stack->upload_sessions()),
        reader_(stack->reader()),
        objects_(stack->storage()),
        threads_(threads),
        executor_(*threads.requests),
        large_objects_(*threads.large_objects),
        long_calls_(*threads.long_calls) {}

  grpc::ServerUnaryReactor* StartUpload(grpc::CallbackServerContext* context, const v1::StartUploadRequest* request,
                                        v1::Upload* response) override;
  grpc::ServerUnaryReactor* GetUpload(grpc::CallbackServerContext* context, const v1::GetUploadRequest* request,
                                      v1::Upload* response) override;
  grpc::ServerReadReactor<v1::AppendToUploadRequest>* AppendToUpload(grpc::CallbackServerContext* context,
                                                                     v1::Upload* response) override;
  grpc::ServerUnaryReactor* SealUpload(grpc::CallbackServerContext* context, const v1::SealUploadRequest* request,
                                       types::v1::Blob* response) override;
  grpc::ServerUnaryReactor* CancelUpload(grpc::CallbackServerContext* context, const v1::CancelUploadRequest* request,
                                         v1::CancelUploadResponse* response) override;
  grpc::ServerUnaryReactor* ForgetUpload(grpc::CallbackServerContext* context, const v1::ForgetUploadRequest* request,
                                         v1::ForgetUploadResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadObjectResponse>* ReadObject(grpc::CallbackServerContext* context,
                                                               const v1::ReadObjectRequest* request) override;
  grpc::ServerUnaryReactor* DeleteObjects(grpc::CallbackServerContext* context, const v1::DeleteObjectsRequest* request,
                                          v1::DeleteObjectsResponse* response) override;
  grpc::ServerUnaryReactor* ReadOwner(grpc::CallbackServerContext* context, const v1::ReadOwnerRequest* request,
                                      v1::ReadOwnerResponse* response) override;
  grpc::ServerUnaryReactor* WriteOwner(grpc::CallbackServerContext* context, const v1::WriteOwnerRequest* request,
                                       v1::WriteOwnerResponse* response) override;
  grpc::ServerUnaryReactor* CheckObject(grpc::CallbackServerContext* context, const v1::CheckObjectRequest* request,
                                        v1::CheckObjectResponse* response) override;
  grpc::ServerUnaryReactor* VerifyObject(grpc::CallbackServerContext* context, const v1::VerifyObjectRequest* request,
                                         v1::VerifyObjectResponse* response) override;
  grpc::ServerUnaryReactor* QuarantineObject(grpc::CallbackServerContext* context,
                                             const v1::QuarantineObjectRequest* request,
                                             v1::QuarantineObjectResponse* response) override;
  grpc::ServerUnaryReactor* ListUnclaimedObjects(grpc::CallbackServerContext* context,
                                                 const v1::ListUnclaimedObjectsRequest* request,
                                                 v1::ListUnclaimedObjectsResponse* response) override;
  grpc::ServerUnaryReactor* ListAbandonedUploads(grpc::CallbackServerContext* context,
                                                 const v1::ListAbandonedUploadsRequest* request,
                                                 v1::ListAbandonedUploadsResponse* response) override;
  grpc::ServerUnaryReactor* ForgetAbandonedUpload(grpc::CallbackServerContext* context,
                                                  const v1::ForgetAbandonedUploadRequest* request,
                                                  v1::ForgetAbandonedUploadResponse* response) override;
  grpc::ServerUnaryReactor* ListOpenUploads(grpc::CallbackServerContext* context,
                                            const v1::ListOpenUploadsRequest* request,
                                            types::v1::UploadList* response) override;
  grpc::ServerUnaryReactor* CancelOpenUploads(grpc::CallbackServerContext* context,
                                              const v1::CancelOpenUploadsRequest* request,
                                              types::v1::CancelledUploads* response) override;
  grpc::ServerUnaryReactor* CountOpenUploads(grpc::CallbackServerContext* context,
                                             const v1::CountOpenUploadsRequest* request,
                                             types::v1::UploadTotals* response) override;
  grpc::ServerUnaryReactor* CountQuarantinedObjects(grpc::CallbackServerContext* context,
                                                    const v1::CountQuarantinedObjectsRequest* request,
                                                    types::v1::Waiting* response) override;
  grpc::ServerUnaryReactor* SnapshotObjects(grpc::CallbackServerContext* context,
                                            const v1::SnapshotObjectsRequest* request,
                                            v1::SnapshotObjectsResponse* response) override;

 private:
  // `usual`, unless the bytes of that upload must be read back first.
  runtime::Executor& ExecutorFor(const std::string& upload_id, runtime::Executor& usual);

  UploadSessions& sessions_;
  VerifiedReader& reader_;
  BlobStorage& objects_;
  const BlobThreads threads_;
  runtime::Executor& executor_;
  runtime::Executor& large_objects_;
  runtime::Executor& long_calls_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_BLOB_SERVICE_H_
