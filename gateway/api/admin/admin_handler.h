#ifndef ENTREPOT_GATEWAY_API_ADMIN_ADMIN_HANDLER_H_
#define ENTREPOT_GATEWAY_API_ADMIN_ADMIN_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/auth_backend.h"

namespace entrepot::gateway::api {

// POST /entrepot/v1/administer: what entrepotctl asks of the auth service, an auth.v1.AdministerRequest in protobuf's
// JSON mapping; the answer is an AdministerResponse. 409 where what should be made is there. Thread-safe.
class AdministerHandler {
 public:
  // `auth` must outlive the handler.
  explicit AdministerHandler(AuthBackend* auth) : auth_(auth) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  AuthBackend* const auth_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ADMIN_ADMIN_HANDLER_H_
