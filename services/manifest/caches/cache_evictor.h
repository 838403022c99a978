#ifndef ENTREPOT_SERVICES_MANIFEST_CACHES_CACHE_EVICTOR_H_
#define ENTREPOT_SERVICES_MANIFEST_CACHES_CACHE_EVICTOR_H_

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/types/v1/cache_room.pb.h"
#include "services/core/room_request.h"
#include "services/core/time/clock.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/pull_times.h"
#include "services/manifest/catalog/registry_catalog.h"

namespace entrepot::manifest {

// Measures and evicts what the caches of upstreams hold. It only deletes manifests of caches, with their tags, as a
// client's DELETE does; the collector gives back the bytes that nothing needs any more. So no hosted image can lose
// anything, whatever is pushed meanwhile. Rules on tags are kept: a protected image stays. Thread-safe; two calls at
// once do nothing wrong, but both read everything.
class CacheEvictor {
 public:
  // What was used less than this long ago is not evicted, unless the request has `also_recent` or names a repository.
  // The time of a use may be wrong by PullTimes::kCachedPrecision.
  static constexpr absl::Duration kRecent = absl::Minutes(15);
  // Images in an answer.
  static constexpr int kShownMax = 1000;

  // All must outlive the evictor. `pulls` may be null.
  CacheEvictor(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog, PullTimes* pulls)
      : kv_(*kv), clock_(*clock), catalog_(*catalog), pulls_(pulls) {}

  // Whether the request may evict something, and not only measures.
  static bool MayEvict(const RoomRequest& request);

  // See upstream::CacheStore::MakeRoom(). kResourceExhausted: see ReadCacheContent(). kPermissionDenied: rules on tags
  // protect the manifest that the request names. After another error part may have been evicted.
  absl::StatusOr<types::v1::CacheEviction> MakeRoom(const RoomRequest& request, const Pace& pace);

 private:
  kv::KvEngine& kv_;
  const Clock& clock_;
  RegistryCatalog& catalog_;
  PullTimes* const pulls_;
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CACHES_CACHE_EVICTOR_H_
