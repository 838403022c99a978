#ifndef ENTREPOT_SERVICES_BLOB_STORED_OBJECT_ACCESS_H_
#define ENTREPOT_SERVICES_BLOB_STORED_OBJECT_ACCESS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "services/blob/kv_upload_sessions.h"
#include "services/blob/object_tier.h"
#include "services/blob/verified_objects.h"
#include "services/blob/write_gate.h"
#include "services/core/clock.h"
#include "services/core/object_access.h"

namespace entrepot::blob {

// ObjectAccess over both tiers and the sessions.
class StoredObjectAccess : public ObjectAccess {
 public:
  // All outlive this.
  struct Parts {
    ObjectTier* files = nullptr;
    ObjectTier* values = nullptr;
    const WriteGate* gate = nullptr;
    KvUploadSessions* sessions = nullptr;
    const Clock* clock = nullptr;
    // Learns what Verify() finds. May be null.
    VerifiedObjects* verified = nullptr;
    // Snapshot(), of a name that is one. Null: kUnimplemented.
    std::function<absl::StatusOr<ObjectSnapshot>(const std::string& name)> snapshot = {};
  };

  explicit StoredObjectAccess(Parts parts) : parts_(std::move(parts)) {}

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override;
  absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) override;
  void StopVerifying() override;
  absl::Status Delete(const StorageKey& key) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) override;
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override;
  absl::Status ForgetAbandoned(const StorageKey& key) override;
  absl::StatusOr<ObjectSnapshot> Snapshot(const std::string& name) override;

 private:
  ObjectTier& TierOf(const StorageKey& key) const;
  // Waits until `bytes` may have been read that began at `start`. false: stop.
  bool KeepPace(absl::Time start, uint64_t bytes, uint64_t bytes_per_second);

  const Parts parts_;
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_STORED_OBJECT_ACCESS_H_
