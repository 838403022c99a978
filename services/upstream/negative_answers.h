#ifndef ENTREPOT_SERVICES_UPSTREAM_NEGATIVE_ANSWERS_H_
#define ENTREPOT_SERVICES_UPSTREAM_NEGATIVE_ANSWERS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/lru_map.h"
#include "services/core/time/clock.h"

namespace entrepot::upstream {

// Remembers for a short time what an upstream does not have or refuses, so that it is not asked with each request. In
// memory, at most `answers_max`. Thread-safe.
class NegativeAnswers {
 public:
  // `clock` outlives the object.
  explicit NegativeAnswers(const Clock* clock, size_t answers_max = 65536) : clock_(*clock), answers_(answers_max) {}

  // `status` is not OK. A duration of zero remembers nothing.
  void Remember(const std::string& key, const absl::Status& status, absl::Duration duration);
  std::optional<absl::Status> Find(const std::string& key);
  void Forget(const std::string& key);

 private:
  struct Answer {
    absl::Status status;
    absl::Time since;
    absl::Duration duration;
  };

  const Clock& clock_;
  absl::Mutex mutex_;
  LruMap<std::string, Answer> answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_NEGATIVE_ANSWERS_H_
