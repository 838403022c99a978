#ifndef ENTREPOT_GATEWAY_API_ADMIN_ADMIN_HANDLER_H_
#define ENTREPOT_GATEWAY_API_ADMIN_ADMIN_HANDLER_H_

#include "gateway/api/request/registry_request.h"
#include "gateway/backends/auth_backend.h"

namespace entrepot::gateway::api {

// POST /entrepot/v1/administer: a command of entrepotctl for the auth service. The body is an auth.v1.AdministerRequest
// in protobuf's JSON mapping, the response an AdministerResponse. 409 if the object to create exists. Thread-safe.
class AdminHandler {
 public:
  // `auth` must outlive the handler.
  explicit AdminHandler(AuthBackend* auth) : auth_(auth) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  AuthBackend* const auth_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_ADMIN_ADMIN_HANDLER_H_
