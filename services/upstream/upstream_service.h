#ifndef ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SERVICE_H_
#define ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SERVICE_H_

#include "absl/strings/string_view.h"
#include "entrepot/upstream/v1/upstream_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/runtime/threads/executor.h"
#include "services/upstream/management/upstream_management.h"
#include "services/upstream/upstream_cache.h"
#include "services/upstream/upstream_calls.h"

namespace entrepot::upstream {

// The gRPC service entrepot.upstream.v1.UpstreamService. A call of UpstreamCache keeps its thread of `executor` while
// it waits for an upstream; those of one upstream have half of the threads (upstream_calls.h). ReadBlob, and Manage,
// which must answer while upstreams hang, have executor threads of their own (`reads`).
class UpstreamService : public v1::UpstreamService::CallbackService {
 public:
  // All outlive the server that this service is registered with.
  UpstreamService(UpstreamCache* cache, UpstreamManagement* management, runtime::Executor* executor,
                  runtime::Executor* reads)
      : cache_(*cache), management_(*management), calls_(executor), reads_(*reads) {}

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
  // Runs the call, whose result is an absl::Status, in the turn of the repository's upstream.
  template <typename Request, typename Call>
  grpc::ServerUnaryReactor* Run(grpc::CallbackServerContext* context, const Request& request, Call call);

  UpstreamCache& cache_;
  UpstreamManagement& management_;
  UpstreamCalls calls_;
  runtime::Executor& reads_;
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_UPSTREAM_SERVICE_H_
