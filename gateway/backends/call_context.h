#ifndef ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_
#define ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_

#include <string>

#include "services/core/caller.h"

namespace entrepot::gateway {

// Accompanies every call to a backend.
struct CallContext {
  std::string request_id;
  Caller caller = {};
};

}  // namespace entrepot::gateway

#endif  // ENTREPOT_GATEWAY_BACKENDS_CALL_CONTEXT_H_
