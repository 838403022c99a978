#include "gateway/api/admin/admin_handler.h"

#include "entrepot/auth/v1/administration.pb.h"
#include "gateway/api/request/json_command.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

HandlerResult AdminHandler::Handle(http::Request& request, const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(const WholeBody body, co_await ReadCommandBody(request));
  CO_ASSIGN_OR_RETURN(const auto command, ReadCommand<auth::v1::AdministerRequest>(body.bytes, request, call));
  const absl::StatusOr<auth::v1::AdministerResponse> response = co_await auth_->Administer(call, command);
  co_return AnswerCommand(response);
}

}  // namespace entrepot::gateway::api
