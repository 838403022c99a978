#ifndef ENTREPOT_GATEWAY_API_CONTENT_ENTITY_TAG_H_
#define ENTREPOT_GATEWAY_API_CONTENT_ENTITY_TAG_H_

#include <string>

#include "absl/status/statusor.h"
#include "gateway/http/message.h"
#include "services/core/digest.h"
#include "services/core/preconditions.h"

namespace entrepot::gateway::api {

// The digest as an entity tag, in quotes.
std::string EntityTag(const Digest& digest);

// The request's If-Match and If-None-Match fields (RFC 9110 section 13.1). A value is `*` or a list of tags; clients
// also send the digest without quotes. If-Match compares strongly, so a weak tag matches nothing there.
Preconditions ParsePreconditions(const http::Request& request);

// For a GET or HEAD of existing content: whether its If-None-Match says that the client has it already (304).
// kFailedPrecondition (PRECONDITION_FAILED) if its If-Match does not hold.
absl::StatusOr<bool> IsUnchanged(const http::Request& request, const Digest& digest);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_CONTENT_ENTITY_TAG_H_
