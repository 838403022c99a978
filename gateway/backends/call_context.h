#ifndef ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_
#define ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/core/caller.h"

namespace entrepot::gateway {

// Accompanies every call to a backend.
struct CallContext {
  std::string request_id;
  Caller caller = {};
  // The address of the client; empty if it is not known. Valid during the request.
  absl::string_view remote_address = {};
  // The upstream into whose cache the request imports content; empty for every other request.
  std::string cache_of = {};
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_
