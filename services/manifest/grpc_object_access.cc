#include "services/manifest/grpc_object_access.h"

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
#include "services/runtime/grpc/grpc_deadline.h"
#include "services/runtime/grpc/grpc_retry_policy.h"
#include "services/status/grpc_status.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

namespace v1 = blob::v1;

constexpr char kAboutToEnd[] = "the process is about to end";
// A page of objects is gathered from many directories, of which none may be in memory.
constexpr absl::Duration kListDeadlineMin = absl::Minutes(1);
constexpr absl::Duration kSnapshotDeadline = absl::Hours(6);
// Of a disk that does other things too.
constexpr uint64_t kVerifyBytesPerSecondMin = 4 << 20;

template <typename Request, typename Response>
using Method = grpc::Status (v1::BlobService::StubInterface::*)(grpc::ClientContext*, const Request&, Response*);

absl::StatusOr<Blob> ToBlob(const v1::SealedUpload& upload) {
  ASSIGN_OR_RETURN(Digest digest, Digest::Parse(upload.digest()));
  ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(upload.storage_key()));
  return Blob{.digest = std::move(digest), .size_bytes = upload.size_bytes(), .storage_key = std::move(key)};
}

class GrpcObjectAccess : public ObjectAccess {
 public:
  GrpcObjectAccess(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline)
      : channel_(std::move(channel)), stub_(v1::BlobService::NewStub(channel_)), deadline_(deadline) {}

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override {
    v1::CheckObjectRequest request;
    request.set_storage_key(key.ToString());
    request.set_size_bytes(size_bytes);
    return Call<v1::CheckObjectResponse>(&Stub::CheckObject, request, deadline_).status();
  }

  absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) override {
    v1::VerifyObjectRequest request;
    request.set_digest(blob.digest.ToString());
    request.set_size_bytes(blob.size_bytes);
    request.set_storage_key(blob.storage_key.ToString());
    request.set_bytes_per_second(bytes_per_second);
    uint64_t slowest = kVerifyBytesPerSecondMin;
    if (bytes_per_second != 0) slowest = std::min(slowest, std::max<uint64_t>(bytes_per_second / 2, 1));
    const double seconds = static_cast<double>(blob.size_bytes) / static_cast<double>(slowest);
    const runtime::GrpcDeadline deadline(deadline_ + absl::Seconds(seconds));
    return Retry<v1::VerifyObjectResponse>([&](grpc::Status* outcome) -> absl::StatusOr<v1::VerifyObjectResponse> {
             grpc::ClientContext context;
             if (!BeginVerifying(&context)) return absl::CancelledError(kAboutToEnd);
             absl::StatusOr<v1::VerifyObjectResponse> response =
                 CallOnce<v1::VerifyObjectResponse>(&Stub::VerifyObject, request, deadline, &context, outcome);
             const bool cut_short = EndVerifying(&context) && outcome->error_code() == grpc::StatusCode::CANCELLED;
             // gRPC's word for it is not told from a fault of the other side's.
             if (cut_short) return absl::CancelledError(kAboutToEnd);
             return response;
           })
        .status();
  }

  void StopVerifying() override {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    for (grpc::ClientContext* const call : verifying_) call->TryCancel();
  }

  absl::Status Delete(const StorageKey& key) override {
    v1::DeleteObjectRequest request;
    request.set_storage_key(key.ToString());
    return Call<v1::DeleteObjectResponse>(&Stub::DeleteObject, request, deadline_).status();
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
    for (const v1::SealedUpload& upload : response.uploads()) {
      ASSIGN_OR_RETURN(Blob blob, ToBlob(upload));
      blobs.push_back(std::move(blob));
    }
    return blobs;
  }

  absl::Status ForgetAbandoned(const StorageKey& key) override {
    v1::ForgetAbandonedUploadRequest request;
    request.set_storage_key(key.ToString());
    return Call<v1::ForgetAbandonedUploadResponse>(&Stub::ForgetAbandonedUpload, request, deadline_).status();
  }

  // Once: a second attempt would find what the first one began.
  absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) override {
    v1::SnapshotObjectsRequest request;
    request.set_name(name);
    grpc::ClientContext context;
    grpc::Status outcome;
    ASSIGN_OR_RETURN(
        const v1::SnapshotObjectsResponse response,
        CallOnce<v1::SnapshotObjectsResponse>(&Stub::SnapshotObjects, request, runtime::GrpcDeadline(kSnapshotDeadline),
                                              &context, &outcome));
    return ObjectSnapshot{.objects = response.objects(), .object_bytes = response.object_bytes()};
  }

 private:
  using Stub = v1::BlobService::StubInterface;

  // Every call made so is safe to make twice.
  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(Method<Request, Response> method, const Request& request, absl::Duration time) {
    const runtime::GrpcDeadline deadline(time);
    return Retry<Response>([&](grpc::Status* outcome) -> absl::StatusOr<Response> {
      grpc::ClientContext context;
      return CallOnce<Response>(method, request, deadline, &context, outcome);
    });
  }

  // A commit should not fail because the service that has restarted was not connected to again yet.
  template <typename Response, typename Attempt>
  absl::StatusOr<Response> Retry(const Attempt& attempt) {
    runtime::GrpcRestartPatience patience(deadline_);
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
                                    runtime::GrpcDeadline deadline, grpc::ClientContext* context,
                                    grpc::Status* outcome) {
    deadline.Limit(context);
    Response response;
    *outcome = ((*stub_).*method)(context, request, &response);
    if (!outcome->ok()) return FromGrpcStatus(*outcome);
    return response;
  }

  bool IsStopped() {
    absl::MutexLock lock(&mutex_);
    return stopped_;
  }

  // false once it was told to stop.
  bool BeginVerifying(grpc::ClientContext* call) {
    absl::MutexLock lock(&mutex_);
    if (!stopped_) verifying_.insert(call);
    return !stopped_;
  }
  // Whether StopVerifying() was called.
  bool EndVerifying(grpc::ClientContext* call) {
    absl::MutexLock lock(&mutex_);
    verifying_.erase(call);
    return stopped_;
  }

  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<Stub> stub_;
  const absl::Duration deadline_;
  absl::Mutex mutex_;
  std::set<grpc::ClientContext*> verifying_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

std::unique_ptr<ObjectAccess> MakeGrpcObjectAccess(std::shared_ptr<grpc::Channel> channel, absl::Duration deadline) {
  return std::make_unique<GrpcObjectAccess>(std::move(channel), deadline);
}

}  // namespace entrepot::manifest
