#ifndef ENTREPOT_GATEWAY_API_CONTENT_ENTITY_TAG_H_
#define ENTREPOT_GATEWAY_API_CONTENT_ENTITY_TAG_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/core/digest.h"

namespace entrepot::gateway::api {

// The digest as an entity tag, in quotes.
std::string EntityTag(const Digest& digest);

// Whether the value of an If-None-Match field (RFC 9110 section 13.1.2) matches the content with this digest. The value
// is `*` or a list of tags, which may be weak; clients also send the digest without quotes.
bool MatchesEntityTag(absl::string_view if_none_match, const Digest& digest);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_ENTITY_TAG_H_
