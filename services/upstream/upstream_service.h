#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SERVICE_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SERVICE_H_

#include "entrepot/upstream/v1/upstream_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/runtime/threads/executor.h"
#include "services/upstream/management/upstream_management.h"
#include "services/upstream/upstream_cache.h"

namespace entrepot::upstream {

// The gRPC service entrepot.upstream.v1.UpstreamService: runs each call of UpstreamCache on the executor. A call keeps
// its thread while it waits for an upstream, except ReadBlob, which has executor threads of its own (`reads`).
class UpstreamService : public v1::UpstreamService::CallbackService {
 public:
  // All outlive the server that this service is registered with.
  UpstreamService(UpstreamCache* cache, UpstreamManagement* management, runtime::Executor* executor,
                  runtime::Executor* reads)
      : cache_(*cache), management_(*management), executor_(*executor), reads_(*reads) {}

  grpc::ServerUnaryReactor* ResolveManifest(grpc::CallbackServerContext* context,
                                            const v1::ResolveManifestRequest* request,
                                            v1::ResolveManifestResponse* response) override;
  grpc::ServerUnaryReactor* FindBlob(grpc::CallbackServerContext* context, const v1::FindUpstreamBlobRequest* request,
                                     v1::FindUpstreamBlobResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadUpstreamBlobResponse>* ReadBlob(grpc::CallbackServerContext* context,
                                                                   const v1::ReadUpstreamBlobRequest* request) override;
  grpc::ServerUnaryReactor* ListTags(grpc::CallbackServerContext* context, const v1::ListUpstreamTagsRequest* request,
                                     v1::ListUpstreamTagsResponse* response) override;
  grpc::ServerUnaryReactor* ListReferrers(grpc::CallbackServerContext* context,
                                          const v1::ListUpstreamReferrersRequest* request,
                                          v1::ListUpstreamReferrersResponse* response) override;
  grpc::ServerUnaryReactor* Manage(grpc::CallbackServerContext* context, const v1::ManageUpstreamsRequest* request,
                                   v1::ManageUpstreamsResponse* response) override;

 private:
  UpstreamCache& cache_;
  UpstreamManagement& management_;
  runtime::Executor& executor_;
  runtime::Executor& reads_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SERVICE_H_
