#ifndef ENTREPOT_SERVICES_BLOB_STORED_OBJECT_ACCESS_H_
#define ENTREPOT_SERVICES_BLOB_STORED_OBJECT_ACCESS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/object_tier.h"
#include "services/blob/objects/verified_objects.h"
#include "services/blob/sessions/kv_upload_sessions.h"
#include "services/core/object_access.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"

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

  const Parts parts_;
  StopSignal stop_verifying_;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_STORED_OBJECT_ACCESS_H_
