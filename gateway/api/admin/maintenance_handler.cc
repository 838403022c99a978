#include "gateway/api/admin/maintenance_handler.h"

#include "entrepot/manifest/v1/maintenance.pb.h"
#include "gateway/api/request/json_command.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

HandlerResult MaintenanceHandler::Handle(http::Request& request, const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(const WholeBody body, co_await ReadCommandBody(request));
  CO_ASSIGN_OR_RETURN(const auto command, ReadCommand<manifest::v1::MaintainRequest>(body.bytes, request, call));
  const absl::StatusOr<manifest::v1::MaintainResponse> response = co_await manifests_->Maintain(call, command);
  co_return AnswerCommand(response);
}

}  // namespace entrepot::gateway::api
