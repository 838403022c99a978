#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_REQUEST_PACE_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_REQUEST_PACE_H_

#include <map>
#include <optional>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/time/clock.h"
#include "services/outbound/http_hop.h"
#include "services/upstream/exchange/request_kind.h"
#include "services/upstream/registry/upstream_registry.h"

namespace entrepot::upstream {

// When requests to an upstream may be sent, from what its responses state. Thread-safe.
class RequestPace {
 public:
  // The longest time between two requests because little is left of a limit, and the longest wait of one of them.
  static constexpr absl::Duration kSpacingMax = absl::Seconds(2);
  static constexpr absl::Duration kSlowdownMax = absl::Seconds(10);

  explicit RequestPace(const Clock* clock) : clock_(clock) {}

  // Notes the limit that a response of the upstream's own host states, and the wait that a 429 asks for.
  void Note(RequestKind kind, const outbound::HopHead& head);

  // How long the upstream still wants no request of that kind; nullopt if it takes them.
  std::optional<absl::Duration> Refusal(RequestKind kind) const;
  // How long to wait before the next request of that kind, which takes a place in the row of such requests: nothing
  // while a tenth of the limit is left, then up to 2 s for each request, more as less is left. Only kinds whose
  // responses state the limit wait, and HEADs, which no known upstream counts, never. A limit that no response has
  // stated for 10 minutes is forgotten.
  absl::Duration Slowdown(RequestKind kind);

  RateLimit rate_limit() const;

 private:
  absl::Duration Spacing(RequestKind kind, absl::Time now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  struct Pause {
    absl::Time begin;
    absl::Duration length;
  };

  const Clock* const clock_;
  mutable absl::Mutex mutex_;
  RateLimit limit_ ABSL_GUARDED_BY(mutex_);
  absl::Time limit_stated_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  // The kinds whose responses have stated it.
  std::set<RequestKind> limited_ ABSL_GUARDED_BY(mutex_);
  // When the next request of those may be sent.
  absl::Time next_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::map<RequestKind, Pause> pauses_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_REQUEST_PACE_H_
