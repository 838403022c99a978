#ifndef ENTREPOT_GATEWAY_API_REQUEST_CONTENT_TYPE_H_
#define ENTREPOT_GATEWAY_API_REQUEST_CONTENT_TYPE_H_

#include "absl/strings/string_view.h"
#include "gateway/http/message.h"

namespace entrepot::gateway::api {

// Whether the request's Content-Type is this media type, with any parameters.
bool HasContentType(const http::Request& request, absl::string_view media_type);

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_REQUEST_CONTENT_TYPE_H_
