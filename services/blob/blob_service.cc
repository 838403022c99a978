#include "services/blob/blob_service.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "services/blob/object_read_reactor.h"
#include "services/blob/upload_append_reactor.h"
#include "services/core/content.h"
#include "services/core/open_uploads.h"
#include "services/core/storage_key.h"
#include "services/runtime/grpc/grpc_unary_call.h"
#include "services/status/status_macros.h"
#include "services/wire/blob_messages.h"
#include "services/wire/content_messages.h"
#include "services/wire/open_upload_messages.h"
#include "services/wire/waiting_messages.h"

namespace entrepot::blob {
namespace {

// So many entries fit into one message easily.
constexpr uint32_t kListMax = 10'000;

}  // namespace

runtime::Executor& BlobService::ExecutorFor(const std::string& upload_id, runtime::Executor& usual) {
  const absl::StatusOr<UploadId> id = UploadId::Parse(upload_id);
  return id.ok() && sessions_.MustReadBack(*id) ? long_calls_ : usual;
}

grpc::ServerUnaryReactor* BlobService::StartUpload(grpc::CallbackServerContext* context,
                                                   const v1::StartUploadRequest* request, v1::Upload* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const RepositoryName repository, RepositoryName::Parse(request->repository()));
    ASSIGN_OR_RETURN(const std::optional<DigestAlgorithm> algorithm, FromMessage(request->algorithm()));
    const UploadOwner owner{
        .repository = repository, .account = request->account(), .client_address = request->client_address()};
    ASSIGN_OR_RETURN(const Upload upload, sessions_.Start(owner, algorithm.value_or(DigestAlgorithm::kSha256)));
    *response = ToMessage(upload);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::GetUpload(grpc::CallbackServerContext* context,
                                                 const v1::GetUploadRequest* request, v1::Upload* response) {
  return runtime::RunOnExecutor(ExecutorFor(request->upload_id(), executor_), context,
                                [this, request, response]() -> absl::Status {
                                  ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
                                  ASSIGN_OR_RETURN(const Upload upload, sessions_.Get(name.owner, name.id));
                                  *response = ToMessage(upload);
                                  return absl::OkStatus();
                                });
}

grpc::ServerReadReactor<v1::AppendToUploadRequest>* BlobService::AppendToUpload(grpc::CallbackServerContext*,
                                                                                v1::Upload* response) {
  return new UploadAppendReactor(&sessions_, &large_objects_, &long_calls_, response);
}

grpc::ServerUnaryReactor* BlobService::SealUpload(grpc::CallbackServerContext* context,
                                                  const v1::SealUploadRequest* request, types::v1::Blob* response) {
  return runtime::RunOnExecutor(ExecutorFor(request->upload_id(), large_objects_), context,
                                [this, request, response]() -> absl::Status {
                                  ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
                                  ASSIGN_OR_RETURN(const Digest digest, Digest::Parse(request->digest()));
                                  ASSIGN_OR_RETURN(const Blob sealed, sessions_.Seal(name.owner, name.id, digest));
                                  *response = ToMessage(sealed);
                                  return absl::OkStatus();
                                });
}

grpc::ServerUnaryReactor* BlobService::CancelUpload(grpc::CallbackServerContext* context,
                                                    const v1::CancelUploadRequest* request, v1::CancelUploadResponse*) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
    return sessions_.Cancel(name.owner, name.id);
  });
}

grpc::ServerUnaryReactor* BlobService::ForgetUpload(grpc::CallbackServerContext* context,
                                                    const v1::ForgetUploadRequest* request, v1::ForgetUploadResponse*) {
  return runtime::RunOnExecutor(executor_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadName name, UploadNameOf(*request));
    return sessions_.Forget(name.owner, name.id);
  });
}

grpc::ServerWriteReactor<v1::ReadObjectResponse>* BlobService::ReadObject(grpc::CallbackServerContext* context,
                                                                          const v1::ReadObjectRequest* request) {
  return new ObjectReadReactor(&reader_, threads_, context, request);
}

grpc::ServerUnaryReactor* BlobService::DeleteObjects(grpc::CallbackServerContext* context,
                                                     const v1::DeleteObjectsRequest* request,
                                                     v1::DeleteObjectsResponse* response) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request, response]() -> absl::Status {
    if (request->storage_keys_size() > static_cast<int>(kListMax)) {
      return absl::InvalidArgumentError(absl::StrCat("more than ", kListMax, " storage keys in one request"));
    }
    std::vector<StorageKey> keys;
    for (const std::string& text : request->storage_keys()) {
      ASSIGN_OR_RETURN(StorageKey key, StorageKey::Parse(text));
      keys.push_back(std::move(key));
    }
    const std::vector<absl::Status> statuses = objects_.DeleteAll(keys);
    for (size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i].ok()) continue;
      v1::DeleteObjectsResponse::Failure& failure = *response->add_failures();
      failure.set_index(static_cast<uint32_t>(i));
      failure.set_error(std::string(statuses[i].message()));
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::ReadOwner(grpc::CallbackServerContext* context,
                                                 const v1::ReadOwnerRequest* request, v1::ReadOwnerResponse* response) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const StoreOwner owner, objects_.ReadOwner());
    response->mutable_owner()->set_catalog_id(owner.catalog_id);
    response->mutable_owner()->set_generation(owner.generation);
    if (!request->look_for_objects()) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool has_objects, objects_.HasObjects());
    response->set_has_objects(has_objects);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::WriteOwner(grpc::CallbackServerContext* context,
                                                  const v1::WriteOwnerRequest* request, v1::WriteOwnerResponse*) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request]() -> absl::Status {
    return objects_.WriteOwner(
        {.catalog_id = request->owner().catalog_id(), .generation = request->owner().generation()});
  });
}

grpc::ServerUnaryReactor* BlobService::CheckObject(grpc::CallbackServerContext* context,
                                                   const v1::CheckObjectRequest* request, v1::CheckObjectResponse*) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request->storage_key()));
    return objects_.Check(key, request->size_bytes());
  });
}

grpc::ServerUnaryReactor* BlobService::VerifyObject(grpc::CallbackServerContext* context,
                                                    const v1::VerifyObjectRequest* request, v1::VerifyObjectResponse*) {
  return runtime::RunOnExecutor(long_calls_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const Blob blob, FromMessage(request->blob()));
    return objects_.Verify(blob, request->bytes_per_second());
  });
}

grpc::ServerUnaryReactor* BlobService::QuarantineObject(grpc::CallbackServerContext* context,
                                                        const v1::QuarantineObjectRequest* request,
                                                        v1::QuarantineObjectResponse*) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request->storage_key()));
    return objects_.Quarantine(key);
  });
}

grpc::ServerUnaryReactor* BlobService::ListUnclaimedObjects(grpc::CallbackServerContext* context,
                                                            const v1::ListUnclaimedObjectsRequest* request,
                                                            v1::ListUnclaimedObjectsResponse* response) {
  return runtime::RunOnExecutor(long_calls_, context, [this, request, response]() -> absl::Status {
    const absl::Duration age = absl::Milliseconds(request->older_than_milliseconds());
    ASSIGN_OR_RETURN(const StoredObjectPage page,
                     objects_.ListUnclaimed(age, request->start_after(), std::min(request->limit(), kListMax)));
    for (const StoredObject& object : page.objects) {
      auto* const listed = response->add_objects();
      listed->set_storage_key(object.storage_key.ToString());
      listed->set_size_bytes(object.size_bytes);
    }
    response->set_next(page.next);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::ListAbandonedUploads(grpc::CallbackServerContext* context,
                                                            const v1::ListAbandonedUploadsRequest* request,
                                                            v1::ListAbandonedUploadsResponse* response) {
  return runtime::RunOnExecutor(long_calls_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<Blob> blobs, objects_.ListAbandoned(std::min(request->limit(), kListMax)));
    for (const Blob& blob : blobs) {
      *response->add_uploads() = ToMessage(blob);
    }
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::ForgetAbandonedUpload(grpc::CallbackServerContext* context,
                                                             const v1::ForgetAbandonedUploadRequest* request,
                                                             v1::ForgetAbandonedUploadResponse*) {
  return runtime::RunOnExecutor(executor_, context, [this, request]() -> absl::Status {
    ASSIGN_OR_RETURN(const StorageKey key, StorageKey::Parse(request->storage_key()));
    return objects_.ForgetAbandoned(key);
  });
}

grpc::ServerUnaryReactor* BlobService::ListOpenUploads(grpc::CallbackServerContext* context,
                                                       const v1::ListOpenUploadsRequest* request,
                                                       types::v1::UploadList* response) {
  return runtime::RunOnExecutor(executor_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const OpenUploadPage page,
                     objects_.ListUploads(FromMessage(request->filter()), request->start_after(),
                                          std::min(request->limit(), kListMax)));
    *response = ToMessage(page);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::CancelOpenUploads(grpc::CallbackServerContext* context,
                                                         const v1::CancelOpenUploadsRequest* request,
                                                         types::v1::CancelledUploads* response) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const CancelledUploads cancelled, objects_.CancelUploads(FromMessage(request->filter())));
    *response = ToMessage(cancelled);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::CountOpenUploads(grpc::CallbackServerContext* context,
                                                        const v1::CountOpenUploadsRequest*,
                                                        types::v1::UploadTotals* response) {
  return runtime::RunOnExecutor(executor_, context, [this, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const UploadTotals totals, objects_.CountUploads());
    *response = ToMessage(totals);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::CountQuarantinedObjects(grpc::CallbackServerContext* context,
                                                               const v1::CountQuarantinedObjectsRequest* request,
                                                               types::v1::Waiting* response) {
  return runtime::RunOnExecutor(large_objects_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const Waiting quarantined, objects_.CountQuarantined(std::min(request->limit(), kListMax)));
    *response = ToMessage(quarantined);
    return absl::OkStatus();
  });
}

grpc::ServerUnaryReactor* BlobService::SnapshotObjects(grpc::CallbackServerContext* context,
                                                       const v1::SnapshotObjectsRequest* request,
                                                       v1::SnapshotObjectsResponse* response) {
  return runtime::RunOnExecutor(long_calls_, context, [this, request, response]() -> absl::Status {
    ASSIGN_OR_RETURN(const ObjectSnapshot snapshot, objects_.Snapshot(request->name()));
    response->set_objects(snapshot.objects);
    response->set_object_bytes(snapshot.object_bytes);
    response->set_directory(snapshot.directory);
    return absl::OkStatus();
  });
}

}  // namespace entrepot::blob
