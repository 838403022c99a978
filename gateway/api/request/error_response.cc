#include "gateway/api/request/error_response.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "boost/json/array.hpp"
#include "boost/json/object.hpp"
#include "boost/json/serialize.hpp"
#include "gateway/api/request/json_text.h"
#include "services/runtime/log/json_log.h"

namespace entrepot::gateway::api {
namespace {

constexpr absl::string_view kRetryAfterSeconds = "1";
constexpr absl::string_view kHttpStatusUrl = "entrepot/http-status";

http::Response MakeResponse(int http_status, OciErrorCode code, absl::string_view message, absl::string_view detail) {
  boost::json::object error;
  error["code"] = JsonText(GetOciErrorInfo(code).name);
  error["message"] = JsonText(message);
  if (!detail.empty()) error["detail"] = JsonText(detail);
  boost::json::object body;
  body["errors"] = boost::json::array{std::move(error)};

  http::Response response;
  response.status = http_status;
  response.fields.emplace_back("Content-Type", "application/json");
  if (http_status == 503 || http_status == 429) response.fields.emplace_back("Retry-After", kRetryAfterSeconds);
  response.body = boost::json::serialize(body);
  return response;
}

// The row for a status without an OCI code.
OciErrorCode CodeOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kCancelled:
      return OciErrorCode::kUnavailable;
    case absl::StatusCode::kInvalidArgument:
      return OciErrorCode::kNameInvalid;
    case absl::StatusCode::kNotFound:
      return OciErrorCode::kNameUnknown;
    case absl::StatusCode::kOutOfRange:
      return OciErrorCode::kRangeInvalid;
    case absl::StatusCode::kResourceExhausted:
      return OciErrorCode::kTooManyRequests;
    default:
      return OciErrorCode::kUnknown;
  }
}

void LogFailure(const absl::Status& status, absl::string_view request_id) {
  runtime::Log(runtime::LogLevel::kError, "request failed",
               {{"request_id", request_id},
                {"code", absl::StatusCodeToString(status.code())},
                {"reason", absl::string_view(status.message())}});
}

// What HttpError() noted; 0 where it did not make the status.
int NotedHttpStatus(const absl::Status& status) {
  const auto payload = status.GetPayload(kHttpStatusUrl);
  int http_status = 0;
  return payload.has_value() && absl::SimpleAtoi(std::string(*payload), &http_status) ? http_status : 0;
}

// The row for what the services and the gateway have said.
OciErrorCode CodeOf(const absl::Status& status) {
  const std::optional<OciErrorCode> carried = GetOciErrorCode(status);
  return carried.has_value() ? *carried : CodeOf(status.code());
}

}  // namespace

absl::Status HttpError(int http_status, OciErrorCode code, absl::string_view message) {
  absl::Status status = OciError(code, message);
  status.SetPayload(kHttpStatusUrl, absl::Cord(absl::StrCat(http_status)));
  return status;
}

http::Response ErrorResponse(const absl::Status& status, absl::string_view request_id) {
  const OciErrorCode code = CodeOf(status);
  const int noted = NotedHttpStatus(status);
  const int http_status = noted != 0 ? noted : GetOciErrorInfo(code).http_status;
  // What HttpError() says is meant for the client, 501 and 505 too; of our own failures it hears no detail.
  if (http_status < 500 || noted != 0) {
    return MakeResponse(http_status, code, status.message(), GetOciErrorDetail(status));
  }
  LogFailure(status, request_id);
  return MakeResponse(http_status, code,
                      http_status == 503 ? "the registry cannot do this now; try again"
                                         : "the registry failed; its log says why under this request's id",
                      "");
}

}  // namespace entrepot::gateway::api
