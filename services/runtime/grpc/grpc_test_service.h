#ifndef ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TEST_SERVICE_H_
#define ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TEST_SERVICE_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "entrepot/testing/v1/call.grpc.pb.h"
#include "grpcpp/grpcpp.h"

namespace entrepot::runtime {

// The service of proto/entrepot/testing/v1/call.proto, for tests. It uses the callback API, like the registry's
// services.
class GrpcTestService : public testing::v1::CallService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Call(grpc::CallbackServerContext* context, const testing::v1::CallRequest* request,
                                 testing::v1::CallResponse* response) override;
  grpc::ServerReadReactor<testing::v1::Chunk>* Upload(grpc::CallbackServerContext* context,
                                                      testing::v1::UploadResponse* response) override;
  grpc::ServerWriteReactor<testing::v1::Chunk>* Download(grpc::CallbackServerContext* context,
                                                         const testing::v1::DownloadRequest* request) override;

  // Blocks until `count` calls have begun to wait for their cancellation; returns false if that takes half a minute.
  bool AwaitWaiting(int count);

 private:
  absl::Mutex mutex_;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_GRPC_GRPC_TEST_SERVICE_H_
