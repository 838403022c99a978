#ifndef ENTREPOT_SERVICES_MANIFEST_MANIFEST_SERVICE_H_
#define ENTREPOT_SERVICES_MANIFEST_MANIFEST_SERVICE_H_

#include "entrepot/manifest/v1/manifest_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "services/manifest/caller_check.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/maintenance/maintenance.h"
#include "services/runtime/threads/bounded_executor.h"
#include "services/runtime/threads/executor.h"
#include "services/status/status_macros.h"
#include "services/wire/content_messages.h"

namespace entrepot::manifest {

// The gRPC service entrepot.manifest.v1.ManifestService: parses requests, calls RegistryCatalog and Maintenance, and
// fills in responses. Lookups of blobs and manifests run on gRPC's thread; calls that write, and listings, run on the
// executor; deletions of repositories run on a thread of their own.
class ManifestService : public v1::ManifestService::CallbackService {
 public:
  // All pointers must outlive the server that the service is registered with. `callers` decides which callers are
  // served; nullptr: all.
  ManifestService(RegistryCatalog* catalog, Maintenance* maintenance, runtime::Executor* executor,
                  runtime::BoundedExecutor* deletions, CallerCheck* callers = nullptr)
      : catalog_(*catalog),
        maintenance_(*maintenance),
        executor_(*executor),
        deletions_(*deletions),
        callers_(callers) {}

  grpc::ServerUnaryReactor* CommitBlob(grpc::CallbackServerContext* context, const v1::CommitBlobRequest* request,
                                       v1::CommitBlobResponse* response) override;
  grpc::ServerUnaryReactor* FindBlob(grpc::CallbackServerContext* context, const v1::FindBlobRequest* request,
                                     types::v1::Blob* response) override;
  grpc::ServerUnaryReactor* MountBlob(grpc::CallbackServerContext* context, const v1::MountBlobRequest* request,
                                      types::v1::Blob* response) override;
  grpc::ServerUnaryReactor* LinkNeededBlob(grpc::CallbackServerContext* context,
                                           const v1::LinkNeededBlobRequest* request,
                                           types::v1::Blob* response) override;
  grpc::ServerUnaryReactor* UnlinkBlob(grpc::CallbackServerContext* context, const v1::UnlinkBlobRequest* request,
                                       v1::UnlinkBlobResponse* response) override;
  grpc::ServerUnaryReactor* PutManifest(grpc::CallbackServerContext* context, const v1::PutManifestRequest* request,
                                        v1::PutManifestResponse* response) override;
  grpc::ServerUnaryReactor* GetManifest(grpc::CallbackServerContext* context, const v1::GetManifestRequest* request,
                                        v1::Manifest* response) override;
  grpc::ServerUnaryReactor* DeleteManifest(grpc::CallbackServerContext* context,
                                           const v1::DeleteManifestRequest* request,
                                           v1::DeleteManifestResponse* response) override;
  grpc::ServerUnaryReactor* ListTags(grpc::CallbackServerContext* context, const v1::ListTagsRequest* request,
                                     v1::ListTagsResponse* response) override;
  grpc::ServerUnaryReactor* ListReferrers(grpc::CallbackServerContext* context, const v1::ListReferrersRequest* request,
                                          v1::ListReferrersResponse* response) override;
  grpc::ServerUnaryReactor* ListRepositories(grpc::CallbackServerContext* context,
                                             const v1::ListRepositoriesRequest* request,
                                             v1::ListRepositoriesResponse* response) override;
  grpc::ServerUnaryReactor* DeleteRepository(grpc::CallbackServerContext* context,
                                             const v1::DeleteRepositoryRequest* request,
                                             v1::DeleteRepositoryResponse* response) override;
  grpc::ServerUnaryReactor* ReportDamage(grpc::CallbackServerContext* context, const v1::ReportDamageRequest* request,
                                         v1::ReportDamageResponse* response) override;
  grpc::ServerUnaryReactor* ClaimFetch(grpc::CallbackServerContext* context, const v1::ClaimFetchRequest* request,
                                       v1::ClaimFetchResponse* response) override;
  grpc::ServerUnaryReactor* MakeRoom(grpc::CallbackServerContext* context, const v1::MakeRoomRequest* request,
                                     types::v1::CacheEviction* response) override;
  grpc::ServerUnaryReactor* Maintain(grpc::CallbackServerContext* context, const v1::MaintainRequest* request,
                                     v1::MaintainResponse* response) override;

 private:
  // The caller of the request, unless the check refuses it. The upstream service needs no token.
  template <typename Request>
  absl::StatusOr<Caller> AdmittedCaller(const Request& request) {
    Caller caller = CallerOf(request);
    if (callers_ != nullptr && !request.caller().is_upstream_service()) RETURN_IF_ERROR(callers_->Check(caller));
    return caller;
  }

  RegistryCatalog& catalog_;
  Maintenance& maintenance_;
  runtime::Executor& executor_;
  runtime::BoundedExecutor& deletions_;
  CallerCheck* const callers_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MANIFEST_SERVICE_H_
