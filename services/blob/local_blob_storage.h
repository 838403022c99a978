#ifndef ENTREPOT_SERVICES_BLOB_LOCAL_BLOB_STORAGE_H_
#define ENTREPOT_SERVICES_BLOB_LOCAL_BLOB_STORAGE_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/verification_cache.h"
#include "services/blob/sessions/managed_upload_sessions.h"
#include "services/core/blob_storage.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"

namespace entrepot::blob {

// BlobStorage over the objects of both tiers and the upload sessions.
class LocalBlobStorage : public BlobStorage {
 public:
  // All pointers outlive this.
  struct Parts {
    // Objects of both tiers.
    ObjectStore* objects = nullptr;
    // The tier of large objects, which has the owner.
    StagingObjectStore* files = nullptr;
    ManagedUploadSessions* sessions = nullptr;
    const Clock* clock = nullptr;
    // Records the results of Verify(). May be null.
    VerificationCache* verified = nullptr;
    // Implements Snapshot(); called with a valid name. If empty, Snapshot() is kUnimplemented.
    std::function<absl::StatusOr<ObjectSnapshot>(const std::string& name)> snapshot = {};
  };

  explicit LocalBlobStorage(Parts parts) : parts_(std::move(parts)) {}

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override;
  absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) override;
  void StopVerifying() override;
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  // An age of zero means all objects, whatever the clock says.
  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) override;
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override;
  absl::Status ForgetAbandoned(const StorageKey& key) override;
  absl::StatusOr<OpenUploadPage> ListUploads(const UploadFilter& filter, const std::string& start_after,
                                             size_t limit) override;
  absl::StatusOr<CancelledUploads> CancelUploads(const UploadFilter& filter) override;
  absl::StatusOr<UploadTotals> CountUploads() override;
  absl::StatusOr<StoreOwner> ReadOwner() override { return parts_.files->ReadOwner(); }
  absl::Status WriteOwner(const StoreOwner& owner) override { return parts_.files->WriteOwner(owner); }
  absl::StatusOr<bool> HasObjects() override;
  absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) override;

 private:
  const Parts parts_;
  StopSignal stop_verifying_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_LOCAL_BLOB_STORAGE_H_
