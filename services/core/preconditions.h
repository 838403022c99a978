#ifndef ENTREPOT_SERVICES_CORE_PRECONDITIONS_H_
#define ENTREPOT_SERVICES_CORE_PRECONDITIONS_H_

#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "services/core/digest.h"

namespace entrepot {

// The value of an If-Match or If-None-Match field. Entity tags that are not digests match nothing and are left out.
struct EntityTags {
  bool any = false;  // "*"
  std::vector<Digest> digests = {};

  // Whether the tags name the content; nullopt stands for no content.
  bool Match(const std::optional<Digest>& current) const;
};

// The conditions of a request (RFC 9110 section 13.1) on what its manifest or blob is at the moment of the change. The
// entity tag of content is its digest.
struct Preconditions {
  std::optional<EntityTags> if_match = std::nullopt;
  std::optional<EntityTags> if_none_match = std::nullopt;

  bool empty() const { return !if_match.has_value() && !if_none_match.has_value(); }
  // kFailedPrecondition (PRECONDITION_FAILED) if `current` does not fulfil them; nullopt stands for no content.
  absl::Status Check(const std::optional<Digest>& current) const;
};

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_PRECONDITIONS_H_
