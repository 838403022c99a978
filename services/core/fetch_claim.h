#ifndef ENTREPOT_SERVICES_CORE_FETCH_CLAIM_H_
#define ENTREPOT_SERVICES_CORE_FETCH_CLAIM_H_

#include <string>

#include "absl/time/time.h"
#include "services/core/digest.h"

namespace entrepot {

// Asks that only `holder` fetches a blob from an upstream, for a time, among all upstream services of one store. All
// repositories of an upstream share a claim: what is fetched for one of them may then be found for another.
struct FetchClaim {
  // Its name in the upstreams file.
  std::string upstream;
  Digest digest;
  // An upstream service. It is the same one after a restart, so that it gets its own claims again.
  std::string holder;
  // From now on. Zero gives the claim up.
  absl::Duration lifetime;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_FETCH_CLAIM_H_
