#include "services/manifest/manifest_service.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "services/kv/kv_engine.h"
#include "services/runtime/grpc/grpc_unary_call.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"
#include "services/wire/content_messages.h"
#include "services/wire/manifest_messages.h"

namespace entrepot::manifest {

grpc::ServerUnaryReactor* ManifestService::CommitBlob(grpc::CallbackServerContext* context,
                                                      const v1::CommitBlobRequest* request,
                                                      v1::CommitBlobResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const Blob blob, FromMessage(request->blob()));
    ASSIGN_OR_RETURN(const bool deduplicated, catalog_.blobs().Commit(caller, repository, blob, request->cache_of()));
    response->set_deduplicated(deduplicated);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::FindBlob(grpc::CallbackServerContext* context,
                                                    const v1::FindBlobRequest* request, types::v1::Blob* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  bool lease_due = false;
  const absl::Status status = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const BlobName name, BlobNameOf(*request));
    ASSIGN_OR_RETURN(const BlobLookup found,
                     catalog_.blobs().LookUp(caller, name.repository, name.digest, kv::ReadTier::kMemory));
    lease_due = found.lease_due;
    *response = ToMessage(found.blob);
    return absl::OkStatus();
  }();
  if (kv::IsNotInMemory(status)) {
    runtime::FinishOnExecutor(executor_, context, reactor, [this, request, response]() -> absl::Status {
      ASSIGN_OR_RETURN(const BlobName name, BlobNameOf(*request));
      ASSIGN_OR_RETURN(const Blob found, catalog_.blobs().Find(CallerOf(*request), name.repository, name.digest));
      *response = ToMessage(found);
      return absl::OkStatus();
    });
    return reactor;
  }
  if (!lease_due) {
    reactor->Finish(ToGrpcStatus(status));
    return reactor;
  }
  runtime::FinishOnExecutor(executor_, context, reactor, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const BlobName name, BlobNameOf(*request));
    return catalog_.blobs().RenewLease(name.repository, name.digest);
  });
  return reactor;
}

grpc::ServerUnaryReactor* ManifestService::MountBlob(grpc::CallbackServerContext* context,
                                                     const v1::MountBlobRequest* request, types::v1::Blob* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const BlobName name, BlobNameOf(*request));
    ASSIGN_OR_RETURN(const std::optional<RepositoryName> source, SourceOf(*request));
    ASSIGN_OR_RETURN(const Blob blob, catalog_.blobs().Mount(caller, name.repository, name.digest, source));
    *response = ToMessage(blob);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::LinkNeededBlob(grpc::CallbackServerContext* context,
                                                          const v1::LinkNeededBlobRequest* request,
                                                          types::v1::Blob* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const BlobName name, BlobNameOf(*request));
    ASSIGN_OR_RETURN(const Blob blob, catalog_.blobs().FindOrLinkNeeded(caller, name.repository, name.digest));
    *response = ToMessage(blob);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::UnlinkBlob(grpc::CallbackServerContext* context,
                                                      const v1::UnlinkBlobRequest* request, v1::UnlinkBlobResponse*) {
  return runtime::RunOnExecutor(executor_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const BlobName name, BlobNameOf(*request));
    return catalog_.blobs().Unlink(caller, name.repository, name.digest);
  });
}

grpc::ServerUnaryReactor* ManifestService::PutManifest(grpc::CallbackServerContext* context,
                                                       const v1::PutManifestRequest* request,
                                                       v1::PutManifestResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const ManifestPut put, FromMessage(*request));
    ASSIGN_OR_RETURN(const ManifestPutResult result, catalog_.manifests().Put(caller, repository, put));
    *response = ToMessage(result);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::GetManifest(grpc::CallbackServerContext* context,
                                                       const v1::GetManifestRequest* request, v1::Manifest* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto get = [this, request, response](kv::ReadTier tier) -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const ManifestName name, ManifestNameOf(*request));
    ASSIGN_OR_RETURN(StoredManifest manifest,
                     catalog_.manifests().Get(caller, name.repository, name.reference, request->metadata_only(), tier));
    const uint64_t content_bytes_max = request->content_bytes_max();
    if (content_bytes_max != 0 && manifest.content.size() > content_bytes_max) manifest.content.clear();
    *response = ToMessage(std::move(manifest));
    return absl::OkStatus();
  };
  const absl::Status status = get(kv::ReadTier::kMemory);
  if (kv::IsNotInMemory(status)) {
    runtime::FinishOnExecutor(executor_, context, reactor, [get] { return get(kv::ReadTier::kDisk); });
  } else {
    reactor->Finish(ToGrpcStatus(status));
  }
  return reactor;
}

grpc::ServerUnaryReactor* ManifestService::DeleteManifest(grpc::CallbackServerContext* context,
                                                          const v1::DeleteManifestRequest* request,
                                                          v1::DeleteManifestResponse*) {
  return runtime::RunOnExecutor(executor_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const ManifestName name, ManifestNameOf(*request));
    ASSIGN_OR_RETURN(const Preconditions preconditions, FromMessage(request->preconditions()));
    return catalog_.manifests().Delete(caller, name.repository, name.reference, {.preconditions = preconditions});
  });
}

grpc::ServerUnaryReactor* ManifestService::ListTags(grpc::CallbackServerContext* context,
                                                    const v1::ListTagsRequest* request,
                                                    v1::ListTagsResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(TagPage page, catalog_.lists().Tags(caller, repository, request->limit(), request->last()));
    *response = ToMessage(std::move(page));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::ListReferrers(grpc::CallbackServerContext* context,
                                                         const v1::ListReferrersRequest* request,
                                                         v1::ListReferrersResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const Digest subject, Digest::Parse(request->subject()));
    ASSIGN_OR_RETURN(ReferrerPage page,
                     catalog_.lists().Referrers(caller, repository, subject, request->artifact_type(), request->limit(),
                                                request->last()));
    *response = ToMessage(std::move(page));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::ListRepositories(grpc::CallbackServerContext* context,
                                                            const v1::ListRepositoriesRequest* request,
                                                            v1::ListRepositoriesResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    RETURN_IF_ERROR(AdmittedCaller(*request).status());
    ASSIGN_OR_RETURN(RepositoryPage page,
                     catalog_.lists().Repositories(request->limit(), request->last(),
                                                   {request->patterns().begin(), request->patterns().end()}));
    *response = ToMessage(std::move(page));
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::DeleteRepository(grpc::CallbackServerContext* context,
                                                            const v1::DeleteRepositoryRequest* request,
                                                            v1::DeleteRepositoryResponse* response) {
  absl::StatusOr<runtime::BoundedExecutor::Place> place = [&]() -> absl::StatusOr<runtime::BoundedExecutor::Place> {
    ASSIGN_OR_RETURN(const Caller caller, AdmittedCaller(*request));
    return deletions_.Reserve(caller.account);
  }();
  if (!place.ok()) {
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(ToGrpcStatus(place.status()));
    return reactor;
  }
  auto delete_repository = [this, request, response, place = *std::move(place)]() -> absl::Status {
    const Caller caller = CallerOf(*request);
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const RepositoryDeletion deletion, catalog_.repositories().Delete(caller, repository));
    *response = ToMessage(deletion);
    return absl::OkStatus();
  };
  return runtime::RunOnExecutor(deletions_.threads(), context, std::move(delete_repository));
}

grpc::ServerUnaryReactor* ManifestService::ReportDamage(grpc::CallbackServerContext* context,
                                                        const v1::ReportDamageRequest* request,
                                                        v1::ReportDamageResponse*) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto finish = [reactor](const absl::Status& status) { reactor->Finish(ToGrpcStatus(status)); };
  const absl::StatusOr<Digest> digest = Digest::Parse(request->digest());
  const absl::StatusOr<StorageKey> storage_key = StorageKey::Parse(request->storage_key());
  if (digest.ok() && storage_key.ok()) {
    maintenance_.ReportDamage(*digest, *storage_key, finish);
  } else {
    finish(digest.ok() ? storage_key.status() : digest.status());
  }
  return reactor;
}

grpc::ServerUnaryReactor* ManifestService::ClaimFetch(grpc::CallbackServerContext* context,
                                                      const v1::ClaimFetchRequest* request,
                                                      v1::ClaimFetchResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    RETURN_IF_ERROR(AdmittedCaller(*request).status());
    ASSIGN_OR_RETURN(const FetchClaim claim, FromMessage(*request));
    ASSIGN_OR_RETURN(const bool granted, catalog_.fetch_claims().Claim(claim));
    response->set_granted(granted);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* ManifestService::MakeRoom(grpc::CallbackServerContext* context,
                                                    const v1::MakeRoomRequest* request,
                                                    types::v1::CacheEviction* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  absl::StatusOr<RoomRequest> room = FromMessage(*request);
  if (const absl::Status admitted = AdmittedCaller(*request).status(); !admitted.ok()) room = admitted;
  if (!room.ok()) {
    reactor->Finish(ToGrpcStatus(room.status()));
    return reactor;
  }
  maintenance_.MakeRoom(*std::move(room), [reactor, response](absl::StatusOr<types::v1::CacheEviction> eviction) {
    if (eviction.ok()) *response = *std::move(eviction);
    reactor->Finish(ToGrpcStatus(eviction.status()));
  });
  return reactor;
}

grpc::ServerUnaryReactor* ManifestService::Maintain(grpc::CallbackServerContext* context,
                                                    const v1::MaintainRequest* request,
                                                    v1::MaintainResponse* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    RETURN_IF_ERROR(AdmittedCaller(*request).status());
    ASSIGN_OR_RETURN(*response, maintenance_.Maintain(*request));
    return absl::OkStatus();
  });
}

}  // namespace entrepot::manifest
