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
  // Of a tag: for how long another process may give this answer again as a RecalledTag. Zero: not at all.
  absl::Duration valid_for = absl::ZeroDuration();
};

// Of requests for tags that were answered by a RecalledTag: those that were fresh, and those that were stale.
struct RecalledCount {
  uint64_t fresh = 0;
  uint64_t stale = 0;
};

// What a tag of a cached repository names, from memory: the upstream need not be asked, or cannot be. Holds only while
// the manifest service has the tag, and it names the digest there: the reader of the tag compares them.
struct RecalledTag {
  Digest digest;
  // As in ResolvedManifest.
  std::string stale_reason = {};
  absl::Duration age = absl::ZeroDuration();
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_RESOLVED_MANIFEST_H_
