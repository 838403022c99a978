#include "services/upstream/upstream_service.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/core/content.h"
#include "services/core/digest.h"
#include "services/core/reference.h"
#include "services/core/repository_name.h"
#include "services/runtime/grpc/grpc_unary_call.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"
#include "services/upstream/upstream_read_reactor.h"

namespace entrepot::upstream {

template <typename Request, typename Call>
grpc::ServerUnaryReactor* UpstreamService::Run(grpc::CallbackServerContext* context, const Request& request,
                                               Call call) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  calls_.Post(request.repository(), request.client(),
              [context, reactor, call = std::move(call)](const absl::Status& turn) {
                if (context->IsCancelled()) return reactor->Finish(grpc::Status::CANCELLED);
                reactor->Finish(ToGrpcStatus(turn.ok() ? call() : turn));
              });
  return reactor;
}

grpc::ServerUnaryReactor* UpstreamService::ResolveManifest(grpc::CallbackServerContext* context,
                                                           const v1::ResolveManifestRequest* request,
                                                           v1::ResolveManifestResponse* response) {
  return Run(context, *request, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const Reference reference, ParseReference(request->reference()));
    cache_.CountRecalled(repository, {.fresh = request->recalled_fresh(), .stale = request->recalled_stale()});
    ASSIGN_OR_RETURN(const ResolvedManifest manifest,
                     cache_.ResolveManifest(repository, reference, request->metadata_only()));
    response->set_digest(manifest.digest.ToString());
    response->set_media_type(manifest.media_type);
    response->set_size_bytes(manifest.size_bytes);
    response->set_stored(manifest.stored);
    response->set_stale_reason(manifest.stale_reason);
    response->set_age_seconds(static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Seconds(manifest.age))));
    response->set_valid_for_milliseconds(
        static_cast<uint64_t>(std::max<int64_t>(0, absl::ToInt64Milliseconds(manifest.valid_for))));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* UpstreamService::FindBlob(grpc::CallbackServerContext* context,
                                                    const v1::FindUpstreamBlobRequest* request,
                                                    v1::FindUpstreamBlobResponse* response) {
  return Run(context, *request, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request->digest()));
    ASSIGN_OR_RETURN(*response, cache_.FindBlob(repository, digest, request->client()));
    return absl::OkStatus();
  });
}

grpc::ServerWriteReactor<v1::ReadUpstreamBlobResponse>* UpstreamService::ReadBlob(
    grpc::CallbackServerContext*, const v1::ReadUpstreamBlobRequest* request) {
  return new UpstreamReadReactor(&cache_, &reads_, request);
}

grpc::ServerUnaryReactor* UpstreamService::ListTags(grpc::CallbackServerContext* context,
                                                    const v1::ListUpstreamTagsRequest* request,
                                                    v1::ListUpstreamTagsResponse* response) {
  return Run(context, *request, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(TagPage page, cache_.ListTags(repository, request->limit(), request->last()));
    for (std::string& tag : page.tags) response->add_tags(std::move(tag));
    response->set_more(page.more);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* UpstreamService::ListReferrers(grpc::CallbackServerContext* context,
                                                         const v1::ListUpstreamReferrersRequest* request,
                                                         v1::ListUpstreamReferrersResponse* response) {
  return Run(context, *request, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const Digest subject, Digest::Parse(request->subject()));
    ASSIGN_OR_RETURN(const std::vector<Referrer> referrers, cache_.ListReferrers(repository, subject));
    for (const Referrer& referrer : referrers) {
      v1::ListUpstreamReferrersResponse::Referrer& added = *response->add_referrers();
      added.set_digest(referrer.digest.ToString());
      added.set_media_type(referrer.media_type);
      added.set_size_bytes(referrer.size_bytes);
      added.set_artifact_type(referrer.artifact_type);
      added.mutable_annotations()->insert(referrer.annotations.begin(), referrer.annotations.end());
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* UpstreamService::Manage(grpc::CallbackServerContext* context,
                                                  const v1::ManageUpstreamsRequest* request,
                                                  v1::ManageUpstreamsResponse* response) {
  return runtime::RunOnExecutor(reads_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(*response, management_.Manage(*request));
    return absl::OkStatus();
  });
}

}  // namespace entrepot::upstream
