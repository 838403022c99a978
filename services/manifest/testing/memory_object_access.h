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
#include "services/core/object_access.h"
#include "services/core/time/clock.h"

namespace entrepot::manifest {

// A blob service in memory, bytes and all. For tests. Thread-safe.
class MemoryObjectAccess : public ObjectAccess {
 public:
  // What an object is on the blob service's side.
  enum class Session {
    // A sealed upload that may still be committed.
    kSealed,
    // One that nobody has committed in time.
    kAbandoned,
    // The blob service has heard that it is committed, or has forgotten it.
    kNone,
  };
  // Asked before each call does anything; what it returns but OK is the call's answer. `operation` is the name of the
  // method: "Delete".
  using Fault = std::function<absl::Status(absl::string_view operation, const std::string& key)>;

  // Must outlive it.
  explicit MemoryObjectAccess(const Clock* clock) : clock_(clock) {}

  // A new object with that content, as an upload leaves it.
  Blob Upload(absl::string_view content, Session session = Session::kNone);
  // The same under a key that is known already.
  void Put(const StorageKey& key, absl::string_view content, Session session = Session::kNone);
  void SetSession(const StorageKey& key, Session session);
  // As a disk would.
  void Overwrite(const StorageKey& key, absl::string_view content);
  void Lose(const StorageKey& key);
  void SetFault(Fault fault);

  // nullopt where it cannot be read.
  std::optional<std::string> Content(const StorageKey& key) const;
  bool IsQuarantined(const StorageKey& key) const;
  // Objects that can be read.
  size_t size() const;
  size_t quarantined() const;

  absl::Status Check(const StorageKey& key, uint64_t size_bytes) override;
  absl::Status Verify(const Blob& blob, uint64_t bytes_per_second) override;
  absl::Status Delete(const StorageKey& key) override;
  absl::Status Quarantine(const StorageKey& key) override;
  absl::StatusOr<StoredObjectPage> ListUnclaimed(absl::Duration age, const std::string& start_after,
                                                 size_t limit) override;
  absl::StatusOr<std::vector<Blob>> ListAbandoned(size_t limit) override;
  absl::Status ForgetAbandoned(const StorageKey& key) override;
  // Counts what would be copied.
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
  // Those that are not kNone.
  std::map<std::string, SealedUpload> uploads_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TESTING_MEMORY_OBJECT_ACCESS_H_
