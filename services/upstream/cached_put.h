#ifndef ENTREPOT_SERVICES_UPSTREAM_CACHED_PUT_H_
#define ENTREPOT_SERVICES_UPSTREAM_CACHED_PUT_H_

#include <optional>
#include <string>

#include "services/core/content.h"
#include "services/core/tag.h"

namespace entrepot::upstream {

// The push by which a manifest of an upstream is stored: by the tag, or else by its SHA-256 digest. `media_type` is the
// upstream's Content-Type. If it is not a media type, the content's own type counts.
ManifestPut MakeCachedPut(const std::string& upstream, const std::string& media_type, const std::string& content,
                          const std::optional<Tag>& tag);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CACHED_PUT_H_
