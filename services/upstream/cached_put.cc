#include "services/upstream/cached_put.h"

#include <utility>

#include "absl/status/statusor.h"
#include "services/core/digester.h"
#include "services/core/media_type.h"
#include "services/core/reference.h"

namespace entrepot::upstream {

ManifestPut MakeCachedPut(const std::string& upstream, const std::string& media_type, const std::string& content,
                          const std::optional<Tag>& tag) {
  Reference reference = tag.has_value() ? Reference(*tag) : Reference(ComputeDigest(DigestAlgorithm::kSha256, content));
  absl::StatusOr<MediaType> type = MediaType::ParseHeader(media_type);
  return {.reference = std::move(reference),
          .media_type = type.ok() ? std::optional<MediaType>(*std::move(type)) : std::nullopt,
          .content = content,
          .tags = {},
          .cache_of = upstream};
}

}  // namespace entrepot::upstream
