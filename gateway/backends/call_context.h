#ifndef ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_
#define ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "services/core/caller.h"
#include "services/core/client_network.h"

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

// Whose share the request counts against (services/core/client_network.h).
inline std::string RequesterOf(const CallContext& context) {
  return Requester(context.caller.account, context.remote_address);
}

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_
