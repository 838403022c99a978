#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_SHARED_MEMORY_OBJECT_STORE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_SHARED_MEMORY_OBJECT_STORE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/objects/memory_object_store.h"

namespace entrepot::blob {

// For tests of several replicas: staged bytes belong to the process that writes them until Save(), and then to all that
// know the state. As in S3, a Publish replaces what another process published.
class SharedMemoryObjectStore : public MemoryObjectStore {
 public:
  using MemoryObjectStore::MemoryObjectStore;

  bool shared() const override { return true; }
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenStaged(const UploadId& id, uint64_t size_bytes,
                                                           absl::string_view state) override;
  absl::StatusOr<std::unique_ptr<StagedUpload>> OpenPublished(const UploadId& id, uint64_t size_bytes) override;
  absl::Status Publish(const UploadId& id, std::unique_ptr<StagedUpload> staged) override;
  absl::Status DiscardStaged(const UploadId& id, absl::string_view state) override;
  // Nothing is old.
  absl::StatusOr<std::vector<UploadId>> ListStaged() override { return std::vector<UploadId>(); }

  // The uploads that have saved bytes.
  size_t staged_uploads() const;
  // While true, DiscardStaged and Publish fail.
  void Break(bool broken);

 private:
  class Staged;

  std::string Save(const UploadId& id, const std::string& bytes);
  void Drop(const UploadId& id, const std::string& state);
  absl::Status PublishBytes(const UploadId& id, const std::string& bytes);

  mutable absl::Mutex mutex_;
  std::map<UploadId, std::map<std::string, std::string>> saved_ ABSL_GUARDED_BY(mutex_);
  size_t saves_ ABSL_GUARDED_BY(mutex_) = 0;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_SHARED_MEMORY_OBJECT_STORE_H_
