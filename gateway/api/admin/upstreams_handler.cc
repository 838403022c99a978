#include "gateway/api/admin/upstreams_handler.h"

#include "entrepot/upstream/v1/management.pb.h"
#include "gateway/api/request/error_response.h"
#include "gateway/api/request/json_command.h"
#include "services/status/oci_error.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {

HandlerResult UpstreamsHandler::Handle(http::Request& request, const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(const WholeBody body, co_await ReadCommandBody(request));
  CO_ASSIGN_OR_RETURN(const auto command, ReadCommand<upstream::v1::ManageUpstreamsRequest>(body.bytes, request, call));
  if (upstreams_ == nullptr) {
    co_return HttpError(404, OciErrorCode::kUnsupported,
                        "this registry has no upstreams: its configuration names no upstreams_file");
  }
  const absl::StatusOr<upstream::v1::ManageUpstreamsResponse> response = co_await upstreams_->Manage(call, command);
  co_return AnswerCommand(response);
}

}  // namespace entrepot::gateway::api
