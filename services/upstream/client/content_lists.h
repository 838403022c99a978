#ifndef ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONTENT_LISTS_H_
#define ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONTENT_LISTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/core/content.h"
#include "services/core/digest.h"

namespace entrepot::upstream {

// The tags of one page of tags/list, in its order, without texts that are not tags. kInvalidArgument: not such a page.
absl::StatusOr<std::vector<std::string>> ParseTagList(absl::string_view json);

// The descriptors of an index, as the referrers API and the referrers tag have it, without entries that are no
// descriptors. kInvalidArgument: not an index.
absl::StatusOr<std::vector<Referrer>> ParseReferrers(absl::string_view json);

// The tag whose index lists the referrers of a manifest where there is no referrers API: "sha256-0123…".
std::string ReferrersTag(const Digest& subject);

}  // namespace entrepot::upstream

#endif  // ENTREPOT_SERVICES_UPSTREAM_CLIENT_CONTENT_LISTS_H_
