#include "services/manifest/grpc_blob_storage.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "entrepot/blob/v1/blob_service.grpc.pb.h"
#include "grpcpp/client_context.h"
#include "services/core/content.h"
#include "services/core/open_uploads.h"
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_retry_policy.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"
#include "services/wire/content_messages.h"
#include "services/wire/open_upload_messages.h"
#include "services/wire/waiting_messages.h"

namespace entrepot::manifest {
namespace {

namespace v1 = blob::v1;

constexpr char kEnding[] = "the process is ending";
// A page of objects is read from many directories, none of which may be cached.
constexpr absl::Duration kListDeadlineMin = absl::Minutes(1);
constexpr absl::Duration kSnapshotDeadline = absl::Hours(6);
// A disk that is busy with other work is at least this fast.
constexpr uint64_t kVerifyBytesPerSecondMin = 4 << 20;

template <typename Request, typename Response>
using Method = grpc::Status (v1::BlobService::StubInterface::*)(grpc::ClientContext*, const Request&, Response*);

class GrpcBlobStorage : public BlobStorage {
 public:
  GrpcBlobStorage(std::shared_ptr<runtime::ServiceReplicas> replicas, absl::Duration deadline)
      : replicas_(std::move(replicas)), deadline_(deadline) {}

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override {
    v1::CheckObjectRequest request;
    request.set_storage_key(key.ToString());
    request.set_size_bytes(size_bytes);
    return Call<v1::CheckObjectResponse>(&Stub::CheckObject, request, deadline_).status();
  }

  absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) override {
    v1::VerifyObjectRequest request;
    *request.mutable_blob() = ToMessage(blob);
    request.set_bytes_per_second(bytes_per_second);
    uint64_t slowest = kVerifyBytesPerSecondMin;
    if (bytes_per_second != 0) slowest = std::min(slowest, std::max<uint64_t>(bytes_per_second / 2, 1));
    const double seconds = static_cast<double>(blob.size_bytes) / static_cast<double>(slowest);
    const runtime::GrpcDeadline deadline(deadline_ + absl::Seconds(seconds));
    return Retry<v1::VerifyObjectResponse>([&](grpc::Status* outcome) -> absl::StatusOr<v1::VerifyObjectResponse> {
             const auto context = std::make_shared<grpc::ClientContext>();
             if (!BeginVerifying(context.get())) return absl::CancelledError(kEnding);
             absl::StatusOr<v1::VerifyObjectResponse> response = CallOnce<v1::VerifyObjectResponse>(
                 &Stub::VerifyObject, request, deadline, context, Patience::kKeep, outcome);
             const bool cut_short = EndVerifying(context.get()) && outcome->error_code() == grpc::StatusCode::CANCELLED;
             // FromGrpcStatus() cannot distinguish this from a cancellation by the server.
             if (cut_short) return absl::CancelledError(kEnding);
             return response;
           })
        .status();
  }

  void StopVerifying() override {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    for (grpc::ClientContext* const call : verifying_) call->TryCancel();
  }

  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override {
    v1::DeleteObjectsRequest request;
    for (const StorageKey& key : keys) request.add_storage_keys(key.ToString());
    const absl::StatusOr<v1::DeleteObjectsResponse> response =
        Call<v1::DeleteObjectsResponse>(&Stub::DeleteObjects, request, std::max(deadline_, kListDeadlineMin));
    std::vector<absl::Status> statuses(keys.size(), response.status());
    if (!response.ok()) return statuses;
    for (const auto& failure : response->failures()) {
      if (failure.index() < statuses.size()) statuses[failure.index()] = absl::UnavailableError(failure.error());
    }
    return statuses;
  }

  absl::StatusOr<StoreOwner> ReadOwner() override {
    ASSIGN_OR_RETURN(const v1::ReadOwnerResponse response,
                     Call<v1::ReadOwnerResponse>(&Stub::ReadOwner, v1::ReadOwnerRequest(), deadline_));
    return StoreOwner{.catalog_id = response.owner().catalog_id(), .generation = response.owner().generation()};
  }

  absl::Status WriteOwner(const StoreOwner& owner) override {
    v1::WriteOwnerRequest request;
    request.mutable_owner()->set_catalog_id(owner.catalog_id);
    request.mutable_owner()->set_generation(owner.generation);
    return Call<v1::WriteOwnerResponse>(&Stub::WriteOwner, request, deadline_).status();
  }

  absl::StatusOr<bool> HasObjects() override {
    v1::ReadOwnerRequest request;
    request.set_look_for_objects(true);
    ASSIGN_OR_RETURN(const v1::ReadOwnerResponse response,
                     Call<v1::ReadOwnerResponse>(&Stub::ReadOwner, request, std::max(deadline_, kListDeadlineMin)));
    return response.has_objects();
  }

  absl::Status Quarantine(const StorageKey& key) override {
    v1::QuarantineObjectRequest request;
    request.set_storage_key(key.ToString());
    return Call<v1::QuarantineObjectResponse>(&Stub::QuarantineObject, request, deadline_).status();
  }

  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) override {
    v1::ListUnclaimedObjectsRequest request;
    request.set_older_than_milliseconds(static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Milliseconds(age), 0)));
    request.set_start_after(start_after);
    request.set_limit(static_cast<uint32_t>(std::min<size_t>(limit, UINT32_MAX)));
    ASSIGN_OR_RETURN(const v1::ListUnclaimedObjectsResponse response,
                     Call<v1::ListUnclaimedObjectsResponse>(&Stub::ListUnclaimedObjects, request,
                                                            std::max(deadline_, kListDeadlineMin)));
    StoredObjectPage page{.objects = {}, .next = response.next()};
    for (const auto& object : response.objects()) {
      ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(object.storage_key()));
      page.objects.push_back({.storage_key = std::move(key), .size_bytes = object.size_bytes()});
    }
    return page;
  }

  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override {
    v1::ListAbandonedUploadsRequest request;
    request.set_limit(static_cast<uint32_t>(std::min<size_t>(limit, UINT32_MAX)));
    ASSIGN_OR_RETURN(const v1::ListAbandonedUploadsResponse response,
                     Call<v1::ListAbandonedUploadsResponse>(&Stub::ListAbandonedUploads, request,
                                                            std::max(deadline_, kListDeadlineMin)));
    std::vector<Blob> blobs;
    for (const types::v1::Blob& upload : response.uploads()) {
      ASSIGN_OR_RETURN(Blob blob, FromMessage(upload));
      blobs.push_back(std::move(blob));
    }
    return blobs;
  }

  absl::Status ForgetAbandoned(const StorageKey& key) override {
    v1::ForgetAbandonedUploadRequest request;
    request.set_storage_key(key.ToString());
    return Call<v1::ForgetAbandonedUploadResponse>(&Stub::ForgetAbandonedUpload, request, deadline_).status();
  }

  absl::StatusOr<OpenUploadPage> ListUploads(const UploadFilter& filter, const std::string& start_after,
                                             size_t limit) override {
    v1::ListOpenUploadsRequest request;
    *request.mutable_filter() = ToMessage(filter);
    request.set_start_after(start_after);
    request.set_limit(static_cast<uint32_t>(std::min<size_t>(limit, UINT32_MAX)));
    ASSIGN_OR_RETURN(const types::v1::UploadList response,
                     Call<types::v1::UploadList>(&Stub::ListOpenUploads, request, deadline_));
    return FromMessage(response);
  }

  // Safe to repeat, although a repeated call no longer counts what the first one has cancelled.
  absl::StatusOr<CancelledUploads> CancelUploads(const UploadFilter& filter) override {
    v1::CancelOpenUploadsRequest request;
    *request.mutable_filter() = ToMessage(filter);
    ASSIGN_OR_RETURN(
        const types::v1::CancelledUploads response,
        Call<types::v1::CancelledUploads>(&Stub::CancelOpenUploads, request, std::max(deadline_, kListDeadlineMin)));
    return FromMessage(response);
  }

  absl::StatusOr<UploadTotals> CountUploads() override {
    ASSIGN_OR_RETURN(const types::v1::UploadTotals response,
                     Call<types::v1::UploadTotals>(&Stub::CountOpenUploads, v1::CountOpenUploadsRequest(), deadline_));
    return FromMessage(response);
  }

  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override {
    v1::CountQuarantinedObjectsRequest request;
    request.set_limit(static_cast<uint32_t>(std::min<size_t>(limit, UINT32_MAX)));
    ASSIGN_OR_RETURN(const types::v1::Waiting response,
                     Call<types::v1::Waiting>(&Stub::CountQuarantinedObjects, request, deadline_));
    return FromMessage(response);
  }

  // Without a retry: a second attempt would find the incomplete snapshot of the first one.
  absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) override {
    v1::SnapshotObjectsRequest request;
    request.set_name(name);
    grpc::Status outcome;
    ASSIGN_OR_RETURN(
        const v1::SnapshotObjectsResponse response,
        CallOnce<v1::SnapshotObjectsResponse>(&Stub::SnapshotObjects, request, runtime::GrpcDeadline(kSnapshotDeadline),
                                              std::make_shared<grpc::ClientContext>(), Patience::kKeep, &outcome));
    return ObjectSnapshot{
        .objects = response.objects(), .object_bytes = response.object_bytes(), .directory = response.directory()};
  }

 private:
  using Stub = v1::BlobService::StubInterface;
  // Whether a call ends early because its replica is silent. Long calls are dear to begin again.
  enum class Patience { kGiveUp, kKeep };

  // Only for idempotent calls: they may be retried.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request, absl::Duration time) {
    const runtime::GrpcDeadline deadline(time);
    return Retry<Response>([&](grpc::Status* outcome) -> absl::StatusOr<Response> {
      return CallOnce<Response>(method, request, deadline, std::make_shared<grpc::ClientContext>(), Patience::kGiveUp,
                                outcome);
    });
  }

  // Retries while the service restarts, so that a commit does not fail because the channel is not connected again yet.
  template <typename Response, typename Attempt>
  absl::StatusOr<Response> Retry(const Attempt& attempt) {
    runtime::GrpcRetryPolicy patience(deadline_);
    for (;;) {
      grpc::Status outcome;
      absl::StatusOr<Response> response = attempt(&outcome);
      const std::optional<absl::Duration> wait = patience.Next(outcome);
      if (!wait.has_value() || IsStopped()) return response;
      absl::SleepFor(*wait);
    }
  }

  template <typename Response, typename Request>
  absl::StatusOr<Response> CallOnce(Method<Request, Response> method, const Request& request,
                                    runtime::GrpcDeadline deadline, const std::shared_ptr<grpc::ClientContext>& context,
                                    Patience patience, grpc::Status* outcome) {
    deadline.Limit(context.get());
    runtime::ReplicaCall call(*replicas_);
    if (patience == Patience::kGiveUp) call.GiveUpIfSilent(context);
    Response response;
    *outcome = call.End((call.stub<v1::BlobService>().*method)(context.get(), request, &response));
    if (!outcome->ok()) return FromGrpcStatus(*outcome);
    return response;
  }

  bool IsStopped() {
    absl::MutexLock lock(&mutex_);
    return stopped_;
  }

  // Returns false after StopVerifying().
  bool BeginVerifying(grpc::ClientContext* call) {
    absl::MutexLock lock(&mutex_);
    if (!stopped_) verifying_.insert(call);
    return !stopped_;
  }
  // Returns whether StopVerifying() was called.
  bool EndVerifying(grpc::ClientContext* call) {
    absl::MutexLock lock(&mutex_);
    verifying_.erase(call);
    return stopped_;
  }

  const std::shared_ptr<runtime::ServiceReplicas> replicas_;
  const absl::Duration deadline_;
  absl::Mutex mutex_;
  std::set<grpc::ClientContext*> verifying_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<BlobStorage> MakeGrpcBlobStorage(std::shared_ptr<runtime::ServiceReplicas> replicas,
                                                 absl::Duration deadline) {
  return std::make_unique<GrpcBlobStorage>(std::move(replicas), deadline);
}

}  // namespace entrepot::manifest
