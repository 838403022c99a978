#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_NOTES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_NOTES_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"

namespace entrepot::manifest {

struct PullNote {
  // The key of the PullRecord or the ManifestUseRecord.
  std::string key;
  absl::Time pulled_at;
};

// Pull times that wait to be written: at most one per key and precision. They are spread over shards, so that pulls on
// many threads do not wait for one another. Bounded; thread-safe.
class PullNotes {
 public:
  static constexpr absl::Duration kPrecision = absl::Hours(1);
  static constexpr size_t kWaitingMax = 64 * 1024;

  // Does nothing if the key was noted less than `precision` ago. Returns false if there was no room for the note.
  bool Add(const std::string& key, absl::Time now, absl::Duration precision = kPrecision);
  // Removes and returns all notes.
  std::vector<PullNote> Take();
  // Adds notes again that were taken but could not be written, as many as there is room for.
  void PutBack(const std::vector<PullNote>& notes);

 private:
  static constexpr size_t kShards = 16;
  static constexpr size_t kRememberedMax = 256 * 1024;

  struct Shard {
    absl::Mutex mutex;
    // When a key was last noted.
    LruMap<std::string, absl::Time> noted ABSL_GUARDED_BY(mutex){kRememberedMax / kShards};
    absl::flat_hash_map<std::string, absl::Time> waiting ABSL_GUARDED_BY(mutex);
  };

  Shard& ShardOf(absl::string_view key);

  std::array<Shard, kShards> shards_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_PULL_NOTES_H_
