#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_FETCH_CLAIMS_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_FETCH_CLAIMS_H_

#include <cstddef>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "services/core/fetch_claim.h"
#include "services/core/time/clock.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Which upstream service fetches which blob, so that of several over one store only one does. A claim saves work, and
// protects nothing: if two fetch a blob after all, its bytes are stored once. Claims survive the process, but not a
// power cut. Thread-safe; calls block on the KV.
class FetchClaims {
 public:
  // A holder that ends without giving up its claims keeps the others waiting for at most this long.
  static constexpr absl::Duration kLifetimeMax = absl::Minutes(1);
  // How many expired claims one call removes.
  static constexpr size_t kExpiredMax = 100;

  // Both outlive it.
  FetchClaims(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock) {}

  // Makes, renews or gives up a claim. Returns whether its holder has it now: not if another one has it.
  // kInvalidArgument: the lifetime is negative or above kLifetimeMax, the upstream is not a name of one component, or
  // the holder has no name.
  absl::StatusOr<bool> Claim(const FetchClaim& claim);

 private:
  // Removes claims whose holders have ended. Once a minute at most.
  void RemoveExpired(absl::Time now);

  kv::KvEngine& kv_;
  const Clock& clock_;
  absl::Mutex mutex_;
  absl::Time expired_removed_at_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_FETCH_CLAIMS_H_
