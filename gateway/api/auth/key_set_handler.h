#ifndef ENTREPOT_GATEWAY_API_AUTH_KEY_SET_HANDLER_H_
#define ENTREPOT_GATEWAY_API_AUTH_KEY_SET_HANDLER_H_

#include "gateway/api/auth/key_set_cache.h"
#include "gateway/api/request/registry_request.h"

namespace entrepot::gateway::api {

// GET /.well-known/jwks.json: the public keys to verify the registry's tokens with (RFC 7517). Thread-safe.
class KeySetHandler {
 public:
  // `keys` must outlive the handler.
  explicit KeySetHandler(KeySetCache* keys) : keys_(keys) {}

  HandlerResult Handle(http::Request& request, const CallContext& call) const;

 private:
  KeySetCache* const keys_;
};

}  // namespace entrepot::gateway::api

#endif  // ENTREPOT_GATEWAY_API_AUTH_KEY_SET_HANDLER_H_
