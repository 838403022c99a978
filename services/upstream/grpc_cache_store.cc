#include "services/upstream/grpc_cache_store.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "entrepot/manifest/v1/manifest_service.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "services/core/time/deadline.h"
#include "services/core/upload.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_retry_policy.h"
#include "services/runtime/grpc/service_replicas.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"
#include "services/upstream/cached_put.h"
#include "services/wire/blob_messages.h"
#include "services/wire/content_messages.h"
#include "services/wire/manifest_messages.h"

namespace entrepot::upstream {
namespace {

using blob::v1::BlobService;
using manifest::v1::ManifestService;
using BlobStub = BlobService::StubInterface;
using ManifestStub = ManifestService::StubInterface;

constexpr size_t kMessageBytes = 256 * 1024;
// A session that is not used expires after half an hour, also if the upstream sends a byte now and then.
constexpr absl::Duration kSendInterval = absl::Minutes(1);

template <typename Service, typename Request, typename Response>
using Method = grpc::Status (Service::StubInterface::*)(grpc::ClientContext*, const Request&, Response*);

// Calls that may be made twice. They are repeated while a service restarts.
class Calls {
 public:
  Calls(const std::shared_ptr<runtime::ServiceReplicas>& blob_service,
        const std::shared_ptr<runtime::ServiceReplicas>& manifest_service, absl::Duration deadline)
      : blobs_(blob_service), manifests_(manifest_service), deadline_(deadline) {}

  runtime::ServiceReplicas& blobs() const { return *blobs_; }
  runtime::ServiceReplicas& manifests() const { return *manifests_; }
  absl::Duration deadline() const { return deadline_; }

  template <typename Service, typename Request, typename Response>
  absl::StatusOr<Response> Call(runtime::ServiceReplicas& replicas, Method<Service, Request, Response> method,
                                const Request& request) const {
    const runtime::GrpcDeadline deadline(deadline_);
    runtime::GrpcRetryPolicy patience(deadline_);
    for (;;) {
      const auto context = std::make_shared<grpc::ClientContext>();
      deadline.Limit(context.get());
      runtime::ReplicaCall call(replicas);
      call.GiveUpIfSilent(context);
      Response response;
      const grpc::Status outcome = call.End((call.template stub<Service>().*method)(context.get(), request, &response));
      if (outcome.ok()) return response;
      const std::optional<absl::Duration> wait = patience.Next(outcome);
      if (!wait.has_value()) return FromGrpcStatus(outcome);
      absl::SleepFor(*wait);
    }
  }

  template <typename Request, typename Response>
  absl::StatusOr<Response> CallBlobs(Method<BlobService, Request, Response> method, const Request& request) const {
    return Call<BlobService, Request, Response>(blobs(), method, request);
  }

  // Calls the manifest service on the upstream service's own behalf.
  template <typename Request, typename Response>
  absl::StatusOr<Response> CallManifests(Method<ManifestService, Request, Response> method, Request request) const {
    request.mutable_caller()->set_is_upstream_service(true);
    return Call<ManifestService, Request, Response>(manifests(), method, request);
  }

 private:
  const std::shared_ptr<runtime::ServiceReplicas> blobs_;
  const std::shared_ptr<runtime::ServiceReplicas> manifests_;
  const absl::Duration deadline_;
};

// Each piece is a call of its own, which names its offset: a fetch may pause for longer than a call may take, and a
// piece can be sent again after the blob service has been restarted.
class GrpcBlobWriter : public BlobWriter {
 public:
  GrpcBlobWriter(const Calls* calls, const RepositoryName& repository, std::string upstream, const Digest& digest,
                 UploadId id)
      : calls_(*calls),
        owner_({.repository = repository, .account = kUpstreamAccount}),
        upstream_(std::move(upstream)),
        digest_(digest),
        id_(std::move(id)) {}

  ~GrpcBlobWriter() override {
    if (ended_) return;
    // Not repeated: a session that is left expires.
    grpc::ClientContext context;
    runtime::GrpcDeadline(calls_.deadline()).Limit(&context);
    blob::v1::CancelUploadResponse response;
    runtime::ReplicaCall(calls_.blobs())
        .stub<BlobService>()
        .CancelUpload(&context, UploadRequest<blob::v1::CancelUploadRequest>(owner_, id_), &response);
  }

  absl::Status Append(absl::string_view bytes) override {
    while (!bytes.empty()) {
      const size_t taken = std::min(bytes.size(), kAppendBytes - piece_.size());
      piece_.append(bytes.data(), taken);
      bytes.remove_prefix(taken);
      if (piece_.size() == kAppendBytes || send_at_.passed()) RETURN_IF_ERROR(SendPiece());
    }
    return absl::OkStatus();
  }

  absl::Status Commit() override {
    RETURN_IF_ERROR(SendPiece());
    auto seal = UploadRequest<blob::v1::SealUploadRequest>(owner_, id_);
    seal.set_digest(digest_.ToString());
    ASSIGN_OR_RETURN(const types::v1::Blob sealed, calls_.CallBlobs(&BlobStub::SealUpload, seal));
    // From here on the session cannot be cancelled. If it is not committed, it expires.
    ended_ = true;
    manifest::v1::CommitBlobRequest commit;
    commit.set_repository(owner_.repository.ToString());
    *commit.mutable_blob() = sealed;
    commit.set_cache_of(upstream_);
    RETURN_IF_ERROR(calls_.CallManifests(&ManifestStub::CommitBlob, std::move(commit)).status());
    calls_.CallBlobs(&BlobStub::ForgetUpload, UploadRequest<blob::v1::ForgetUploadRequest>(owner_, id_)).IgnoreError();
    return absl::OkStatus();
  }

 private:
  absl::Status SendPiece() {
    absl::string_view rest = piece_;
    runtime::GrpcRetryPolicy patience(calls_.deadline());
    while (!rest.empty()) {
      const grpc::Status outcome = SendOnce(rest);
      if (outcome.ok()) {
        offset_bytes_ += rest.size();
        break;
      }
      const std::optional<absl::Duration> wait = patience.Next(outcome);
      if (!wait.has_value()) return FromGrpcStatus(outcome);
      absl::SleepFor(*wait);
      ASSIGN_OR_RETURN(const uint64_t kept_bytes, BytesKept());
      if (kept_bytes < offset_bytes_ || kept_bytes > offset_bytes_ + rest.size()) {
        return absl::InternalError(absl::StrCat("the blob service has ", kept_bytes, " bytes of an upload instead of ",
                                                offset_bytes_, " to ", offset_bytes_ + rest.size()));
      }
      rest.remove_prefix(kept_bytes - offset_bytes_);
      offset_bytes_ = kept_bytes;
    }
    piece_.clear();
    send_at_ = Deadline::After(kSendInterval);
    return absl::OkStatus();
  }

  grpc::Status SendOnce(absl::string_view bytes) {
    const auto context = std::make_shared<grpc::ClientContext>();
    runtime::GrpcDeadline(calls_.deadline()).Limit(context.get());
    blob::v1::Upload response;
    runtime::ReplicaCall call(calls_.blobs());
    call.GiveUpIfSilent(context);
    const auto stream = call.stub<BlobService>().AppendToUpload(context.get(), &response);
    blob::v1::AppendToUploadRequest message;
    *message.mutable_header() = UploadRequest<blob::v1::AppendHeader>(owner_, id_);
    message.mutable_header()->set_offset_bytes(offset_bytes_);
    message.mutable_header()->set_algorithm(ToMessage(digest_.algorithm()));
    bool accepted = stream->Write(message);
    while (accepted && !bytes.empty()) {
      const absl::string_view part = bytes.substr(0, kMessageBytes);
      message.set_data(part.data(), part.size());
      accepted = stream->Write(message);
      bytes.remove_prefix(part.size());
    }
    if (accepted) stream->WritesDone();
    return call.End(stream->Finish());
  }

  absl::StatusOr<uint64_t> BytesKept() {
    ASSIGN_OR_RETURN(const blob::v1::Upload upload,
                     calls_.CallBlobs(&BlobStub::GetUpload, UploadRequest<blob::v1::GetUploadRequest>(owner_, id_)));
    return upload.offset_bytes();
  }

  const Calls& calls_;
  const UploadOwner owner_;
  const std::string upstream_;
  const Digest digest_;
  const UploadId id_;
  uint64_t offset_bytes_ = 0;
  std::string piece_;
  Deadline send_at_ = Deadline::After(kSendInterval);
  bool ended_ = false;
};

// The calls of MakeRoom(): they take long, so the end of the process ends them. Not repeated: their callers try again
// later. Thread-safe.
class RoomCalls {
 public:
  absl::StatusOr<types::v1::CacheEviction> Call(runtime::ServiceReplicas& manifests,
                                                const manifest::v1::MakeRoomRequest& request) {
    grpc::ClientContext context;
    runtime::GrpcDeadline(kMakeRoomDeadline).Limit(&context);
    {
      const absl::MutexLock lock(&mutex_);
      if (stopped_) return absl::CancelledError("the registry is stopping");
      running_.insert(&context);
    }
    types::v1::CacheEviction eviction;
    runtime::ReplicaCall call(manifests);
    const grpc::Status outcome = call.End(call.stub<ManifestService>().MakeRoom(&context, request, &eviction));
    const absl::MutexLock lock(&mutex_);
    running_.erase(&context);
    if (stopped_) return absl::CancelledError("the registry is stopping");
    if (!outcome.ok()) return FromGrpcStatus(outcome);
    return eviction;
  }

  void Stop() {
    const absl::MutexLock lock(&mutex_);
    stopped_ = true;
    for (grpc::ClientContext* context : running_) context->TryCancel();
  }

 private:
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<grpc::ClientContext*> running_ ABSL_GUARDED_BY(mutex_);
};

class GrpcCacheStore : public CacheStore {
 public:
  GrpcCacheStore(const std::shared_ptr<runtime::ServiceReplicas>& blob_service,
                 const std::shared_ptr<runtime::ServiceReplicas>& manifest_service, absl::Duration deadline)
      : calls_(blob_service, manifest_service, deadline) {}

  absl::StatusOr<StoredManifest> FindManifest(const RepositoryName& repository, const Reference& reference,
                                              bool metadata_only) override {
    manifest::v1::GetManifestRequest request;
    request.set_repository(repository.ToString());
    request.set_reference(ReferenceToString(reference));
    request.set_metadata_only(metadata_only);
    ASSIGN_OR_RETURN(manifest::v1::Manifest found,
                     calls_.CallManifests(&ManifestStub::GetManifest, std::move(request)));
    return FromMessage(std::move(found));
  }

  absl::StatusOr<Digest> PutManifest(const RepositoryName& repository, const std::string& upstream,
                                     const std::string& media_type, const std::string& content,
                                     const std::optional<Tag>& tag) override {
    manifest::v1::PutManifestRequest request = ToMessage(MakeCachedPut(upstream, media_type, content, tag));
    request.set_repository(repository.ToString());
    ASSIGN_OR_RETURN(const manifest::v1::PutManifestResponse response,
                     calls_.CallManifests(&ManifestStub::PutManifest, std::move(request)));
    return Digest::Parse(response.digest());
  }

  absl::StatusOr<Blob> FindBlob(const RepositoryName& repository, const Digest& digest) override {
    manifest::v1::LinkNeededBlobRequest request;
    request.set_repository(repository.ToString());
    request.set_digest(digest.ToString());
    ASSIGN_OR_RETURN(const types::v1::Blob found,
                     calls_.CallManifests(&ManifestStub::LinkNeededBlob, std::move(request)));
    return FromMessage(found);
  }

  absl::StatusOr<std::unique_ptr<BlobWriter>> WriteBlob(const RepositoryName& repository, const std::string& upstream,
                                                        const Digest& digest) override {
    blob::v1::StartUploadRequest request;
    request.set_repository(repository.ToString());
    request.set_account(kUpstreamAccount);
    request.set_algorithm(ToMessage(digest.algorithm()));
    // If the answer of an attempt is lost, its session expires.
    ASSIGN_OR_RETURN(const blob::v1::Upload started, calls_.CallBlobs(&BlobStub::StartUpload, request));
    ASSIGN_OR_RETURN(UploadId id, UploadId::Parse(started.upload_id()));
    return std::make_unique<GrpcBlobWriter>(&calls_, repository, upstream, digest, std::move(id));
  }

  absl::StatusOr<bool> ClaimFetch(const FetchClaim& claim) override {
    ASSIGN_OR_RETURN(const manifest::v1::ClaimFetchResponse response,
                     calls_.CallManifests(&ManifestStub::ClaimFetch, ToMessage(claim)));
    return response.granted();
  }

  absl::StatusOr<TagPage> ListTags(const RepositoryName& repository, size_t limit, absl::string_view last) override {
    manifest::v1::ListTagsRequest request;
    request.set_repository(repository.ToString());
    request.set_limit(static_cast<uint32_t>(std::min<size_t>(limit, UINT32_MAX)));
    request.set_last(std::string(last));
    ASSIGN_OR_RETURN(manifest::v1::ListTagsResponse response,
                     calls_.CallManifests(&ManifestStub::ListTags, std::move(request)));
    return FromMessage(std::move(response));
  }

  absl::StatusOr<types::v1::CacheEviction> MakeRoom(const RoomRequest& request) override {
    manifest::v1::MakeRoomRequest message = ToMessage(request);
    message.mutable_caller()->set_is_upstream_service(true);
    return room_calls_.Call(calls_.manifests(), message);
  }

  void Stop() override { room_calls_.Stop(); }

 private:
  const Calls calls_;
  RoomCalls room_calls_;
};

}  // namespace

std::unique_ptr<CacheStore> MakeGrpcCacheStore(const std::shared_ptr<runtime::ServiceReplicas>& blob_service,
                                               const std::shared_ptr<runtime::ServiceReplicas>& manifest_service,
                                               absl::Duration deadline) {
  return std::make_unique<GrpcCacheStore>(blob_service, manifest_service, deadline);
}

}  // namespace entrepot::upstream
