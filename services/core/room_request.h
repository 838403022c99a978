#ifndef ENTREPOT_SERVICES_CORE_ROOM_REQUEST_H_
#define ENTREPOT_SERVICES_CORE_ROOM_REQUEST_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "services/core/reference.h"
#include "services/core/repository_name.h"

namespace entrepot {

// Asks for room in the caches of one upstream: to measure it, to free some, or to evict certain images.
struct RoomRequest {
  std::string upstream;
  // The least recently used images are evicted until the caches need at most this. The largest number evicts none.
  uint64_t bytes_max = std::numeric_limits<uint64_t>::max();
  // Evicts also what was used in the last minutes, which a pull may still need. For what an administrator asks for.
  bool also_recent = false;
  // Evicts all images of this repository, however recently they were used. `bytes_max` then does not count.
  std::optional<RepositoryName> repository = std::nullopt;
  // Only with a repository: evicts only what it names, with all its tags and referrers.
  std::optional<Reference> reference = std::nullopt;
  // Nothing is evicted: the answer is what would be.
  bool dry_run = false;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_ROOM_REQUEST_H_
