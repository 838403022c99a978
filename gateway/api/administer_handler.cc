#include "gateway/api/administer_handler.h"

#include "entrepot/auth/v1/administration.pb.h"
#include "gateway/api/json_command.h"

namespace entrepot::gateway::api {

HandlerResult AdministerHandler::Handle(http::Request& request, const CallContext& call) const {
  using auth::v1::AdministerRequest;
  return HandleCommand<AdministerRequest>(
      request, call, [this, &call](const AdministerRequest& command) { return auth_->Administer(call, command); });
}

}  // namespace entrepot::gateway::api
