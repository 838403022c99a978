#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_OBJECTS_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_OBJECTS_H_

#include <cstddef>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/blob/objects/object_reader.h"
#include "services/core/digest.h"
#include "services/core/lru_map.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"

namespace entrepot::blob {

enum class ObjectTrust { kUnknown, kGood, kCorrupt };

// What is known of files from hashing them: to hash each one at each read would cost the speed of sendfile. Known is
// only what has not been changed since, and good is only what was hashed less than a day ago: a disk may lose bytes
// without anybody writing them. In memory, of the objects that were used last. Thread-safe.
class VerifiedObjects {
 public:
  static constexpr size_t kObjectsMax = 65'536;
  static constexpr absl::Duration kGoodFor = absl::Hours(24);

  // `clock` outlives this.
  explicit VerifiedObjects(const Clock* clock, size_t objects_max = kObjectsMax)
      : clock_(*clock), objects_(objects_max) {}

  // Good: it has that digest; corrupt: it has not.
  ObjectTrust Find(const StorageKey& key, const ObjectVersion& version, const Digest& digest);
  // It did not have the digest that was last expected of it.
  bool IsCorrupt(const StorageKey& key, const ObjectVersion& version);
  // It was hashed just now.
  void Enter(const StorageKey& key, const ObjectVersion& version, const Digest& digest, bool good);

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

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_VERIFIED_OBJECTS_H_
