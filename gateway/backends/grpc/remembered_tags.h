#ifndef ENTREPOT_GATEWAY_BACKENDS_GRPC_REMEMBERED_TAGS_H_
#define ENTREPOT_GATEWAY_BACKENDS_GRPC_REMEMBERED_TAGS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/repository_name.h"
#include "services/core/resolved_manifest.h"
#include "services/core/tag.h"
#include "services/core/time/deadline.h"
#include "services/core/time/stopwatch.h"

namespace entrepot::gateway {

// The answers of the upstream service about tags, each for as long as it is valid (ResolvedManifest::valid_for), and
// how many requests they answered. In memory, at most `tags_max`. Thread-safe; never blocks.
class RememberedTags {
 public:
  static constexpr size_t kTagsMax = 65536;

  explicit RememberedTags(size_t tags_max = kTagsMax) : tags_(tags_max) {}

  // Forgets what is remembered of the tag if the answer is not valid for any time.
  void Remember(const RepositoryName& repository, const Tag& tag, const ResolvedManifest& answer);
  // nullopt: nothing that is still valid. The age grows with the time since the answer.
  std::optional<RecalledTag> Find(const RepositoryName& repository, const Tag& tag);

  void Count(const RepositoryName& repository, const RecalledCount& count);
  // What was counted for the upstream of the repository since the last call.
  RecalledCount TakeCount(const RepositoryName& repository);

 private:
  struct Answer {
    RecalledTag tag;
    Stopwatch since;
    Deadline until;
  };

  absl::Mutex mutex_;
  // LruMap makes values by default; a digest has no default.
  LruMap<std::string, std::optional<Answer>> tags_ ABSL_GUARDED_BY(mutex_);
  // By upstream.
  absl::flat_hash_map<std::string, RecalledCount> counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_GRPC_REMEMBERED_TAGS_H_
