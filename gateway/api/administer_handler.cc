#include "gateway/api/administer_handler.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "entrepot/auth/v1/administration.pb.h"
#include "gateway/api/error_response.h"
#include "gateway/api/request_body.h"
#include "google/protobuf/util/json_util.h"
#include "services/status/oci_error.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::gateway::api {
namespace {

using auth::v1::AdministerRequest;
using auth::v1::AdministerResponse;
namespace json = google::protobuf::util;

// A policy file's text may be among it.
constexpr size_t kBodyBytesMax = 1 << 20;

absl::Status Malformed(absl::string_view message) { return HttpError(400, OciErrorCode::kUnsupported, message); }

absl::StatusOr<AdministerRequest> ParseRequest(const std::string& body) {
  AdministerRequest request;
  json::JsonParseOptions options;
  options.ignore_unknown_fields = false;
  const auto status = json::JsonStringToMessage(body, &request, options);
  if (!status.ok()) {
    return Malformed(absl::StrCat("the body is no AdministerRequest in JSON: ",
                                  QuotedInput({status.message().data(), status.message().size()})));
  }
  if (request.command_case() == AdministerRequest::COMMAND_NOT_SET) return Malformed("the body holds no command");
  return request;
}

// Who asks is for the gateway to say, whatever the body says.
void SetCaller(const http::Request& http, const CallContext& call, AdministerRequest* request) {
  request->clear_caller();
  request->mutable_caller()->set_account(call.caller.account);
  const int64_t issued_at = absl::ToUnixSeconds(call.caller.token_issued_at);
  request->mutable_caller()->mutable_token_issued_at()->set_seconds(issued_at);
  request->set_remote_address(std::string(http.remote_address));
}

// The errors of commands that the OCI specification has no codes for.
absl::Status ToHttp(const absl::Status& status) {
  if (GetOciErrorCode(status).has_value()) return status;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return Malformed(status.message());
    case absl::StatusCode::kNotFound:
      return HttpError(404, OciErrorCode::kUnsupported, status.message());
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return HttpError(409, OciErrorCode::kUnsupported, status.message());
    case absl::StatusCode::kPermissionDenied:
      return OciError(OciErrorCode::kDenied, status.message());
    default:
      return status;
  }
}

absl::StatusOr<std::string> ToJson(const AdministerResponse& response) {
  json::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  std::string text;
  const auto status = json::MessageToJsonString(response, &text, options);
  if (!status.ok()) return absl::InternalError("an AdministerResponse that is no JSON");
  return text;
}

}  // namespace

HandlerResult AdministerHandler::Handle(http::Request& request, const CallContext& call) const {
  CO_ASSIGN_OR_RETURN(const std::string body,
                      co_await ReadWholeBody(*request.body, kBodyBytesMax, OciErrorCode::kUnsupported));
  CO_ASSIGN_OR_RETURN(AdministerRequest command, ParseRequest(body));
  SetCaller(request, call, &command);
  const absl::StatusOr<AdministerResponse> result = co_await auth_->Administer(call, command);
  if (!result.ok()) co_return ToHttp(result.status());
  http::Response response;
  CO_ASSIGN_OR_RETURN(response.body, ToJson(*result));
  response.fields.emplace_back("Content-Type", "application/json");
  // It may hold a secret.
  response.fields.emplace_back("Cache-Control", "no-store");
  co_return response;
}

}  // namespace entrepot::gateway::api
