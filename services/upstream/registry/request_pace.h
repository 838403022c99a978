#ifndef ENTREPOT_SERVICES_UPSTREAM_REGISTRY_REQUEST_PACE_H_
#define ENTREPOT_SERVICES_UPSTREAM_REGISTRY_REQUEST_PACE_H_

#include <map>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/time/clock.h"
#include "services/outbound/http_hop.h"
#include "services/upstream/registry/request_kind.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// When requests to an upstream may be sent, from what its responses state. Thread-safe.
class RequestPace {
 public:
  // The longest wait because little is left of a limit.
  static constexpr absl::Duration kSlowdownMax = absl::Seconds(2);

  explicit RequestPace(const Clock* clock) : clock_(clock) {}

  // Notes the limit that a response of the upstream's own host states, and the wait that a 429 asks for.
  void Note(RequestKind kind, const outbound::HopHead& head);

  // How long the upstream still wants no request of that kind; nullopt if it takes them.
  std::optional<absl::Duration> Refusal(RequestKind kind) const;
  // How long to wait before the next request of that kind: nothing while a tenth of the limit is left, then more as
  // less is left. HEADs, which no known upstream counts, wait never, and so does all if no response has stated a limit
  // for 10 minutes.
  absl::Duration Slowdown(RequestKind kind) const;

  RateLimit rate_limit() const;

 private:
  struct Pause {
    absl::Time begin;
    absl::Duration length;
  };

  const Clock* const clock_;
  mutable absl::Mutex mutex_;
  RateLimit limit_ ABSL_GUARDED_BY(mutex_);
  absl::Time limit_stated_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::map<RequestKind, Pause> pauses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_REGISTRY_REQUEST_PACE_H_
