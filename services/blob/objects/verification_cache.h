#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFICATION_CACHE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFICATION_CACHE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/object_store.h"
#include "services/blob/objects/shared_hash.h"
#include "services/core/digest.h"
#include "services/core/lru_map.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"

namespace entrepot::blob {

enum class ObjectTrust { kUnknown, kGood, kCorrupt };

// The results of hashing files. Hashing each file at each read would cost the speed of sendfile. A result is valid as
// long as the file is unchanged, and a good result only for a day, because a disk may lose bytes without a write. Keeps
// the most recently used results, in memory. Outlives the hashes that it returns. Thread-safe.
class VerificationCache {
 public:
  static constexpr size_t kObjectsMax = 65'536;
  static constexpr absl::Duration kGoodFor = absl::Hours(24);

  // `clock` outlives this.
  explicit VerificationCache(const Clock* clock, size_t objects_max = kObjectsMax)
      : clock_(*clock), objects_(objects_max) {}

  // kGood if the object has that digest, kCorrupt if it does not.
  ObjectTrust Find(const StorageKey& key, const ObjectVersion& version, const Digest& digest);
  // Whether the object did not have the digest that was last expected.
  bool IsCorrupt(const StorageKey& key, const ObjectVersion& version);
  // The hash of the object, shared with all that hash it now. It records its result.
  std::shared_ptr<SharedHash> HashOf(const StorageKey& key, const ObjectVersion& version, const Digest& digest);
  // Records that the object was hashed just now.
  void Record(const StorageKey& key, const ObjectVersion& version, const Digest& digest, bool good);

 private:
  struct Finding {
    ObjectVersion version;
    std::string digest;
    absl::Time found_at;
    bool good = false;
  };

  struct Running {
    ObjectVersion version;
    std::weak_ptr<SharedHash> hash;
  };
  void ForgetEndedLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock& clock_;
  absl::Mutex mutex_;
  LruMap<std::string, Finding> objects_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Running> running_ ABSL_GUARDED_BY(mutex_);
  // Ended hashes are removed from `running_` when it has more entries.
  size_t running_max_ ABSL_GUARDED_BY(mutex_) = 64;
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFICATION_CACHE_H_
