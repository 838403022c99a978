#ifndef ENTREPOT_SERVICES_BLOB_S3_S3_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_S3_S3_OBJECT_STORE_H_

#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/s3/object_urls.h"
#include "services/blob/s3/s3_bucket.h"
#include "services/blob/s3/s3_metrics.h"
#include "services/blob/s3/s3_staged_upload.h"
#include "services/blob/s3/upload_memory.h"
#include "services/core/time/clock.h"
#include "services/runtime/threads/executor.h"

namespace entrepot::blob::s3 {

struct S3StoreOptions {
  // Begins the keys of all objects of the store; empty, or ends with a slash.
  std::string prefix;
  // Of all parts of an upload but the last, at least 5 MiB at most servers.
  uint64_t part_bytes = 16 << 20;
  // Bytes that uploads hold in memory until the server has them.
  uint64_t upload_memory_bytes_max = 1 << 30;
  // Threads that send parts, and those that delete objects: a run of the collector must not hold up pushes.
  size_t sending_threads = 8;
  size_t deleting_threads = 4;
  // Staged bytes that no session's record has are deleted when they are older: longer than any session lives.
  absl::Duration abandoned_after = absl::Hours(72);
  // If not null, some clients get URLs of objects. Outlives the store.
  const ObjectUrls* urls = nullptr;
};

// Objects in a bucket of S3:
//   <prefix>objects/<storage key>      the objects
//   <prefix>quarantine/<storage key>   quarantined objects
//   <prefix>staging/<upload id>/<name> what is behind the last part of an upload that goes on (s3_staged_upload.h)
//   <prefix>store_id, <prefix>catalog  the database and the catalog that the store belongs to
//
// Several processes may use one store. An error of the server fails the call alone: the store is never read-only.
// CheckServer() asks for the object `store_id`.
class S3ObjectStore : public StagingObjectStore {
 public:
  // Of the object with the id of the store (objects/store_format.h).
  static std::string IdKey(const std::string& prefix) { return prefix + "store_id"; }

  // The pointers outlive the store.
  S3ObjectStore(S3StoreOptions options, S3Bucket* bucket, const Clock* clock, BlobMetrics* metrics,
                S3Metrics* s3_metrics);

  absl::Status CheckWritable() const override { return absl::OkStatus(); }
  absl::Status CheckSpace() const override { return absl::OkStatus(); }
  absl::Status CheckServer() override;
  absl::StatusOr<DiskSpace> Space() const override { return absl::UnimplementedError("S3 does not state its space"); }

  bool shared() const override { return true; }
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                           absl::string_view state) override;
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenPublished(const UploadId& id, uint64_t size_bytes) override;
  absl::Status Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) override;
  absl::Status DiscardStaged(const UploadId& id, absl::string_view state) override;
  absl::StatusOr<std::vector<UploadId>> ListStaged() override;

  absl::StatusOr<StoreOwner> ReadOwner() override;
  absl::Status WriteOwner(const StoreOwner& owner) override;
  absl::StatusOr<ObjectSnapshot> CopyTo(const std::string&) override {
    return absl::UnimplementedError("the objects are in S3: copy the bucket (docs/object-storage.md)");
  }

  absl::StatusOr<OpenObject> Open(const StorageKey& key) override;
  absl::StatusOr<OpenObject> OpenInMemory(const StorageKey& key) override;
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status ReadFromDisk(const StorageKey& key, const std::function<bool(absl::string_view)>& take) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  absl::StatusOr<ObjectList> List(absl::string_view start_after, size_t limit) override;

 private:
  std::string ObjectKey(const StorageKey& key) const { return options_.prefix + "objects/" + key.ToString(); }
  std::string QuarantineKey(const StorageKey& key) const { return options_.prefix + "quarantine/" + key.ToString(); }
  std::string TailPrefix(const UploadId& id) const { return options_.prefix + "staging/" + id.ToString() + "/"; }
  std::string OwnerKey() const { return options_.prefix + "catalog"; }
  void DeleteLater(std::string key);

  const S3StoreOptions options_;
  S3Bucket& bucket_;
  const Clock& clock_;
  BlobMetrics& metrics_;
  UploadMemory memory_;
  S3Staging staging_;
  absl::Mutex owner_mutex_;
  absl::Mutex old_tails_mutex_;
  std::deque<std::pair<absl::Time, std::string>> old_tails_ ABSL_GUARDED_BY(old_tails_mutex_);
  // The last members: their jobs use the others.
  runtime::Executor sending_;
  runtime::Executor deleting_;
};

}  // namespace entrepot::blob::s3

#endif  // ENTREPOT_SERVICES_BLOB_S3_S3_OBJECT_STORE_H_
