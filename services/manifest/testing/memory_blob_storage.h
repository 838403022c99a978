#ifndef ENTREPOT_SERVICES_MANIFEST_TESTING_MEMORY_OBJECT_ACCESS_H_
#define ENTREPOT_SERVICES_MANIFEST_TESTING_MEMORY_OBJECT_ACCESS_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "services/core/blob_storage.h"
#include "services/core/content.h"
#include "services/core/time/clock.h"

namespace entrepot::manifest {

// For tests: a blob service in memory, with the bytes of the objects. Thread-safe.
class MemoryBlobStorage : public BlobStorage {
 public:
  // The upload session of an object in the blob service.
  enum class Session {
    // A sealed upload that may still be committed.
    kSealed,
    // A sealed upload that was not committed in time.
    kAbandoned,
    // The upload was committed, or the blob service has forgotten it.
    kNone,
  };
  // Called before each call does anything. If it returns an error, the call returns that error. `operation` is the name
  // of the method, like "Quarantine"; "Delete" for each object of DeleteAll().
  using Fault = std::function<absl::Status(absl::string_view operation, const std::string& key)>;

  // `clock` must outlive the MemoryBlobStorage.
  explicit MemoryBlobStorage(const Clock* clock) : clock_(clock) {}

  // Makes a new object with that content, like an upload.
  Blob Upload(absl::string_view content, Session session = Session::kNone);
  // The same under a given storage key.
  void Put(const StorageKey& key, absl::string_view content, Session session = Session::kNone);
  void SetSession(const StorageKey& key, Session session);
  // Damage or lose an object, like a failing disk.
  void Overwrite(const StorageKey& key, absl::string_view content);
  void Lose(const StorageKey& key);
  void SetFault(Fault fault);

  // nullopt if the object does not exist or is quarantined.
  std::optional<std::string> Content(const StorageKey& key) const;
  bool IsQuarantined(const StorageKey& key) const;
  // The number of objects that can be read.
  size_t size() const;
  size_t quarantined() const;

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override;
  absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) override;
  std::vector<absl::Status> DeleteAll(const std::vector<StorageKey>& keys) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<Waiting> CountQuarantined(size_t limit) override;
  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) override;
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override;
  absl::Status ForgetAbandoned(const StorageKey& key) override;
  // It has no open uploads but this one, if it is set.
  void SetOpenUpload(OpenUpload upload);
  absl::StatusOr<OpenUploadPage> ListUploads(const UploadFilter& filter, const std::string& start_after,
                                             size_t limit) override;
  absl::StatusOr<CancelledUploads> CancelUploads(const UploadFilter& filter) override;
  absl::StatusOr<UploadTotals> CountUploads() override;
  absl::StatusOr<StoreOwner> ReadOwner() override;
  absl::Status WriteOwner(const StoreOwner& owner) override;
  absl::StatusOr<bool> HasObjects() override;
  // Copies nothing; returns what would be copied.
  absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) override;

 private:
  struct Object {
    std::string content;
    absl::Time made_at;
  };
  struct SealedUpload {
    Session session;
    Blob blob;
  };

  absl::Status Meet(absl::string_view operation, const std::string& key) const;

  const Clock* const clock_;
  mutable absl::Mutex mutex_;
  Fault fault_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Object> objects_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, std::string> quarantine_ ABSL_GUARDED_BY(mutex_);
  std::optional<OpenUpload> open_upload_ ABSL_GUARDED_BY(mutex_);
  StoreOwner owner_ ABSL_GUARDED_BY(mutex_);
  // The uploads whose session is not kNone.
  std::map<std::string, SealedUpload> uploads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TESTING_MEMORY_OBJECT_ACCESS_H_
