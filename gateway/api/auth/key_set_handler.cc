#include "gateway/api/auth/key_set_handler.h"

#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

HandlerResult KeySetHandler::Handle(http::Request&, const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(const KeySetCache::Keys keys, co_await keys_->Get(call));
  http::Response response;
  response.fields.emplace_back("Content-Type", "application/json");
  response.fields.emplace_back("Cache-Control", "public, max-age=60");
  response.body = keys->key_set_json;
  co_return response;
}

}  // namespace entrepot::gateway::api
