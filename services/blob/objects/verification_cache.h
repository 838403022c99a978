#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFICATION_CACHE_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFICATION_CACHE_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/object_store.h"
#include "services/core/digest.h"
#include "services/core/lru_map.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"

namespace entrepot::blob {

enum class ObjectTrust { kUnknown, kGood, kCorrupt };

// The results of hashing files. Hashing each file at each read would cost the speed of sendfile. A result is valid as
// long as the file is unchanged, and a good result only for a day, because a disk may lose bytes without a write. Keeps
// the most recently used results, in memory. Thread-safe.
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
  // Records that the object was hashed just now.
  void Record(const StorageKey& key, const ObjectVersion& version, const Digest& digest, bool good);

 private:
  struct Finding {
    ObjectVersion version;
    std::string digest;
    absl::Time found_at;
    bool good = false;
  };

  const Clock& clock_;
  absl::Mutex mutex_;
  LruMap<std::string, Finding> objects_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFICATION_CACHE_H_
