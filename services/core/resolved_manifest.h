#ifndef ENTREPOT_SERVICES_CORE_RESOLVED_MANIFEST_H_
#define ENTREPOT_SERVICES_CORE_RESOLVED_MANIFEST_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "services/core/digest.h"

namespace entrepot {

// What a reference in a cached repository names, as the upstream service answers it.
struct ResolvedManifest {
  Digest digest;
  std::string media_type;
  uint64_t size_bytes = 0;
  // The manifest service has it. Always, unless only metadata was asked for.
  bool stored = false;
  // Why the upstream could not confirm it; empty if it is not stale.
  std::string stale_reason = {};
  absl::Duration age = absl::ZeroDuration();
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_RESOLVED_MANIFEST_H_
