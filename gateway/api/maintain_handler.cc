#include "gateway/api/maintain_handler.h"

#include "entrepot/manifest/v1/maintenance.pb.h"
#include "gateway/api/json_command.h"

namespace entrepot::gateway::api {

HandlerResult MaintainHandler::Handle(http::Request& request, const CallContext& call) const {
  using manifest::v1::MaintainRequest;
  return HandleCommand<MaintainRequest>(
      request, call, [this, &call](const MaintainRequest& command) { return manifests_->Maintain(call, command); });
}

}  // namespace entrepot::gateway::api
